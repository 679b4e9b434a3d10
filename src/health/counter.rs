use std::sync::atomic::{AtomicU64, Ordering};

use super::window::Traffic;
use crate::util::stripes::Stripes;

/// The requests recorded by a layer, for the health score: read in constant time, independent of
/// the number of series.
#[derive(Debug)]
pub(crate) struct TrafficCounter {
    /// Numbers of good and other requests, separate for each thread.
    parts: Stripes<[AtomicU64; 2]>,
}

impl Default for TrafficCounter {
    fn default() -> Self {
        Self {
            parts: Stripes::new(Default::default),
        }
    }
}

impl TrafficCounter {
    /// Counts one request. Only server errors are bad; client errors count as served well.
    #[inline]
    pub(crate) fn count(&self, good: bool) {
        if let Some([bad_ones, good_ones]) = self.parts.mine() {
            let one = if good { good_ones } else { bad_ones };
            one.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All requests so far. Neither number ever decreases.
    pub(crate) fn traffic(&self) -> Traffic {
        let parts = self.parts.iter();
        parts.fold(Traffic::default(), |sum, [bad, good]| {
            let good = good.load(Ordering::Relaxed);
            Traffic {
                good: sum.good + good,
                total: sum.total + good + bad.load(Ordering::Relaxed),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_request_of_any_thread_is_lost() {
        let counter = TrafficCounter::default();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let counter = &counter;
                scope.spawn(move || (0..1_000).for_each(|_| counter.count(thread % 4 != 0)));
            }
        });
        let (good, total) = (6_000, 8_000);
        assert_eq!(counter.traffic(), Traffic { good, total });
    }
}
