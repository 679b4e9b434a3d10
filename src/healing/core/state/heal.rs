//! Attempts: their start, their end, and what follows.

use super::State;
use super::attempts::{Attempt, Cancel};
use super::entry::Treatment;
use super::queue::WaitFor;
use super::slab::SlotId;
use super::spent::{Draw, Spent};
use super::timers::Timer;
use super::window;
use crate::config::Budget;
use crate::healing::core::tally::ActionLabels;
use crate::healing::core::{
    AlertId, AlertKind, AttemptId, AttemptResult, Effect, Intent, Moment, Name, Phase, Severity,
    ShortText, Start, What, Work,
};

/// Alerts that report inaction; they end when an action starts.
const NOT_DONE: [AlertKind; 3] = [
    AlertKind::Approval,
    AlertKind::DryRun,
    AlertKind::ReportOnly,
];

impl State {
    /// Starts the next attempt of an issue that nothing holds back.
    pub(super) fn start(&mut self, slot: SlotId) {
        let Some(intent) = self.intent(slot, Work::Heal) else {
            return;
        };
        #[cfg(test)]
        assert_ne!(Some(&intent.key), self.trap.as_ref(), "a trap");
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        let Some((plan, step)) = entry.next_step() else {
            return;
        };
        let intensity = plan.budget.unwrap_or(self.policy.intensity);
        let treatment = Treatment {
            attempt: intent.attempt,
            action: intent.action.clone(),
            lock: intent.lock.clone(),
            holder: intent.attempt,
            settle: plan.settle.unwrap_or(self.policy.settle),
            rollback: step.rollback,
            hopeless: false,
            ended: Moment::NEVER,
            hinted: None,
            verifying: None,
            blind: 0,
            good_since: None,
        };
        entry.attempts = entry.attempts.saturating_add(1);
        entry.treatment = Some(treatment);
        entry.dirty = false;
        self.charge(&intent, &intensity);
        self.resolve_of(&intent.key, &NOT_DONE);
        let labels = ActionLabels::new(&intent.key, &intent.action);
        let limit = self.policy.limits.series;
        self.tally
            .attempt_started(labels, intent.confidence.gate(), limit);
        self.launch(slot, intent);
    }

    /// The next attempt of an issue, or the rollback of its current one.
    fn intent(&self, slot: SlotId, work: Work) -> Option<Intent> {
        let entry = self.open.get(slot)?;
        let (plan, step) = entry.next_step()?;
        let timeout = step.timeout.or(plan.timeout);
        let (action, lock) = match &entry.treatment {
            Some(treatment) => (&treatment.action, &treatment.lock),
            None => (&step.action, entry.lock()),
        };
        let issue = &entry.issue;
        Some(Intent {
            attempt: AttemptId(self.attempt_ids + 1),
            work,
            key: issue.key.clone(),
            generation: issue.generation,
            severity: issue.severity,
            unspent: work == Work::Heal && self.draw(entry).unspent,
            engine: self.engines.get(entry.engine)?.name.clone(),
            action: action.clone(),
            step: entry.step,
            nth: entry.used.saturating_add(1),
            risk: step.risk.unwrap_or(plan.risk),
            lock: lock.clone(),
            timeout: timeout.unwrap_or(self.policy.timeout),
            confidence: self.confidence(entry, step),
            evidence: issue.evidence.clone(),
            by: entry.approved.clone().unwrap_or_default(),
        })
    }

    /// Counts an attempt that starts now against the budgets: the issue's, its component's and the
    /// global one.
    pub(super) fn charge(&mut self, intent: &Intent, intensity: &Budget) {
        let now = self.now.at;
        self.remember(&intent.key);
        self.memories.update(now, &intent.key, |memory| {
            let kept = &mut memory.kept;
            kept.engine = Some(intent.engine.clone());
            kept.streak = kept.streak.saturating_add(1);
            window::spend(&mut kept.attempts, now, intensity);
        });
        let (severity, unspent) = (intent.severity, intent.unspent);
        let draw = Draw { severity, unspent };
        self.spend(Some(&intent.key.component), now, draw);
        self.spend(None, now, draw);
    }

