//! A sliding window over the times of attempts, exact to the nanosecond.

use std::collections::VecDeque;

use crate::config::Budget;
use crate::healing::core::Moment;

/// The last attempts, at most the budget: more are never needed to decide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Window(VecDeque<Moment>);

impl Window {
    /// When the next attempt is within the budget; `None` if it is now.
    ///
    /// For a window of length `w`, an attempt counts from its start `s` until just before
    /// `s + w`.
    pub(super) fn blocked_until(&self, now: Moment, budget: &Budget) -> Option<Moment> {
        let max = budget.max as usize;
        let oldest_that_counts = self.0.len().checked_sub(max)?;
        let free = *self.0.get(oldest_that_counts)? + budget.window;
        (free > now).then_some(free)
    }

    /// Remembers an attempt.
    pub(super) fn spend(&mut self, now: Moment, budget: &Budget) {
        while self.0.len() >= (budget.max as usize).max(1) {
            self.0.pop_front();
        }
        self.0.push_back(now);
    }

    /// Removes the last attempt, if it is this one.
    pub(super) fn take_back(&mut self, at: Moment) {
        if self.0.back() == Some(&at) {
            self.0.pop_back();
        }
    }

    pub(super) fn last(&self) -> Option<Moment> {
        self.0.back().copied()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Moment> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn at(seconds: u64) -> Moment {
        Moment::after_start(Duration::from_secs(seconds))
    }

    #[test]
    fn frees_a_place_exactly_when_the_oldest_leaves() {
        let budget = Budget::new(2, Duration::from_secs(10));
        let mut window = Window::default();
        window.spend(at(0), &budget);
        assert_eq!(window.blocked_until(at(0), &budget), None);
        window.spend(at(4), &budget);
        assert_eq!(window.blocked_until(at(9), &budget), Some(at(10)));
        assert_eq!(window.blocked_until(at(10), &budget), None);
    }

    #[test]
    fn a_smaller_budget_counts_what_was_spent_before() {
        let wide = Budget::new(5, Duration::from_secs(10));
        let narrow = Budget::new(2, Duration::from_secs(10));
        let mut window = Window::default();
        for second in 0..4 {
            window.spend(at(second), &wide);
        }
        assert_eq!(window.blocked_until(at(4), &narrow), Some(at(12)));
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more(
            max in 1u32..6, length in 1u64..50,
            gaps in prop::collection::vec(0u64..20, 1..200),
        ) {
            let budget = Budget::new(max, Duration::from_secs(length));
            let (mut window, mut started, mut now) = (Window::default(), Vec::new(), 0);
            for gap in gaps {
                now += gap;
                if window.blocked_until(at(now), &budget).is_none() {
                    window.spend(at(now), &budget);
                    started.push(now);
                }
                let inside = started.iter().filter(|&&s| s + length > now).count();
                prop_assert!(inside <= max as usize);
                // It holds back nothing that the budget allows.
                prop_assert_eq!(
                    window.blocked_until(at(now), &budget).is_some(), inside == max as usize
                );
            }
        }
    }
}
