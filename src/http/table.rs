use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;

use super::series::{Key, Recorder, Series};
use crate::exchange::Chain;
use crate::registry::OVERFLOW;

/// The most keys that are remembered. A program has as many routes as it declares; this
/// bounds a classifier that makes them up. What is beyond is one route more.
const MAX_KEYS: usize = 8_192;

/// Lists of keys by hash: at [`MAX_KEYS`] each has 32, and an empty table takes two
/// kilobytes.
const LISTS: usize = 256;

/// Every key that has been seen, with its series.
pub(super) struct Table {
    hash: RandomState,
    lists: Box<[Chain<Arc<Series>>]>,
    keys: AtomicUsize,
    max: usize,
}

impl Table {
    pub(super) fn new() -> Self {
        Self::with_max(MAX_KEYS)
    }

    fn with_max(max: usize) -> Self {
        Self {
            hash: RandomState::default(),
            lists: (0..LISTS).map(|_| Chain::new()).collect(),
            keys: AtomicUsize::new(0),
            max,
        }
    }

    /// The series of `key`; without an allocation, a lock or a change to shared memory where
    /// the key has been seen before.
    #[inline]
    pub(super) fn get(&self, recorder: &Arc<Recorder>, key: Key<'_>) -> &Arc<Series> {
        match self.list(key).find(|series| series.is(key)) {
            Some(series) => series,
            None => self.add(recorder, key),
        }
    }

    #[cold]
    fn add(&self, recorder: &Arc<Recorder>, key: Key<'_>) -> &Arc<Series> {
        let taken = self
            .keys
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |keys| {
                (keys < self.max).then_some(keys + 1)
            });
        // The keys of the one route beyond the limit are few and not counted.
        let key = match taken {
            Ok(_) => key,
            Err(_) => Key {
                route: OVERFLOW,
                ..key
            },
        };
        let made = Cell::new(false);
        let series = self.list(key).find_or_add(
            |series| series.is(key),
            || {
                made.set(true);
                let seed = taken.unwrap_or(self.max) as u64;
                Arc::new(Series::new(recorder, key, seed))
            },
        );
        if taken.is_ok() && !made.get() {
            // Another thread was first: give the room back.
            self.keys.fetch_sub(1, Ordering::Relaxed);
        }
        series
    }

    #[inline]
    fn list(&self, key: Key<'_>) -> &Chain<Arc<Series>> {
        let mut hasher = self.hash.build_hasher();
        hasher.write(key.route.as_bytes());
        hasher.write_u8(key.verb as u8);
        key.labels.hash(&mut hasher);
        // Only the low bits are wanted.
        #[expect(clippy::cast_possible_truncation)]
        let at = hasher.finish() as usize % LISTS;
        &self.lists[at]
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.keys.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::labels::Chosen;
    use crate::http::names::{Added, HttpMetrics, HttpNames};
    use crate::http::outcome::{End, Outcome};
    use crate::http::route::Protocol;
    use crate::http::sample::Sample;
    use crate::registry::Registry;
    use crate::util::Clock;
    use crate::util::Verb;

    fn recorder(registry: &Registry) -> Arc<Recorder> {
        let names = HttpNames::Catalog
            .declare(registry, &Added::default(), None)
            .unwrap();
        Arc::new(Recorder {
            names: vec![names],
            clock: Clock::system(),
            sample: Sample::ALL,
            rules: crate::http::route::Rules::default(),
            request_labels: crate::http::labels::Added::default(),
            response_labels: crate::http::labels::Added::default(),
            trace: crate::trace::Source::default(),
            traffic: Arc::default(),
        })
    }

    fn key(route: &str, verb: Verb) -> Key<'_> {
        Key {
            route,
            verb,
            protocol: Protocol::default(),
            labels: Chosen::default(),
        }
    }

    #[test]
    fn a_key_is_the_same_the_second_time_and_keeps_its_handles() {
        let registry = Registry::new();
        let (table, recorder) = (Table::new(), recorder(&registry));
        assert_eq!(registry.series(), 1, "the gauge in flight and nothing else");
        let series = table.get(&recorder, key("/a", Verb::Get));
        assert!(Arc::ptr_eq(
            series,
            table.get(&recorder, key("/a", Verb::Get))
        ));
        assert!(!Arc::ptr_eq(
            series,
            table.get(&recorder, key("/a", Verb::Put))
        ));
        let ok = Outcome {
            sent: 200,
            end: End::Complete,
        };
        let ended = series.ended(ok, Chosen::default());
        ended.requests[0].inc();
        assert!(std::ptr::eq(ended, series.ended(ok, Chosen::default())));
        let metrics = registry.group::<HttpMetrics>().unwrap();
        let counted = metrics.requests.get(&["GET", "/a", "200"]).unwrap();
        assert_eq!(counted.get(), 1);
    }

    #[test]
    fn routes_without_end_share_one() {
        let registry = Registry::new();
        let (table, recorder) = (Table::with_max(10), recorder(&registry));
        for n in 0..1_000 {
            let route = format!("/{n}");
            let series = table.get(&recorder, key(&route, Verb::Get));
            let expected = if n < 10 { &route } else { OVERFLOW };
            assert_eq!(series.route(), expected);
        }
        let there = table.get(&recorder, key("/3", Verb::Get));
        assert_eq!(there.route(), "/3", "still there");
        assert_eq!(table.keys.load(Ordering::Relaxed), 10);
    }
}
