//! Memory of a key beyond its open issue: attempts, heals, blocks.
//!
//! Only keys that were acted on or blocked get a memory, so that a detector that invents keys
//! cannot evict relevant ones.

use std::collections::BTreeSet;
use std::collections::VecDeque;

use super::backoff;
use super::map::Map;
use super::window::Window;
use crate::config::{Backoff, Budget, Flap, Recurrence};
use crate::healing::core::{IssueKey, KeyMemory, Moment, Name, ParkReason};

/// The maximum number of heals kept for a key; the policy cannot require more.
const MOST_HEALS: usize = 64;

#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// The engine of its last issue.
    pub(super) engine: Option<Name>,
    /// Attempts since it was last healthy for long enough.
    pub(super) streak: u32,
    pub(super) not_before: Moment,
    pub(super) closed_at: Option<Moment>,
    pub(super) attempts: Window,
    pub(super) block: Option<ParkReason>,
    heals: VecDeque<Moment>,
    draws: u64,
    touched: Moment,
}

impl Memory {
    /// Draws the wait before the next attempt; it holds whatever becomes of the issue.
    pub(super) fn draw(&mut self, now: Moment, policy: &Backoff, stream: u64) -> Moment {
        let wait = backoff::draw(policy, self.streak, stream, self.draws);
        self.draws = self.draws.wrapping_add(1);
        self.not_before = self.not_before.max(now + wait);
        self.not_before
    }

    /// Reopens the key; after lasting health its backoff starts over.
    pub(super) fn reopen(&mut self, now: Moment, policy: &Backoff) {
        let lasted = |closed| now - closed >= policy.reset_after;
        if self.closed_at.is_some_and(lasted) {
            self.streak = 0;
        }
        self.closed_at = None;
    }

    pub(super) fn healed(&mut self, now: Moment) {
        while self.heals.len() >= MOST_HEALS {
            self.heals.pop_front();
        }
        self.heals.push_back(now);
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
        let nth = self.heals.len().checked_sub(policy.heals as usize)?;
        self.heals.get(nth).map(|&heal| heal + policy.window)
    }

    fn heals_since(&self, after: Moment) -> u32 {
        let old = self.heals.partition_point(|&heal| heal <= after);
        u32::try_from(self.heals.len() - old).unwrap_or(u32::MAX)
    }

    /// Forgets attempts, heals and blocks after an acknowledgement.
    pub(super) fn acknowledge(&mut self) {
        self.block = None;
        self.heals.clear();
        self.attempts.clear();
    }

    pub(super) fn carry(&self, key: &IssueKey) -> KeyMemory {
        KeyMemory {
            key: key.clone(),
            engine: self.engine.clone(),
            streak: self.streak,
            not_before: self.not_before,
            closed_at: self.closed_at,
            attempts: self.attempts.iter().collect(),
            heals: self.heals.iter().copied().collect(),
            block: self.block,
        }
    }

    pub(super) fn restore(carried: &KeyMemory, intensity: &Budget) -> Self {
        let mut memory = Self {
            engine: carried.engine.clone(),
            streak: carried.streak,
            not_before: carried.not_before,
            closed_at: carried.closed_at,
            block: carried.block,
            ..Self::default()
        };
        for &at in &carried.attempts {
            memory.attempts.spend(at, intensity);
        }
        for &heal in &carried.heals {
            memory.healed(heal);
        }
        memory
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
        let before = (memory.block.is_some(), memory.touched);
        let result = change(memory);
        memory.touched = now;
        let after = (memory.block.is_some(), memory.touched);
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
        self.insert(now, key.clone(), Memory::default());
        forgotten
    }

    pub(super) fn insert(&mut self, now: Moment, key: IssueKey, mut memory: Memory) {
        memory.touched = now;
        let place = (memory.block.is_some(), now, key.clone());
        if let Some(old) = self.by_key.insert(key.clone(), memory) {
            self.order.remove(&(old.block.is_some(), old.touched, key));
        }
        self.order.insert(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> Moment {
        Moment::after_start(Duration::from_secs(seconds))
    }

    fn key(n: u32) -> IssueKey {
        IssueKey::new(n.to_string(), "down")
    }

    #[test]
    fn flaps_within_the_window_only() {
        let policy = Flap {
            heals: 2,
            window: Duration::from_secs(10),
        };
        let mut memory = Memory::default();
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
        let mut memory = Memory::default();
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
        let mut memory = Memory {
            streak: 3,
            closed_at: Some(at(0)),
            ..Memory::default()
        };
        memory.reopen(at(599), &policy);
        assert_eq!(memory.streak, 3);
        memory.closed_at = Some(at(1000));
        memory.reopen(at(1600), &policy);
        assert_eq!(memory.streak, 0);
    }

    #[test]
    fn forgets_the_oldest_and_blocks_last() {
        let mut memories = Memories::default();
        assert_eq!(memories.ensure(at(0), &key(0), 3), None);
        memories.update(at(0), &key(0), |m| m.block = Some(ParkReason::Flapping));
        memories.ensure(at(1), &key(1), 3);
        memories.ensure(at(2), &key(2), 3);
        memories.update(at(3), &key(1), |m| m.streak = 1);
        assert_eq!(memories.ensure(at(4), &key(4), 3), Some(key(2)));
        assert_eq!(memories.ensure(at(5), &key(5), 3), Some(key(1)));
        assert_eq!(memories.ensure(at(6), &key(6), 1), Some(key(4)));
        let kept: Vec<_> = memories.iter().map(|(key, _)| key.clone()).collect();
        assert_eq!(kept, [key(5), key(6), key(0)]);
    }

    #[test]
    fn what_is_carried_over_comes_back() {
        let mut memory = Memory {
            engine: Some("e".into()),
            streak: 2,
            block: Some(ParkReason::Intensity),
            ..Memory::default()
        };
        let intensity = Budget::new(3, Duration::from_secs(60));
        memory.attempts.spend(at(1), &intensity);
        memory.healed(at(2));
        let carried = memory.carry(&key(1));
        assert_eq!(
            Memory::restore(&carried, &intensity).carry(&key(1)),
            carried
        );
    }
}
