//! The metric types: handles that are cheap to clone, never lock and never fail.

mod counter;
mod gauge;
mod histogram;

use std::sync::Arc;

pub use counter::{Counter, FloatCounter};
pub use gauge::{FloatGauge, Gauge, GaugeGuard};
pub use histogram::{Histogram, HistogramSnapshot};

use super::snapshot::Value;
use crate::catalog::Kind;

/// A type of metric that a family can hold. Sealed: the formats know what there is.
pub trait Metric: Clone + Send + Sync + 'static + sealed::Sealed {}

pub(super) mod sealed {
    use super::{Arc, Kind, Value};
    use crate::registry::family::Rejected;

    /// What the registry needs to know of a metric type.
    pub trait Sealed {
        type Cell: Send + Sync + 'static;
        const KIND: Kind;
        fn cell(buckets: &Arc<[f64]>) -> Self::Cell;
        fn handle(cell: Arc<Self::Cell>, rejected: &Rejected) -> Self;
        fn read(cell: &Self::Cell) -> Value;
    }
}

/// Adds to an f64 that is kept as its bits.
#[inline]
fn add_f64(bits: &std::sync::atomic::AtomicU64, value: f64) {
    use std::sync::atomic::Ordering::Relaxed;
    let mut now = bits.load(Relaxed);
    loop {
        let sum = (f64::from_bits(now) + value).to_bits();
        match bits.compare_exchange_weak(now, sum, Relaxed, Relaxed) {
            Ok(_) => return,
            Err(other) => now = other,
        }
    }
}
