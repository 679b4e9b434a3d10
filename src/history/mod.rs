//! The recent past of a registry, in memory: what rules, queries and charts look back on.
//!
//! - Every few seconds [`tick`](History::tick) reads all values of the registry, without labels
//!   and without its collectors; see [`Registry::sample`](crate::registry::Registry::sample).
//! - All series of a tick share one timestamp. Values are compressed, about a byte each.
//! - A series that is removed or expires ends with a stale marker, as in Prometheus.
//! - Time and memory are bounded. Where there is too much, the oldest values go first, and those
//!   of series that were not read in the last hour before others.
//! - Histograms are kept as they are: classic buckets and sum, native buckets, or both.
//!
//! ```
//! use std::time::Duration;
//! use selfheal::history::{History, Settings};
//! use selfheal::registry::{DeclareError, Registry};
//!
//! # fn main() -> Result<(), DeclareError> {
//! let registry = Registry::new();
//! let jobs = registry.counter("jobs_total", "Jobs done").build()?;
//! let history = History::new(&registry, Settings::default());
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
mod store;
mod stream;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use self::native::{Bucket, Head};
use self::store::{Sampled, Store};
use crate::registry::{HistogramSnapshot, Registry, SeriesId, ValueRef};

/// The bounds of a [`History`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The time between two ticks, for whoever calls [`History::tick`]. Default: 15 s.
    pub step: Duration,
    /// How long values are kept. Default: 2 h.
    pub keep: Duration,
    /// The most memory for values and what finds them, in bytes. Default: 8 MB.
    pub max_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            step: Duration::from_secs(15),
            keep: Duration::from_secs(7_200),
            max_bytes: 8_000_000,
        }
    }
}

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
    settings: Settings,
    store: Mutex<Store>,
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
    pub fn new(registry: &Registry, settings: Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                registry: registry.clone(),
                settings,
                store: Mutex::default(),
                buffer: Mutex::default(),
            }),
        }
    }

    /// The settings it was made with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
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
        inner.registry.sample(|id, value| {
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
        let unnamed = {
            let mut store = inner.store.lock();
            store.tick(time, &buffer.sampled, &buffer.numbers, &buffer.buckets);
            store.bound(&inner.settings);
            std::mem::take(&mut store.unnamed)
        };
        *inner.buffer.lock() = buffer;
        if unnamed {
            self.identify();
        }
    }

    /// Finds out what new series are called.
    fn identify(&self) {
        let mut name: Arc<str> = Arc::from("");
        self.inner.registry.identify(|id, exposed, _, labels| {
            if *name != *exposed {
                name = Arc::from(exposed);
            }
            // The lock is held for one series: no code of others runs meanwhile.
            self.inner.store.lock().identify(id, &name, labels);
        });
    }

    /// Every series that there are values of. Until that changes it is the same list, by
    /// [`Arc::ptr_eq`].
    #[must_use]
    pub fn known(&self) -> Arc<[Known]> {
        self.inner.store.lock().known()
    }

    /// Copies the values of a series from `from` to `to`, both included: times in milliseconds
    /// and values. A number has one list. A histogram has a list for each classic bucket, with
    /// the count of that and all below, then that of `+Inf`, and the sum last. Where the series
    /// ends there is a value of the bits [`STALE`](crate::util::STALE). Empty for a series that is
    /// not known.
    #[must_use]
    pub fn read(&self, id: SeriesId, (from, to): (i64, i64)) -> Vec<Vec<(i64, f64)>> {
        self.inner.store.lock().read(id, (from, to))
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
        self.inner.store.lock().read_native(id, (from, to), false)
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
        let mut store = self.inner.store.lock();
        if !store.newest(id, range, into) {
            into.clear();
            let parts = store.read(id, range);
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
        self.inner.store.lock().stats()
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
