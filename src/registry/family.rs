use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::allowed::Bounds;
use super::labels::{Combination, LabelKey, Labels};
use super::metric::sealed::Shape;
use super::metric::{Metric, Plan};
use super::notes::{Common, Note};
use super::rejected::Rejected;
use super::rendered::SeriesLabels;
use super::series_id::SeriesId;
use super::snapshot::{FamilySnapshot, Sample, Scratch, ValueRef};
use super::storage::{Layout, Notes, Rules, Storage, Total, View};
use crate::catalog::MetricDef;

/// All series of one metric, found by their label values.
///
/// Cloning is cheap. [`Family::with`] returns a handle to keep; short forms such as
/// [`inc`](Family::inc) record without one.
pub struct Family<M: Metric, K: LabelKey> {
    pub(super) core: Arc<Core<M>>,
    key: PhantomData<fn() -> K>,
}

/// The part of a family that does not depend on its label types.
pub(super) struct Core<M: Metric> {
    pub(super) def: Arc<MetricDef>,
    pub(super) shape: Shape,
    expire_after: Option<Duration>,
    storage: Storage<M::Cell>,
}

impl<M: Metric> Core<M> {
    pub(super) fn new(
        def: Arc<MetricDef>,
        allowed: Bounds,
        common: Common,
        rules: Rules,
        total: Arc<Total>,
    ) -> Self {
        let shape = Shape {
            bounds: Arc::from(def.buckets.as_slice()),
            native: def.native.as_ref().map(Plan::new),
            rejected: Rejected::default(),
            common: Arc::new(common),
        };
        Self {
            expire_after: rules.expire_after,
            storage: Storage::new(&def.labels, rules, allowed, total),
            shape,
            def,
        }
    }

    /// The series of `labels`; a new one has these buckets instead of the family's.
    pub(super) fn with_buckets<L: Labels>(&self, labels: &L, bounds: &Arc<[f64]>) -> M {
        let shape = Shape {
            bounds: Arc::clone(bounds),
            ..self.shape.clone()
        };
        let place = self
            .storage
            .place(labels, |notes| new_cell::<M>(&shape, notes));
        M::handle(place, &self.shape)
    }

    #[inline]
    pub(super) fn record<L: Labels>(&self, labels: &L, use_cell: impl FnOnce(&M::Cell, Notes<'_>)) {
        let new = |notes: Notes<'_>| new_cell::<M>(&self.shape, notes);
        self.storage.record(labels, new, use_cell);
    }

    pub(super) fn get<L: Labels>(&self, labels: &L) -> Option<M> {
        let place = self.storage.get(labels)?;
        Some(M::handle(place, &self.shape))
    }

    pub(super) fn with<L: Labels>(&self, labels: &L) -> M {
        let place = self
            .storage
            .place(labels, |notes| new_cell::<M>(&self.shape, notes));
        M::handle(place, &self.shape)
    }
}

/// Creates the cell of a new series.
fn new_cell<M: Metric>(shape: &Shape, notes: Notes<'_>) -> M::Cell {
    notes.birth(&shape.common);
    M::cell(shape)
}

impl<M: Metric, K: LabelKey> Family<M, K> {
    pub(super) fn new(core: Arc<Core<M>>) -> Self {
        Self {
            core,
            key: PhantomData,
        }
    }

    /// The handle of the series with these label values, which is created, at zero, if it does not
    /// exist. Beyond the family's limit all further label values share one series, whose label
    /// values are [`OVERFLOW`](super::OVERFLOW).
    pub fn with<L: Labels<Key = K>>(&self, labels: &L) -> M {
        self.core.with(labels)
    }

    /// Like [`with`](Self::with), but `None` if the family is disabled.
    pub fn live<L: Labels<Key = K>>(&self, labels: &L) -> Option<M> {
        self.is_enabled().then(|| self.with(labels))
    }

    /// Whether anything is recorded here: an operator may disable the family.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.core.storage.is_enabled()
    }

    /// The handle of the series with these label values, if it exists.
    pub fn get<L: Labels<Key = K>>(&self, labels: &L) -> Option<M> {
        self.core.get(labels)
    }

    /// Removes the series with these label values and returns whether there was one. Held handles
    /// keep working, but their values are no longer exposed.
    pub fn remove<L: Labels<Key = K>>(&self, labels: &L) -> bool {
        self.core.storage.remove(labels)
    }

