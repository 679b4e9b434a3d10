use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;

use super::method::Verb;
use super::metrics::HttpMetrics;
use super::outcome::Outcome;
use super::sample::Tickets;
use crate::registry::{Counter, Histogram, OVERFLOW};
use crate::util::{Chain, Clock};

/// The most pairs of route and method that are remembered. A program has as many routes as it
/// declares; this bounds a classifier that makes them up. What is beyond is one route more.
const MAX_PAIRS: usize = 8_192;

/// Lists of pairs by hash: at [`MAX_PAIRS`] each has 32, and an empty table takes two
/// kilobytes.
const LISTS: usize = 256;

/// What every pair of route and method records with.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) metrics: HttpMetrics,
    pub(super) clock: Clock,
}

/// One route with one method, and the handles of its series, found without a lock and held,
/// so that recording touches no index of the registry.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) recorder: Arc<Recorder>,
    pub(super) tickets: Tickets,
    route: Box<str>,
    pub(super) verb: Verb,
    ends: Chain<Ended>,
}

/// The handles for one way to end.
#[derive(Debug)]
pub(super) struct Ended {
    outcome: Outcome,
    pub(super) requests: Counter,
    pub(super) duration: Histogram,
}

impl Series {
    fn new(recorder: &Arc<Recorder>, route: &str, verb: Verb, seed: u64) -> Self {
        Self {
            recorder: Arc::clone(recorder),
            tickets: Tickets::new(seed),
            route: route.into(),
            verb,
            ends: Chain::new(),
        }
    }

    /// The handles for `outcome`. There are as many as there are status codes, at most, and
    /// the common ones come first.
    #[inline]
    pub(super) fn ended(&self, outcome: Outcome) -> &Ended {
        self.ends.find_or_add(
            |ended| ended.outcome == outcome,
            || {
                let mut status = itoa::Buffer::new();
                let labels = [
                    self.verb.as_str(),
                    &self.route,
                    status.format(outcome.status()),
                ];
                Ended {
                    outcome,
                    requests: self.recorder.metrics.requests.with(&labels),
                    duration: self.recorder.metrics.duration.with(&labels),
                }
            },
        )
    }
}

/// Every pair of route and method that has been seen.
pub(super) struct Table {
    hash: RandomState,
    lists: Box<[Chain<Arc<Series>>]>,
    pairs: AtomicUsize,
    max: usize,
}

impl Table {
    pub(super) fn new() -> Self {
        Self::with_max(MAX_PAIRS)
    }

    fn with_max(max: usize) -> Self {
        Self {
            hash: RandomState::default(),
            lists: (0..LISTS).map(|_| Chain::new()).collect(),
            pairs: AtomicUsize::new(0),
            max,
        }
    }

    /// The pair of `route` and `verb`; without an allocation, a lock or a change to shared
    /// memory where it has been seen before.
    #[inline]
    pub(super) fn get(&self, recorder: &Arc<Recorder>, route: &str, verb: Verb) -> &Arc<Series> {
        let list = self.list(route, verb);
        match list.find(|series| is(series, route, verb)) {
            Some(series) => series,
            None => self.add(recorder, route, verb),
        }
    }

    #[cold]
    fn add(&self, recorder: &Arc<Recorder>, route: &str, verb: Verb) -> &Arc<Series> {
        let taken = self
            .pairs
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |pairs| {
                (pairs < self.max).then_some(pairs + 1)
            });
        // The one route beyond the limit has ten pairs at most, which are not counted.
        let route = if taken.is_ok() { route } else { OVERFLOW };
        let made = std::cell::Cell::new(false);
        let series = self.list(route, verb).find_or_add(
            |series| is(series, route, verb),
            || {
                made.set(true);
                // The seed need not be secret, only different from pair to pair.
                let seed = taken.unwrap_or(self.max) as u64;
                Arc::new(Series::new(recorder, route, verb, seed))
            },
        );
        if taken.is_ok() && !made.get() {
            // Another thread was first: give the room back.
            self.pairs.fetch_sub(1, Ordering::Relaxed);
        }
        series
    }

    #[inline]
    fn list(&self, route: &str, verb: Verb) -> &Chain<Arc<Series>> {
        let mut hasher = self.hash.build_hasher();
        hasher.write(route.as_bytes());
        hasher.write_u8(verb as u8);
        // Only the low bits are wanted.
        #[expect(clippy::cast_possible_truncation)]
        let at = hasher.finish() as usize % LISTS;
        &self.lists[at]
    }
}

#[inline]
fn is(series: &Series, route: &str, verb: Verb) -> bool {
    series.verb == verb && *series.route == *route
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} routes and methods",
            self.pairs.load(Ordering::Relaxed)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::outcome::End;
    use crate::registry::Registry;

    fn recorder(registry: &Registry) -> Arc<Recorder> {
        Arc::new(Recorder {
            metrics: (*registry.group::<HttpMetrics>().unwrap()).clone(),
            clock: Clock::system(),
        })
    }

    #[test]
    fn a_pair_is_the_same_the_second_time_and_keeps_its_handles() {
        let registry = Registry::new();
        let (table, recorder) = (Table::new(), recorder(&registry));
        let series = table.get(&recorder, "/a", Verb::Get);
        assert!(Arc::ptr_eq(series, table.get(&recorder, "/a", Verb::Get)));
        assert!(!Arc::ptr_eq(series, table.get(&recorder, "/a", Verb::Put)));
        let ok = Outcome {
            sent: 200,
            end: End::Complete,
        };
        assert_eq!(registry.series(), 1, "the gauge in flight and nothing else");
        series.ended(ok).requests.inc();
        assert!(std::ptr::eq(series.ended(ok), series.ended(ok)));
        let counted = recorder
            .metrics
            .requests
            .get(&["GET", "/a", "200"])
            .unwrap();
        assert_eq!(counted.get(), 1);
    }

    #[test]
    fn routes_without_end_share_one() {
        let registry = Registry::new();
        let (table, recorder) = (Table::with_max(10), recorder(&registry));
        for n in 0..1_000 {
            let series = table.get(&recorder, &format!("/{n}"), Verb::Get);
            let expected = if n < 10 {
                format!("/{n}")
            } else {
                OVERFLOW.to_owned()
            };
            assert_eq!(*series.route, *expected);
        }
        assert_eq!(
            *table.get(&recorder, "/3", Verb::Get).route,
            *"/3",
            "still there"
        );
        assert_eq!(table.pairs.load(Ordering::Relaxed), 10);
    }
}
