//! Running attempts, zombies, and the locks they hold.

use std::collections::BTreeMap;

use super::engines::EngineIx;
use super::map::Map;
use super::slab::SlotId;
use crate::healing::core::{AttemptId, Intent, Moment, Name};

/// Why an attempt was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancel {
    /// It took too long.
    Timeout,
    /// Kill switch, shutdown, or removal of its engine.
    Called,
}

#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) slot: SlotId,
    pub(super) engine: EngineIx,
    pub(super) intent: Box<Intent>,
    pub(super) started: Moment,
    pub(super) cancel: Option<Cancel>,
    /// It was abandoned, and still runs.
    pub(super) zombie: bool,
}

/// All attempts and rollbacks that have not ended, and the locks.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempts {
    unended: BTreeMap<AttemptId, Attempt>,
    locks: Map<Name, AttemptId>,
    zombies: usize,
}

impl Attempts {
    /// Running attempts, zombies included.
    pub(super) fn running(&self) -> usize {
        self.unended.len()
    }

    pub(super) const fn zombies(&self) -> usize {
        self.zombies
    }

    pub(super) fn get(&self, id: AttemptId) -> Option<&Attempt> {
        self.unended.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: AttemptId) -> Option<&mut Attempt> {
        self.unended.get_mut(&id)
    }

    /// The attempt that holds a lock.
    pub(super) fn holder(&self, lock: &Name) -> Option<AttemptId> {
        self.locks.get(lock).copied()
    }

    /// Starts an attempt, which takes its lock. A rollback takes over the lock of the attempt that
    /// it undoes.
    pub(super) fn start(&mut self, id: AttemptId, attempt: Attempt) {
        self.locks.insert(attempt.intent.lock.clone(), id);
        self.unended.insert(id, attempt);
    }

    /// Abandons an attempt: it keeps its lock until it ends.
    pub(super) fn give_up(&mut self, id: AttemptId) {
        if let Some(attempt) = self.unended.get_mut(&id)
            && !attempt.zombie
        {
            attempt.zombie = true;
            self.zombies += 1;
        }
    }

    /// Removes an ended attempt. Its lock is still held.
    pub(super) fn end(&mut self, id: AttemptId) -> Option<Attempt> {
        let attempt = self.unended.remove(&id)?;
        self.zombies -= usize::from(attempt.zombie);
        Some(attempt)
    }

    /// Frees a lock, unless another attempt holds it by now, or its holder has not ended.
    pub(super) fn release(&mut self, lock: &Name, holder: AttemptId) -> bool {
        if self.locks.get(lock) == Some(&holder) && !self.unended.contains_key(&holder) {
            self.locks.remove(lock);
            return true;
        }
        false
    }

    #[cfg(test)]
    pub(super) fn locks(&self) -> usize {
        self.locks.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (AttemptId, &Attempt)> {
        self.unended.iter().map(|(&id, attempt)| (id, attempt))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::slab::Slab;
    use super::*;
    use crate::healing::core::{
        By, Confidence, Evidence, Generation, IssueKey, Outcomes, Risk, Samples, Severity, Work,
    };

    fn attempt() -> Attempt {
        Attempt {
            slot: Slab::default().insert(()),
            engine: EngineIx::default(),
            intent: Box::new(Intent {
                attempt: AttemptId(1),
                work: Work::Heal,
                key: IssueKey::new("db", "down"),
                generation: Generation(1),
                engine: "e".into(),
                action: "restart".into(),
                step: 0,
                nth: 1,
                severity: Severity::default(),
                unspent: false,
                risk: Risk::Reversible,
                lock: "db".into(),
                timeout: Duration::from_secs(1),
                confidence: Confidence {
                    detector: Samples::new(1, 1).confidence(),
                    action: Outcomes::default().confidence(),
                },
                evidence: Evidence::default(),
                by: By::Policy,
            }),
            started: Moment::START,
            cancel: None,
            zombie: false,
        }
    }

    #[test]
    fn a_zombie_keeps_its_lock() {
        let (id, lock) = (AttemptId(1), Name::new("db"));
        let mut attempts = Attempts::default();
        attempts.start(id, attempt());
        assert_eq!(attempts.holder(&lock), Some(id));
        attempts.give_up(id);
        attempts.give_up(id);
        assert_eq!((attempts.running(), attempts.zombies()), (1, 1));
        assert!(!attempts.release(&lock, id), "it has not ended");
        assert!(attempts.end(id).is_some() && attempts.end(id).is_none());
        assert_eq!((attempts.running(), attempts.zombies()), (0, 0));
        assert!(!attempts.release(&lock, AttemptId(2)), "not the holder");
        assert!(attempts.release(&lock, id));
        assert_eq!(attempts.holder(&lock), None);
    }
}
