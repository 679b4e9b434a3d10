//! An open issue and all that the core knows about it.

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
    /// The samples that the issue's confidence was computed from.
    pub(super) samples: Samples,
    pub(super) engine: EngineIx,
    pub(super) component: ComponentIx,
    /// A fixed number from the key: it breaks ties and picks the stream of random numbers.
    pub(super) stream: u64,

    pub(super) phase: Phase,
    pub(super) reason: Option<ParkReason>,
    /// Since when it is in this phase.
    pub(super) since: Moment,
    /// When the phase's timer is due.
    pub(super) due: Option<Moment>,
    pub(super) place: Place,

    pub(super) runs: Runs,
    /// The last detection run that found it.
    pub(super) seen_pass: u64,
    /// How many detection runs in a row did not find it.
    pub(super) good_passes: u32,

    pub(super) plan: Option<Arc<Plan>>,
    /// The next observation of its engine has to bring a plan; until then nothing starts.
    pub(super) unplanned: bool,
    pub(super) step: usize,
    /// How many attempts the step has had.
    pub(super) used: u32,
    /// How many attempts it has had in all.
    pub(super) attempts: u32,
    pub(super) not_before: Moment,
    /// Who let the current step run.
    pub(super) approved: Option<By>,
    /// Why healing has given up on it, until it closes or a person acknowledges it. What is tried
    /// again meanwhile changes nothing about that.
    pub(super) gave_up: Option<ParkReason>,
    pub(super) treatment: Option<Treatment>,
    /// It was seen while an attempt ran.
    pub(super) dirty: bool,
    /// A newer fault took its place while an attempt ran: it closes when that ends.
    pub(super) superseded: bool,
}

/// An attempt, from its start until it is settled whether it healed.
#[derive(Debug, Clone)]
pub(super) struct Treatment {
    pub(super) attempt: AttemptId,
    pub(super) action: Name,
    /// Its lock, and who of its attempt and its rollback holds it.
    pub(super) lock: Name,
    pub(super) holder: AttemptId,
    pub(super) settle: Duration,
    pub(super) rollback: bool,
    /// Its action says that it cannot heal this.
    pub(super) hopeless: bool,
    /// When the attempt said ok.
    pub(super) ended: Moment,
    /// When it was last hinted that the fault is back.
    pub(super) hinted: Option<Moment>,
    pub(super) verifying: Option<Ticket>,
    /// How many verifications in a row ended without a verdict.
    pub(super) blind: u32,
    /// Since when it is good.
    pub(super) good_since: Option<Moment>,
}

impl Entry {
    /// The step that is next, if there is a plan.
    pub(super) fn next_step(&self) -> Option<(&Plan, &Step)> {
        let plan = self.plan.as_deref()?;
        plan.steps.get(self.step).map(|step| (plan, step))
    }

    /// Notes whether a detection run found it.
    pub(super) fn passed(&mut self, bad: bool) {
        self.runs.push(bad);
        self.weigh_samples();
    }

    /// Computes anew how sure the detector is: by its samples, and by the detection runs that found
    /// the fault or did not.
    pub(super) fn weigh_samples(&mut self) {
        if self.samples.total > 0 {
            self.issue.confidence = self.runs.with(self.samples).confidence();
        }
    }

    /// Goes on to the next step when this one has had its attempts.
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

    /// What the next attempt would hold.
    pub(super) fn lock(&self) -> &Name {
        let lock = self.plan.as_deref().and_then(|plan| plan.lock.as_ref());
        lock.unwrap_or(&self.issue.key.component)
    }

    /// Its claim to stay when a limit is reached.
    pub(super) fn claim(&self) -> Claim {
        let newest_first = Reverse(self.issue.first_seen.at);
        (self.issue.severity, newest_first, self.stream)
    }

    /// Whether an attempt or a rollback of it has begun, or is about to.
    pub(super) const fn is_under_way(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::AwaitingRollback)
    }

    /// Whether nothing is done about it right now.
    pub(super) const fn is_idle(&self) -> bool {
        !matches!(
            self.phase,
            Phase::Running | Phase::Verifying | Phase::Settling | Phase::AwaitingRollback
        )
    }
}