    /// Counts an attempt against the budget of a component, or the global one.
    pub(super) fn spend(&mut self, component: Option<&Name>, at: Moment, draw: Draw) {
        let budget = &self.policy.budget;
        let Some(name) = component else {
            return self.spent.spend(at, &budget.global, draw);
        };
        let limit = self.policy.limits.components;
        let ix = self.components.intern(at, name, limit);
        let spend = |own: &mut Spent| own.spend(at, &budget.component, draw);
        self.components.spend(at, ix, spend);
    }

    /// Starts an attempt or a rollback of the current treatment.
    fn launch(&mut self, slot: SlotId, intent: Intent) {
        let id = intent.attempt;
        self.attempt_ids = id.0;
        let due = self.now.at + intent.timeout;
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        if let Some(treatment) = &mut entry.treatment {
            treatment.holder = id;
        }
        let issue = entry.issue.clone();
        let attempt = Attempt {
            slot,
            engine: entry.engine,
            intent: Box::new(intent.clone()),
            started: self.now.at,
            cancel: None,
            zombie: false,
        };
        self.attempts.start(id, attempt);
        self.timers.set(Timer::Attempt(id), due);
        self.move_to(slot, Phase::Running, None, None);
        // The intent is recorded before the action starts.
        self.record(What::AttemptStarted(Box::new(intent.clone())));
        self.emit(Effect::Start(Box::new(Start { intent, issue })));
    }

    /// Takes in the end of an attempt.
    pub(super) fn ended(
        &mut self,
        id: AttemptId,
        result: AttemptResult,
        message: ShortText,
        hopeless: bool,
    ) {
        let Some(attempt) = self.attempts.end(id) else {
            return self.late("attempt");
        };
        if attempt.zombie {
            return self.zombie_ended(id, &attempt);
        }
        self.at_hand = Some(attempt.slot);
        self.timers.set(Timer::Attempt(id), None);
        let timed_out = attempt.cancel == Some(Cancel::Timeout);
        let result = match result {
            AttemptResult::Cancelled if timed_out => AttemptResult::Timeout,
            other => other,
        };
        let hopeless = hopeless && result.is_failure() && attempt.intent.work == Work::Heal;
        if hopeless
            && let Some(entry) = self.open.get_mut(attempt.slot)
            && let Some(treatment) = &mut entry.treatment
        {
            treatment.hopeless = true;
        }
        self.finished(id, &attempt, result, message, hopeless);
        let entry = self.open.get(attempt.slot);
        let treatment = entry.and_then(|entry| entry.treatment.as_ref());
        if treatment.is_none_or(|treatment| treatment.holder != id)
            && self.attempts.release(&attempt.intent.lock, id)
        {
            self.pass_lock_on(attempt.intent.lock);
        }
    }

    fn zombie_ended(&mut self, id: AttemptId, attempt: &Attempt) {
        self.record(What::ZombieEnded { attempt: id });
        if self.attempts.release(&attempt.intent.lock, id) {
            self.pass_lock_on(attempt.intent.lock.clone());
        }
        if self.attempts.zombies() < self.policy.max_zombies as usize {
            let id = AlertId::global(AlertKind::Zombies);
            self.resolve(&id);
            self.end_escalation(&id);
        }
        // Its late effect may have changed anything.
        self.ask_to_detect(attempt.engine, true);
        self.wake_all(&WaitFor::Turn);
    }

    /// Cancels an overdue attempt, and abandons it if it does not end then.
    pub(super) fn attempt_overdue(&mut self, id: AttemptId) {
        let Some(attempt) = self.attempts.get(id) else {
            return;
        };
        match attempt.cancel {
            None => self.call_off(id, Cancel::Timeout),
            Some(why) => self.turn_zombie(id, why),
        }
    }

    pub(super) fn call_off(&mut self, id: AttemptId, why: Cancel) {
        let due = self.now.at + self.policy.grace;
        let Some(attempt) = self.attempts.get_mut(id) else {
            return;
        };
        if attempt.zombie || attempt.cancel.is_some() {
            return;
        }
        attempt.cancel = Some(why);
        self.timers.set(Timer::Attempt(id), due);
        self.emit(Effect::Cancel { attempt: id });
    }

