//! The short forms of families, which record by labels without a handle.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::error::DeclareError;
use super::family::Family;
use super::labels::{LabelKey, LabelValue, Labels};
use super::metric::{
    Counter, FloatCounter, FloatGauge, Gauge, GaugeFn, Histogram, StateSet, Sum, Tally, bit, grow,
};
use super::snapshot::ExemplarLabels;
use crate::catalog::names;

impl<S: Sum, K: LabelKey> Family<Counter<S>, K> {
    /// Adds one to the series with these label values.
    #[inline]
    pub fn inc<L: Labels<Key = K>>(&self, labels: &L) {
        self.add(labels, 1);
    }

    /// Adds `n` to the series with these label values.
    #[inline]
    pub fn add<L: Labels<Key = K>>(&self, labels: &L, n: u64) {
        self.core.record(labels, |sum, _| sum.add(n));
    }

    /// Adds one to the series with these label values, with an exemplar; see
    /// [`Counter::add_with_exemplar`].
    pub fn inc_with_exemplar<L: Labels<Key = K>>(
        &self,
        labels: &L,
        exemplar: impl FnOnce(&mut ExemplarLabels),
    ) {
        let common = &self.core.shape.common;
        self.core.record(labels, |sum, notes| {
            sum.add(1);
            notes.exemplar(common, 1.0, exemplar);
        });
    }
}

impl<K: LabelKey> Family<FloatCounter, K> {
    /// Adds `amount` to the series with these label values; see [`FloatCounter::add`].
    #[inline]
    pub fn add<L: Labels<Key = K>>(&self, labels: &L, amount: f64) {
        let rejected = &self.core.shape.rejected;
        self.core.record(labels, |sum, _| {
            grow(sum, rejected, amount);
        });
    }

    /// Adds `amount` to the series with these label values, with an exemplar; see
    /// [`FloatCounter::add_with_exemplar`].
    pub fn add_with_exemplar<L: Labels<Key = K>>(
        &self,
        labels: &L,
        amount: f64,
        exemplar: impl FnOnce(&mut ExemplarLabels),
    ) {
        let shape = &self.core.shape;
        self.core.record(labels, |sum, notes| {
            if grow(sum, &shape.rejected, amount) {
                notes.exemplar(&shape.common, amount, exemplar);
            }
        });
    }
}

impl<K: LabelKey> Family<Gauge, K> {
    /// Sets the series with these label values.
    pub fn set<L: Labels<Key = K>>(&self, labels: &L, value: i64) {
        self.core
            .record(labels, |cell, _| cell.store(value, Ordering::Relaxed));
    }

    /// Adds `n`, which may be negative, to the series with these label values.
    pub fn add<L: Labels<Key = K>>(&self, labels: &L, n: i64) {
        self.core.record(labels, |cell, _| {
            cell.fetch_add(n, Ordering::Relaxed);
        });
    }

    /// Adds one to the series with these label values.
    pub fn inc<L: Labels<Key = K>>(&self, labels: &L) {
        self.add(labels, 1);
    }

    /// Subtracts one from the series with these label values.
    pub fn dec<L: Labels<Key = K>>(&self, labels: &L) {
        self.add(labels, -1);
    }
}

impl<K: LabelKey> Family<FloatGauge, K> {
    /// Sets the series with these label values.
    pub fn set<L: Labels<Key = K>>(&self, labels: &L, value: f64) {
        self.core.record(labels, |cell, _| {
            cell.store(value.to_bits(), Ordering::Relaxed);
        });
    }

    /// Sets the series with these label values to the registry's current time, in seconds since
    /// 1970-01-01T00:00:00Z.
    pub fn set_to_now<L: Labels<Key = K>>(&self, labels: &L) {
        self.set(labels, self.core.shape.common.clock().unix_seconds());
    }
}

impl<K: LabelKey> Family<GaugeFn, K> {
    /// Sets the function of the series with these label values, replacing the previous one. Beyond
    /// the family's limit, the overflow series has the function set last.
    pub fn set<L: Labels<Key = K>>(
        &self,
        labels: &L,
        function: impl Fn() -> f64 + Send + Sync + 'static,
    ) {
        self.with(labels).set(function);
    }

    /// Removes the series with these label values and drops its function, and returns whether there
    /// was one. [`remove`](Family::remove) alone may keep the function for as long as handles to
    /// the series exist, and somewhat longer.
    pub fn clear<L: Labels<Key = K>>(&self, labels: &L) -> bool {
        if let Some(gauge) = self.get(labels) {
            gauge.clear();
        }
        self.remove(labels)
    }
}

impl<T: Tally, K: LabelKey> Family<Histogram<T>, K> {
    /// Observes a value in the series with these label values; see [`Histogram::observe`].
    #[inline]
    pub fn observe<L: Labels<Key = K>>(&self, labels: &L, value: f64) {
        let rejected = &self.core.shape.rejected;
        self.core.record(labels, move |cell, _| {
            cell.observe(rejected, value, 1);
        });
    }

    /// Observes a value in the series with these label values, with an exemplar; see
    /// [`Histogram::observe_with_exemplar`].
    pub fn observe_with_exemplar<L: Labels<Key = K>>(
        &self,
        labels: &L,
        value: f64,
        exemplar: impl FnOnce(&mut ExemplarLabels),
    ) {
        let shape = &self.core.shape;
        let family = (&shape.rejected, &*shape.common);
        self.core.record(labels, move |cell, _| {
            cell.observe_with_exemplar(family, value, exemplar);
        });
    }

    /// Like [`with`](Self::with), but a new series has these upper bounds, without `+Inf`, instead
    /// of the family's.
    ///
    /// Prometheus accepts different buckets within one histogram. Sums by `le` over them are
    /// meaningless, though, so use this only if one kind of series has another scale.
    ///
    /// # Errors
    /// The bounds are empty, too many, not finite or not strictly increasing.
    pub fn with_buckets<L: Labels<Key = K>>(
        &self,
        labels: &L,
        bounds: &Arc<[f64]>,
    ) -> Result<Histogram<T>, DeclareError> {
        names::buckets(bounds).map_err(|problem| DeclareError::Metric {
            name: self.core.def.name.to_string(),
            problem,
        })?;
        Ok(self.core.with_buckets(labels, bounds))
    }
}

impl<E: LabelValue + 'static, K: LabelKey> Family<StateSet<E>, K> {
    /// Sets the series with these label values to this state and no other.
    pub fn set<L: Labels<Key = K>>(&self, labels: &L, state: E) {
        let bit = bit(&state);
        self.core
            .record(labels, |bits, _| bits.store(bit, Ordering::Relaxed));
    }
}
