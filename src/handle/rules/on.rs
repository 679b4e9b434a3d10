use std::fmt;
use std::sync::Arc;

use super::RulesError;
use super::Selfheal;
use super::source::Live;
use super::wiring::{Filter, Mapping, Wiring};
use crate::healing::engine::{Action, Condition, Verifier};
use crate::healing::{
    Confirm, Context, EngineHandle, HealError, Issue, Name, Plan, Rule, Severity,
};

/// An alert for which something is to be done; see [`Rules::on`](super::Rules::on).
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

    /// Names the component that the alert is about. Default: the value of its label `component`,
    /// or else the name of the alert.
    pub fn component(mut self, component: impl Into<Name>) -> Self {
        self.mapping.component = Some(component.into());
        self
    }

    /// Sets the label that says which component an alert is about, so that alerts of several are
    /// healed one by one. Default: `component`.
    pub fn component_label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.mapping.component_label);
        self
    }

    /// Sets the label that says how bad an alert is. Default: `severity`.
    pub fn severity_label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.mapping.severity_label);
        self
    }

    /// Says what a value of that label means. Default: `critical`, `page` and `emergency` are
    /// critical, `error` and `high` an error, `info`, `none` and `low` an information; all else is a
    /// warning.
    pub fn severity(mut self, value: &str, severity: Severity) -> Self {
        self.mapping.severities.insert(value.to_owned(), severity);
        self
    }

    /// Whether to wait with actions until the history reaches as far back as the rule mapping: before
    /// that, what it gives rests on a part of its range. Default: yes.
    pub fn await_history(mut self, wait: bool) -> Self {
        self.mapping.await_history = wait;
        self
    }

    /// Sets what is done first about the alert. It is healed when the same expression no longer
    /// gives it on samples that are newer than the end of the action.
    pub fn run(self, action: impl Into<Name>, act: impl Action) -> AlertRule {
        let wiring = Arc::new(Wiring::new(&self.live, self.filter, self.mapping));
        let (seen, judged) = (Arc::clone(&wiring), Arc::clone(&wiring));
        let timed = Timed::new(act, &wiring);
        let rule = Rule::when(
            format!("{} {}", self.live.name(), self.name),
            move |cx: Context| {
                let wiring = Arc::clone(&seen);
                async move { wiring.detect(&cx).await }
            },
        )
        .run(action, timed)
        .verify(move |cx: Context, issue: Issue| {
            let wiring = Arc::clone(&judged);
            async move { wiring.verify(&cx, &issue).await }
        })
        // Its `for` has confirmed it.
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

/// An alert and what is done about it.
#[must_use = "nothing is done before `install`"]
pub struct AlertRule {
    heal: Selfheal,
    live: Live,
    wanted: String,
    wiring: Arc<Wiring>,
    rule: Rule,
}

impl AlertRule {
    /// Adds what is done when the steps so far did not heal.
    pub fn then(mut self, action: impl Into<Name>, act: impl Action) -> Self {
        let timed = Timed::new(act, &self.wiring);
        self.rule = self.rule.then(action, timed);
        self
    }

    /// Adds what is done last of all; nothing may follow it.
    pub fn at_last(mut self, action: impl Into<Name>, act: impl Action) -> Self {
        let timed = Timed::new(act, &self.wiring);
        self.rule = self.rule.at_last(action, timed);
        self
    }

    /// Undoes each attempt of the step added last that did not heal. Default: nothing is undone.
    pub fn rollback(mut self, undo: impl Action) -> Self {
        self.rule = self.rule.rollback(undo);
        self
    }

    /// Checks once more, right before each action. Default: proceed.
    pub fn only_if(mut self, check: impl Condition) -> Self {
        self.rule = self.rule.only_if(check);
        self
    }

    /// Judges by another signal whether the fault is gone. Default: the same expression on samples
    /// of after the action; for an alert that was delivered, that it is delivered as over.
    pub fn verify(mut self, verifier: impl Verifier) -> Self {
        self.rule = self.rule.verify(verifier);
        self
    }

    /// Changes the plan: `.plan(|plan| plan.risk(Risk::Reversible).attempts(5))`.
    pub fn plan(mut self, change: impl FnOnce(Plan) -> Plan) -> Self {
        self.rule = self.rule.plan(change);
        self
    }

    /// Has the alert healed from now on, also after a reload of the rule files.
    ///
    /// # Errors
    /// No rule raises such an alert; the selector has a fault; it has an action already, or healing
    /// is shut down.
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

/// An action whose end is noted: what was measured before says nothing about it.
struct Timed<A> {
    act: A,
    wiring: Arc<Wiring>,
}

impl<A> Timed<A> {
    fn new(act: A, wiring: &Arc<Wiring>) -> Self {
        let wiring = Arc::clone(wiring);
        Self { act, wiring }
    }
}

impl<A: Action> Action for Timed<A> {
    async fn act(&self, cx: Context, issue: Issue) -> Result<(), HealError> {
        let key = issue.key.clone();
        let done = self.act.act(cx, issue).await;
        if done.is_ok() {
            self.wiring.acted(key);
        }
        done
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
