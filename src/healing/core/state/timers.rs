//! Timers.

use std::collections::BTreeSet;

use super::components::ComponentIx;
use super::map::Map;
use super::slab::SlotId;
use crate::healing::core::{AlertId, AttemptId, Moment, Target};

/// The purpose of a timer; each has at most one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The phase of an issue ends.
    Issue(SlotId),
    /// An attempt took too long to end, or to end after it was cancelled.
    Attempt(AttemptId),
    /// The storm ends if it stayed calm.
    Storm,
    /// A mute ends.
    Mute(Box<Target>),
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
    Alert(Box<AlertId>),
    /// Dropped observations are reported.
    Drops,
}

/// All timers in the order in which they are due.
#[derive(Debug, Clone, Default)]
pub(super) struct Timers {
    order: BTreeSet<(Moment, Timer)>,
    due: Map<Timer, Moment>,
}

impl Timers {
    /// Sets a timer to a time, or ends it; an earlier time of it no longer counts.
    pub(super) fn set(&mut self, timer: Timer, at: impl Into<Option<Moment>>) {
        let at = at.into();
        let old = self.due.get(&timer).copied();
        if old == at {
            return;
        }
        if let Some(old) = old {
            self.order.remove(&(old, timer.clone()));
        }
        match at {
            Some(at) => {
                self.due.insert(timer.clone(), at);
                self.order.insert((at, timer));
            }
            None => {
                self.due.remove(&timer);
            }
        }
    }

    /// When a timer is due, if it is set.
    pub(super) fn get(&self, timer: &Timer) -> Option<Moment> {
        self.due.get(timer).copied()
    }

    pub(super) fn next(&self) -> Moment {
        self.order.first().map_or(Moment::NEVER, |(at, _)| *at)
    }

    pub(super) fn pop_due(&mut self, now: Moment) -> Option<Timer> {
        if self.next() > now {
            return None;
        }
        let (_, timer) = self.order.pop_first()?;
        self.due.remove(&timer);
        Some(timer)
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
        timers.set(Timer::Storm, at(5));
        timers.set(Timer::Ramp, at(9));
        timers.set(Timer::Ramp, at(3));
        timers.set(Timer::Drops, at(4));
        timers.set(Timer::Drops, None);
        assert_eq!(timers.get(&Timer::Ramp), Some(at(3)));
        assert_eq!(timers.get(&Timer::Drops), None);
        assert_eq!(timers.next(), at(3));
        assert_eq!(timers.pop_due(at(2)), None);
        assert_eq!(timers.pop_due(at(5)), Some(Timer::Ramp));
        assert_eq!(timers.get(&Timer::Ramp), None);
        assert_eq!(timers.pop_due(at(5)), Some(Timer::Storm));
        assert_eq!(timers.pop_due(at(9)), None);
    }
}
