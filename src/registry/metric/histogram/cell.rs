use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use super::native::Buckets;
use super::numbers::bucket;
use super::tally::{Observation, Tally};
use crate::registry::metric::sealed::Shape;
use crate::registry::notes::{Common, Slots};
use crate::registry::rejected::Rejected;
use crate::registry::snapshot::{ExemplarLabels, HistogramRef, Sample, Scratch, ValueRef};
use crate::registry::storage::Made;

/// The state of one histogram series.
#[derive(Debug)]
pub struct Cell<T> {
    bounds: Arc<[f64]>,
    pub(super) tally: T,
    native: Option<Box<Buckets>>,
    /// One slot for each bucket, for all threads: until it is read they only read it, so each
    /// processor caches it.
    exemplars: Slots,
}

impl<T: Tally> Made for Cell<T> {}

impl<T: Tally> Cell<T> {
    pub(super) fn new(shape: &Shape) -> Self {
        let bounds = &shape.bounds;
        let native = |plan| Box::new(Buckets::new(plan, T::columns()));
        Self {
            bounds: Arc::clone(bounds),
            tally: T::new(bounds.len()),
            native: shape.native.as_ref().map(native),
            exemplars: Slots::default(),
        }
    }

    /// Counts `n` observations, and returns the classic bucket; none if the value is rejected.
    #[inline]
    pub(crate) fn observe(&self, rejected: &Rejected, value: f64, n: u32) -> Option<usize> {
        let total = value * f64::from(n);
        if !total.is_finite() {
            rejected.count();
            return None;
        }
        let bucket = bucket(&self.bounds, value);
        // Built in each branch, so that the fields stay in registers.
        match &self.native {
            None => self.tally.add(Observation {
                bucket,
                native: None,
                n,
                total,
            }),
            Some(native) => self.add_native(native, value, (bucket, n, total)),
        }
        Some(bucket)
    }

    /// Counts one observation, and takes an exemplar of it, unless its bucket has an unread one.
    #[inline]
    pub(crate) fn observe_with_exemplar(
        &self,
        (rejected, common): (&Rejected, &Common),
        value: f64,
        labels: impl FnOnce(&mut ExemplarLabels),
    ) {
        if let Some(bucket) = self.observe(rejected, value, 1) {
            self.exemplar_in(bucket, common, value, labels);
        }
    }

    /// Takes an exemplar of a value that is counted separately.
    #[inline]
    pub(super) fn exemplar(
        &self,
        common: &Common,
        value: f64,
        labels: impl FnOnce(&mut ExemplarLabels),
    ) {
        if value.is_finite() {
            self.exemplar_in(bucket(&self.bounds, value), common, value, labels);
        }
    }

    #[inline]
    fn exemplar_in(
        &self,
        bucket: usize,
        common: &Common,
        value: f64,
        labels: impl FnOnce(&mut ExemplarLabels),
    ) {
        /// Slots without classic buckets: values of different magnitude use different ones.
        const PLACES: usize = 8;
        let place = if self.native.is_some() && self.bounds.is_empty() {
            // By exponent: each power of two has a slot, and the slots repeat.
            let exponent = usize::try_from(value.abs().to_bits() >> 52).unwrap_or(0);
            (exponent % PLACES, PLACES)
        } else {
            (bucket, self.bounds.len() + 1)
        };
        self.exemplars.offer(place, common, value, labels);
    }

    #[inline(never)]
    fn add_native(&self, native: &Buckets, value: f64, (bucket, n, total): (usize, u32, f64)) {
        self.tally.add(Observation {
            bucket,
            native: native.find(value),
            n,
            total,
        });
    }

    /// Reads the cell into `scratch`.
    pub(super) fn sample<'a>(&'a self, scratch: &'a mut Scratch) -> Sample<'a> {
        Sample::new(ValueRef::Histogram(self.snapshot(scratch)))
    }

    pub(super) fn snapshot<'a>(&'a self, scratch: &'a mut Scratch) -> HistogramRef<'a> {
        let sum = self.read(scratch);
        self.exemplars.read(&mut scratch.exemplars);
        self.of(sum, scratch)
    }

    /// Reads the cell without exemplars, which stay unread.
    pub(super) fn counted<'a>(&'a self, scratch: &'a mut Scratch) -> HistogramRef<'a> {
        scratch.exemplars.clear();
        let sum = self.read(scratch);
        self.of(sum, scratch)
    }

    fn of<'a>(&'a self, sum: f64, scratch: &'a Scratch) -> HistogramRef<'a> {
        HistogramRef {
            bounds: &self.bounds,
            counts: &scratch.counts,
            sum,
            native: self.native.is_some().then_some(&scratch.native),
            exemplars: &scratch.exemplars,
        }
    }

    /// Copies the counts and returns the sum.
    fn read(&self, out: &mut Scratch) -> f64 {
        /// Native buckets take longer to read.
        const ATTEMPTS_NATIVE: usize = 8;
        let attempts = match &self.native {
            None => T::ATTEMPTS,
            Some(_) => ATTEMPTS_NATIVE,
        };
        out.counts.resize(self.bounds.len() + 1, 0);
        let mut sum = 0.0;
        for _ in 0..attempts {
            let turn = self.tally.turn();
            sum = self.tally.read(&mut out.counts);
            if let Some(native) = &self.native {
                native.read(&mut out.native);
            }
            fence(Ordering::Acquire);
            if turn.is_some() && self.tally.turn() == turn {
                break;
            }
            spin_loop();
        }
        if self.native.is_some() {
            // Observations recorded between the two reads are in a native bucket already. The
            // totals have to agree, and the `+Inf` bucket, which is exposed as the sum of all, can
            // take the difference.
            let classic = out.counts.iter().fold(0_u64, |sum, n| sum.wrapping_add(*n));
            let more = out.native.count().saturating_sub(classic);
            if let Some(last) = out.counts.last_mut() {
                *last = last.wrapping_add(more);
            }
            if self.bounds.is_empty() {
                out.counts.clear();
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests;
