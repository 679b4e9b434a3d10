use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::pieces::{BoxedDetector, BoxedPart, Detector, RulePart, boxed};
use super::{Context, HealError, HealingEngine, Precondition};
use crate::healing::core::{Issue, Name, Observation, Plan, Verdict};

/// An engine built from closures.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
/// use selfheal::healing::{Context, HealError, Issue, Observation, Risk, Rule, Verdict};
///
/// let level = Arc::new(AtomicU32::new(97)); // percent of a queue
/// let (seen, drained, looked) = (level.clone(), level.clone(), level.clone());
///
/// let rule = Rule::when("queue", move |_: Context| {
///     let full = seen.load(SeqCst) > 95;
///     async move {
///         let found = full.then(|| Observation::new("queue", "full").severity(selfheal::healing::Severity::Error));
///         Ok(found.into_iter().collect())
///     }
/// })
/// .run("drain", move |_: Context, _: Issue| {
///     drained.store(10, SeqCst);
///     async { Ok(()) }
/// })
/// .then("drop-oldest", |_: Context, _: Issue| async {
///     Err(HealError::permanent("nothing can be dropped"))
/// })
/// .verify(move |_: Context, _: Issue| {
///     let good = looked.load(SeqCst) < 50;
///     async move { if good { Verdict::Good } else { Verdict::Bad } }
/// })
/// .plan(|plan| plan.risk(Risk::Reversible));
/// # use selfheal::healing::HealingEngine;
/// # assert_eq!(rule.name(), "queue");
/// ```
///
/// The parts are closures or implementations of [`Detector`] and [`RulePart`].
pub struct Rule {
    name: Name,
    detector: BoxedDetector,
    components: Vec<Name>,
    every: Option<Duration>,
    actions: Vec<Step>,
    check: Option<BoxedPart<Precondition>>,
    verifier: Option<BoxedPart<Verdict>>,
    plan: Plan,
}

/// A rule that has a detector and no action yet; made by [`Rule::when`].
pub struct When(Rule);

struct Step {
    name: Name,
    act: BoxedPart<Result<(), HealError>>,
    undo: Option<BoxedPart<Result<(), HealError>>>,
}

impl Rule {
    /// Begins a rule with its name and its detector.
    #[must_use]
    pub fn when(name: impl Into<Name>, detector: impl Detector) -> When {
        let detector = Arc::new(detector);
        When(Rule {
            name: name.into(),
            detector: Box::new(move |cx| {
                let detector = Arc::clone(&detector);
                Box::pin(async move { detector.detect(cx).await })
            }),
            components: Vec::new(),
            every: None,
            actions: Vec::new(),
            check: None,
            verifier: None,
            plan: Plan::default(),
        })
    }

    /// Adds a step, taken if the steps before it did not heal.
    #[must_use]
    pub fn then(
        mut self,
        action: impl Into<Name>,
        act: impl RulePart<Result<(), HealError>>,
    ) -> Self {
        let name = action.into();
        self.plan = self.plan.then(name.clone());
        self.actions.push(Step::new(name, act));
        self
    }

    /// Adds the last step; no step may follow it.
    #[must_use]
    pub fn at_last(
        mut self,
        action: impl Into<Name>,
        act: impl RulePart<Result<(), HealError>>,
    ) -> Self {
        let name = action.into();
        self.plan = self.plan.at_last(name.clone());
        self.actions.push(Step::new(name, act));
        self
    }

    /// Sets how to undo each failed attempt of the step added last. Default: nothing is undone.
    #[must_use]
    pub fn rollback(mut self, undo: impl RulePart<Result<(), HealError>>) -> Self {
        self.plan = self.plan.with_rollback();
        if let Some(step) = self.actions.last_mut() {
            step.undo = Some(boxed(undo));
        }
        self
    }

    /// Adds a check right before each action. Default: proceed.
    #[must_use]
    pub fn only_if(mut self, check: impl RulePart<Precondition>) -> Self {
        self.check = Some(boxed(check));
        self
    }

    /// Sets how to verify that the fault is gone. Default: detects again and searches for the
    /// issue's key.
    #[must_use]
    pub fn verify(mut self, verifier: impl RulePart<Verdict>) -> Self {
        self.verifier = Some(boxed(verifier));
        self
    }

    /// Changes the plan: `.plan(|plan| plan.risk(Risk::Reversible).attempts(5))`. "The step added
    /// last" in [`Plan`] holds here as well.
    #[must_use]
    pub fn plan(mut self, change: impl FnOnce(Plan) -> Plan) -> Self {
        self.plan = change(self.plan);
        self
    }

