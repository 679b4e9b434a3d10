//! The engine that supervises one task.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::child::{Child, End, Status};
use super::restart::Restart;
use crate::healing::core::{
    Budget, Confirm, Issue, Moment, Name, Observation, Plan, Risk, Severity, Verdict,
};
use crate::healing::engine::{Context, HealError, HealingEngine, Precondition};

const RESTART: &str = "restart";

/// Faults of a task; the values of the label `issue_type`.
const PANICKED: &str = "task_panicked";
const FAILED: &str = "task_failed";
const EXITED: &str = "task_exited";
const HUNG: &str = "heartbeat_missed";

/// The supervision settings of a task, fixed at its installation.
pub(super) struct Spec {
    pub(super) component: Name,
    pub(super) restart: Restart,
    pub(super) heartbeat: Option<Duration>,
    pub(super) grace: Duration,
    pub(super) severity: Severity,
    pub(super) intensity: Option<Budget>,
    pub(super) settle: Option<Duration>,
}

/// Watches one task and restarts it.
pub(super) struct Supervisor {
    child: Arc<Child>,
    spec: Spec,
}

impl Supervisor {
    pub(super) fn new(child: Arc<Child>, spec: Spec) -> Self {
        Self { child, spec }
    }

    /// The current fault of the task, with a text as evidence.
    fn fault(&self) -> Option<(&'static str, String)> {
        fault(&self.spec, &self.child.status(), self.child.now())
    }
}

/// The fault of a task in this state, if any.
fn fault(spec: &Spec, status: &Status, now: Moment) -> Option<(&'static str, String)> {
    match &status.end {
        None => {
            let timeout = spec.heartbeat?;
            let silent = now - status.beat();
            (silent > timeout).then(|| (HUNG, format!("no heartbeat for {silent:.1?}")))
        }
        Some(End::Panicked(text)) => Some((PANICKED, text.as_str().to_owned())),
        Some(End::Failed(text)) => Some((FAILED, text.as_str().to_owned())),
        // Not started yet is no fault; a task stopped after that is started again.
        Some(End::Stopped) if status.starts == 0 => None,
        Some(End::Stopped) => Some((EXITED, "it was stopped".to_owned())),
        Some(End::Returned) => {
            (spec.restart == Restart::Permanent).then(|| (EXITED, "it returned".to_owned()))
        }
    }
}

impl HealingEngine for Supervisor {
    fn name(&self) -> &str {
        self.spec.component.as_str()
    }

    fn components(&self) -> Vec<Name> {
        vec![self.spec.component.clone()]
    }

    fn every(&self) -> Option<Duration> {
        // Ends arrive as hints; a missed heartbeat is found at most half its timeout late.
        self.spec.heartbeat.map(|timeout| timeout / 2)
    }

    async fn detect(&self, _: &Context) -> Result<Vec<Observation>, HealError> {
        let status = self.child.status();
        let observed = self.fault().map(|(issue_type, text)| {
            Observation::new(self.spec.component.clone(), issue_type)
                .severity(self.spec.severity)
                .evidence("what", text)
                .evidence("start", status.starts.to_string())
                .evidence("ran", format!("{:.1?}", self.child.now() - status.started))
        });
        Ok(observed.into_iter().collect())
    }

    fn plan(&self, _: &Issue) -> Plan {
        if self.spec.restart == Restart::Temporary {
            return Plan::report().confirm(Confirm::at_once());
        }
        let mut plan = Plan::first(RESTART)
            // The task is dead or hung already: a restart loses nothing.
            .risk(Risk::Reversible)
            .confirm(Confirm::at_once());
        if let Some(intensity) = self.spec.intensity {
            plan = plan.attempts(intensity.max.max(1)).budget(intensity);
        }
        if let Some(settle) = self.spec.settle {
            plan = plan.settle(settle);
        }
        plan
    }

    async fn precondition(&self, _: &Context, _: &Issue) -> Precondition {
        if self.fault().is_some() {
            Precondition::Proceed
        } else {
            Precondition::Stale
        }
    }

    async fn heal(&self, _: &Context, _: &Issue, _action: &str) -> Result<(), HealError> {
        self.child.stop(self.spec.grace).await;
        self.child.start(&Handle::current());
        Ok(())
    }

    async fn verify(&self, _: &Context, _: &Issue) -> Verdict {
        // Any fault counts, also another one than before.
        if self.fault().is_none() {
            Verdict::Good
        } else {
            Verdict::Bad
        }
    }

    async fn close(&self, _: &Context) {
        self.child.stop(self.spec.grace).await;
    }
}
