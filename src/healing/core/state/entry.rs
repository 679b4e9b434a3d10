//! An open issue and its state in the core.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use super::components::ComponentIx;
use super::engines::{Claim, EngineIx};
use super::queue::Place;
use super::samples::Runs;
use crate::healing::core::{
    AttemptId, By, Issue, Moment, Name, ParkReason, Phase, Plan, Samples, Step, Ticket,
};

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) issue: Issue,
    /// The samples behind the issue's confidence.
    pub(super) samples: Samples,
    pub(super) engine: EngineIx,
    pub(super) component: ComponentIx,
    /// A fixed number from the key: it breaks ties and selects the random stream.
    pub(super) stream: u64,

    pub(super) phase: Phase,
    pub(super) reason: Option<ParkReason>,
    /// When it entered this phase.
    pub(super) since: Moment,
    pub(super) place: Place,

    pub(super) runs: Runs,
    /// The last detection run that found it.
    pub(super) seen_run: u64,
    /// Consecutive detection runs that did not find it.
    pub(super) good_passes: u32,

    pub(super) plan: Option<Arc<Plan>>,
    /// Needs a plan with its engine's next observation; until then nothing starts.
    pub(super) unplanned: bool,
    pub(super) step: usize,
    /// Attempts of the current step.
    pub(super) used: u32,
    /// Attempts in total.
    pub(super) attempts: u32,
    pub(super) not_before: Moment,
    /// The person who approved the current step.
    pub(super) approved: Option<By>,
    /// Why healing has given up on it, until it closes or a person acknowledges it. Retries do not
    /// change it.
    pub(super) gave_up: Option<ParkReason>,
    pub(super) treatment: Option<Treatment>,
    /// Seen while an attempt ran.
    pub(super) dirty: bool,
    /// Superseded while an attempt ran: it closes when that ends.
    pub(super) superseded: bool,
}

/// An attempt, from its start until its verification is decided.
#[derive(Debug, Clone)]
pub(super) struct Treatment {
    pub(super) attempt: AttemptId,
    pub(super) action: Name,
    /// Its lock; `holder` is the attempt or its rollback.
    pub(super) lock: Name,
    pub(super) holder: AttemptId,
    pub(super) settle: Duration,
    pub(super) rollback: bool,
    /// Its action reports that it cannot heal this.
    pub(super) hopeless: bool,
    /// When the attempt returned ok.
    pub(super) ended: Moment,
    /// When a hint last reported the fault again.
    pub(super) hinted: Option<Moment>,
    pub(super) verifying: Option<Ticket>,
    /// Consecutive verifications without a verdict.
    pub(super) blind: u32,
    /// Since when the fault is gone.
    pub(super) good_since: Option<Moment>,
}

impl Entry {
    /// The next step, if there is a plan.
    pub(super) fn next_step(&self) -> Option<(&Plan, &Step)> {
        let plan = self.plan.as_deref()?;
        plan.steps.get(self.step).map(|step| (plan, step))
    }

    /// Records whether a detection run found it.
    pub(super) fn seen_in_run(&mut self, bad: bool) {
        self.runs.push(bad);
        self.weigh_samples();
    }

    /// Recomputes the detector's confidence from its samples and from the detection runs.
    pub(super) fn weigh_samples(&mut self) {
        if self.samples.total > 0 {
            self.issue.confidence = self.runs.with(self.samples).confidence();
        }
    }

    /// Advances to the next step when this one has used its attempts.
    pub(super) fn escalate(&mut self, attempts: u32) {
        if self.gave_up.is_some() {
            return;
        }
        let Some((_, step)) = self.next_step() else {
            return;
        };
        if self.used >= step.attempts.unwrap_or(attempts) {
            self.step += 1;
            self.used = 0;
            self.approved = None;
        }
    }

    /// The lock of the next attempt.
    pub(super) fn lock(&self) -> &Name {
        let lock = self.plan.as_deref().and_then(|plan| plan.lock.as_ref());
        lock.unwrap_or(&self.issue.key.component)
    }

    /// Its rank in the eviction order.
    pub(super) fn claim(&self) -> Claim {
        let newest_first = Reverse(self.issue.first_seen.at);
        (self.issue.severity, newest_first, self.stream)
    }

    /// Whether an attempt or a rollback of it runs, or is about to.
    pub(super) const fn is_under_way(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::AwaitingRollback)
    }

    /// Whether nothing is done about it now.
    pub(super) const fn is_idle(&self) -> bool {
        !matches!(
            self.phase,
            Phase::Running | Phase::Verifying | Phase::Settling | Phase::AwaitingRollback
        )
    }
}
