//! Invariants of the state after every step, recomputed from the open issues.

use std::collections::{BTreeMap, BTreeSet};

use super::super::State;
use super::super::escalate::alert_of;
use super::super::queue::Place;
use super::super::timers::Timer;
use crate::config::Limits;
use crate::healing::core::{AlertId, Moment, Phase, identities};

impl State {
    /// Panics if an invariant is violated.
    pub(super) fn audit(&self) {
        self.audit_identities();
        self.audit_counts();
        self.audit_places();
        self.audit_attempts();
        self.audit_escalations();
    }

    /// Exactly the faults that healing has given up on escalate, and no wake-up is lost.
    fn audit_escalations(&self) {
        let parked = self.open.iter().filter_map(|(_, entry)| {
            let kind = entry.gave_up.and_then(alert_of)?;
            Some(AlertId::of(&entry.issue.key, kind))
        });
        let parked: BTreeSet<_> = parked.collect();
        let escalations = self.escalations.ids().filter(|id| id.key.is_some());
        assert_eq!(escalations.cloned().collect::<BTreeSet<_>>(), parked);
        assert!(
            self.not_ready()
                .all(|id| self.escalations.get(id).is_some())
        );
        let next = self.escalations.next_due().map(|(at, _)| at);
        assert!(next.is_none_or(|at| at > self.now.at));
        assert_eq!(self.timers.get(&Timer::EscalationState), next);
    }

    /// Invariants 1 to 3. A snapshot has the same counts, and copies far more.
    fn audit_identities(&self) {
        let tally = &self.tally;
        let seen = &tally.observations;
        let known = seen.opened + seen.coalesced + seen.muted + seen.dropped.sum();
        assert_eq!(seen.total, known);
        let ended = tally.closed.sum() + tally.open.sum();
        assert_eq!(tally.opened + tally.restored, ended);
        assert_eq!(tally.started, tally.finished.sum() + tally.running);
    }

    fn audit_counts(&self) {
        let mut phases: BTreeMap<Phase, u64> = BTreeMap::new();
        let mut treated: BTreeMap<_, u32> = BTreeMap::new();
        let mut confirmed: BTreeMap<_, u32> = BTreeMap::new();
        for (slot, entry) in &self.open {
            *phases.entry(entry.phase).or_default() += 1;
            if entry.phase != Phase::Parked {
                *treated.entry(entry.component).or_default() += 1;
            }
            if entry.phase != Phase::Confirming {
                *confirmed.entry(entry.component).or_default() += 1;
            }
            assert_eq!(self.keys.get(&entry.issue.key), Some(&slot));
            let engine = self.engines.get(entry.engine).unwrap();
            assert!(engine.open.contains(&slot));
            assert_eq!(
                engine.evictable.contains(&(entry.claim(), slot)),
                entry.is_idle(),
                "{:?}",
                entry.phase
            );
            assert!(!engine.watched.contains_key(&entry.issue.key));
            assert_eq!(entry.reason.is_some(), entry.phase == Phase::Parked);
        }
        for phase in Phase::ALL {
            let counted = phases.get(&phase).copied().unwrap_or(0);
            assert_eq!(self.tally.open.get(phase), counted, "{phase:?}");
        }
        assert_eq!(self.keys.len(), self.open.len());
        assert_eq!(self.components.bad(), confirmed.len());
        for (ix, count) in treated {
            assert_eq!(self.components.get(ix).unwrap().treated, count);
        }
        for (ix, count) in confirmed {
            assert_eq!(self.components.get(ix).unwrap().confirmed, count);
        }
    }