    /// Removes every series for which `matches` returns true, and returns their number.
    ///
    /// `matches` is not called for the overflow series, nor for the single series of a metric
    /// without labels. No lock is held while it runs: it may record and declare, and series created
    /// meanwhile may be skipped. For held handles see [`remove`](Self::remove).
    pub fn remove_matching(&self, mut matches: impl FnMut(SeriesLabels<'_>) -> bool) -> usize {
        let keep =
            &mut |labels: &str, _: &M::Cell, _: Option<&Note>| !matches(SeriesLabels::new(labels));
        self.core.storage.retain(keep)
    }

    /// Keeps the series for which `keep` returns true, removes the others, and returns their
    /// number; otherwise like [`remove_matching`](Self::remove_matching). If other threads remove
    /// series at the same time, `keep` may be called for a series twice. Values recorded between
    /// the call and the removal are lost with the series.
    pub fn retain(&self, mut keep: impl FnMut(SeriesLabels<'_>, Sample<'_>) -> bool) -> usize {
        let common = &self.core.shape.common;
        let (mut scratch, mut exemplar) = (Scratch::default(), None);
        self.core.storage.retain(&mut |labels, cell, note| {
            let mut sample = M::read(cell, &mut scratch);
            if let Some(note) = note {
                sample = note.complete(sample, common, &mut exemplar);
            }
            keep(SeriesLabels::new(labels), sample)
        })
    }

    /// A copy of every series with its value.
    #[must_use]
    pub fn snapshot(&self) -> FamilySnapshot {
        let mut series = Vec::with_capacity(self.len());
        let rows = self.core.rows();
        let mut next = Some(0);
        while let Some(from) = next {
            next = rows.each_from(&self.core.def.name, from, &mut |labels, sample| {
                series.push(sample.to_series(labels));
                ControlFlow::Continue(())
            });
        }
        FamilySnapshot {
            def: Arc::clone(&self.core.def),
            series,
        }
    }

    /// The declaration.
    #[must_use]
    pub fn def(&self) -> &MetricDef {
        &self.core.def
    }

    /// Number of series, without the overflow series.
    #[must_use]
    pub fn len(&self) -> usize {
        self.core.storage.len()
    }

    /// Whether there is no series.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<M: Metric, K: Labels<Key = K> + LabelKey> Family<M, K> {
    /// Creates every series that the family can have, at zero, so that `rate()` sees the first
    /// increment of each. Otherwise a series appears with the value 1, which Prometheus takes as
    /// its start.
    ///
    /// Only for families whose labels are all closed (see [`LabelValue::VALUES`]) with at most
    /// 1,024 combinations; others do not compile. The limits of the family and of the registry
    /// apply. A removed series is created again when it is recorded to.
    ///
    /// ```
    /// use selfheal::registry::{Counter, Family, Registry};
    ///
    /// # fn main() -> Result<(), selfheal::registry::DeclareError> {
    /// let registry = Registry::new();
    /// let logins: Family<Counter, (bool,)> =
    ///     registry.counter("logins_total", "Logins").labels(["successful"])?;
    /// assert_eq!(logins.start_at_zero().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`LabelValue::VALUES`]: super::LabelValue::VALUES
    #[must_use = "returns the family"]
    pub fn start_at_zero(self) -> Self {
        const {
            assert!(
                Layout::of(<K as Labels>::VALUES).is_some(),
                "only a closed label set of at most 1,024 combinations can start at zero"
            );
        }
        let places = Layout::of(<K as Labels>::VALUES).map_or(0, Layout::places);
        for place in 0..places {
            self.core.with(&Combination {
                values: <K as Labels>::VALUES,
                place,
            });
        }
        self
    }
}

impl<M: Metric, K: LabelKey> Clone for Family<M, K> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.core))
    }
}

impl<M: Metric, K: LabelKey> fmt::Debug for Family<M, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Family({}, {} series)", self.core.def, self.len())
    }
}

