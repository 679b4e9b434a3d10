use std::fmt;
use std::sync::Arc;

use super::RulesError;
use super::Selfheal;
use super::source::Live;
use super::wiring::{Filter, Mapping, Wiring};
use crate::healing::engine::RulePart;
use crate::healing::{
    Confirm, Context, EngineHandle, HealError, Issue, Name, Plan, Precondition, Rule, Severity,
    Verdict,
};

/// A builder of the action for an alert; see [`Rules::on`](super::Rules::on).
#[must_use = "nothing is done before `install`"]
pub struct OnAlert {
    heal: Selfheal,
    live: Live,
    filter: Option<Filter>,
    name: String,
    mapping: Mapping,
}

impl OnAlert {
    pub(super) fn new(heal: Selfheal, live: Live, name: &str) -> Self {
        Self {
            heal,
            live,
            filter: Filter::parse(name).ok(),
            name: name.to_owned(),
            mapping: Mapping::default(),
        }
    }

    /// Sets the component of the alert. Default: the value of its label `component`, or else the
    /// alert's name.
    pub fn component(mut self, component: impl Into<Name>) -> Self {
        self.mapping.component = Some(component.into());
        self
    }

    /// Sets the label that names the component, so that alerts of several are healed separately.
    /// Default: `component`.
    pub fn component_label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.mapping.component_label);
        self
    }

    /// Sets the label that gives the severity. Default: `severity`.
    pub fn severity_label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.mapping.severity_label);
        self
    }

    /// Maps a value of that label to a severity. Default: `critical`, `page` and `emergency` are
    /// critical, `error` and `high` are errors, `info`, `none` and `low` are infos; all others are
    /// warnings.
    pub fn severity(mut self, value: &str, severity: Severity) -> Self {
        self.mapping.severities.insert(value.to_owned(), severity);
        self
    }

    /// Whether to delay actions until the history covers the range of the rule; before that, its
    /// result is based on part of it. Default: yes.
    pub fn await_history(mut self, wait: bool) -> Self {
        self.mapping.await_history = wait;
        self
    }

    /// Sets the first action. The alert counts as healed once the same expression no longer yields
    /// it on samples newer than the end of the action.
    pub fn run(
        self,
        action: impl Into<Name>,
        act: impl RulePart<Result<(), HealError>>,
    ) -> AlertRule {
        let wiring = Arc::new(Wiring::new(&self.live, self.filter, self.mapping));
        let (seen, judged) = (Arc::clone(&wiring), Arc::clone(&wiring));
        let timed = timed(act, &wiring);
        let rule = Rule::when(
            format!("{} {}", self.live.name(), self.name),
            move |cx: Context| {
                let wiring = Arc::clone(&seen);
                async move { Ok(wiring.detect(&cx).await) }
            },
        )
        .run(action, timed)
        .verify(move |cx: Context, issue: Issue| {
            let wiring = Arc::clone(&judged);
            async move { wiring.verify(&cx, &issue).await }
        })
        // Already confirmed by its `for`.
        .plan(|plan| plan.confirm(Confirm::at_once()));
        AlertRule {
            heal: self.heal,
            live: self.live,
            wanted: self.name,
            wiring,
            rule,
        }
    }
}

/// A builder of the steps for an alert.
#[must_use = "nothing is done before `install`"]
pub struct AlertRule {
    heal: Selfheal,
    live: Live,
    wanted: String,
    wiring: Arc<Wiring>,
    rule: Rule,
}

impl AlertRule {
    /// Adds an action for when the previous steps did not heal.
    pub fn then(
        mut self,
        action: impl Into<Name>,
        act: impl RulePart<Result<(), HealError>>,
    ) -> Self {
        let timed = timed(act, &self.wiring);
        self.rule = self.rule.then(action, timed);
        self
    }

    /// Adds the last action; nothing may follow it.
    pub fn at_last(
        mut self,
        action: impl Into<Name>,
        act: impl RulePart<Result<(), HealError>>,
    ) -> Self {
        let timed = timed(act, &self.wiring);
        self.rule = self.rule.at_last(action, timed);
        self
    }

    /// Sets the undo of the last added step, run after attempts that did not heal. Default: none.
    pub fn rollback(mut self, undo: impl RulePart<Result<(), HealError>>) -> Self {
        self.rule = self.rule.rollback(undo);
        self
    }

    /// Sets a check to run right before each action. Default: proceed.
    pub fn only_if(mut self, check: impl RulePart<Precondition>) -> Self {
        self.rule = self.rule.only_if(check);
        self
    }

    /// Sets another verification of the heal. Default: the same expression on samples after the
    /// action; for a delivered alert, its delivery as resolved.
    pub fn verify(mut self, verifier: impl RulePart<Verdict>) -> Self {
        self.rule = self.rule.verify(verifier);
        self
    }

    /// Changes the plan: `.plan(|plan| plan.risk(Risk::Reversible).attempts(5))`.
    pub fn plan(mut self, change: impl FnOnce(Plan) -> Plan) -> Self {
        self.rule = self.rule.plan(change);
        self
    }

    /// Starts healing the alert, also after reloads of the rule files.
    ///
    /// # Errors
    /// No rule raises such an alert; the selector has a fault; the alert already has an action, or
    /// healing is shut down.
    pub fn install(self) -> Result<EngineHandle, RulesError> {
        Wiring::check(&self.live, &self.wanted)?;
        let mut rule = self.rule;
        if let Some(component) = self.wiring.component() {
            rule = rule.component(component.clone());
        }
        let engine = self.heal.register(rule)?;
        self.live.watchers().add(engine.clone(), Some(&self.wiring));
        Ok(engine)
    }
}

/// An action that records when it ended, since earlier samples say nothing about its effect.
fn timed<A: RulePart<Result<(), HealError>>>(
    act: A,
    wiring: &Arc<Wiring>,
) -> impl RulePart<Result<(), HealError>> + use<A> {
    let (act, wiring) = (Arc::new(act), Arc::clone(wiring));
    move |cx: Context, issue: Issue| {
        let (act, wiring) = (Arc::clone(&act), Arc::clone(&wiring));
        async move {
            let key = issue.key.clone();
            let done = act.run(cx, issue).await;
            if done.is_ok() {
                wiring.acted(key);
            }
            done
        }
    }
}

impl fmt::Debug for OnAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnAlert")
            .field("alert", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AlertRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlertRule")
            .field("alert", &self.wanted)
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}
