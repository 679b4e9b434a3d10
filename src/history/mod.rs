//! The recent samples of a registry, in memory, for rules, queries and charts.
//!
//! - At every step [`tick`](History::tick) reads all values of the registry, without labels and
//!   without its collectors; see [`Registry::sample`](crate::registry::Registry::sample).
//! - All series of a tick share one timestamp. Values are compressed, about a byte each.
//! - A series that is removed or expires ends with a stale marker, as in Prometheus.
//! - Optionally, coarser ticks are kept for longer; queries beyond the finer ones read those.
//! - Time and memory are bounded. At the memory limit the oldest values are dropped first, starting
//!   with series that were not read within the last hour.
//! - Histograms are kept completely: classic buckets and sum, native buckets, or both.
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
mod known;
mod native;
mod scope;
mod store;
mod stream;

use parking_lot::Mutex;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

pub use self::known::{Known, Stats};
use self::scope::Scope;
use self::store::{Buffer, Sampled, Store};
use crate::config::{HistoryScope, HistorySettings};
use crate::registry::{HistogramSnapshot, Registry, SeriesId, ValueRef};

/// The recent samples of a registry. Clones are cheap and share the history.
#[derive(Clone)]
pub struct History {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    settings: HistorySettings,
    store: Mutex<Store>,
    /// The coarse ticks, if any.
    coarse: Option<Mutex<Store>>,
    scope: Mutex<Scope>,
    /// The values of one tick before they are stored: gauge functions run meanwhile, and may read
    /// this history.
    buffer: Mutex<Buffer>,
}

impl History {
    /// Creates an empty history of a registry.
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

    /// The settings of the history.
    #[must_use]
    pub fn settings(&self) -> &HistorySettings {
        &self.inner.settings
    }

