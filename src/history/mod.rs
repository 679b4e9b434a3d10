//! The recent past of a registry, in memory: what rules, queries and charts look back on.
//!
//! - Every few seconds [`tick`](History::tick) reads all values of the registry, without labels
//!   and without its collectors; see [`Registry::sample`](crate::registry::Registry::sample).
//! - All series of a tick share one timestamp. Values are compressed, about a byte each.
//! - A series that is removed or expires ends with a stale marker, as in Prometheus.
//! - On request every so many ticks are kept for longer: what lies further back is read from those.
//! - Time and memory are bounded. Where there is too much, the oldest values go first, and those
//!   of series that were not read in the last hour before others.
//! - Histograms are kept as they are: classic buckets and sum, native buckets, or both.
//!
//! ```
//! use std::time::Duration;
//! use selfheal::config::HistorySettings;
//! use selfheal::history::History;
//! use selfheal::registry::{DeclareError, Registry};
//!
//! # fn main() -> Result<(), DeclareError> {
//! let registry = Registry::new();
//! let jobs = registry.counter("jobs_total", "Jobs done").build()?;
//! let history = History::new(&registry, HistorySettings::new());
//! for second in 0..3 {
//!     jobs.inc();
//!     history.tick(second * 1_000); // milliseconds since 1970
//! }
//! let known = history.known();
//! assert_eq!(&*known[0].name, "jobs_total");
//! assert_eq!(history.read(known[0].id, (1_000, 2_000)), [[(1_000, 2.0), (2_000, 3.0)]]);
//! # Ok(())
//! # }
//! ```

mod bits;
mod chunk;
mod native;
mod scope;
mod store;
mod stream;

use parking_lot::Mutex;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use self::native::{Bucket, Head};
use self::scope::Scope;
use self::store::{Sampled, Store};
use crate::config::{HistoryScope, HistorySettings};
use crate::registry::{HistogramSnapshot, Registry, SeriesId, ValueRef};

/// A series that a [`History`] has values of.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Known {
    /// Identifies the series.
    pub id: SeriesId,
    /// The name that its metric is exposed under.
    pub name: Arc<str>,
    /// The rendered labels, without the global ones.
    pub labels: Arc<str>,
    /// The upper bounds of the classic buckets of a histogram, `+Inf` not among them; `None` for
    /// a number, and for a histogram that has none.
    pub bounds: Option<Arc<[f64]>>,
    /// Whether it is a histogram with native buckets; see [`History::read_native`].
    pub native: bool,
}

/// How much a [`History`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// How many series; a histogram is one.
    pub series: usize,
    /// How many ticks.
    pub ticks: usize,
    /// The memory for values and what finds them, in bytes.
    pub bytes: usize,
    /// How many values were dropped before their time, for want of memory.
    pub evicted: u64,
}

/// The recent past of a registry. Cloning is cheap and gives the same history.
#[derive(Clone)]
pub struct History {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    settings: HistorySettings,
    store: Mutex<Store>,
    /// The ticks that are kept for longer, where there are any.
    coarse: Option<Mutex<Store>>,
    scope: Mutex<Scope>,
    /// What one tick reads, before it is stored: the functions of gauges run meanwhile, and may
    /// ask this history.
    buffer: Mutex<Buffer>,
}

#[derive(Default)]
struct Buffer {
    sampled: Vec<Sampled>,
    numbers: Vec<f64>,
    /// Of native histograms, one after the other.
    buckets: Vec<(Bucket, f64)>,
}

impl History {
    /// An empty history of a registry.
    #[must_use]
    pub fn new(registry: &Registry, settings: HistorySettings) -> Self {
        let coarse = (!settings.coarse_keep.is_zero()).then(Mutex::default);
        Self {
            inner: Arc::new(Inner {
                registry: registry.clone(),
                scope: Mutex::new(Scope::new(settings.only == HistoryScope::Rules)),
                settings,
                store: Mutex::default(),
                coarse,
                buffer: Mutex::default(),
            }),
        }
    }

    /// The settings it was made with.
    #[must_use]
    pub fn settings(&self) -> &HistorySettings {
        &self.inner.settings
    }

