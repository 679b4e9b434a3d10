//! N of M: which of the last detection runs found the fault.

use crate::config::Confirm;
use crate::healing::core::Samples;

/// The last 64 detection runs, the newest in the lowest bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Runs {
    bad: u64,
    count: u32,
}

/// The verdict of the detection runs so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Enough of them found it.
    Confirmed,
    /// All runs of the window were made, and too few found it.
    Refuted,
    /// More runs are needed.
    Open,
}

impl Runs {
    pub(super) fn push(&mut self, bad: bool) {
        self.bad = self.bad << 1 | u64::from(bad);
        self.count = self.count.saturating_add(1);
    }

    /// The combined count of these detection runs and the samples of the last observation, whose
    /// own run counts by its samples.
    pub(super) fn with(self, samples: Samples) -> Samples {
        let others = |all: u32| all.min(Confirm::MOST).saturating_sub(1);
        Samples {
            confirming: samples
                .confirming
                .saturating_add(others(self.bad.count_ones())),
            total: samples.total.saturating_add(others(self.count)),
        }
    }

    pub(super) fn weigh(self, confirm: Confirm) -> Weight {
        let of = confirm.of.clamp(1, Confirm::MOST);
        let last = self.bad & (u64::MAX >> (Confirm::MOST - of));
        if last.count_ones() >= confirm.bad {
            Weight::Confirmed
        } else if self.count >= of {
            Weight::Refuted
        } else {
            Weight::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(runs: &[bool], confirm: Confirm) -> Weight {
        let mut window = Runs::default();
        for &bad in runs {
            window.push(bad);
        }
        window.weigh(confirm)
    }

    #[test]
    fn two_of_three() {
        let confirm = Confirm::of(2, 3);
        assert_eq!(after(&[true], confirm), Weight::Open);
        assert_eq!(after(&[true, false], confirm), Weight::Open);
        assert_eq!(after(&[true, true], confirm), Weight::Confirmed);
        assert_eq!(after(&[true, false, true], confirm), Weight::Confirmed);
        assert_eq!(after(&[true, false, false], confirm), Weight::Refuted);
        assert_eq!(after(&[true], Confirm::at_once()), Weight::Confirmed);
    }

    #[test]
    fn passes_add_to_the_samples_of_an_observation() {
        let mut runs = Runs::default();
        let one = Samples::new(1, 1);
        assert_eq!(runs.with(one), one, "it was in no run");
        for (bad, confirming, total) in [(true, 1, 1), (true, 2, 2), (false, 2, 3)] {
            runs.push(bad);
            assert_eq!(runs.with(one), Samples::new(confirming, total));
        }
        assert_eq!(runs.with(Samples::new(5, 9)), Samples::new(6, 11));
        for _ in 0..100 {
            runs.push(true);
        }
        assert_eq!(runs.with(one), Samples::new(64, 64));
    }

    proptest! {
        #[test]
        fn agrees_with_counting(
            runs in prop::collection::vec(any::<bool>(), 0..100), of in 1u32..=64, bad in 1u32..=64,
        ) {
            let bad = bad.min(of);
            let found = runs.iter().rev().take(of as usize).filter(|&&b| b).count();
            let expected = if found >= bad as usize {
                Weight::Confirmed
            } else if runs.len() >= of as usize {
                Weight::Refuted
            } else {
                Weight::Open
            };
            prop_assert_eq!(after(&runs, Confirm::of(bad, of)), expected);
        }
    }
}