    /// Reads all values with the timestamp `time`, in milliseconds since 1970-01-01T00:00:00Z. Has
    /// no effect unless `time` is after that of the previous tick.
    pub fn tick(&self, time: i64) {
        let inner = &*self.inner;
        let mut buffer = std::mem::take(&mut *inner.buffer.lock());
        buffer.clear();
        let left_out = inner.scope.lock().left_out();
        let mut still_left_out = HashSet::new();
        inner.registry.sample(|id, value| {
            if left_out.contains(&id) {
                still_left_out.insert(id);
                return;
            }
            let before = buffer.numbers.len();
            let mut native = None;
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
                        buffer.bounds.push(Arc::clone(histogram.bounds));
                    }
                    let before = buffer.buckets.len();
                    if let Some(head) = native::split(&histogram, &mut buffer.buckets) {
                        buffer.heads.push(head);
                        native = Some(buffer.buckets.len() - before);
                    }
                }
                _ => return,
            }
            let numbers = buffer.numbers.len() - before;
            buffer.sampled.push(Sampled::new(id, numbers, native));
        });
        inner.scope.lock().put_back(still_left_out);
        let settings = &inner.settings;
        let most = usize::try_from(settings.max_bytes).unwrap_or(usize::MAX);
        let most = most / if inner.coarse.is_some() { 2 } else { 1 };
        let mut unnamed = {
            let mut store = inner.store.lock();
            store.tick(time, &buffer);
            store.bound(settings.keep, most);
            std::mem::take(&mut store.unnamed)
        };
        if let Some(coarse) = &inner.coarse {
            let mut coarse = coarse.lock();
            if coarse.is_due(time, settings.coarse_step) {
                coarse.tick(time, &buffer);
                coarse.bound(settings.coarse_keep, most);
                unnamed |= std::mem::take(&mut coarse.unnamed);
            }
        }
        *inner.buffer.lock() = buffer;
        if unnamed {
            self.identify();
        }
    }

    /// Starts sampling the metric with this exposed name at the next tick, if
    /// [`HistoryScope::Rules`] limits the samples. Has no effect beyond 1,000 names.
    pub fn want(&self, name: &str) {
        self.inner.scope.lock().want(name);
    }

    /// Requests a name for a rule, without a limit.
    pub(crate) fn want_always(&self, name: &str) {
        self.inner.scope.lock().want_always(name);
    }

    /// The requested names that are not known.
    pub(crate) fn asked_but(&self, is_known: impl Fn(&str) -> bool) -> HashSet<Arc<str>> {
        self.inner.scope.lock().asked_but(is_known)
    }

    /// Looks up the names of new series.
    fn identify(&self) {
        let mut name: Arc<str> = Arc::from("");
        self.inner.registry.identify(|id, exposed, _, labels| {
            if *name != *exposed {
                name = Arc::from(exposed);
            }
            // The locks are held for one series: no foreign code runs meanwhile.
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

    /// Lists the series with values. Until they change, the same list is returned, by
    /// [`Arc::ptr_eq`].
    #[must_use]
    pub fn known(&self) -> Arc<[Known]> {
        let known = self.inner.store.lock().known();
        let Some(coarse) = &self.inner.coarse else {
            return known;
        };
        coarse.lock().known_beside(&known)
    }

    /// Copies the values of a series from `from` to `to`, inclusive: times in milliseconds and
    /// values. A number has one list. A histogram has a list of cumulative counts per classic
    /// bucket, one for `+Inf`, and one for the sum. An ended series has a value with the bits
    /// [`STALE`](crate::util::STALE). Empty for an unknown series.
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

    /// The coarse ticks, if the others do not reach back to a time.
    fn further_back(&self, from: i64) -> Option<&Mutex<Store>> {
        let coarse = self.inner.coarse.as_ref()?;
        let reaches = self.inner.store.lock().reaches(from);
        (!reaches).then_some(coarse)
    }

    /// Whether a time is covered only by the coarse samples.
    #[cfg_attr(not(feature = "rules"), allow(dead_code, reason = "used by rules"))]
    pub(crate) fn has_further_back(&self, from: i64) -> bool {
        let Some(coarse) = self.further_back(from) else {
            return false;
        };
        let first = self.inner.store.lock().first_time();
        first.is_some_and(|first| coarse.lock().reaches(first - 1))
    }

    /// Copies the native buckets and sums of a histogram from `from` to `to`, inclusive, with their
    /// times in milliseconds. An ended series has a sum with the bits [`STALE`](crate::util::STALE)
    /// without buckets. Empty for a series without native buckets.
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

    /// The last result of [`read_native`](Self::read_native), if any.
    pub(crate) fn newest_native(
        &self,
        id: SeriesId,
        range: (i64, i64),
    ) -> Option<(i64, HistogramSnapshot)> {
        self.inner.store.lock().read_native(id, range, true).pop()
    }

    /// The newest value of each part of a series from `from` to `to`, inclusive, as the last of
    /// each list of [`read`](Self::read); stored in `into`, which is cleared.
    pub(crate) fn newest(&self, id: SeriesId, range: (i64, i64), into: &mut Vec<(i64, f64)>) {
        into.clear();
        let found = self.inner.store.lock().newest(id, range, into);
        if !found {
            into.clear();
            let parts = self.read(id, range);
            into.extend(parts.iter().filter_map(|part| part.last()).copied());
        }
    }

    /// The times of the ticks after `after`, up to `until`; stored in `into`, which is cleared.
    #[cfg_attr(not(feature = "rules"), allow(dead_code, reason = "used by rules"))]
    pub(crate) fn ticks(&self, after: i64, until: i64, into: &mut Vec<i64>) {
        self.inner.store.lock().ticks(after, until, into);
    }

    /// The newest value and time of each wanted number from `from` to `to`, inclusive; a number is
    /// a series, the index of a list, and the number of lists. An absent one gets the stale marker.
    /// Returns false without a result if there are values after `to`.
    #[cfg_attr(not(feature = "rules"), allow(dead_code, reason = "used by rules"))]
    pub(crate) fn newest_each(
        &self,
        wanted: impl Iterator<Item = (SeriesId, usize, usize)>,
        range: (i64, i64),
        into: &mut Vec<(i64, f64)>,
    ) -> bool {
        self.inner.store.lock().newest_each(wanted, range, into)
    }

    /// The size of the history.
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
