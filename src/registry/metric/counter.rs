use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Metric, add_f64, sealed::Sealed};
use crate::catalog::Kind;
use crate::registry::family::Rejected;
use crate::registry::snapshot::{Number, Value};

/// A whole number that only grows. It wraps at 2⁶⁴, as Prometheus expects of a reset.
#[derive(Clone, Debug)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds one.
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Metric for Counter {}

impl Sealed for Counter {
    type Cell = AtomicU64;
    const KIND: Kind = Kind::Counter;

    fn cell(_: &Arc<[f64]>) -> AtomicU64 {
        AtomicU64::new(0)
    }

    fn handle(cell: Arc<AtomicU64>, _: &Rejected) -> Self {
        Self(cell)
    }

    fn read(cell: &AtomicU64) -> Value {
        Value::Number(Number::U64(cell.load(Ordering::Relaxed)))
    }
}

/// A sum of floating-point amounts that only grows: seconds, dollars.
#[derive(Clone, Debug)]
pub struct FloatCounter {
    bits: Arc<AtomicU64>,
    rejected: Rejected,
}

impl FloatCounter {
    /// Adds `amount`. A negative amount or one that is not finite is left out and counted as
    /// rejected under the name of the metric, for a counter that takes either is ruined.
    #[inline]
    pub fn add(&self, amount: f64) {
        if amount >= 0.0 && amount.is_finite() {
            add_f64(&self.bits, amount);
        } else {
            self.rejected.count();
        }
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> f64 {
        f64::from_bits(self.bits.load(Ordering::Relaxed))
    }
}

impl Metric for FloatCounter {}

impl Sealed for FloatCounter {
    type Cell = AtomicU64;
    const KIND: Kind = Kind::Counter;

    fn cell(_: &Arc<[f64]>) -> AtomicU64 {
        AtomicU64::new(0.0_f64.to_bits())
    }

    fn handle(bits: Arc<AtomicU64>, rejected: &Rejected) -> Self {
        Self {
            bits,
            rejected: rejected.clone(),
        }
    }

    fn read(cell: &AtomicU64) -> Value {
        Value::Number(Number::F64(f64::from_bits(cell.load(Ordering::Relaxed))))
    }
}
