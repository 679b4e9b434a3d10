//! A sliding window over the times of attempts, exact to the nanosecond: the last ones, at most the
//! budget, since more are never needed to decide.

use crate::config::Budget;
use crate::healing::core::Moment;

/// When the next attempt is within the budget; `None` if it is now.
///
/// For a window of length `w`, an attempt counts from its start `s` until just before `s + w`.
pub(super) fn blocked_until(times: &[Moment], now: Moment, budget: &Budget) -> Option<Moment> {
    let oldest_that_counts = times.len().checked_sub(budget.max as usize)?;
    let free = *times.get(oldest_that_counts)? + budget.window;
    (free > now).then_some(free)
}

/// Remembers an attempt.
pub(super) fn spend(times: &mut Vec<Moment>, now: Moment, budget: &Budget) {
    let surplus = (times.len() + 1).saturating_sub((budget.max as usize).max(1));
    times.drain(..surplus);
    times.push(now);
}

/// Removes the last attempt, if it is this one.
pub(super) fn take_back(times: &mut Vec<Moment>, at: Moment) {
    times.pop_if(|last| *last == at);
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
        let mut window = Vec::new();
        spend(&mut window, at(0), &budget);
        assert_eq!(blocked_until(&window, at(0), &budget), None);
        spend(&mut window, at(4), &budget);
        assert_eq!(blocked_until(&window, at(9), &budget), Some(at(10)));
        assert_eq!(blocked_until(&window, at(10), &budget), None);
    }

    #[test]
    fn a_smaller_budget_counts_what_was_spent_before() {
        let wide = Budget::new(5, Duration::from_secs(10));
        let narrow = Budget::new(2, Duration::from_secs(10));
        let mut window = Vec::new();
        for second in 0..4 {
            spend(&mut window, at(second), &wide);
        }
        assert_eq!(blocked_until(&window, at(4), &narrow), Some(at(12)));
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more(
            max in 1u32..6, length in 1u64..50,
            gaps in prop::collection::vec(0u64..20, 1..200),
        ) {
            let budget = Budget::new(max, Duration::from_secs(length));
            let (mut window, mut started, mut now) = (Vec::new(), Vec::new(), 0);
            for gap in gaps {
                now += gap;
                if blocked_until(&window, at(now), &budget).is_none() {
                    spend(&mut window, at(now), &budget);
                    started.push(now);
                }
                let inside = started.iter().filter(|&&s| s + length > now).count();
                prop_assert!(inside <= max as usize);
                // It holds back nothing that the budget allows.
                prop_assert_eq!(
                    blocked_until(&window, at(now), &budget).is_some(), inside == max as usize
                );
            }
        }
    }
}