    /// Reads all values, as those of `time`, in milliseconds since 1970-01-01T00:00:00Z. Has no
    /// effect unless `time` is after that of the tick before.
    pub fn tick(&self, time: i64) {
        let inner = &*self.inner;
        let mut buffer = std::mem::take(&mut *inner.buffer.lock());
        buffer.sampled.clear();
        buffer.numbers.clear();
        buffer.buckets.clear();
        let left_out = inner.scope.lock().left_out();
        let mut still_left_out = HashSet::new();
        inner.registry.sample(|id, value| {
            if left_out.contains(&id) {
                still_left_out.insert(id);
                return;
            }
            let before = buffer.numbers.len();
            let (mut bounds, mut native) = (None, None);
            match value {
                ValueRef::Number(number) => buffer.numbers.push(number.as_f64()),
                ValueRef::Histogram(histogram) => {
                    if histogram.is_classic() {
                        let mut below = 0_u64;
                        buffer.numbers.extend(histogram.counts.iter().map(|count| {
                            below = below.wrapping_add(*count);
                            below as f64
                        }));
                        buffer.numbers.push(histogram.sum);
                        bounds = Some(Arc::clone(histogram.bounds));
                    }
                    let before = buffer.buckets.len();
                    let head: Option<Head> = native::split(&histogram, &mut buffer.buckets);
                    native = head.map(|head| (head, buffer.buckets.len() - before));
                }
                _ => return,
            }
            let numbers = buffer.numbers.len() - before;
            buffer.sampled.push(Sampled {
                id,
                bounds,
                numbers,
                native,
            });
        });
        inner.scope.lock().put_back(still_left_out);
        let settings = &inner.settings;
        let most = usize::try_from(settings.max_bytes).unwrap_or(usize::MAX);
        let most = most / if inner.coarse.is_some() { 2 } else { 1 };
        let read = (&*buffer.sampled, &*buffer.numbers, &*buffer.buckets);
        let mut unnamed = {
            let mut store = inner.store.lock();
            store.tick(time, read);
            store.bound(settings.keep, most);
            std::mem::take(&mut store.unnamed)
        };
        if let Some(coarse) = &inner.coarse {
            let mut coarse = coarse.lock();
            if coarse.is_due(time, settings.coarse_step) {
                coarse.tick(time, read);
                coarse.bound(settings.coarse_keep, most);
                unnamed |= std::mem::take(&mut coarse.unnamed);
            }
        }
        *inner.buffer.lock() = buffer;
        if unnamed {
            self.identify();
        }
    }

    /// Has the series of a metric sampled from the next tick on, by the name that it is exposed
    /// under, where [`HistoryScope::Rules`] samples no others. Of no effect beyond 1,000 names.
    pub fn want(&self, name: &str) {
        self.inner.scope.lock().want(name);
    }

    /// Finds out what new series are called.
    fn identify(&self) {
        let mut name: Arc<str> = Arc::from("");
        self.inner.registry.identify(|id, exposed, _, labels| {
            if *name != *exposed {
                name = Arc::from(exposed);
            }
            // The locks are held for one series: no code of others runs meanwhile.
            if !self.inner.scope.lock().wants(id, &name) {
                self.inner.store.lock().forget(id);
                if let Some(coarse) = &self.inner.coarse {
                    coarse.lock().forget(id);
                }
                return;
            }
            self.inner.store.lock().identify(id, &name, labels);
            if let Some(coarse) = &self.inner.coarse {
                coarse.lock().identify(id, &name, labels);
            }
        });
    }

    /// Every series that there are values of. Until that changes it is the same list, by
    /// [`Arc::ptr_eq`].
    #[must_use]
    pub fn known(&self) -> Arc<[Known]> {
        let known = self.inner.store.lock().known();
        let Some(coarse) = &self.inner.coarse else {
            return known;
        };
        coarse.lock().known_beside(&known)
    }

