//! Plans: the actions an engine proposes for an issue.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::issue::Name;
pub use crate::config::{Backoff, Budget, Confirm, Mode};
use crate::config::{Faults, duration};
use crate::util::closed_set;

closed_set! {
    /// The risk of an action; the policy maps it to a [`Mode`].
    #[derive(Default, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Risk {
        /// It can be undone, or has no visible effect.
        Reversible = "reversible",
        /// Users may notice. The default, so that an unstated risk causes no surprise.
        #[default]
        Disruptive = "disruptive",
        /// It cannot be undone.
        Destructive = "destructive",
    }
}

/// One escalation step of a plan: an action and its limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// The action the engine is asked to run.
    pub action: Name,
    /// Attempts before the next step. Default: the policy's.
    pub attempts: Option<u32>,
    /// Time limit of one attempt. Default: the plan's or the policy's.
    #[serde(default, with = "duration::optional")]
    pub timeout: Option<Duration>,
    /// Risk of the action. Default: the plan's.
    pub risk: Option<Risk>,
    /// Whether a failed attempt is rolled back before the next one.
    pub rollback: bool,
    /// Whether it must be the last step.
    pub last: bool,
}

/// Escalation steps, and how they are taken.
///
/// Unset fields are filled from the policy at the time of use.
///
/// ```
/// use std::time::Duration;
/// use selfheal::healing::{Plan, Risk};
///
/// let plan = Plan::first("reconnect")
///     .attempts(3)
///     .then("rebuild-pool")
///     .attempts(2)
///     .timeout(Duration::from_secs(20))
///     .at_last("fail-over")
///     .step_risk(Risk::Destructive)
///     .risk(Risk::Reversible);
/// assert_eq!(plan.steps.len(), 3);
/// assert!(plan.validate().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Whether the plan only reports: it has no steps, and no mode makes it act.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub report: bool,
    /// Risk of steps that set none. Default: disruptive.
    pub risk: Risk,
    /// Whether a due action runs. Default: by risk.
    pub mode: Option<Mode>,
    /// Time limit of one attempt, for steps that set none.
    #[serde(default, with = "duration::optional")]
    pub timeout: Option<Duration>,
    /// The wait between attempts.
    pub backoff: Option<Backoff>,
    /// Attempts the key may use in a window before it is left to a person.
    pub budget: Option<Budget>,
    /// Detection runs that must find the fault before it is acted on.
    pub confirm: Option<Confirm>,
    /// How long a verification must stay good.
    #[serde(default, with = "duration::optional")]
    pub settle: Option<Duration>,
    /// The lock held during an attempt. Default: the component.
    pub lock: Option<Name>,
}

/// The faults that make a plan invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plan cannot be followed: {faults}")]
pub struct PlanError {
    faults: Faults,
}

impl PlanError {
    /// All faults, each with its field.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}

impl Plan {
    /// The maximum number of steps.
    pub const MAX_STEPS: usize = 16;

    /// A plan whose first step is this action.
    #[must_use]
    pub fn first(action: impl Into<Name>) -> Self {
        Self::default().then(action)
    }

    /// A plan that only reports: the issue is left to a person once confirmed, and an alert fires
    /// until the fault is gone. Modes, overrides and approvals do not make it act.
    ///
    /// ```
    /// use selfheal::healing::{Confirm, Plan};
    ///
    /// let plan = Plan::report().confirm(Confirm::at_once());
    /// assert!(plan.validate().is_ok());
    /// assert!(plan.then("restart").validate().is_err());
    /// ```
    #[must_use]
    pub fn report() -> Self {
        Self {
            report: true,
            ..Self::default()
        }
    }

    /// Adds a step, taken if the steps before it did not heal.
    #[must_use]
    pub fn then(mut self, action: impl Into<Name>) -> Self {
        self.steps.push(Step {
            action: action.into(),
            attempts: None,
            timeout: None,
            risk: None,
            rollback: false,
            last: false,
        });
        self
    }

    /// Adds the last step; no step may follow it.
    #[must_use]
    pub fn at_last(self, action: impl Into<Name>) -> Self {
        self.then(action).last_step(|step| step.last = true)
    }

    /// Sets how often the step added last is tried. Default: the policy's `attempts`.
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        self.last_step(|step| step.attempts = Some(attempts))
    }

    /// Sets the time limit of one attempt of the step added last. Default: the plan's timeout.
    #[must_use]
    pub fn step_timeout(self, timeout: Duration) -> Self {
        self.last_step(|step| step.timeout = Some(timeout))
    }

    /// Sets the risk of the step added last. Default: the plan's risk.
    #[must_use]
    pub fn step_risk(self, risk: Risk) -> Self {
        self.last_step(|step| step.risk = Some(risk))
    }

    /// Makes the engine undo each failed attempt of the step added last.
    #[must_use]
    pub fn with_rollback(self) -> Self {
        self.last_step(|step| step.rollback = true)
    }

    /// Sets the risk of steps that set none. Default: disruptive.
    #[must_use]
    pub fn risk(mut self, risk: Risk) -> Self {
        self.risk = risk;
        self
    }