/// A family as the registry holds it, with its metric type erased.
pub(super) trait AnyFamily: Send + Sync {
    fn def(&self) -> &Arc<MetricDef>;
    fn rows(&self) -> Box<dyn Rows>;
    /// See [`Registry::sample`](super::Registry::sample).
    fn sample(&self, scratch: &mut Scratch, visit: &mut dyn FnMut(SeriesId, ValueRef<'_>));
    /// See [`Registry::identify`](super::Registry::identify).
    fn identify(&self, exposed: &str, visit: &mut dyn FnMut(SeriesId, &str));
    fn is_empty(&self) -> bool;
    /// Whether any of the counts below is not zero.
    fn has_counts(&self) -> bool;
    fn overflowed(&self) -> u64;
    fn expired(&self) -> u64;
    /// How long a series may be idle, if limited.
    fn expires_after(&self) -> Option<Duration>;
    /// Removes the series idle for `after`; see [`Registry::expire`](super::Registry::expire).
    fn expire(&self, now: u64, after: u64) -> usize;
    /// The labels that had lookups with a value beyond their bounds, and the number of those.
    fn not_allowed(&self) -> Vec<(&str, u64)>;
    /// Removes every series.
    fn clear(&self);
    fn rejected(&self) -> u64;
    fn rejected_exemplars(&self) -> u64;
}

/// The series of a family as seen by one scrape.
pub(super) trait Rows: Send + Sync {
    /// See [`ScrapeFamily::each_from`](super::ScrapeFamily::each_from); the family is exposed under
    /// this name.
    fn each_from(
        &self,
        exposed: &str,
        from: usize,
        visit: &mut dyn FnMut(&str, &Sample<'_>) -> ControlFlow<()>,
    ) -> Option<usize>;
}

impl<M: Metric> AnyFamily for Core<M> {
    fn def(&self) -> &Arc<MetricDef> {
        &self.def
    }

    fn rows(&self) -> Box<dyn Rows> {
        Box::new(LiveRows::<M> {
            view: self.storage.view(),
            common: Arc::clone(&self.shape.common),
        })
    }

    fn sample(&self, scratch: &mut Scratch, visit: &mut dyn FnMut(SeriesId, ValueRef<'_>)) {
        self.storage.view().each(|series| {
            for part in 0..M::PARTS {
                if let Some(value) = M::value(series.cell, part, scratch) {
                    visit(SeriesId::new(series.number, part), value);
                }
            }
        });
    }

    fn identify(&self, exposed: &str, visit: &mut dyn FnMut(SeriesId, &str)) {
        self.storage.view().each(|series| {
            for part in 0..M::PARTS {
                let id = SeriesId::new(series.number, part);
                M::part((exposed, series.text), part, &mut |labels| {
                    visit(id, labels);
                });
            }
        });
    }

    fn is_empty(&self) -> bool {
        self.storage.len() == 0 && self.storage.overflowed() == 0
    }

    fn has_counts(&self) -> bool {
        let mut not_allowed = self.storage.bounds.overflowed();
        let refused = self.shape.rejected.get() + self.shape.common.rejected_exemplars();
        refused + self.storage.overflowed() + self.storage.expired() > 0
            || not_allowed.any(|(_, n)| n > 0)
    }

    fn overflowed(&self) -> u64 {
        self.storage.overflowed()
    }

    fn expired(&self) -> u64 {
        self.storage.expired()
    }

    fn expires_after(&self) -> Option<Duration> {
        self.expire_after
    }

    fn expire(&self, now: u64, after: u64) -> usize {
        self.storage.expire(now, after)
    }

    fn not_allowed(&self) -> Vec<(&str, u64)> {
        let overflowed = self.storage.bounds.overflowed();
        overflowed.filter(|(_, n)| *n > 0).collect()
    }

    fn clear(&self) {
        self.storage.retain(&mut |_, _, _| false);
    }

    fn rejected(&self) -> u64 {
        self.shape.rejected.get()
    }

    fn rejected_exemplars(&self) -> u64 {
        self.shape.common.rejected_exemplars()
    }
}

struct LiveRows<M: Metric> {
    view: View<M::Cell>,
    common: Arc<Common>,
}

impl<M: Metric> Rows for LiveRows<M> {
    fn each_from(
        &self,
        exposed: &str,
        from: usize,
        visit: &mut dyn FnMut(&str, &Sample<'_>) -> ControlFlow<()>,
    ) -> Option<usize> {
        let mut scratch = Scratch::default();
        self.view.each_from(from, |labels, cell, note| {
            let names = (exposed, labels);
            match note {
                None => M::each(cell, names, &mut scratch, visit),
                Some(note) => {
                    let mut exemplar = None;
                    M::each(cell, names, &mut scratch, &mut |labels, sample| {
                        visit(labels, &note.complete(*sample, &self.common, &mut exemplar))
                    })
                }
            }
        })
    }
}
