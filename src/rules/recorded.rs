//! The series of rules: results of recording rules, `ALERTS`, `ALERTS_FOR_STATE`, `up`.

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::promql::{
    Beside, LabelSet, METRIC_NAME, Matcher, PointValue, Queryable, Sample, Selection, Series, Sink,
};
use crate::util::{STALE, millis};

/// The indices of the series of one name.
type Places = HashMap<LabelSet, usize>;

/// The recent samples of the series of rules, bounded in time and number. Clones are cheap and
/// share the series.
#[derive(Clone, Debug, Default)]
pub struct RuleSeries {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    by_name: HashMap<Arc<str>, Places>,
    /// The samples of each series.
    rings: Vec<VecDeque<Sample>>,
    /// The unused places in `rings`.
    free: Vec<usize>,
    samples: usize,
    /// The number of dropped samples.
    dropped: u64,
    /// Changes whenever the set of names changes.
    names: u64,
    /// Changes whenever the set of series changes.
    changes: u64,
    /// Changes with each sample.
    pushed: u64,
}

/// The limits of the series.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) keep: Duration,
    pub(super) samples: usize,
    pub(super) series: usize,
}

impl RuleSeries {
    /// Adds a sample, unless it is older than the newest of its series or the limit of series is
    /// reached.
    pub(super) fn push(&self, labels: &LabelSet, sample: Sample, bounds: &Bounds) {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let name = labels.name().unwrap_or_default();
        let places = inner.by_name.get(name);
        let Some(place) = places.and_then(|places| places.get(labels)).copied() else {
            inner.add(labels, sample, bounds);
            return;
        };
        let Some(ring) = inner.rings.get_mut(place) else {
            return;
        };
        match ring.back().map(|newest| newest.time) {
            Some(newest) if newest > sample.time => return,
            // For the same time, the last value counts.
            Some(newest) if newest == sample.time => {
                ring.pop_back();
                inner.samples -= 1;
            }
            _ => {}
        }
        ring.push_back(sample);
        inner.samples += 1;
        inner.pushed += 1;
    }

    /// Marks the end of a series.
    pub(super) fn end(&self, labels: &LabelSet, time: i64, bounds: &Bounds) {
        let value = PointValue::Float(f64::from_bits(STALE));
        self.push(labels, Sample { time, value }, bounds);
    }

    /// Drops samples that are too old, and the oldest beyond the limit.
    pub(super) fn bound(&self, now: i64, bounds: &Bounds) {
        let mut inner = self.inner.lock();
        let mut keep = millis(bounds.keep);
        inner.forget(now.saturating_sub(keep), false);
        while inner.samples > bounds.samples && keep > 1 {
            keep /= 2;
            inner.forget(now.saturating_sub(keep), true);
        }
    }

    /// Combines these series with the measured ones into one source of queries.
    pub fn beside<'a>(&'a self, measured: &'a (impl Queryable + ?Sized)) -> impl Queryable + 'a {
        Both {
            recorded: self,
            measured,
        }
    }

    /// Whether a series exists and is still kept.
    fn has(&self, labels: &LabelSet) -> bool {
        let inner = self.inner.lock();
        let rings = inner.by_name.get(labels.name().unwrap_or_default());
        rings.is_some_and(|rings| rings.contains_key(labels))
    }

    /// The number of dropped samples.
    pub(super) fn dropped(&self) -> u64 {
        self.inner.lock().dropped
    }
}

impl Inner {
    fn series(&self) -> usize {
        self.rings.len() - self.free.len()
    }

    /// Adds a series, unless the limit is reached.
    fn add(&mut self, labels: &LabelSet, sample: Sample, bounds: &Bounds) {
        if self.series() >= bounds.series {
            self.dropped += 1;
            return;
        }
        let place = self.free.pop().unwrap_or_else(|| {
            self.rings.push(VecDeque::new());
            self.rings.len() - 1
        });
        if let Some(ring) = self.rings.get_mut(place) {
            ring.push_back(sample);
        }
        let name = labels.name().unwrap_or_default();
        if !self.by_name.contains_key(name) {
            self.names += 1;
        }
        let places = self.by_name.entry(Arc::from(name)).or_default();
        places.insert(labels.clone(), place);
        self.samples += 1;
        self.changes += 1;
        self.pushed += 1;
    }

