//! Full-jitter waits from a seed, so that a history can be replayed.

use std::time::Duration;

use crate::config::Backoff;

/// The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", 2014).
pub(super) const fn splitmix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Draws uniformly from zero to `min(cap, base · 2ⁿ)`, where `n` is one less than the attempts so
/// far.
///
/// Each key has its own stream of numbers, independent of other keys and of the order of reports.
pub(super) fn draw(backoff: &Backoff, attempts: u32, stream: u64, nth_draw: u64) -> Duration {
    let doublings = attempts.saturating_sub(1).min(63);
    let longest = backoff.base.as_nanos().checked_mul(1 << doublings);
    let ceiling = longest.unwrap_or(u128::MAX).min(backoff.cap.as_nanos());
    let nanos = u64::try_from(ceiling).unwrap_or(u64::MAX);
    let number = splitmix(splitmix(stream).wrapping_add(splitmix(nth_draw)));
    // The upper half of the product spreads the number evenly over 0..=nanos without a division.
    let share = (u128::from(number) * (u128::from(nanos) + 1)) >> 64;
    Duration::from_nanos(u64::try_from(share).unwrap_or(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn backoff(base: Duration, cap: Duration) -> Backoff {
        Backoff {
            base,
            cap,
            reset_after: SECOND,
        }
    }

    #[test]
    fn doubles_up_to_the_cap() {
        let backoff = backoff(SECOND, 5 * SECOND);
        for (attempts, ceiling) in [(0, 1), (1, 1), (2, 2), (3, 4), (4, 5), (40, 5), (4_000, 5)] {
            let longest = (0..2_000).map(|n| draw(&backoff, attempts, 7, n)).max();
            let longest = longest.unwrap();
            assert!(longest <= ceiling * SECOND, "{attempts}: {longest:?}");
            assert!(
                longest > ceiling * SECOND * 99 / 100,
                "{attempts}: {longest:?}"
            );
        }
    }

    #[test]
    fn no_base_is_no_wait_however_often() {
        let backoff = backoff(Duration::ZERO, SECOND);
        for attempts in [0, 1, 31, 32, 33, 64, u32::MAX] {
            assert_eq!(draw(&backoff, attempts, 1, 1), Duration::ZERO);
        }
    }

    #[test]
    fn is_even_over_the_whole_range() {
        let backoff = backoff(SECOND, SECOND);
        let mut tenths = [0u32; 10];
        for n in 0..10_000 {
            let tenth = draw(&backoff, 1, 3, n).as_millis() / 100;
            tenths[usize::try_from(tenth).unwrap().min(9)] += 1;
        }
        // The expected count is 1,000, with a standard deviation of 30.
        assert!(tenths.iter().all(|n| (850..1150).contains(n)), "{tenths:?}");
    }

    #[test]
    fn keys_do_not_wait_in_step() {
        let backoff = backoff(SECOND, SECOND);
        let waits: std::collections::BTreeSet<_> =
            (0..1_000).map(|key| draw(&backoff, 1, key, 0)).collect();
        assert_eq!(waits.len(), 1_000);
        let waits: std::collections::BTreeSet<_> =
            (0..1_000).map(|nth| draw(&backoff, 1, 0, nth)).collect();
        assert_eq!(waits.len(), 1_000);
    }

    proptest! {
        #[test]
        fn never_above_the_cap(
            base in any::<u64>(), cap in any::<u64>(), attempts in any::<u32>(),
            stream in any::<u64>(), n in any::<u64>(),
        ) {
            let backoff = backoff(Duration::from_nanos(base), Duration::from_nanos(cap));
            let drawn = draw(&backoff, attempts, stream, n);
            prop_assert!(drawn <= backoff.cap);
            prop_assert_eq!(drawn, draw(&backoff, attempts, stream, n));
        }
    }
}
