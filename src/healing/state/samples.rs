//! N of M: which of the last passes found the fault.

use crate::config::Confirm;

/// The last 64 passes, the newest in the lowest bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Passes {
    bad: u64,
    count: u32,
}

/// What the passes so far amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Enough of them found it.
    Confirmed,
    /// As many as count were made, and too few found it.
    Refuted,
    /// More are needed.
    Open,
}

impl Passes {
    pub(super) fn push(&mut self, bad: bool) {
        self.bad = self.bad << 1 | u64::from(bad);
        self.count = self.count.saturating_add(1);
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

    fn after(passes: &[bool], confirm: Confirm) -> Weight {
        let mut window = Passes::default();
        for &bad in passes {
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

    proptest! {
        #[test]
        fn agrees_with_counting(
            passes in prop::collection::vec(any::<bool>(), 0..100), of in 1u32..=64, bad in 1u32..=64,
        ) {
            let bad = bad.min(of);
            let found = passes.iter().rev().take(of as usize).filter(|&&b| b).count();
            let expected = if found >= bad as usize {
                Weight::Confirmed
            } else if passes.len() >= of as usize {
                Weight::Refuted
            } else {
                Weight::Open
            };
            prop_assert_eq!(after(&passes, Confirm::of(bad, of)), expected);
        }
    }
}
