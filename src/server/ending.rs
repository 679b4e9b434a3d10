//! The deadline of a scrape, and how it ended.

use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use crate::registry::{Counter, Family, Registry};

/// The header with the scraper's timeout in seconds, sent by Prometheus and compatible scrapers.
const TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";

crate::label_values! {
    /// Why a scraper did not get a complete page: the values of `reason`.
    pub(super) enum Failure {
        /// It got no turn in time, or too much memory was held for others.
        Busy = "busy",
        /// It got a turn, but not the complete page in time.
        Late = "late",
        /// It was the slowest reader when others needed the memory.
        Slow = "slow",
        /// It disconnected.
        Gone = "gone",
        /// The page could not be written.
        Failed = "failed",
        /// The page exceeds the limit for a client that needs its length in advance.
        Large = "large",
    }
}

/// The deadline of a scrape.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    /// The deadline of an error response, a tenth of the timeout before the scraper disconnects, so
    /// that it arrives in time.
    pub(super) answer: Instant,
    pub(super) end: Instant,
}

impl Deadline {
    /// The deadline of a scrape that begins now: the scraper's timeout, at most the limit. An
    /// invalid header is ignored.
    pub(super) fn new(headers: &HeaderMap, limit: Duration) -> Self {
        let said = headers.get(TIMEOUT).and_then(|value| value.to_str().ok());
        let said =
            said.and_then(|text| Duration::try_from_secs_f64(text.trim().parse().ok()?).ok());
        let time = said.filter(|time| !time.is_zero());
        let time = time.map_or(limit, |time| time.min(limit));
        let now = Instant::now();
        Self {
            answer: now + time - time / 10,
            end: now + time,
        }
    }
}

/// The counter of failed scrapes; `None` if the application has another metric of that name.
pub(super) type Failed = Option<Family<Counter, (Failure,)>>;

pub(super) fn failed(registry: &Registry) -> Failed {
    let failed = registry.counter(
        "selfheal_scrapes_failed_total",
        "Scrapes that did not get a whole page: there was no turn for it in time (busy), it took \
         longer than the scraper waits (late), the scraper was the slowest when others needed the \
         memory or the turn (slow), it hung up (gone), the page could not be written (failed), or \
         was longer than is kept for a client of HTTP/1.0 (large)",
    );
    failed.labels(["reason"]).ok()
}

/// Declares the counters of the endpoints.
pub(crate) fn declare_all(registry: &Registry) {
    drop(failed(registry));
    drop(super::Auth::new().counted(registry));
    drop(super::refused::refused(registry));
    drop(super::written::Written::new(registry));
}

/// Counts how a scrape ended, once; as disconnected if nothing was reported before.
pub(super) struct Ending(pub(super) Failed);

impl Ending {
    pub(super) fn whole(&mut self) {
        self.0 = None;
    }

    pub(super) fn failed(&mut self, failure: Failure) -> Failure {
        if let Some(failed) = self.0.take() {
            failed.inc(&(failure,));
        }
        failure
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.failed(Failure::Gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_shorter_of_what_is_said_and_the_limit_counts() {
        for (said, seconds) in [
            (None, 10.0),
            (Some("3"), 3.0),
            (Some(" 0.5 "), 0.5),
            (Some("60"), 10.0),
            (Some("1e300"), 10.0),
            (Some("inf"), 10.0),
            (Some("NaN"), 10.0),
            (Some("0"), 10.0),
            (Some("-1"), 10.0),
            (Some("soon"), 10.0),
            (Some("ä"), 10.0),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(said) = said {
                headers.insert(TIMEOUT, said.parse().unwrap());
            }
            let deadline = Deadline::new(&headers, Duration::from_secs(10));
            let end = (deadline.end - Instant::now()).as_secs_f64();
            let answer = (deadline.answer - Instant::now()).as_secs_f64();
            assert!((end - seconds).abs() < 1e-6, "{said:?}: {end}");
            assert!((answer - 0.9 * seconds).abs() < 1e-6, "{said:?}: {answer}");
        }
    }
}
