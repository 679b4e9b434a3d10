//! Explanation of what would happen now, and why.

use super::State;
use super::entry::Entry;
use super::timers::Timer;
use crate::healing::core::{Explanation, Hold, IssueKey, NextAction, NotKnown, Phase};

impl State {
    /// Explains what would happen now for a key, and which guards hold it back. It calls the code
    /// that decides, and changes nothing.
    ///
    /// `None` if no issue of the key is open.
    #[must_use]
    pub fn explain(&self, key: &IssueKey) -> Option<Explanation> {
        let slot = *self.keys.get(key)?;
        let entry = self.open.get(slot)?;
        let mut holds = self.global_holds(false);
        // Only the global holds apply to a rollback.
        if entry.phase != Phase::AwaitingRollback {
            holds.extend(self.holds(slot, false).into_iter().filter(|hold| {
                // The lock of its own treatment is no hold.
                let own = entry.treatment.as_ref().map(|own| own.holder);
                !matches!(hold, Hold::Lock { holder, .. } if Some(*holder) == own)
            }));
        }
        Some(Explanation {
            key: key.clone(),
            generation: entry.issue.generation,
            severity: entry.issue.severity,
            phase: entry.phase,
            reason: entry.reason,
            until: self.timers.get(&Timer::Issue(slot)),
            next: self.next_action(entry),
            not_before: entry.not_before,
            gave_up: entry.gave_up,
            holds,
            escalation: self.escalation_of(key, entry.gave_up),
            unknown: self.not_known(entry).cloned(),
        })
    }

    /// Why the last detection run of its engine could not determine its state, if so.
    fn not_known(&self, entry: &Entry) -> Option<&NotKnown> {
        self.engines
            .get(entry.engine)?
            .unknown
            .get(&entry.issue.key)
    }

    /// The keys whose state the last detection runs could not determine, by engine. For those with
    /// an open issue, its engine counts.
    pub fn unknown(&self) -> impl Iterator<Item = (&IssueKey, &NotKnown)> {
        self.engines.iter().flat_map(move |(ix, engine)| {
            engine.unknown.iter().filter(move |(key, _)| {
                let slot = self.keys.get(key);
                let entry = slot.and_then(|slot| self.open.get(*slot));
                entry.is_none_or(|entry| entry.engine == ix)
            })
        })
    }

    fn next_action(&self, entry: &Entry) -> Option<NextAction> {
        let plan = entry.plan.as_deref()?;
        let parked = entry.gave_up.filter(|_| entry.phase == Phase::Parked);
        let (nth, used) = match parked {
            Some(_) => (self.retry_step(entry)?, entry.used.max(entry.attempts)),
            None => (entry.step, entry.used),
        };
        let step = plan.steps.get(nth)?;
        let risk = step.risk.unwrap_or(plan.risk);
        Some(NextAction {
            action: step.action.clone(),
            step: nth,
            nth: used.saturating_add(1),
            of: step.attempts.unwrap_or(self.policy.attempts),
            risk,
            mode: self.mode(&entry.issue.key, plan, risk),
            confidence: self.confidence(entry, step),
        })
    }
}