    fn forget(&mut self, until: i64, counted: bool) {
        let Self { rings, free, .. } = self;
        let mut gone = 0;
        let before = (self.by_name.len(), free.len());
        for places in self.by_name.values_mut() {
            places.retain(|_, place| {
                let Some(ring) = rings.get_mut(*place) else {
                    return false;
                };
                let old = ring.partition_point(|sample| sample.time <= until);
                ring.drain(..old);
                gone += old;
                if ring.is_empty() {
                    *ring = VecDeque::new();
                    free.push(*place);
                    return false;
                }
                true
            });
        }
        self.by_name.retain(|_, places| !places.is_empty());
        self.names += u64::from(self.by_name.len() < before.0);
        self.changes += u64::from(self.free.len() > before.1);
        self.samples -= gone;
        if counted {
            self.dropped += gone as u64;
        }
    }

    /// The matching series and their indices.
    fn find(&self, matchers: &[Matcher]) -> impl Iterator<Item = (&LabelSet, usize)> {
        let names = self.by_name.iter();
        let places = names.filter(|(name, _)| is_named(name, matchers));
        let series = places.flat_map(|(_, places)| places);
        let series = series.filter(|(labels, _)| matchers.iter().all(|one| one.is_met(labels)));
        series.map(|(labels, place)| (labels, *place))
    }
}

/// Whether series of a name may match.
fn is_named(name: &str, matchers: &[Matcher]) -> bool {
    let mut matchers = matchers.iter();
    matchers.all(|matcher| matcher.name() != METRIC_NAME || matcher.matches(name))
}

impl Beside for RuleSeries {
    fn names(&self) -> u64 {
        self.inner.lock().names
    }

    fn series(&self) -> u64 {
        self.inner.lock().changes
    }

    fn values(&self) -> u64 {
        self.inner.lock().pushed
    }

    fn may_match(&self, matchers: &[Matcher]) -> bool {
        let inner = self.inner.lock();
        inner.by_name.keys().any(|name| is_named(name, matchers))
    }

    fn find(&self, matchers: &[Matcher], visit: &mut dyn FnMut(&LabelSet, usize)) {
        let inner = self.inner.lock();
        inner
            .find(matchers)
            .for_each(|(labels, place)| visit(labels, place));
    }

    fn newest(&self, places: &[usize], (after, until): (i64, i64), into: &mut [f64]) -> bool {
        let inner = self.inner.lock();
        for (place, value) in places.iter().zip(into) {
            let ring = inner.rings.get(*place);
            let mut newest = ring.and_then(|ring| ring.iter().rev().find(|it| it.time <= until));
            newest = newest.filter(|sample| sample.time > after);
            *value = match newest.map(|sample| &sample.value) {
                None => f64::from_bits(STALE),
                Some(PointValue::Float(value)) => *value,
                Some(PointValue::Histogram(_)) => return false,
            };
        }
        true
    }
}

impl Queryable for RuleSeries {
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let inner = self.inner.lock();
        for (labels, place) in inner.find(&selection.matchers) {
            let Some(ring) = inner.rings.get(place) else {
                continue;
            };
            let from = ring.partition_point(|sample| sample.time <= selection.after);
            let to = ring.partition_point(|sample| sample.time <= selection.until);
            let from = if selection.newest_only {
                from.max(to.saturating_sub(1))
            } else {
                from
            };
            if from >= to {
                continue;
            }
            let found = Series {
                labels: labels.clone(),
                samples: ring.range(from..to).cloned().collect(),
            };
            if sink(found).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Two sources as one; if both have a series, the first one is used.
pub(super) struct Both<'a, M: ?Sized> {
    pub(super) recorded: &'a RuleSeries,
    pub(super) measured: &'a M,
}

impl<M: Queryable + ?Sized> Queryable for Both<'_, M> {
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        if !self.recorded.may_match(&selection.matchers) {
            return self.measured.select(selection, sink);
        }
        let known = |labels: &LabelSet| self.recorded.has(labels);
        one_after_other(self.recorded, self.measured, known, selection, sink)
    }
}

/// Selects the series of two sources, except those of the second that are `known`.
pub(super) fn one_after_other<A: Queryable + ?Sized, B: Queryable + ?Sized>(
    first: &A,
    second: &B,
    known: impl Fn(&LabelSet) -> bool,
    selection: &Selection,
    sink: Sink<'_>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut ended = false;
    first.select(selection, &mut |series| {
        let flow = sink(series);
        ended = flow.is_break();
        flow
    })?;
    if ended {
        return Ok(());
    }
    second.select(selection, &mut |series| {
        if known(&series.labels) {
            return ControlFlow::Continue(());
        }
        sink(series)
    })
}
