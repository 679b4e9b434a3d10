//! Closing an issue, and the memory kept of it.

use super::State;
use super::entry::Treatment;
use super::memory::Memory;
use super::queue::Place;
use super::slab::SlotId;
use super::timers::Timer;
use crate::healing::core::tally::ActionLabels;
use crate::healing::core::{
    AlertId, AlertKind, Closed, IssueKey, Name, Outcomes, ParkReason, Severity, What,
};

/// Alerts about an open issue, which end with it.
const OF_AN_OPEN_ISSUE: [AlertKind; 5] = [
    AlertKind::Approval,
    AlertKind::Waited,
    AlertKind::BadPlan,
    AlertKind::DryRun,
    AlertKind::ReportOnly,
];

impl State {
    pub(super) fn close(&mut self, slot: SlotId, mut outcome: Closed) {
        let retried = self
            .open
            .get(slot)
            .is_some_and(|e| self.retry_step(e).is_some());
        self.set_place(slot, Place::Nowhere);
        self.timers.set(Timer::Issue(slot), None);
        self.undo.remove(&slot);
        self.count(slot, false);
        let Some(entry) = self.open.remove(slot) else {
            return;
        };
        let key = entry.issue.key;
        self.take_back(&key, entry.gave_up);
        if outcome == Closed::SelfResolved && entry.gave_up == Some(ParkReason::Exhausted) {
            outcome = Closed::Exhausted;
        }
        self.wake_children(entry.component);
        self.components
            .count_open(self.now.at, entry.component, false);
        self.keys.remove(&key);
        let treatment = entry.treatment;
        if let Some(engine) = self.engines.get_mut(entry.engine) {
            engine.open.remove(&slot);
        }
        self.tally.closed.add(outcome);
        let action = treatment
            .as_ref()
            .filter(|_| outcome == Closed::Healed)
            .map(|treatment| treatment.action.clone());
        let plan_backoff = entry.plan.as_deref().and_then(|plan| plan.backoff);
        let backoff = plan_backoff.unwrap_or(self.policy.backoff);
        let now = self.now.at;
        // The next issue of the key waits as long as the next attempt would have.
        let gone = matches!(
            outcome,
            Closed::Healed | Closed::SelfResolved | Closed::Exhausted
        );
        let waits = entry.attempts > 0 && gone;
        let not_before = self.memories.update(now, &key, |memory| {
            memory.kept.closed_at = Some(now);
            waits.then(|| memory.draw(now, &backoff, entry.stream))
        });
        self.record(What::Closed {
            key: key.clone(),
            generation: entry.issue.generation,
            outcome,
            action: action.clone(),
            attempts: entry.attempts,
            open_for: now - entry.issue.first_seen.at,
            not_before: not_before.flatten(),
        });
        if let Some(treatment) = treatment {
            self.release(&treatment);
        }
        self.resolve_of(&key, &OF_AN_OPEN_ISSUE);
        if outcome == Closed::Healed {
            if let Some(action) = action {
                self.learn(&key, &action, true);
            }
            self.count_heal(&key, entry.issue.severity);
        }
        if gone {
            self.unblock_after_health(&key);
            if retried {
                self.forgive_flapping_later(&key);
            }
        }
        // Detection keeps checking a blocked key, so that its alert ends with the fault.
        if outcome != Closed::Shutdown
            && self.is_blocked(&key)
            && let Some(engine) = self.engines.get_mut(entry.engine)
        {
            engine.watched.insert(key, 0);
        }
    }

    /// Frees the lock of a treatment, unless a zombie keeps it.
    pub(super) fn release(&mut self, treatment: &Treatment) {
        if self.attempts.release(&treatment.lock, treatment.holder) {
            self.pass_lock_on(treatment.lock.clone());
        }
    }

    /// Remembers a verified outcome.
    pub(super) fn learn(&mut self, key: &IssueKey, action: &Name, good: bool) {
        self.outcomes_of(key, action).add(good);
        let limit = self.policy.limits.series;
        let labels = ActionLabels::new(key, action);
        self.tally.attempt_judged(labels, good, limit);
    }

    /// The verified outcomes of an action for the issue type of a key.
    pub(super) fn outcomes_of(&mut self, key: &IssueKey, action: &Name) -> &mut Outcomes {
        let labels = ActionLabels::new(key, action);
        self.outcomes.entry(labels, self.policy.limits.series)
    }

    fn count_heal(&mut self, key: &IssueKey, severity: Severity) {
        let (now, policy) = (self.now.at, self.policy.recurrence);
        let heal = |memory: &mut Memory| {
            memory.healed(now);
            memory.recurring_until(now, &policy)
        };
        if let Some(until) = self.memories.update(now, key, heal).flatten() {
            let id = AlertId::of(key, AlertKind::Recurring);
            self.raise(id.clone(), severity, || {
                format!("{key}: healed again and again; its cause remains")
            });
            self.expire_alert(&id, until);
        }
    }

    fn is_blocked(&self, key: &IssueKey) -> bool {
        let memory = self.memories.get(key);
        memory.is_some_and(|memory| memory.kept.block.is_some())
    }
}