    /// Copies the values of a series from `from` to `to`, both included: times in milliseconds
    /// and values. A number has one list. A histogram has a list for each classic bucket, with
    /// the count of that and all below, then that of `+Inf`, and the sum last. Where the series
    /// ends there is a value of the bits [`STALE`](crate::util::STALE). Empty for a series that is
    /// not known.
    #[must_use]
    pub fn read(&self, id: SeriesId, (from, to): (i64, i64)) -> Vec<Vec<(i64, f64)>> {
        let fine = self.inner.store.lock().read(id, (from, to));
        let Some(coarse) = self.further_back(from) else {
            return fine;
        };
        let first = fine
            .iter()
            .filter_map(|part| part.first())
            .map(|point| point.0);
        let until = first.min().map_or(to, |first| first - 1);
        let mut all = coarse.lock().read(id, (from, until));
        if all.is_empty() {
            return fine;
        }
        for (part, newer) in all.iter_mut().zip(fine) {
            part.extend(newer);
        }
        all
    }

    /// The ticks that are kept for longer, where the others do not reach back to a time.
    fn further_back(&self, from: i64) -> Option<&Mutex<Store>> {
        let coarse = self.inner.coarse.as_ref()?;
        let reaches = self.inner.store.lock().reaches(from);
        (!reaches).then_some(coarse)
    }

    /// Copies the native buckets and sums of a histogram from `from` to `to`, both included, with
    /// their times in milliseconds. Where the series ends there is a sum of the bits
    /// [`STALE`](crate::util::STALE) without buckets. Empty for a series that has none.
    #[must_use]
    pub fn read_native(
        &self,
        id: SeriesId,
        (from, to): (i64, i64),
    ) -> Vec<(i64, HistogramSnapshot)> {
        let mut fine = self.inner.store.lock().read_native(id, (from, to), false);
        let Some(coarse) = self.further_back(from) else {
            return fine;
        };
        let until = fine.first().map_or(to, |(first, _)| first - 1);
        let mut all = coarse.lock().read_native(id, (from, until), false);
        all.append(&mut fine);
        all
    }

    /// The last of [`read_native`](Self::read_native), if there is one.
    pub(crate) fn newest_native(
        &self,
        id: SeriesId,
        range: (i64, i64),
    ) -> Option<(i64, HistogramSnapshot)> {
        self.inner.store.lock().read_native(id, range, true).pop()
    }

    /// The newest value of each part of a series from `from` to `to`, both included, as the last
    /// of each list of [`read`](Self::read); into `into`, which is cleared.
    pub(crate) fn newest(&self, id: SeriesId, range: (i64, i64), into: &mut Vec<(i64, f64)>) {
        into.clear();
        let found = self.inner.store.lock().newest(id, range, into);
        if !found {
            into.clear();
            let parts = self.read(id, range);
            into.extend(parts.iter().filter_map(|part| part.last()).copied());
        }
    }

    /// The times of the ticks after one time and up to another; into `into`, which is cleared.
    #[cfg_attr(not(feature = "rules"), allow(dead_code, reason = "rules ask for it"))]
    pub(crate) fn ticks(&self, after: i64, until: i64, into: &mut Vec<i64>) {
        self.inner.store.lock().ticks(after, until, into);
    }

    /// The newest value of each of many numbers from `from` to `to`, both included, with its time:
    /// of a series the list at a place among so many. What is not there is the marker of an end.
    /// False, and nothing said, if there are values after `to`.
    #[cfg_attr(not(feature = "rules"), allow(dead_code, reason = "rules ask for it"))]
    pub(crate) fn newest_each(
        &self,
        wanted: impl Iterator<Item = (SeriesId, usize, usize)>,
        range: (i64, i64),
        into: &mut Vec<(i64, f64)>,
    ) -> bool {
        self.inner.store.lock().newest_each(wanted, range, into)
    }

    /// How much it holds.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.inner.store.lock().stats();
        if let Some(coarse) = &self.inner.coarse {
            let coarse = coarse.lock().stats();
            stats.bytes += coarse.bytes;
            stats.evicted += coarse.evicted;
        }
        stats
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("settings", &self.inner.settings)
            .field("stats", &self.stats())
            .finish()
    }
}

#[cfg(test)]
mod tests;
