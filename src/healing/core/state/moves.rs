//! Phase changes of an issue: the one place that keeps phases, timers, queues and counts
//! consistent.

use super::State;
use super::components::ComponentIx;
use super::entry::Entry;
use super::queue::{Place, Rank, WaitFor};
use super::slab::SlotId;
use super::timers::Timer;
use crate::healing::core::{AlertId, AlertKind, Moment, ParkReason, Phase, What};

impl State {
    /// Moves an open issue to a phase that lasts until the given time, or until an event.
    pub(super) fn move_to(
        &mut self,
        slot: SlotId,
        phase: Phase,
        reason: Option<ParkReason>,
        until: Option<Moment>,
    ) {
        self.set_place(slot, Place::Nowhere);
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let (before, component) = (entry.phase, entry.component);
        let (key, generation) = (entry.issue.key.clone(), entry.issue.generation);
        self.count(slot, false);
        if let Some(entry) = self.open.get_mut(slot) {
            entry.phase = phase;
            entry.reason = reason;
            entry.since = self.now.at;
        }
        self.count(slot, true);
        self.wake_children(component);
        self.timers.set(Timer::Issue(slot), until);
        if before == Phase::Approval {
            self.resolve(&AlertId::of(&key, AlertKind::Approval));
        }
        // An attempt's start has its own record.
        if phase != Phase::Running {
            self.record(What::Moved {
                key,
                generation,
                to: phase,
                reason,
                until,
            });
        }
    }

    /// Counts an issue in its current phase, or no longer.
    pub(super) fn count(&mut self, slot: SlotId, more: bool) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        self.tally.open.count(entry.phase, more);
        self.components.count(entry.component, entry.phase, more);
        if let Some(engine) = self.engines.get_mut(entry.engine) {
            let claim = (entry.claim(), slot);
            if more && entry.is_idle() {
                engine.evictable.insert(claim);
            } else {
                engine.evictable.remove(&claim);
            }
        }
    }

    /// Requeues the issues that depend on a component once nothing is done about it any more.
    pub(super) fn wake_children(&mut self, component: ComponentIx) {
        let parent = self.components.get(component);
        if parent.is_some_and(|parent| parent.treated == 0) {
            self.wake_all(&WaitFor::Parent(component));
        }
    }

    /// Sets the place of an issue in the queue.
    pub(super) fn set_place(&mut self, slot: SlotId, place: Place) {
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        if entry.place == place {
            return;
        }
        self.queue.put(slot, &place);
        let old = std::mem::replace(&mut entry.place, place);
        self.queue.take(slot, &old);
        // A released lock wakes only the first in line: if that one does not take it, it wakes the
        // next.
        if matches!(old, Place::Ready(_)) {
            let lock = entry.lock().clone();
            self.pass_lock_on(lock);
        }
    }

    pub(super) fn rank(&self, entry: &Entry) -> Rank {
        Rank::new(
            entry.since,
            entry.issue.severity,
            self.policy.ageing,
            entry.stream,
        )
    }

    /// Puts an issue in the ready queue.
    pub(super) fn make_ready(&mut self, slot: SlotId) {
        if let Some(entry) = self.open.get(slot) {
            let place = Place::Ready(self.rank(entry));
            self.set_place(slot, place);
        }
    }

    pub(super) fn wait_for(&mut self, slot: SlotId, what: WaitFor) {
        if let Some(entry) = self.open.get(slot) {
            let place = Place::Waiting(what, self.rank(entry));
            self.set_place(slot, place);
        }
    }

    /// Wakes all issues that wait for this.
    pub(super) fn wake_all(&mut self, what: &WaitFor) {
        if matches!(what, WaitFor::Unmute | WaitFor::Journal | WaitFor::Turn) {
            self.weigh_escalations();
        }
        for slot in self.queue.all_waiting(what) {
            self.wake(slot);
        }
    }

    /// Wakes one issue: a waiting one, or one parked for want of a turn.
    pub(super) fn wake(&mut self, slot: SlotId) {
        match self.open.get(slot).map(|entry| entry.phase) {
            Some(Phase::Parked) => self.due(slot),
            Some(_) => self.make_ready(slot),
            None => {}
        }
    }

    /// Wakes the first issue that waits for a lock, if the lock is free.
    pub(super) fn pass_lock_on(&mut self, lock: crate::healing::core::Name) {
        if self.attempts.holder(&lock).is_none()
            && let Some((_, slot)) = self.queue.first_waiting(&WaitFor::Lock(lock))
        {
            self.make_ready(slot);
        }
    }

    /// Leaves an issue to a person.
    pub(super) fn park(&mut self, slot: SlotId, reason: ParkReason) {
        if reason.blocks() {
            return self.give_up(slot, reason, self.now.at);
        }
        self.move_to(slot, Phase::Parked, Some(reason), None);
        match reason {
            ParkReason::DryRun => self.wait_for(slot, WaitFor::Policy),
            ParkReason::Waited => self.wait_for(slot, WaitFor::Turn),
            _ => {}
        }
        let (kind, why) = match reason {
            ParkReason::DryRun => (AlertKind::DryRun, self.not_run(slot)),
            ParkReason::ReportOnly => (AlertKind::ReportOnly, self.only_reported(slot)),
            ParkReason::ApprovalExpired => (
                AlertKind::Approval,
                "it was not approved in time (`healing.approval.expires`), and can still be \
                 approved"
                    .to_owned(),
            ),
            // Global holds are known to whoever set them, or have their own alert.
            ParkReason::Waited if !(self.paused || self.killed || self.storm.is_active()) => (
                AlertKind::Waited,
                "it has waited too long; it goes on when nothing holds it back any more, or when \
                 a person acknowledges it"
                    .to_owned(),
            ),
            ParkReason::BadPlan => (
                AlertKind::BadPlan,
                "its plan cannot be followed: correct it, then acknowledge this".to_owned(),
            ),
            _ => return,
        };
        self.raise_about(slot, kind, &why);
    }

    /// Raises an alert about an issue, at its severity.
    pub(super) fn raise_about(&mut self, slot: SlotId, kind: AlertKind, why: &str) {
        if let Some(entry) = self.open.get(slot) {
            let key = entry.issue.key.clone();
            let id = AlertId::of(&key, kind);
            self.raise(id, entry.issue.severity, || format!("{key}: {why}"));
        }
    }

    /// Handles the end of a phase's time.
    pub(super) fn phase_over(&mut self, slot: SlotId) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let gave_up = entry.gave_up;
        match entry.phase {
            Phase::Confirming => self.park(slot, ParkReason::Waited),
            Phase::Pending => self.park(slot, gave_up.unwrap_or(ParkReason::Waited)),
            Phase::Backoff => self.due(slot),
            Phase::Approval => self.park(slot, ParkReason::ApprovalExpired),
            Phase::Running => {}
            Phase::AwaitingRollback => self.undo_given_up(slot),
            Phase::Verifying | Phase::Settling => self.look_again(slot),
            Phase::Parked => self.try_again(slot),
        }
    }
}