    pub(super) fn call_off_all(&mut self) {
        let all: Vec<_> = self.attempts.iter().map(|(id, _)| id).collect();
        for id in all {
            self.call_off(id, Cancel::Called);
        }
    }

    fn turn_zombie(&mut self, id: AttemptId, why: Cancel) {
        self.attempts.give_up(id);
        let Some(attempt) = self.attempts.get(id).cloned() else {
            return;
        };
        let result = match why {
            Cancel::Timeout => AttemptResult::Timeout,
            Cancel::Called => AttemptResult::Cancelled,
        };
        let zombies = self.attempts.zombies();
        if zombies >= self.policy.max_zombies as usize {
            let id = AlertId::global(AlertKind::Zombies);
            self.raise(id.clone(), Severity::Critical, || {
                format!(
                    "{zombies} attempts do not end: nothing is started until they do; restart the \
                     process if they never end"
                )
            });
            self.begin_escalation(&id, Severity::Critical);
        }
        let message = ShortText::new("it has not ended; it keeps its lock until it does");
        self.finished(id, &attempt, result, message, false);
    }

    fn finished(
        &mut self,
        id: AttemptId,
        attempt: &Attempt,
        result: AttemptResult,
        say: ShortText,
        hopeless: bool,
    ) {
        let took = self.now.at - attempt.started;
        self.record(What::AttemptFinished {
            attempt: id,
            work: attempt.intent.work,
            key: attempt.intent.key.clone(),
            action: attempt.intent.action.clone(),
            result,
            took,
            message: say,
            hopeless,
        });
        match attempt.intent.work {
            Work::Heal => {
                let limit = self.policy.limits.series;
                self.tally
                    .attempt_finished(&attempt.intent.action, result, took, limit);
                self.healed_or_not(attempt, result);
            }
            Work::Rollback => {
                self.tally.rollbacks_finished.add(result);
                self.next(attempt.slot, true);
            }
        }
    }

    fn healed_or_not(&mut self, attempt: &Attempt, result: AttemptResult) {
        let slot = attempt.slot;
        let now = self.now.at;
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        let dirty = std::mem::take(&mut entry.dirty);
        let superseded = entry.superseded;
        if let Some(treatment) = &mut entry.treatment {
            treatment.ended = now;
        }
        if result == AttemptResult::Stale {
            // Nothing was done: the observations stay valid, and the attempt does not count.
            self.memories.update(now, &attempt.intent.key, |memory| {
                window::take_back(&mut memory.kept.attempts, attempt.started);
            });
        } else {
            entry.good_passes = 0;
        }
        if result.is_failure() {
            self.learn(&attempt.intent.key, &attempt.intent.action, false);
        }
        // An observation during the attempt is answered by exactly one verification: after ok, by
        // that of the attempt, unless another fault has replaced this one.
        let verified = result == AttemptResult::Ok && !superseded;
        if !verified && (dirty || superseded || result == AttemptResult::Stale) {
            self.ask_to_detect(attempt.engine, true);
        }
        if self.is_ending(slot) {
            return self.next(slot, false);
        }
        match result {
            AttemptResult::Ok => self.begin_to_verify(slot),
            AttemptResult::Failed
            | AttemptResult::Timeout
            | AttemptResult::Panicked
            | AttemptResult::Interrupted => self.undo_or_next(slot, attempt.zombie),
            AttemptResult::Stale | AttemptResult::Cancelled => self.next(slot, false),
        }
    }

    /// Starts pending rollbacks; they go before any new attempt.
    pub(super) fn pump_undo(&mut self) {
        while let Some(slot) = self.undo.first().copied() {
            if !self.global_holds(true).is_empty() {
                return;
            }
            self.undo.remove(&slot);
            match self.intent(slot, Work::Rollback) {
                Some(intent) => {
                    self.tally.rollbacks_started += 1;
                    self.launch(slot, intent);
                }
                None => self.next(slot, true),
            }
        }
    }
}
