use std::sync::atomic::{AtomicU64, Ordering};

use super::sealed::{Sealed, Shape};
use super::{Metric, add_f64};
use crate::catalog::Kind;
use crate::registry::family::Rejected;
use crate::registry::snapshot::{Number, Sample, Scratch, ValueRef};
use crate::registry::storage::Place;

/// A whole number that only grows. It wraps at 2⁶⁴, as Prometheus expects of a reset.
#[derive(Clone, Debug)]
pub struct Counter(Place<AtomicU64>);

impl Counter {
    /// Adds one.
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.use_cell(|cell| {
            cell.fetch_add(n, Ordering::Relaxed);
        });
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.cell().map_or(0, |cell| cell.load(Ordering::Relaxed))
    }
}

impl Metric for Counter {}

impl Sealed for Counter {
    type Cell = AtomicU64;
    const KIND: Kind = Kind::Counter;

    fn cell(_: &Shape) -> AtomicU64 {
        AtomicU64::new(0)
    }

    fn handle(place: Place<AtomicU64>, _: &Shape) -> Self {
        Self(place)
    }

    fn read<'a>(cell: &'a AtomicU64, _: &'a mut Scratch) -> Sample<'a> {
        Sample::new(ValueRef::Number(Number::U64(cell.load(Ordering::Relaxed))))
    }
}

/// A sum of floating-point amounts that only grows: seconds, dollars.
#[derive(Clone, Debug)]
pub struct FloatCounter {
    bits: Place<AtomicU64>,
    rejected: Rejected,
}

impl FloatCounter {
    /// Adds `amount`. A negative amount or one that is not finite is left out and counted as
    /// rejected under the name of the metric, for a counter that takes either is ruined.
    #[inline]
    pub fn add(&self, amount: f64) {
        let rejected = &self.rejected;
        self.bits
            .use_cell(|bits| Self::add_to(bits, rejected, amount));
    }

    #[inline]
    pub(crate) fn add_to(bits: &AtomicU64, rejected: &Rejected, amount: f64) {
        if amount >= 0.0 && amount.is_finite() {
            add_f64(bits, amount);
        } else {
            rejected.count();
        }
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> f64 {
        let bits = self.bits.cell();
        f64::from_bits(bits.map_or(0, |cell| cell.load(Ordering::Relaxed)))
    }
}

impl Metric for FloatCounter {}

impl Sealed for FloatCounter {
    type Cell = AtomicU64;
    const KIND: Kind = Kind::Counter;

    fn cell(_: &Shape) -> AtomicU64 {
        AtomicU64::new(0.0_f64.to_bits())
    }

    fn handle(bits: Place<AtomicU64>, shape: &Shape) -> Self {
        Self {
            bits,
            rejected: shape.rejected.clone(),
        }
    }

    fn read<'a>(cell: &'a AtomicU64, _: &'a mut Scratch) -> Sample<'a> {
        Sample::new(ValueRef::Number(Number::F64(f64::from_bits(
            cell.load(Ordering::Relaxed),
        ))))
    }
}
