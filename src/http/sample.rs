use std::sync::atomic::{AtomicU64, Ordering};

/// Samples the requests to time: one in `every`.
///
/// Requests form blocks of `every`, and one of each block is chosen by the seed and the number of
/// the block. So each request is equally likely to be sampled, periodic traffic (every tenth
/// request is slow) does not alias with the sampling, and since each sampled request counts `every`
/// times, the total is off by less than one block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// 0 for no requests.
    every: u32,
}

impl Sample {
    pub(super) const ALL: Self = Self { every: 1 };
    pub(super) const NONE: Self = Self { every: 0 };

    /// One in `1 / rate`, rounded to a whole number. Invalid rates are clamped.
    pub(super) fn of_rate(rate: f64) -> Self {
        if rate.is_nan() || rate >= 1.0 {
            Self::ALL
        } else if rate <= 0.0 {
            Self::NONE
        } else {
            let every = (1.0 / rate).round().min(f64::from(u32::MAX));
            // Between 1 and u32::MAX by now.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let every = every as u32;
            Self { every }
        }
    }

    /// Returns the weight of the current request if it is sampled.
    #[inline]
    pub(super) fn draw(self, tickets: &Tickets) -> Option<u32> {
        if self.every <= 1 {
            return (self.every == 1).then_some(1);
        }
        let every = u64::from(self.every);
        let ticket = tickets.drawn.fetch_add(1, Ordering::Relaxed);
        let place = mix(tickets.seed.wrapping_add(ticket / every)) % every;
        (ticket % every == place).then_some(self.every)
    }
}

/// The counter to draw from. Each method of each route has its own, so that a quiet route is
/// sampled as fairly as a busy one.
#[derive(Debug)]
pub(super) struct Tickets {
    seed: u64,
    drawn: AtomicU64,
}

impl Tickets {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed: mix(seed),
            drawn: AtomicU64::new(0),
        }
    }
}

/// The output step of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014): every input bit affects every output bit.
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_become_one_in_a_whole_number() {
        for (rate, every) in [
            (1.0, 1),
            (2.0, 1),
            (f64::NAN, 1),
            (0.7, 1),
            (0.5, 2),
            (0.3, 3),
            (0.01, 100),
            (0.0, 0),
            (-1.0, 0),
            (f64::MIN_POSITIVE, u32::MAX),
        ] {
            assert_eq!(Sample::of_rate(rate).every, every, "{rate}");
        }
    }

    #[test]
    fn a_beat_in_the_traffic_is_sampled_at_its_share() {
        let (sample, tickets) = (Sample { every: 10 }, Tickets::new(7));
        let slow = (0..100_000)
            .filter(|n| sample.draw(&tickets).is_some() && n % 10 == 3)
            .count();
        assert!((800..1_200).contains(&slow), "{slow} of 10,000 drawn");
    }

    #[test]
    fn two_series_do_not_draw_in_step() {
        let drawn = |seed| {
            let (sample, tickets) = (Sample { every: 10 }, Tickets::new(seed));
            let is_drawn = |_: &u32| sample.draw(&tickets).is_some();
            (0..1_000).filter(is_drawn).collect::<Vec<u32>>()
        };
        let (one, other) = (drawn(0), drawn(1));
        let together = one.iter().filter(|ticket| other.contains(ticket)).count();
        assert!(together < 30, "{together} of 100");
    }

    proptest! {
        #[test]
        fn what_is_drawn_stands_for_all(seed: u64, every in 2_u32..50, n in 1_u64..5_000) {
            let (sample, tickets) = (Sample { every }, Tickets::new(seed));
            let stands_for: u64 = (0..n).filter_map(|_| sample.draw(&tickets)).map(u64::from).sum();
            prop_assert!(stands_for.abs_diff(n) < u64::from(every));
        }
    }
}
