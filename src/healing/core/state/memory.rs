//! Memory of a key beyond its open issue: attempts, heals, blocks.
//!
//! Only keys that were acted on or blocked get a memory, so that a detector that invents keys
//! cannot evict relevant ones.

use std::collections::BTreeSet;

use super::backoff;
use super::map::Map;
use crate::config::{Backoff, Flap, Recurrence};
use crate::healing::core::{IssueKey, KeyMemory, Moment};

/// The maximum number of heals kept for a key; the policy cannot require more.
const MOST_HEALS: usize = 64;

#[derive(Debug, Clone)]
pub(super) struct Memory {
    /// What a new journal file repeats of it.
    pub(super) kept: KeyMemory,
    draws: u64,
    touched: Moment,
}

impl Memory {
    pub(super) const fn new(kept: KeyMemory) -> Self {
        Self {
            kept,
            draws: 0,
            touched: Moment::START,
        }
    }

    /// Draws the wait before the next attempt; it holds whatever becomes of the issue.
    pub(super) fn draw(&mut self, now: Moment, policy: &Backoff, stream: u64) -> Moment {
        let wait = backoff::draw(policy, self.kept.streak, stream, self.draws);
        self.draws = self.draws.wrapping_add(1);
        self.kept.not_before = self.kept.not_before.max(now + wait);
        self.kept.not_before
    }

    /// Reopens the key; after lasting health its backoff starts over.
    pub(super) fn reopen(&mut self, now: Moment, policy: &Backoff) {
        let lasted = |closed| now - closed >= policy.reset_after;
        if self.kept.closed_at.take().is_some_and(lasted) {
            self.kept.streak = 0;
        }
    }

    pub(super) fn healed(&mut self, now: Moment) {
        let surplus = (self.kept.heals.len() + 1).saturating_sub(MOST_HEALS);
        self.kept.heals.drain(..surplus);
        self.kept.heals.push(now);
    }

    /// Whether it was healed so often lately that healing hides the fault.
    pub(super) fn is_flapping(&self, now: Moment, policy: &Flap) -> bool {
        self.heals_since(now.back(policy.window)) >= policy.heals
    }

    /// Until when it counts as recurring, if it does now.
    pub(super) fn recurring_until(&self, now: Moment, policy: &Recurrence) -> Option<Moment> {
        if self.heals_since(now.back(policy.window)) < policy.heals {
            return None;
        }
        let nth = self.kept.heals.len().checked_sub(policy.heals as usize)?;
        self.kept.heals.get(nth).map(|&heal| heal + policy.window)
    }

    fn heals_since(&self, after: Moment) -> u32 {
        let old = self.kept.heals.partition_point(|&heal| heal <= after);
        u32::try_from(self.kept.heals.len() - old).unwrap_or(u32::MAX)
    }

    /// Forgets attempts, heals and blocks after an acknowledgement.
    pub(super) fn acknowledge(&mut self) {
        self.kept.block = None;
        self.kept.heals.clear();
        self.kept.attempts.clear();
    }
}

/// The memories of all keys, limited by the policy: the least recently used is evicted first, a
/// blocked one only if all others are gone.
#[derive(Debug, Clone, Default)]
pub(super) struct Memories {
    by_key: Map<IssueKey, Memory>,
    order: BTreeSet<(bool, Moment, IssueKey)>,
}

impl Memories {
    pub(super) fn get(&self, key: &IssueKey) -> Option<&Memory> {
        self.by_key.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&IssueKey, &Memory)> {
        self.order
            .iter()
            .filter_map(|(_, _, key)| self.by_key.get_key_value(key))
    }

    /// Changes the memory of a key, if there is one.
    pub(super) fn update<R>(
        &mut self,
        now: Moment,
        key: &IssueKey,
        change: impl FnOnce(&mut Memory) -> R,
    ) -> Option<R> {
        let memory = self.by_key.get_mut(key)?;
        let before = (memory.kept.block.is_some(), memory.touched);
        let result = change(memory);
        memory.touched = now;
        let after = (memory.kept.block.is_some(), memory.touched);
        if before != after {
            self.order.remove(&(before.0, before.1, key.clone()));
            self.order.insert((after.0, after.1, key.clone()));
        }
        Some(result)
    }