    /// Sets what to do when an action is due. Default: the policy's mode for the risk.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Sets the time limit of one attempt, for steps that set none. Default: the policy's.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the wait between attempts. Default: the policy's.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// Sets how many attempts the key may use in a window. Default: the policy's `intensity`.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Sets how many detection runs must find the fault first. Default: the policy's.
    #[must_use]
    pub fn confirm(mut self, confirm: Confirm) -> Self {
        self.confirm = Some(confirm);
        self
    }

    /// Sets how long a verification must stay good. Default: the policy's.
    #[must_use]
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = Some(settle);
        self
    }

    /// Sets the lock held during an attempt. Default: the component.
    #[must_use]
    pub fn lock(mut self, lock: impl Into<Name>) -> Self {
        self.lock = Some(lock.into());
        self
    }

    /// Checks the plan and reports all faults, each with its field.
    pub fn validate(&self) -> Result<(), PlanError> {
        let mut faults = Faults::new();
        self.check(&mut faults);
        faults.into_result().map_err(|faults| PlanError { faults })
    }

    fn last_step(mut self, change: impl FnOnce(&mut Step)) -> Self {
        if let Some(step) = self.steps.last_mut() {
            change(step);
        }
        self
    }

    fn check(&self, faults: &mut Faults) {
        if self.report && !self.steps.is_empty() {
            faults.add(
                "steps",
                "a plan that only reports has none",
                "leave them out, or begin with `Plan::first`",
            );
        }
        if !self.report && self.steps.is_empty() {
            faults.add(
                "steps",
                "it is empty",
                "name at least one action, or begin with `Plan::report`",
            );
        }
        if self.steps.len() > Self::MAX_STEPS {
            faults.add(
                "steps",
                format!("{} is more than {}", self.steps.len(), Self::MAX_STEPS),
                "leave some out: so many steps are never all reached",
            );
        }
        let steps = self.steps.iter().take(Self::MAX_STEPS + 1);
        faults.within_each("steps", steps, |faults, index, step| {
            self.check_step(index, step, faults);
        });
        zero("timeout", self.timeout, faults);
        if let Some(backoff) = &self.backoff {
            faults.within("backoff", |faults| backoff.check(faults));
        }
        if let Some(budget) = &self.budget {
            faults.within("budget", |faults| budget.check(faults));
        }
        if let Some(confirm) = &self.confirm {
            faults.within("confirm", |faults| confirm.check(faults));
        }
        if self
            .lock
            .as_ref()
            .is_some_and(|lock| lock.as_str().is_empty())
        {
            faults.add("lock", "it is empty", "name the lock, or leave it out");
        }
    }

    fn check_step(&self, index: usize, step: &Step, faults: &mut Faults) {
        if step.action.as_str().is_empty() {
            faults.add("action", "it is empty", "name the action");
        }
        if step.attempts == Some(0) {
            faults.add(
                "attempts",
                "it asks for zero attempts",
                "give at least 1, or leave the step out",
            );
        }
        zero("timeout", step.timeout, faults);
        if step.last && index + 1 != self.steps.len() {
            faults.add(
                "last",
                "a step follows the last resort",
                "put `at_last` at the end",
            );
        }
        let earlier = &self.steps[..index];
        if earlier.iter().any(|other| other.action == step.action) {
            faults.add(
                "action",
                format!("`{}` is already in the plan", step.action),
                "raise its `attempts` instead",
            );
        }
    }
}

fn zero(field: &str, wait: Option<Duration>, faults: &mut Faults) {
    if wait.is_some_and(|wait| wait.is_zero()) {
        faults.add(field, "it is zero", "give a duration, or leave it out");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(plan: &Plan) -> Vec<String> {
        let faults = plan.validate().err();
        faults.map_or_else(Vec::new, |error| {
            error.faults().iter().map(|f| f.path.clone()).collect()
        })
    }

    #[test]
    fn an_empty_plan_is_refused() {
        assert_eq!(paths(&Plan::default()), ["steps"]);
        let said = Plan::default().validate().unwrap_err().to_string();
        assert!(said.contains("name at least one action"), "{said}");
    }

    #[test]
    fn zero_attempts_and_contradictions_are_named() {
        let plan = Plan::first("a")
            .attempts(0)
            .at_last("b")
            .then("a")
            .step_timeout(Duration::ZERO)
            .confirm(Confirm::of(3, 2))
            .budget(Budget::new(0, Duration::from_secs(1)))
            .lock("");
        assert_eq!(
            paths(&plan),
            [
                "steps[0].attempts",
                "steps[1].last",
                "steps[2].timeout",
                "steps[2].action",
                "budget.max",
                "confirm.bad",
                "lock",
            ]
        );
    }

    #[test]
    fn a_plan_too_long_is_refused() {
        let plan = (0..=Plan::MAX_STEPS).fold(Plan::default(), |plan, n| plan.then(n.to_string()));
        assert_eq!(paths(&plan), ["steps"]);
    }

    #[test]
    fn a_plan_reads_itself_back() {
        let plan = Plan::first("a")
            .timeout(Duration::from_millis(250))
            .at_last("b");
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
}