    /// Names a component that it watches. Default: those it reports on.
    #[must_use]
    pub fn component(mut self, component: impl Into<Name>) -> Self {
        self.components.push(component.into());
        self
    }

    /// Sets the interval of the detector when nothing hints at a fault. Default: the policy's
    /// `detect_every`.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = Some(interval);
        self
    }

    fn step(&self, action: &str) -> Result<&Step, HealError> {
        let found = self.actions.iter().find(|s| s.name.as_str() == action);
        found.ok_or_else(|| {
            HealError::permanent(format!(
                "rule `{}` has no action `{action}`; name only actions of the rule in its plan",
                self.name
            ))
        })
    }
}

impl When {
    /// Adds the first step.
    #[must_use]
    pub fn run(self, action: impl Into<Name>, act: impl RulePart<Result<(), HealError>>) -> Rule {
        self.0.then(action, act)
    }
}

impl Step {
    fn new(name: Name, act: impl RulePart<Result<(), HealError>>) -> Self {
        Self {
            name,
            act: boxed(act),
            undo: None,
        }
    }
}

impl HealingEngine for Rule {
    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn components(&self) -> Vec<Name> {
        self.components.clone()
    }

    fn every(&self) -> Option<Duration> {
        self.every
    }

    async fn detect(&self, cx: &Context) -> Result<Vec<Observation>, HealError> {
        (self.detector)(cx.clone()).await
    }

    fn plan(&self, _: &Issue) -> Plan {
        self.plan.clone()
    }

    async fn precondition(&self, cx: &Context, issue: &Issue) -> Precondition {
        match &self.check {
            Some(check) => check(cx.clone(), issue.clone()).await,
            None => Precondition::Proceed,
        }
    }

    async fn heal(&self, cx: &Context, issue: &Issue, action: &str) -> Result<(), HealError> {
        let step = self.step(action)?;
        (step.act)(cx.clone(), issue.clone()).await
    }

    async fn verify(&self, cx: &Context, issue: &Issue) -> Verdict {
        match &self.verifier {
            Some(verifier) => verifier(cx.clone(), issue.clone()).await,
            None => super::api::detect_again(self, cx, issue).await,
        }
    }

    async fn rollback(&self, cx: &Context, issue: &Issue, action: &str) -> Result<(), HealError> {
        match &self.step(action)?.undo {
            Some(undo) => undo(cx.clone(), issue.clone()).await,
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("name", &self.name)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("When")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::healing::engine::DynEngine;

    async fn found(_: Context) -> Result<Vec<Observation>, HealError> {
        Ok(vec![Observation::new("db", "down")])
    }

    async fn fail(_: Context, _: Issue) -> Result<(), HealError> {
        Err(HealError::retry("no"))
    }

    async fn fine(_: Context, _: Issue) -> Result<(), HealError> {
        Ok(())
    }

    fn an_issue() -> Issue {
        Issue::sample("db", "down")
    }

    #[tokio::test]
    async fn pieces_are_called_by_name() {
        let rule = Rule::when("db", found)
            .run("reconnect", fail)
            .rollback(fine)
            .at_last("fail-over", fine)
            .only_if(|_: Context, _: Issue| async { Precondition::refuse("not today") });
        // As the runtime uses it; `Rule` itself has methods of the same names.
        let rule: Box<dyn DynEngine> = Box::new(rule);
        let cx = Context::by_hand().unwrap();
        let issue = an_issue();
        let names: Vec<_> = rule
            .plan(&issue)
            .steps
            .iter()
            .map(|s| s.action.to_string())
            .collect();
        assert_eq!(names, ["reconnect", "fail-over"]);
        assert!(rule.plan(&issue).steps[0].rollback);
        assert_eq!(
            rule.heal(&cx, &issue, "reconnect")
                .await
                .unwrap_err()
                .to_string(),
            "no"
        );
        assert!(rule.rollback(&cx, &issue, "reconnect").await.is_ok());
        assert!(rule.heal(&cx, &issue, "fail-over").await.is_ok());
        let lost = rule
            .heal(&cx, &issue, "reboot")
            .await
            .unwrap_err()
            .to_string();
        assert!(lost.contains("`reboot`"), "{lost}");
        assert_eq!(
            rule.precondition(&cx, &issue).await,
            Precondition::refuse("not today")
        );
        assert_eq!(
            rule.verify(&cx, &issue).await,
            Verdict::Bad,
            "detected again"
        );
    }
}
