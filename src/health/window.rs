use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::Serialize;

/// A number of requests, and how many of them were served well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Requests served well: not answered with a server error.
    pub good: u64,
    /// All requests.
    pub total: u64,
}

impl Traffic {
    /// The share served well; `None` without requests.
    #[must_use]
    pub fn success_ratio(self) -> Option<f64> {
        (self.total > 0).then(|| self.good.min(self.total) as f64 / self.total as f64)
    }
}

/// Computes the traffic of the last minutes from increasing counters.
///
/// It keeps one sample for each thirtieth of the window, so its memory is bounded, however often it
/// is called.
#[derive(Clone, Debug)]
pub struct TrafficWindow {
    length: Duration,
    samples: VecDeque<(Instant, Traffic)>,
}

const SAMPLES: u32 = 30;

impl TrafficWindow {
    /// A window of this length, without samples.
    #[must_use]
    pub fn new(length: Duration) -> Self {
        Self {
            length,
            samples: VecDeque::new(),
        }
    }

    /// Takes the counters at `now` and returns the traffic since the oldest sample of the window.
    pub fn sample(&mut self, now: Instant, counters: Traffic) -> Traffic {
        self.sample_lasting(now, counters).0
    }

    /// Like [`sample`](Self::sample), and also returns the duration that the traffic covers.
    pub fn sample_lasting(&mut self, now: Instant, counters: Traffic) -> (Traffic, Duration) {
        // Keeps one sample that is older than the window, as its start.
        while self.samples.len() > 1
            && now.saturating_duration_since(self.samples[1].0) >= self.length
        {
            self.samples.pop_front();
        }
        if let Some((_, last)) = self.samples.back()
            && (counters.total < last.total || counters.good < last.good)
        {
            // The counters were reset, so earlier samples are of no use.
            self.samples.clear();
        }
        let step = self.length / SAMPLES;
        // Replaces the newest sample until it is a step away from the previous one.
        let close = self.samples.len() > 1
            && self.samples[self.samples.len() - 1]
                .0
                .saturating_duration_since(self.samples[self.samples.len() - 2].0)
                < step;
        if close {
            self.samples.pop_back();
        }
        self.samples.push_back((now, counters));
        let (from, start) = self.samples.front().map_or((now, counters), |first| *first);
        let traffic = Traffic {
            good: counters.good - start.good,
            total: counters.total - start.total,
        };
        (traffic, now.saturating_duration_since(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn counters(good: u64, total: u64) -> Traffic {
        Traffic { good, total }
    }

    #[test]
    fn the_past_leaves_the_window() {
        let mut window = TrafficWindow::new(5 * MINUTE);
        let start = Instant::now();
        window.sample(start, counters(0, 0));
        assert_eq!(
            window.sample(start + MINUTE, counters(0, 100)),
            counters(0, 100)
        );
        let later = window.sample(start + 7 * MINUTE, counters(50, 150));
        assert_eq!(
            later,
            counters(50, 50),
            "the hundred failures are six minutes old"
        );
    }

    #[test]
    fn frequent_samples_take_no_memory() {
        let mut window = TrafficWindow::new(5 * MINUTE);
        let start = Instant::now();
        for tick in 0..10_000 {
            let n = u64::from(tick);
            window.sample(start + Duration::from_millis(100) * tick, counters(n, n));
        }
        assert!(window.samples.len() <= SAMPLES as usize + 2);
        let seen = window.sample(start + Duration::from_secs(1_000), counters(10_000, 10_000));
        assert!(
            (3_000..=3_200).contains(&seen.total),
            "five minutes of ten a second: {seen:?}"
        );
    }

    #[test]
    fn a_counter_that_begins_again_is_not_negative_traffic() {
        let mut window = TrafficWindow::new(MINUTE);
        let start = Instant::now();
        window.sample(start, counters(100, 100));
        assert_eq!(
            window.sample(start + MINUTE / 2, counters(1, 2)),
            counters(0, 0)
        );
        assert_eq!(
            window.sample(start + MINUTE, counters(2, 4)),
            counters(1, 2)
        );
    }
}
