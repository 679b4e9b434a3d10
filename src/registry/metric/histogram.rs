use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Metric, add_f64, sealed::Sealed};
use crate::catalog::Kind;
use crate::registry::family::Rejected;
use crate::registry::snapshot::Value;

/// Observations counted by classic buckets, with their sum.
///
/// The count is the sum of the buckets, computed when they are read, so `+Inf` always equals
/// the count.
#[derive(Clone, Debug)]
pub struct Histogram {
    cell: Arc<Cell>,
    rejected: Rejected,
}

/// The state of one histogram series.
#[derive(Debug)]
pub struct Cell {
    bounds: Arc<[f64]>,
    /// One count for each bound and one for `+Inf`, not cumulative.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// Counts one observation. NaN and infinities are left out and counted as rejected under
    /// the name of the metric: either would make the sum useless for ever.
    #[inline]
    pub fn observe(&self, value: f64) {
        if !value.is_finite() {
            self.rejected.count();
            return;
        }
        self.cell.observe(value, 1);
    }

    /// Counts `n` observations of one value at once: what a sample of one in `n` stands for.
    /// As for [`observe`](Self::observe), a value that is not finite is counted as rejected.
    #[inline]
    pub fn observe_n(&self, value: f64, n: u32) {
        if !(value * f64::from(n)).is_finite() {
            self.rejected.count();
            return;
        }
        self.cell.observe(value, n);
    }

    /// Counts a duration, in seconds.
    #[inline]
    pub fn observe_duration(&self, duration: Duration) {
        self.cell.observe(duration.as_secs_f64(), 1);
    }

    /// The counts and the sum now.
    #[must_use]
    pub fn snapshot(&self) -> HistogramSnapshot {
        self.cell.snapshot()
    }
}

impl Cell {
    #[inline]
    fn observe(&self, value: f64, n: u32) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(u64::from(n), Ordering::Relaxed);
        add_f64(&self.sum, value * f64::from(n));
    }

    fn snapshot(&self) -> HistogramSnapshot {
        HistogramSnapshot {
            bounds: Arc::clone(&self.bounds),
            counts: self
                .counts
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .collect(),
            sum: f64::from_bits(self.sum.load(Ordering::Relaxed)),
        }
    }
}

/// The state of a histogram at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct HistogramSnapshot {
    /// The upper bounds of the buckets, `+Inf` not among them.
    pub bounds: Arc<[f64]>,
    /// How many observations each bucket holds, the one for `+Inf` last; not cumulative.
    pub counts: Vec<u64>,
    /// The sum of all observations.
    pub sum: f64,
}

impl HistogramSnapshot {
    /// How many observations there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Metric for Histogram {}

impl Sealed for Histogram {
    type Cell = Cell;
    const KIND: Kind = Kind::Histogram;

    fn cell(bounds: &Arc<[f64]>) -> Cell {
        Cell {
            bounds: Arc::clone(bounds),
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0.0_f64.to_bits()),
        }
    }

    fn handle(cell: Arc<Cell>, rejected: &Rejected) -> Self {
        Self {
            cell,
            rejected: rejected.clone(),
        }
    }

    fn read(cell: &Cell) -> Value {
        Value::Histogram(cell.snapshot())
    }
}
