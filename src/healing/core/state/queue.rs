//! The order of issues, and what each waits for.

use std::collections::BTreeSet;

use super::components::ComponentIx;
use super::map::Map;
use super::slab::SlotId;
use super::spent::Draw;
use crate::healing::core::{Moment, Name, Severity};

/// The rank in the queue: lower goes first.
///
/// Each level of severity is worth a head start of `ageing`, so the order is never recomputed and a
/// mild issue is overtaken only for a bounded time. The second part, from the key itself, orders
/// issues of the same moment independently of which was reported first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(Moment, u64);

impl Rank {
    pub(super) fn new(
        since: Moment,
        severity: Severity,
        ageing: std::time::Duration,
        tie: u64,
    ) -> Self {
        Self(since.back(ageing.saturating_mul(severity.level())), tie)
    }
}

/// The event that a held-back issue waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum WaitFor {
    /// A lock.
    Lock(Name),
    /// A parent component.
    Parent(ComponentIx),
    /// Its component's budget.
    Budget(ComponentIx),
    /// The global budget, as far as it may draw on it.
    GlobalBudget(Draw),
    /// The end of a mute.
    Unmute,
    /// A writable journal.
    Journal,
    /// A new policy.
    Policy,
    /// The end of a hold on everything.
    Turn,
}

/// The place of an issue in the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// Not queued.
    #[default]
    Nowhere,
    /// Ready to be decided.
    Ready(Rank),
    /// Waiting.
    Waiting(WaitFor, Rank),
}

type Line = BTreeSet<(Rank, SlotId)>;

/// Ready and waiting issues.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    ready: Line,
    waiting: Map<WaitFor, Line>,
}

impl Queue {
    pub(super) fn put(&mut self, slot: SlotId, place: &Place) {
        match place {
            Place::Nowhere => {}
            Place::Ready(rank) => {
                self.ready.insert((*rank, slot));
            }
            Place::Waiting(what, rank) => {
                let line = self.waiting.entry(what.clone()).or_default();
                line.insert((*rank, slot));
            }
        }
    }

    pub(super) fn take(&mut self, slot: SlotId, place: &Place) {
        match place {
            Place::Nowhere => {}
            Place::Ready(rank) => {
                self.ready.remove(&(*rank, slot));
            }
            Place::Waiting(what, rank) => {
                if let Some(line) = self.waiting.get_mut(what) {
                    line.remove(&(*rank, slot));
                    if line.is_empty() {
                        self.waiting.remove(what);
                    }
                }
            }
        }
    }

    pub(super) fn first(&self) -> Option<SlotId> {
        self.ready.first().map(|&(_, slot)| slot)
    }

    /// The first issue that waits for this.
    pub(super) fn first_waiting(&self, what: &WaitFor) -> Option<(Rank, SlotId)> {
        self.waiting.get(what)?.first().copied()
    }

    /// All issues that wait for this, in order.
    pub(super) fn all_waiting(&self, what: &WaitFor) -> Vec<SlotId> {
        self.waiting.get(what).map_or_else(Vec::new, |line| {
            line.iter().map(|&(_, slot)| slot).collect()
        })
    }

    /// All issues that wait for a parent, in order.
    pub(super) fn waiting_for_parents(&self) -> Vec<SlotId> {
        let lines = self.waiting.iter();
        let lines = lines.filter(|(what, _)| matches!(what, WaitFor::Parent(_)));
        let mut all: Vec<_> = lines.flat_map(|(_, line)| line).copied().collect();
        all.sort_unstable();
        all.into_iter().map(|(_, slot)| slot).collect()
    }

    /// All waiting issues.
    pub(super) fn everything_waiting(&self) -> Vec<SlotId> {
        let mut all: Vec<_> = self.waiting.values().flatten().copied().collect();
        all.sort_unstable();
        all.into_iter().map(|(_, slot)| slot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::slab::Slab;
    use super::*;
    use std::time::Duration;

    const STEP: Duration = Duration::from_secs(30);

    fn rank(second: u64, severity: Severity) -> Rank {
        let since = Moment::after_start(Duration::from_secs(second));
        Rank::new(since, severity, STEP, 0)
    }

    #[test]
    fn the_severe_go_first_but_not_for_ever() {
        assert!(rank(10, Severity::Critical) < rank(0, Severity::Info));
        assert!(rank(89, Severity::Critical) < rank(0, Severity::Info));
        assert!(rank(91, Severity::Critical) > rank(0, Severity::Info));
        assert!(rank(31, Severity::Error) > rank(0, Severity::Warning));
    }

    #[test]
    fn lines_keep_their_order_and_vanish_when_empty() {
        let mut slab = Slab::default();
        let slots = [slab.insert(()), slab.insert(()), slab.insert(())];
        let what = WaitFor::Lock("db".into());
        let places = [2, 1, 3].map(|s| Place::Waiting(what.clone(), rank(s, Severity::Info)));
        let mut queue = Queue::default();
        for (slot, place) in slots.iter().zip(&places) {
            queue.put(*slot, place);
        }
        assert_eq!(
            queue.first_waiting(&what).map(|(_, slot)| slot),
            Some(slots[1])
        );
        assert_eq!(queue.all_waiting(&what), [slots[1], slots[0], slots[2]]);
        for (slot, place) in slots.iter().zip(&places) {
            queue.take(*slot, place);
        }
        assert!(queue.waiting.is_empty());
        assert_eq!(queue.first_waiting(&what), None);
    }
}
