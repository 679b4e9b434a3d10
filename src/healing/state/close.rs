//! How an issue ends, and what is remembered of it.

use super::State;
use super::entry::Treatment;
use super::memory::Memory;
use super::queue::Place;
use super::slab::SlotId;
use crate::healing::tally::ActionLabels;
use crate::healing::{AlertId, AlertKind, Closed, IssueKey, Name, ParkReason, Text, What};

/// The alerts that are about an open issue, and end with it.
const OF_AN_OPEN_ISSUE: [AlertKind; 3] =
    [AlertKind::Approval, AlertKind::Waited, AlertKind::BadPlan];

impl State {
    /// Closes an issue.
    pub(super) fn close(&mut self, slot: SlotId, outcome: Closed) {
        self.set_place(slot, Place::Nowhere);
        self.set_due(slot, None);
        self.undo.remove(&slot);
        self.count_out(slot);
        let Some(entry) = self.open.remove(slot) else {
            return;
        };
        let key = entry.issue.key;
        self.leave(&key, entry.phase, entry.reason);
        self.wake_children(entry.component);
        self.keys.remove(&key);
        let treatment = entry.treatment;
        let verifying = treatment.as_ref().and_then(|one| one.verifying);
        for ticket in [entry.planning, verifying].into_iter().flatten() {
            self.asked.remove(&ticket);
        }
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
        // The next issue of the key waits as the next attempt would have.
        let waits = entry.attempts > 0 && matches!(outcome, Closed::Healed | Closed::SelfResolved);
        let not_before = self.memories.update(now, &key, |memory| {
            memory.closed_at = Some(now);
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
        match outcome {
            Closed::Healed => {
                if let Some(action) = action {
                    self.learn(&key, &action, true);
                }
                self.count_heal(&key, entry.issue.severity);
            }
            Closed::SelfResolved => self.unblock_after_health(&key),
            Closed::Exhausted => self.ask_to_detect(entry.engine, true),
            Closed::Superseded | Closed::Shutdown => {}
        }
        // A key that stays blocked is watched, so that its alert ends when the fault does.
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
        let labels = ActionLabels {
            issue_type: key.issue_type.clone(),
            action: action.clone(),
        };
        let limit = self.policy.limits.series;
        self.outcomes.entry(labels.clone(), limit).add(good);
        self.tally.attempt_judged(labels, good, limit);
    }

    fn count_heal(&mut self, key: &IssueKey, severity: crate::healing::Severity) {
        let (now, policy) = (self.now.at, self.policy.recurrence);
        let heal = |memory: &mut Memory| {
            memory.healed(now);
            memory.recurring_until(now, &policy)
        };
        if let Some(until) = self.memories.update(now, key, heal).flatten() {
            let id = AlertId::of(key, AlertKind::Recurring);
            self.raise(id.clone(), severity, || {
                Text::new(&format!(
                    "{key}: healed again and again; its cause is still there"
                ))
            });
            self.expire_alert(&id, until);
        }
    }

    fn is_blocked(&self, key: &IssueKey) -> bool {
        let memory = self.memories.get(key);
        memory.is_some_and(|memory| memory.block.is_some())
    }

    /// Leaves the key of an issue alone until a person has acknowledged it.
    pub(super) fn block(&mut self, slot: SlotId, reason: ParkReason) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let (key, severity) = (entry.issue.key.clone(), entry.issue.severity);
        let engine = self
            .engines
            .get(entry.engine)
            .map(|engine| engine.name.clone());
        self.remember(&key);
        self.memories.update(self.now.at, &key, |memory| {
            memory.block = Some(reason);
            memory.engine = engine;
        });
        let (kind, why) = match reason {
            ParkReason::Flapping => (
                AlertKind::Flapping,
                "healed too often in too short a time; acknowledge it to go on",
            ),
            ParkReason::Intensity => (
                AlertKind::Intensity,
                "too many attempts in too short a time; acknowledge it to go on",
            ),
            _ => (
                AlertKind::Exhausted,
                "every step was tried; acknowledge it to go on",
            ),
        };
        self.raise_about(&key, kind, severity, why);
        // One that is exhausted closes: it is seen again, and parked, if the fault is still there.
        if self
            .open
            .get(slot)
            .is_some_and(|e| e.reason == Some(reason))
        {
            self.begin_climb(&AlertId::of(&key, kind), severity);
        }
    }

    /// Makes sure that the key is remembered, which may mean to forget another.
    pub(super) fn remember(&mut self, key: &IssueKey) {
        let limit = self.policy.limits.keys;
        if let Some(forgotten) = self.memories.ensure(self.now.at, key, limit) {
            let kinds = [
                AlertKind::Flapping,
                AlertKind::Intensity,
                AlertKind::Exhausted,
                AlertKind::Recurring,
            ];
            self.resolve_of(&forgotten, &kinds);
        }
    }

    /// The fault of a blocked key is gone: only flapping is held against it still.
    pub(super) fn unblock_after_health(&mut self, key: &IssueKey) {
        let forgiven = |memory: &mut Memory| match memory.block {
            Some(ParkReason::Intensity | ParkReason::Exhausted) => {
                memory.block = None;
                true
            }
            _ => false,
        };
        if self.memories.update(self.now.at, key, forgiven) == Some(true) {
            self.resolve_of(key, &[AlertKind::Intensity, AlertKind::Exhausted]);
        }
    }
}
