//! The slow start: attempts that were held back do not start all at once.

use std::time::Duration;

use crate::healing::core::Moment;

/// The limit of concurrent attempts, rising linearly from one after a hold on everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ramp {
    since: Option<Moment>,
}

impl Ramp {
    pub(super) const fn begin(&mut self, now: Moment) {
        self.since = Some(now);
    }

    /// The current limit.
    pub(super) fn allowed(self, now: Moment, length: Duration, most: u32) -> u32 {
        let Some(since) = self.since else {
            return most;
        };
        let passed = (now - since).as_nanos();
        let more = u128::from(most.saturating_sub(1)) * passed;
        let more = more.checked_div(length.as_nanos());
        let more = more.and_then(|more| u32::try_from(more).ok());
        more.map_or(most, |more| more.saturating_add(1).min(most))
    }

    /// When the limit rises by one, if it is not at its end.
    pub(super) fn rises_at(self, now: Moment, length: Duration, most: u32) -> Option<Moment> {
        let allowed = self.allowed(now, length, most);
        let steps = most.saturating_sub(1);
        if allowed >= most {
            return None;
        }
        // The first nanosecond at which the division above allows one more.
        let nanos = (length.as_nanos() * u128::from(allowed)).div_ceil(u128::from(steps));
        let after = Duration::from_nanos(u64::try_from(nanos).ok()?);
        self.since.map(|since| since + after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rises_evenly_from_one() {
        let second = Duration::from_secs(1);
        let at = |seconds: u32| Moment::after_start(seconds * second);
        let mut ramp = Ramp::default();
        assert_eq!(ramp.allowed(at(0), 30 * second, 4), 4);
        ramp.begin(at(100));
        let allowed = |seconds| ramp.allowed(at(seconds), 30 * second, 4);
        let steps = [100, 109, 110, 120, 129, 130, 999].map(allowed);
        assert_eq!(steps, [1, 1, 2, 3, 3, 4, 4]);
        assert_eq!(ramp.rises_at(at(112), 30 * second, 4), Some(at(120)));
        assert_eq!(ramp.rises_at(at(130), 30 * second, 4), None);
        assert_eq!(ramp.allowed(at(100), Duration::ZERO, 4), 4, "no ramp");
        assert_eq!(ramp.allowed(at(100), 30 * second, 1), 1);
    }

    proptest! {
        #[test]
        fn it_rises_exactly_when_it_says(
            length in 1u64..1_000_000_000_000, most in 1u32..200, passed in 0u64..1_000_000_000_000,
        ) {
            let length = Duration::from_nanos(length);
            let now = Moment::after_start(Duration::from_nanos(passed));
            let mut ramp = Ramp::default();
            ramp.begin(Moment::START);
            let allowed = ramp.allowed(now, length, most);
            prop_assert!((1..=most).contains(&allowed));
            match ramp.rises_at(now, length, most) {
                None => prop_assert_eq!(allowed, most),
                Some(at) => {
                    prop_assert!(at > now);
                    prop_assert!(ramp.allowed(at, length, most) > allowed);
                    let before = at.back(Duration::from_nanos(1));
                    prop_assert_eq!(ramp.allowed(before, length, most), allowed);
                }
            }
        }
    }
}
