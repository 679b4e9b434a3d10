//! Timers.

use std::collections::BTreeSet;

use super::components::ComponentIx;
use super::slab::SlotId;
use crate::healing::core::{AttemptId, Moment};

/// The purpose of a timer; each has at most one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The phase of an issue ends.
    Issue(SlotId),
    /// An attempt took too long to end, or to end after it was cancelled.
    Attempt(AttemptId),
    /// The storm ends if it stayed calm.
    Storm,
    /// A mute ends.
    Mute(u64),
    /// A component has budget again.
    ComponentBudget(ComponentIx),
    /// The global budget is available again for some waiting issues.
    GlobalBudget,
    /// The component of an issue waiting for budget has no spent attempts any more.
    Unspent(SlotId),
    /// One more attempt may run.
    Ramp,
    /// A fault that healing has given up on is escalated further.
    EscalationState,
    /// An alert expires.
    Alert(u64),
    /// Dropped observations are reported.
    Drops,
}

/// All timers in the order in which they are due.
#[derive(Debug, Clone, Default)]
pub(super) struct Timers(BTreeSet<(Moment, Timer)>);

impl Timers {
    pub(super) fn set(&mut self, at: Moment, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub(super) fn cancel(&mut self, at: Moment, timer: Timer) {
        self.0.remove(&(at, timer));
    }

    /// Moves a timer from the time in `set` to another; `set` follows.
    pub(super) fn reset(&mut self, timer: Timer, set: &mut Option<Moment>, to: Option<Moment>) {
        if *set == to {
            return;
        }
        if let Some(old) = *set {
            self.cancel(old, timer);
        }
        if let Some(at) = to {
            self.set(at, timer);
        }
        *set = to;
    }

    #[cfg(test)]
    pub(super) fn contains(&self, at: Moment, timer: Timer) -> bool {
        self.0.contains(&(at, timer))
    }

    pub(super) fn next(&self) -> Moment {
        self.0.first().map_or(Moment::NEVER, |&(at, _)| at)
    }

    pub(super) fn pop_due(&mut self, now: Moment) -> Option<Timer> {
        if self.next() > now {
            return None;
        }
        self.0.pop_first().map(|(_, timer)| timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_what_is_due_in_order() {
        let at = Moment::from_nanos;
        let mut timers = Timers::default();
        assert_eq!(timers.next(), Moment::NEVER);
        timers.set(at(5), Timer::Storm);
        timers.set(at(3), Timer::Mute(1));
        timers.set(at(4), Timer::Drops);
        timers.cancel(at(4), Timer::Drops);
        assert_eq!(timers.next(), at(3));
        assert_eq!(timers.pop_due(at(2)), None);
        assert_eq!(timers.pop_due(at(5)), Some(Timer::Mute(1)));
        assert_eq!(timers.pop_due(at(5)), Some(Timer::Storm));
        assert_eq!(timers.pop_due(at(9)), None);
    }
}
