//! Faults that healing has given up on: their alerts, slow retries, and how they end.

use super::State;
use super::entry::Entry;
use super::memory::Memory;
use super::slab::SlotId;
use super::timers::Timer;
use crate::config::{Mode, duration};
use crate::healing::core::{AlertId, AlertKind, IssueKey, Moment, ParkReason, Phase, Risk};

impl State {
    /// Blocks the key of an issue until its fault is gone or a person acknowledges it. Reversible
    /// steps are retried meanwhile, every [`retry_every`], not before `free`.
    ///
    /// [`retry_every`]: crate::config::HealingPolicy::retry_every
    pub(super) fn give_up(&mut self, slot: SlotId, reason: ParkReason, free: Moment) {
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        // The first reason is kept.
        let reason = *entry.gave_up.get_or_insert(reason);
        let (key, engine) = (entry.issue.key.clone(), entry.engine);
        let until = self.retry_at(slot, free);
        self.move_to(slot, Phase::Parked, Some(reason), until);
        let engine = self.engines.get(engine).map(|engine| engine.name.clone());
        self.remember(&key);
        self.memories.update(self.now.at, &key, |memory| {
            memory.kept.block = Some(reason);
            memory.kept.engine = engine;
        });
        self.alert_given_up(slot);
    }

    /// Raises its alert, and starts its escalation, at the issue's current severity.
    pub(super) fn alert_given_up(&mut self, slot: SlotId) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let (key, severity) = (entry.issue.key.clone(), entry.issue.severity);
        let Some(reason) = entry.gave_up else { return };
        let Some(kind) = super::escalate::alert_of(reason) else {
            return;
        };
        let id = AlertId::of(&key, kind);
        let end = self.how_it_ends(slot, reason);
        self.raise(id.clone(), severity, || {
            let why = match reason {
                ParkReason::Flapping => "healed too often in too short a time",
                ParkReason::Intensity => "too many attempts in too short a time",
                _ => "every step was tried",
            };
            format!("{key}: {why}; {end}")
        });
        self.begin_escalation(&id, severity);
    }

    /// Ends the escalation of a fault that is gone or acknowledged.
    pub(super) fn take_back(&mut self, key: &IssueKey, gave_up: Option<ParkReason>) {
        if let Some(kind) = gave_up.and_then(super::escalate::alert_of) {
            self.end_escalation(&AlertId::of(key, kind));
        }
    }

    /// The step to retry without a person: the next one, from the current on, that is reversible
    /// and in run mode.
    pub(super) fn retry_step(&self, entry: &Entry) -> Option<usize> {
        let plan = entry.plan.as_deref()?;
        let count = plan.steps.len();
        (0..count)
            .map(|n| entry.step.saturating_add(n) % count)
            .find(|&nth| {
                plan.steps.get(nth).is_some_and(|step| {
                    let risk = step.risk.unwrap_or(plan.risk);
                    risk == Risk::Reversible && self.mode(&entry.issue.key, plan, risk) == Mode::Run
                })
            })
    }

    /// When a given-up issue is retried, if it is.
    fn retry_at(&self, slot: SlotId, free: Moment) -> Option<Moment> {
        let entry = self.open.get(slot)?;
        self.retry_step(entry)?;
        let every = self.policy.retry_every;
        let memory = self.memories.get(&entry.issue.key);
        let at = if entry.attempts > 0 {
            self.now.at + every
        } else {
            // The attempts were those of earlier issues.
            let last = memory.and_then(|memory| memory.kept.attempts.last());
            last.map_or(self.now.at, |last| *last + every)
        };
        Some(at.max(entry.not_before).max(free).max(self.now.at))
    }

    /// Reschedules the retry of a given-up issue after its plan or the policy changed.
    pub(super) fn retime_retry(&mut self, slot: SlotId) {
        let entry = self.open.get(slot);
        let waits =
            entry.is_some_and(|entry| entry.reason.is_some() && entry.reason == entry.gave_up);
        if waits {
            let until = self.retry_at(slot, self.now.at);
            self.timers.set(Timer::Issue(slot), until);
        }
    }

    /// Retries a step that is due; without one, the issue stays given up.
    pub(super) fn try_again(&mut self, slot: SlotId) {
        let step = self.open.get(slot).and_then(|entry| self.retry_step(entry));
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        match (step, entry.gave_up) {
            (Some(step), _) => {
                entry.step = step;
                entry.used = entry.used.max(entry.attempts);
                self.due(slot);
            }
            (None, Some(reason)) if entry.phase != Phase::Parked => self.park(slot, reason),
            (None, _) => {}
        }
    }

    /// Explains to a person how the alert ends.
    fn how_it_ends(&self, slot: SlotId, reason: ParkReason) -> String {
        let entry = self.open.get(slot);
        let again = entry.and_then(|entry| {
            let step = self.retry_step(entry)?;
            Some(&entry.plan.as_deref()?.steps.get(step)?.action)
        });
        let every = duration::format(self.policy.retry_every);
        match (again, reason) {
            (Some(action), ParkReason::Flapping) => format!(
                "`{action}` runs at most every {every} now; it ends when the fault stays away for \
                 {}, or a person acknowledges it",
                duration::format(self.policy.flap.window)
            ),
            (Some(action), _) => format!(
                "`{action}` is tried again every {every}, until that heals, the fault is gone, or \
                 a person acknowledges it"
            ),
            (None, ParkReason::Flapping) => {
                "nothing is done until a person acknowledges it".to_owned()
            }
            (None, _) => {
                "nothing is done until a person acknowledges it or the fault ends".to_owned()
            }
        }
    }

    /// Creates a memory for the key, which may evict another.
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

    /// The fault of a blocked key is gone: only a flapping block remains.
    pub(super) fn unblock_after_health(&mut self, key: &IssueKey) {
        let forgiven = |memory: &mut Memory| match memory.kept.block {
            Some(ParkReason::Intensity | ParkReason::Exhausted) => {
                memory.kept.block = None;
                true
            }
            _ => false,
        };
        if self.memories.update(self.now.at, key, forgiven) == Some(true) {
            self.resolve_of(key, &[AlertKind::Intensity, AlertKind::Exhausted]);
        }
    }

    /// Schedules the end of a flapping block, for a key that is retried without a person, after a
    /// whole good window.
    pub(super) fn forgive_flapping_later(&mut self, key: &IssueKey) {
        let flapping = |memory: &Memory| memory.kept.block == Some(ParkReason::Flapping);
        if self.memories.get(key).is_some_and(flapping) {
            let id = AlertId::of(key, AlertKind::Flapping);
            self.expire_alert(&id, self.now.at + self.policy.flap.window);
        }
    }

    /// Handles an alert's expiry. One whose fault is back stays.
    pub(super) fn alert_over(&mut self, id: &AlertId) {
        if let (Some(key), AlertKind::Flapping) = (&id.key, id.kind) {
            if self.keys.contains_key(key) {
                return;
            }
            let forgive = |memory: &mut Memory| memory.kept.block = None;
            self.memories.update(self.now.at, key, forgive);
        }
        self.resolve(id);
    }
}
