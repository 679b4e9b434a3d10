use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use std::sync::{Arc, OnceLock};

use super::native::{Buckets, Found};
use super::numbers::{Numbers, bucket};
use crate::registry::family::Rejected;
use crate::registry::metric::common::{Born, Common};
use crate::registry::metric::exemplar::Slots;
use crate::registry::metric::sealed::Shape;
use crate::registry::snapshot::{ExemplarLabels, HistogramRef, Sample, Scratch, ValueRef};

/// The state of one histogram series.
///
/// An observation moves a count, the sum and perhaps a native bucket. An atomic addition to each
/// would take so many times the time of one; so a thread takes the cell for itself with one atomic
/// operation and then writes plainly. Who finds it taken does not wait: there is a second set of
/// numbers, made when it is first needed, to which atomic additions are made.
#[derive(Debug)]
pub struct Cell {
    bounds: Arc<[f64]>,
    taken: AtomicBool,
    /// How often the cell was taken, for readers to see that nobody wrote while they read. In one
    /// word with `taken`, each observation would wait for what the exchange of the one before
    /// gave.
    turn: AtomicU32,
    numbers: Numbers,
    aside: OnceLock<Numbers>,
    native: Option<Box<Buckets>>,
    exemplars: Slots,
    born: Born,
}

/// What an observation adds, and where.
#[derive(Clone, Copy)]
struct Observation<'a> {
    bucket: usize,
    native: Option<Found<'a>>,
    n: u32,
    total: f64,
}

impl Cell {
    pub(super) fn new(shape: &Shape) -> Self {
        let bounds = &shape.bounds;
        Self {
            bounds: Arc::clone(bounds),
            taken: AtomicBool::new(false),
            turn: AtomicU32::new(0),
            numbers: Numbers::new(bounds.len()),
            aside: OnceLock::new(),
            native: shape
                .native
                .as_ref()
                .map(|plan| Box::new(Buckets::new(plan))),
            exemplars: Slots::default(),
            born: Born::now(&shape.common),
        }
    }

    /// Takes an exemplar, unless its bucket has one that nobody has read.
    #[inline]
    pub(crate) fn exemplar(
        &self,
        common: &Common,
        value: f64,
        labels: impl FnOnce(&mut ExemplarLabels),
    ) {
        /// Where there are no classic buckets: values of unlike magnitude keep out of each
        /// other's way.
        const PLACES: usize = 8;
        if !value.is_finite() {
            return;
        }
        let place = if self.native.is_some() && self.bounds.is_empty() {
            // The exponent: a place for each power of two, and again from the first.
            let exponent = usize::try_from(value.abs().to_bits() >> 52).unwrap_or(0);
            (exponent % PLACES, PLACES)
        } else {
            (bucket(&self.bounds, value), self.bounds.len() + 1)
        };
        self.exemplars.offer(place, common, value, labels);
    }

    #[inline]
    pub(crate) fn observe(&self, rejected: &Rejected, value: f64, n: u32) {
        let total = value * f64::from(n);
        if !total.is_finite() {
            rejected.count();
            return;
        }
        let observation = Observation {
            bucket: bucket(&self.bounds, value),
            native: None,
            n,
            total,
        };
        match &self.native {
            None => self.add(observation),
            Some(native) => self.add_native(native, value, observation),
        }
    }

    #[inline(never)]
    fn add_native<'a>(&self, native: &'a Buckets, value: f64, mut observation: Observation<'a>) {
        observation.native = native.find(value);
        self.add(observation);
    }

    #[inline]
    fn add(&self, observation: Observation<'_>) {
        if self.taken.swap(true, Ordering::Acquire) {
            return self.add_aside(observation);
        }
        let turn = self.turn.load(Ordering::Relaxed);
        self.turn.store(turn.wrapping_add(1), Ordering::Relaxed);
        // No reader sees what is written below without the new turn.
        fence(Ordering::Release);
        if let Some(native) = observation.native {
            native.add_alone(observation.n);
        }
        self.numbers
            .add_alone(observation.bucket, observation.n, observation.total);
        self.taken.store(false, Ordering::Release);
    }

    #[cold]
    #[inline(never)]
    fn add_aside(&self, observation: Observation<'_>) {
        if let Some(native) = observation.native {
            native.add(observation.n);
        }
        let aside = self.aside.get_or_init(|| self.numbers.empty_copy());
        aside.add(observation.bucket, observation.n, observation.total);
    }

    /// Reads the cell into `scratch`.
    pub(super) fn sample<'a>(&'a self, scratch: &'a mut Scratch) -> Sample<'a> {
        let created = self.born.at(&scratch.common);
        Sample {
            value: ValueRef::Histogram(self.snapshot(scratch)),
            created,
            exemplar: None,
        }
    }

    pub(super) fn snapshot<'a>(&'a self, scratch: &'a mut Scratch) -> HistogramRef<'a> {
        scratch.counts.resize(self.bounds.len() + 1, 0);
        let sum = self.read(scratch);
        self.exemplars.read(&mut scratch.exemplars);
        let native = self.native.is_some();
        if native && self.bounds.is_empty() {
            scratch.counts.clear();
        }
        HistogramRef {
            bounds: &self.bounds,
            counts: &scratch.counts,
            sum,
            native: native.then_some(&scratch.native),
            exemplars: &scratch.exemplars,
        }
    }

    /// Copies the counts and returns the sum.
    fn read(&self, out: &mut Scratch) -> f64 {
        /// A writer is done within nanoseconds. One that was interrupted is not waited for:
        /// sum and counts may then differ by its observation.
        const ATTEMPTS: usize = 64;
        /// Native buckets take longer to read.
        const ATTEMPTS_NATIVE: usize = 8;
        let attempts = match &self.native {
            None => ATTEMPTS,
            Some(_) => ATTEMPTS_NATIVE,
        };
        let mut sum = 0.0;
        for _ in 0..attempts {
            let turn = self.turn.load(Ordering::Acquire);
            let taken = self.taken.load(Ordering::Acquire);
            sum = self.numbers.read(&mut out.counts);
            if let Some(aside) = self.aside.get() {
                sum += aside.add_to(&mut out.counts);
            }
            if let Some(native) = &self.native {
                native.read(&mut out.native);
            }
            fence(Ordering::Acquire);
            if !taken && self.turn.load(Ordering::Relaxed) == turn {
                break;
            }
            std::hint::spin_loop();
        }
        if self.native.is_some() {
            // What came in between, if anything, is in a native bucket already. Both kinds must
            // come to the same, and in `+Inf` it is wherever it belongs: counts are exposed as
            // sums of all below.
            let classic = out.counts.iter().fold(0_u64, |sum, n| sum.wrapping_add(*n));
            let more = out.native.count().saturating_sub(classic);
            if let Some(last) = out.counts.last_mut() {
                *last = last.wrapping_add(more);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests;
