//! Whose turn it is to scrape, until when, and how it ended.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::registry::{Counter, Family, LabelValue, Registry};

/// The most scrapes at a time. Prometheus never overlaps its own: this is room for a pair of
/// them, an agent and a person. Each takes a processor while it is written.
pub(super) const AT_ONCE: usize = 4;

/// The most scrapes that wait for their turn. There is one place for each scraper, and more
/// scrapers than this of one process mean that something is wrong on the other side.
const WAITING: usize = 16;

/// What Prometheus and its relatives say of how long they wait, in seconds.
const TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";

/// Hands out the turns.
#[derive(Clone)]
pub(super) struct Turns {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// The longest that a scrape may take.
    pub(super) limit: Duration,
    /// `None` where the application has another metric by that name.
    failed: Option<Family<Counter, (Failure,)>>,
}

/// Why a scraper did not get a whole page: the values of `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It did not get its turn in time.
    Busy,
    /// It got its turn, and not the whole page in time.
    Late,
    /// It hung up.
    Gone,
    /// The page could not be written.
    Failed,
}

impl LabelValue for Failure {
    type Key = Self;
    const VALUES: &'static [&'static str] = &["busy", "late", "gone", "failed"];

    fn index(&self) -> usize {
        *self as usize
    }
}

/// Until when a scrape is of use to who asked for it.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    /// An answer that says no comes by then, a tenth of the time before the scraper hangs up:
    /// early enough for it to be heard.
    pub(super) answer: Instant,
    pub(super) end: Instant,
}

impl Turns {
    pub(super) fn new(registry: &Registry) -> Self {
        let failed = registry.counter(
            "selfheal_scrapes_failed_total",
            "Scrapes that did not get a whole page: there was no turn for it in time (busy), it \
             took longer than the scraper waits (late), the scraper hung up (gone), or the page \
             could not be written (failed)",
        );
        Self {
            running: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(WAITING)),
            limit: Duration::from_secs(10),
            failed: failed.labels(["reason"]).ok(),
        }
    }

    /// When a scrape that begins now is to end: what the scraper says, but no longer than the
    /// limit. A header that is no time above zero is as if it were not there.
    pub(super) fn deadline(&self, headers: &HeaderMap) -> Deadline {
        let said = headers.get(TIMEOUT).and_then(|value| value.to_str().ok());
        let said =
            said.and_then(|text| Duration::try_from_secs_f64(text.trim().parse().ok()?).ok());
        let time = said.filter(|time| !time.is_zero());
        let time = time.map_or(self.limit, |time| time.min(self.limit));
        let now = Instant::now();
        Deadline {
            answer: now + time - time / 10,
            end: now + time,
        }
    }

    /// Waits for a turn, which lasts as long as the permit is held.
    ///
    /// Safe to cancel: the place in the queue is then free again.
    pub(super) async fn take(&self, deadline: Deadline) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(turn) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(turn);
        }
        let _place = self.waiting.try_acquire().map_err(|_| Failure::Busy)?;
        let turn = timeout_at(deadline.answer, Arc::clone(&self.running).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or(Failure::Busy)
    }

    /// What is to be told of a scrape that begins.
    pub(super) fn ending(&self) -> Ending {
        Ending(self.failed.clone())
    }
}

/// Tells how a scrape ended, once; that of one who hung up, if nothing was told before.
pub(super) struct Ending(Option<Family<Counter, (Failure,)>>);

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
        let turns = Turns::new(&Registry::new());
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
            let deadline = turns.deadline(&headers);
            let end = (deadline.end - Instant::now()).as_secs_f64();
            let answer = (deadline.answer - Instant::now()).as_secs_f64();
            assert!((end - seconds).abs() < 1e-6, "{said:?}: {end}");
            assert!((answer - 0.9 * seconds).abs() < 1e-6, "{said:?}: {answer}");
        }
    }
}
