//! What follows a treatment that did not heal: a rollback, another attempt, the next step, or a
//! person.

use super::State;
use super::memory::Memory;
use super::slab::SlotId;
use crate::healing::core::{Closed, ParkReason, Phase};

impl State {
    /// Whether an issue closes as soon as nothing of it runs.
    pub(super) fn is_ending(&self, slot: SlotId) -> bool {
        let entry = self.open.get(slot);
        let engine = entry.and_then(|entry| self.engines.get(entry.engine));
        let superseded = entry.is_some_and(|entry| entry.superseded);
        self.stopping || superseded || engine.is_some_and(|engine| engine.removed)
    }

    /// Rolls a failed attempt back if the plan says so, unless it still runs.
    pub(super) fn undo_or_next(&mut self, slot: SlotId, zombie: bool) {
        let entry = self.open.get(slot);
        let treatment = entry.and_then(|entry| entry.treatment.as_ref());
        if treatment.is_some_and(|one| one.rollback) && !zombie {
            self.undo.insert(slot);
            let until = self.now.at + self.policy.patience;
            self.move_to(slot, Phase::AwaitingRollback, None, Some(until));
        } else {
            self.next(slot, true);
        }
    }

    /// Skips a rollback that waited longer than the policy's patience: the next attempt matters
    /// more.
    pub(super) fn undo_given_up(&mut self, slot: SlotId) {
        if self.undo.remove(&slot) {
            self.refuse("a rollback could not start in time, and was skipped");
            self.next(slot, true);
        }
    }

    /// Ends a treatment that did not heal: another attempt, the next step, or giving up.
    pub(super) fn next(&mut self, slot: SlotId, counts: bool) {
        let ending = self.is_ending(slot);
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        let mut hopeless = false;
        if let Some(treatment) = entry.treatment.take() {
            hopeless = treatment.hopeless;
            self.release(&treatment);
        }
        if ending {
            let outcome = if self.stopping {
                Closed::Shutdown
            } else {
                Closed::Superseded
            };
            return self.close(slot, outcome);
        }
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        if counts {
            // A hopeless step has used all of its attempts.
            let all = hopeless && entry.gave_up.is_none();
            let more = if all { u32::MAX } else { 1 };
            entry.used = entry.used.saturating_add(more);
        }
        entry.escalate(self.policy.attempts);
        let gave_up = entry.gave_up;
        if gave_up.is_some() && counts {
            // The next retry uses the next step.
            entry.step = entry.step.saturating_add(1);
        }
        let planned = !entry.unplanned;
        let plan_backoff = entry.plan.as_ref().and_then(|plan| plan.backoff);
        let (key, stream, now) = (entry.issue.key.clone(), entry.stream, self.now.at);
        if planned && gave_up.is_none() && self.is_at_the_end(slot) {
            return self.exhausted(slot);
        }
        let backoff = plan_backoff.unwrap_or(self.policy.backoff);
        let draw = |memory: &mut Memory| memory.draw(now, &backoff, stream);
        let not_before = self.memories.update(now, &key, draw).unwrap_or(now);
        if let Some(entry) = self.open.get_mut(slot) {
            entry.not_before = not_before;
        }
        match gave_up {
            Some(reason) => self.park(slot, reason),
            None => self.due(slot),
        }
    }

    /// Handles an issue without further steps.
    pub(super) fn exhausted(&mut self, slot: SlotId) {
        let plan = self.open.get(slot).and_then(|entry| entry.plan.as_deref());
        let reason = if plan.is_some_and(|plan| plan.report) {
            ParkReason::ReportOnly
        } else {
            ParkReason::Exhausted
        };
        self.park(slot, reason);
    }
}
