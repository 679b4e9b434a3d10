//! The series of rules: results of recording rules, `ALERTS`, `ALERTS_FOR_STATE`, `up`.

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::promql::{
    LabelSet, METRIC_NAME, Matcher, PointValue, Queryable, Sample, Selection, Series, Sink,
};
use crate::util::STALE;

type Rings = HashMap<LabelSet, VecDeque<Sample>>;

/// The recent samples of the series of rules, bounded in time and number. Clones are cheap and
/// share the series.
#[derive(Clone, Debug, Default)]
pub struct RuleSeries {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    by_name: HashMap<Arc<str>, Rings>,
    samples: usize,
    series: usize,
    /// The number of dropped samples.
    dropped: u64,
    /// Changes whenever the set of names changes.
    names: u64,
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
        if !inner.by_name.contains_key(name) {
            inner.by_name.insert(Arc::from(name), Rings::new());
            inner.names += 1;
        }
        let Some(rings) = inner.by_name.get_mut(name) else {
            return;
        };
        if let Some(ring) = rings.get_mut(labels) {
            let newest = ring.back().map(|newest| newest.time);
            match newest {
                Some(newest) if newest > sample.time => return,
                // For the same time, the last value counts.
                Some(newest) if newest == sample.time => {
                    ring.pop_back();
                    inner.samples -= 1;
                }
                _ => {}
            }
            ring.push_back(sample);
        } else {
            if inner.series >= bounds.series {
                inner.dropped += 1;
                return;
            }
            inner.series += 1;
            rings.insert(labels.clone(), VecDeque::from([sample]));
        }
        inner.samples += 1;
    }

    /// Marks the end of a series.
    pub(super) fn end(&self, labels: &LabelSet, time: i64, bounds: &Bounds) {
        let value = PointValue::Float(f64::from_bits(STALE));
        self.push(labels, Sample { time, value }, bounds);
    }

    /// Drops samples that are too old, and the oldest beyond the limit.
    pub(super) fn bound(&self, now: i64, bounds: &Bounds) {
        let mut inner = self.inner.lock();
        let mut keep = i64::try_from(bounds.keep.as_millis()).unwrap_or(i64::MAX);
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

    /// Changes whenever the set of names changes.
    pub(super) fn names(&self) -> u64 {
        self.inner.lock().names
    }

    /// Whether any series may match.
    pub(super) fn may_match(&self, matchers: &[Matcher]) -> bool {
        let inner = self.inner.lock();
        let named = |name: &Arc<str>| {
            let mut matchers = matchers.iter();
            matchers.all(|matcher| matcher.name() != METRIC_NAME || matcher.matches(name))
        };
        inner.by_name.keys().any(named)
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
    fn forget(&mut self, until: i64, counted: bool) {
        let mut gone = 0;
        let mut series = 0;
        for rings in self.by_name.values_mut() {
            rings.retain(|_, ring| {
                let old = ring.partition_point(|sample| sample.time <= until);
                ring.drain(..old);
                gone += old;
                series += usize::from(!ring.is_empty());
                !ring.is_empty()
            });
        }
        let before = self.by_name.len();
        self.by_name.retain(|_, rings| !rings.is_empty());
        self.names += u64::from(self.by_name.len() < before);
        self.samples -= gone;
        self.series = series;
        if counted {
            self.dropped += gone as u64;
        }
    }
}

impl Queryable for RuleSeries {
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let inner = self.inner.lock();
        let rings: Vec<&Rings> = match selection.metric_name() {
            Some(name) => inner.by_name.get(name).into_iter().collect(),
            None => inner.by_name.values().collect(),
        };
        let series = rings.into_iter().flatten();
        for (labels, ring) in series.filter(|(labels, _)| selection.matches(labels)) {
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