    /// No wake-up is lost: every waiting issue has a reason to wait.
    fn audit_places(&self) {
        let stopped = !self.global_holds(true).is_empty();
        for (slot, entry) in &self.open {
            assert_eq!(
                self.undo.contains(&slot),
                entry.phase == Phase::AwaitingRollback
            );
            match entry.phase {
                Phase::Pending if !entry.unplanned => {
                    assert_ne!(entry.place, Place::Nowhere, "{}", entry.issue.key);
                    assert!(
                        stopped || !self.holds(slot, true).is_empty(),
                        "{} could start and does not: {:?}",
                        entry.issue.key,
                        entry.place
                    );
                }
                Phase::Pending | Phase::Parked => {}
                phase => assert_eq!(entry.place, Place::Nowhere, "{phase:?}"),
            }
            let ends_by_itself = match entry.phase {
                Phase::Parked => entry.reason == entry.gave_up && self.retry_step(entry).is_some(),
                Phase::Running => false,
                _ => true,
            };
            let due = self.timers.get(&Timer::Issue(slot));
            assert_eq!(due.is_some(), ends_by_itself, "{:?}", entry.phase);
        }
        if !stopped {
            assert!(self.undo.is_empty(), "a rollback could start and does not");
        }
        assert!(self.timers.next() > self.now.at || self.timers.next() == Moment::NEVER);
    }

    fn audit_attempts(&self) {
        let mut running = 0;
        for (slot, entry) in &self.open {
            let treatment = entry.treatment.as_ref();
            let verifying = treatment.is_some_and(|one| one.verifying.is_some());
            assert!(!verifying || matches!(entry.phase, Phase::Verifying | Phase::Settling));
            assert_eq!(treatment.is_some(), !entry.is_idle());
            if let Some(treatment) = treatment {
                assert_eq!(
                    self.attempts.holder(&treatment.lock),
                    Some(treatment.holder)
                );
                let attempt = self.attempts.get(treatment.holder);
                assert!(attempt.is_none_or(|attempt| attempt.slot == slot));
                assert_eq!(
                    attempt.is_some_and(|one| !one.zombie),
                    entry.phase == Phase::Running
                );
            }
        }
        let mut locks = BTreeSet::new();
        for (id, attempt) in self.attempts.iter() {
            assert!(
                locks.insert(attempt.intent.lock.clone()),
                "two hold one lock"
            );
            assert_eq!(self.attempts.holder(&attempt.intent.lock), Some(id));
            if !attempt.zombie {
                assert!(self.timers.get(&Timer::Attempt(id)).is_some());
                running += u64::from(attempt.intent.work == crate::healing::core::Work::Heal);
            }
        }
        assert_eq!(self.tally.running, running);
        // Apart from those of attempts, locks are held only during verification.
        let treated = self.open.iter().filter(|(_, e)| e.treatment.is_some());
        let zombies = self.attempts.iter().filter(|(_, a)| a.zombie).count();
        assert_eq!(self.attempts.locks(), treated.count() + zombies);
    }

    /// Whether every issue is left to a person, apart from retries of reversible steps.
    pub(super) fn only_tries_again(&self) -> bool {
        let mut open = self.open.iter();
        open.all(|(_, entry)| entry.phase == Phase::Parked || entry.gave_up.is_some())
    }

    /// Nothing grows beyond the largest limits that were ever set.
    pub(super) fn audit_bounds(&self, most: &Limits) {
        assert!(self.open.len() <= most.open as usize);
        assert!(self.mutes.len() <= most.mutes as usize);
        assert!(self.memories.iter().count() <= most.keys as usize);
        // Components with an issue, or that have spent attempts, are kept beyond the limit.
        let spent = self.components.iter().filter(|one| !one.spent.is_empty());
        let kept = most.components as usize + self.open.len() + spent.count();
        assert!(self.components.known() <= kept);
        assert!(self.alerts.iter().count() <= most.alerts as usize);
        let snapshot = self.snapshot();
        assert_eq!(identities::check(&snapshot), Ok(()));
        // One more for the series that takes the rest.
        assert!(snapshot.detected.len() <= most.series as usize + 1);
        assert!(snapshot.actions.len() <= most.series as usize + 1);
        assert!(snapshot.times.len() <= most.series as usize + 1);
    }
}