    /// Creates a memory for the key; returns the key evicted for it.
    pub(super) fn ensure(&mut self, now: Moment, key: &IssueKey, limit: u32) -> Option<IssueKey> {
        if self.by_key.contains_key(key) {
            return None;
        }
        let forgotten = if self.by_key.len() >= limit as usize {
            self.order.pop_first().map(|(_, _, key)| key)
        } else {
            None
        };
        if let Some(key) = &forgotten {
            self.by_key.remove(key);
        }
        self.insert(now, Memory::new(KeyMemory::new(key)));
        forgotten
    }

    pub(super) fn insert(&mut self, now: Moment, mut memory: Memory) {
        memory.touched = now;
        let key = memory.kept.key.clone();
        let place = (memory.kept.block.is_some(), now, key.clone());
        if let Some(old) = self.by_key.insert(key.clone(), memory) {
            self.order
                .remove(&(old.kept.block.is_some(), old.touched, key));
        }
        self.order.insert(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::healing::core::ParkReason;
    use std::time::Duration;

    fn at(seconds: u64) -> Moment {
        Moment::after_start(Duration::from_secs(seconds))
    }

    fn key(n: u32) -> IssueKey {
        IssueKey::new(n.to_string(), "down")
    }

    fn memory() -> Memory {
        Memory::new(KeyMemory::new(&key(0)))
    }

    #[test]
    fn flaps_within_the_window_only() {
        let policy = Flap {
            heals: 2,
            window: Duration::from_secs(10),
        };
        let mut memory = memory();
        memory.healed(at(0));
        assert!(!memory.is_flapping(at(1), &policy));
        memory.healed(at(5));
        assert!(memory.is_flapping(at(9), &policy));
        assert!(!memory.is_flapping(at(10), &policy));
        memory.healed(at(10));
        assert!(memory.is_flapping(at(10), &policy));
        memory.acknowledge();
        assert!(!memory.is_flapping(at(10), &policy));
    }

    #[test]
    fn recurring_lasts_until_the_first_of_them_leaves() {
        let policy = Recurrence {
            heals: 2,
            window: Duration::from_secs(10),
        };
        let mut memory = memory();
        memory.healed(at(0));
        memory.healed(at(3));
        assert_eq!(memory.recurring_until(at(4), &policy), Some(at(10)));
        memory.healed(at(6));
        assert_eq!(memory.recurring_until(at(6), &policy), Some(at(13)));
        assert_eq!(memory.recurring_until(at(14), &policy), None);
    }

    #[test]
    fn the_streak_ends_only_after_lasting_health() {
        let policy = Backoff::default();
        let mut memory = memory();
        memory.kept.streak = 3;
        memory.kept.closed_at = Some(at(0));
        memory.reopen(at(599), &policy);
        assert_eq!(memory.kept.streak, 3);
        memory.kept.closed_at = Some(at(1000));
        memory.reopen(at(1600), &policy);
        assert_eq!(memory.kept.streak, 0);
    }

    #[test]
    fn forgets_the_oldest_and_blocks_last() {
        let mut memories = Memories::default();
        assert_eq!(memories.ensure(at(0), &key(0), 3), None);
        memories.update(at(0), &key(0), |m| {
            m.kept.block = Some(ParkReason::Flapping);
        });
        memories.ensure(at(1), &key(1), 3);
        memories.ensure(at(2), &key(2), 3);
        memories.update(at(3), &key(1), |m| m.kept.streak = 1);
        assert_eq!(memories.ensure(at(4), &key(4), 3), Some(key(2)));
        assert_eq!(memories.ensure(at(5), &key(5), 3), Some(key(1)));
        assert_eq!(memories.ensure(at(6), &key(6), 1), Some(key(4)));
        let kept: Vec<_> = memories.iter().map(|(key, _)| key.clone()).collect();
        assert_eq!(kept, [key(5), key(6), key(0)]);
    }
}
