//! Phase changes of an issue: the one place that keeps phases, timers, queues and counts
//! consistent.

use super::State;
use super::components::ComponentIx;
use super::entry::Entry;
use super::queue::{Place, Rank, WaitFor};
use super::slab::SlotId;
use super::timers::Timer;
use crate::healing::core::{
    AlertId, AlertKind, Moment, ParkReason, Phase, Severity, ShortText, What,
};

/// The evidence that describes a fault in a sentence, such as the annotation of a rule.
const SUMMARY: &str = "summary";

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
        self.count_out(slot);
        if let Some(entry) = self.open.get_mut(slot) {
            entry.phase = phase;
            entry.reason = reason;
            entry.since = self.now.at;
        }
        self.count_in(slot);
        self.wake_children(component);
        self.set_due(slot, until);
        if before == Phase::Approval {
            self.end_alert(slot, AlertKind::Approval);
        }
        // An attempt's start has its own record.
        if phase != Phase::Running {
            self.record_move(slot, until);
        }
    }

    fn record_move(&mut self, slot: SlotId, until: Option<Moment>) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let what = What::Moved {
            key: entry.issue.key.clone(),
            generation: entry.issue.generation,
            to: entry.phase,
            reason: entry.reason,
            until,
        };
        self.record(what);
    }

    fn end_alert(&mut self, slot: SlotId, kind: AlertKind) {
        if let Some(entry) = self.open.get(slot) {
            let id = AlertId::of(&entry.issue.key, kind);
            self.resolve(&id);
        }
    }

    /// Counts an issue in its current phase.
    pub(super) fn count_in(&mut self, slot: SlotId) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let (phase, component, engine) = (entry.phase, entry.component, entry.engine);
        let (claim, idle) = (entry.claim(), entry.is_idle());
        self.tally.open.add(phase);
        if is_confirmed(phase) {
            self.components.count_confirmed(component, true);
        }
        if is_treated(phase)
            && let Some(component) = self.components.get_mut(component)
        {
            component.treated += 1;
        }
        if idle && let Some(engine) = self.engines.get_mut(engine) {
            engine.evictable.insert((claim, slot));
        }
    }

    /// The opposite of [`count_in`](Self::count_in).
    pub(super) fn count_out(&mut self, slot: SlotId) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let (phase, component, engine) = (entry.phase, entry.component, entry.engine);
        let claim = entry.claim();
        self.tally.open.remove(phase);
        if is_confirmed(phase) {
            self.components.count_confirmed(component, false);
        }
        if is_treated(phase)
            && let Some(parent) = self.components.get_mut(component)
        {
            parent.treated = parent.treated.saturating_sub(1);
        }
        if let Some(engine) = self.engines.get_mut(engine) {
            engine.evictable.remove(&(claim, slot));
        }
    }

    /// Requeues the issues that depend on a component once nothing is done about it any more.
    pub(super) fn wake_children(&mut self, component: ComponentIx) {
        let parent = self.components.get(component);
        if parent.is_some_and(|parent| parent.treated == 0) {
            self.wake_all(&WaitFor::Parent(component));
        }
    }

    /// Sets or clears the time at which the phase ends by itself.
    pub(super) fn set_due(&mut self, slot: SlotId, until: Option<Moment>) {
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        if let Some(old) = std::mem::replace(&mut entry.due, until) {
            self.timers.cancel(old, Timer::Issue(slot));
        }
        if let Some(at) = until {
            self.timers.set(at, Timer::Issue(slot));
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
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let (key, severity) = (entry.issue.key.clone(), entry.issue.severity);
        match reason {
            ParkReason::DryRun => {
                self.wait_for(slot, WaitFor::Policy);
                let why = self.not_run(slot);
                self.raise_about(&key, AlertKind::DryRun, severity, &why);
            }
            ParkReason::ReportOnly => {
                let why = "its plan only reports it; the alert ends with the fault";
                let evidence = &entry.issue.evidence;
                let summary = evidence.iter().find(|(name, _)| *name == SUMMARY);
                let why = match summary {
                    Some((_, summary)) => format!("{summary}; {why}"),
                    None => why.to_owned(),
                };
                self.raise_about(&key, AlertKind::ReportOnly, severity, &why);
            }
            ParkReason::ApprovalExpired => {
                let why = "it was not approved in time (`healing.approval.expires`), and can still \
                           be approved";
                self.raise_about(&key, AlertKind::Approval, severity, why);
            }
            ParkReason::Waited => {
                self.wait_for(slot, WaitFor::Turn);
                // Global holds are known to whoever set them, or have their own alert.
                if !(self.paused || self.killed || self.storm.is_active()) {
                    let why = "it has waited too long; it goes on when nothing holds it back any \
                               more, or when a person acknowledges it";
                    self.raise_about(&key, AlertKind::Waited, severity, why);
                }
            }
            ParkReason::BadPlan => {
                self.raise_about(
                    &key,
                    AlertKind::BadPlan,
                    severity,
                    "its plan cannot be followed: correct it, then acknowledge this",
                );
            }
            _ => {}
        }
    }

    pub(super) fn raise_about(
        &mut self,
        key: &crate::healing::core::IssueKey,
        kind: AlertKind,
        severity: Severity,
        why: &str,
    ) {
        let id = AlertId::of(key, kind);
        self.raise(id, severity, || ShortText::new(&format!("{key}: {why}")));
    }

    /// Handles the end of a phase's time.
    pub(super) fn phase_over(&mut self, slot: SlotId) {
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        entry.due = None;
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

/// Whether an issue in this phase is confirmed.
const fn is_confirmed(phase: Phase) -> bool {
    !matches!(phase, Phase::Confirming)
}

/// Whether an issue in this phase is acted on, or will be.
const fn is_treated(phase: Phase) -> bool {
    !matches!(phase, Phase::Parked)
}
