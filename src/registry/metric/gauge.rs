use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::sealed::{Sealed, Shape};
use super::{Metric, add_f64};
use crate::catalog::Kind;
use crate::registry::snapshot::{Number, Sample, Scratch, ValueRef};
use crate::registry::storage::Place;

/// A whole number that can increase and decrease.
#[derive(Clone, Debug)]
pub struct Gauge(pub(super) Place<AtomicI64>);

impl Gauge {
    /// Sets the value.
    #[inline]
    pub fn set(&self, value: i64) {
        self.0.use_cell(|cell| cell.store(value, Ordering::Relaxed));
    }

    /// Adds `n`, which may be negative.
    #[inline]
    pub fn add(&self, n: i64) {
        self.0.use_cell(|cell| {
            cell.fetch_add(n, Ordering::Relaxed);
        });
    }

    /// Adds one.
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    /// Subtracts one.
    #[inline]
    pub fn dec(&self) {
        self.add(-1);
    }

    /// Adds one until the guard is dropped.
    #[must_use = "the gauge is decremented when the guard is dropped"]
    pub fn hold(&self) -> GaugeGuard {
        self.inc();
        GaugeGuard(self.clone())
    }

    /// Adds one. The series does not expire before [`leave`](Self::leave), which subtracts it.
    #[inline]
    #[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
    pub(crate) fn enter(&self) {
        self.0.hold();
        self.inc();
    }

    /// Subtracts one that [`enter`](Self::enter) has added.
    #[inline]
    #[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
    pub(crate) fn leave(&self) {
        self.dec();
        self.0.let_go();
    }

    /// The current value.
    #[must_use]
    pub fn get(&self) -> i64 {
        self.0.cell().map_or(0, |cell| cell.load(Ordering::Relaxed))
    }
}

/// Subtracts one from a gauge when dropped; see [`Gauge::hold`].
#[derive(Debug)]
pub struct GaugeGuard(Gauge);

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metric for Gauge {}

impl Sealed for Gauge {
    type Cell = AtomicI64;
    const KIND: Kind = Kind::Gauge;

    fn cell(_: &Shape) -> AtomicI64 {
        AtomicI64::new(0)
    }

    fn handle(place: Place<AtomicI64>, _: &Shape) -> Self {
        Self(place)
    }

    fn read<'a>(cell: &'a AtomicI64, _: &'a mut Scratch) -> Sample<'a> {
        Sample::new(ValueRef::Number(Number::I64(cell.load(Ordering::Relaxed))))
    }
}

/// A floating-point value that can increase and decrease. NaN and infinities are ordinary values:
/// Prometheus stores them, and a gauge may be unknown.
#[derive(Clone, Debug)]
pub struct FloatGauge(Place<AtomicU64>);

impl FloatGauge {
    /// Sets the value.
    #[inline]
    pub fn set(&self, value: f64) {
        self.0
            .use_cell(|cell| cell.store(value.to_bits(), Ordering::Relaxed));
    }

    /// Adds `amount`, which may be negative.
    #[inline]
    pub fn add(&self, amount: f64) {
        self.0.use_cell(|bits| add_f64(bits, amount));
    }

    /// The current value.
    #[must_use]
    pub fn get(&self) -> f64 {
        let bits = self.0.cell().map_or(0, |cell| cell.load(Ordering::Relaxed));
        f64::from_bits(bits)
    }
}

impl Metric for FloatGauge {}

impl Sealed for FloatGauge {
    type Cell = AtomicU64;
    const KIND: Kind = Kind::Gauge;

    fn cell(_: &Shape) -> AtomicU64 {
        AtomicU64::new(0.0_f64.to_bits())
    }

    fn handle(place: Place<AtomicU64>, _: &Shape) -> Self {
        Self(place)
    }

    fn read<'a>(cell: &'a AtomicU64, _: &'a mut Scratch) -> Sample<'a> {
        Sample::new(ValueRef::Number(Number::F64(f64::from_bits(
            cell.load(Ordering::Relaxed),
        ))))
    }
}
