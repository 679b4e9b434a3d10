mod cell;
mod native;
mod numbers;

use std::time::Duration;

use super::Metric;
use super::sealed::{Sealed, Shape};
use crate::catalog::Kind;
use crate::registry::family::Rejected;
use crate::registry::snapshot::{HistogramSnapshot, Sample, Scratch, ValueRef};
use crate::registry::storage::Place;
use cell::Cell;
pub(crate) use native::Plan;
pub(super) use numbers::bucket;

/// Observations counted by buckets, with their sum: by classic buckets, whose bounds are declared,
/// by native ones, which are exponential and made as values come
/// ([`Declare::native`](crate::registry::Declare::native)), or by both.
///
/// The count is the sum of the buckets, computed when they are read, so `+Inf` always equals
/// the count. A value on a bound is in the bucket below it. Negative values have native buckets
/// of their own; those next to zero are in the zero bucket, see
/// [`Native`](crate::catalog::Native).
#[derive(Clone, Debug)]
pub struct Histogram {
    place: Place<Cell>,
    rejected: Rejected,
}

impl Histogram {
    /// Counts one observation. NaN and infinities are left out and counted as rejected under
    /// the name of the metric: either would make the sum useless for ever.
    #[inline]
    pub fn observe(&self, value: f64) {
        self.observe_n(value, 1);
    }

    /// Counts `n` observations of one value at once: what a sample of one in `n` stands for.
    /// As for [`observe`](Self::observe), a value that is not finite is counted as rejected.
    #[inline]
    pub fn observe_n(&self, value: f64, n: u32) {
        self.place
            .use_cell(|cell| cell.observe(&self.rejected, value, n));
    }

    /// Counts a duration, in seconds.
    #[inline]
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    /// The counts and the sum now.
    #[must_use]
    pub fn snapshot(&self) -> HistogramSnapshot {
        let Some(cell) = self.place.cell() else {
            return HistogramSnapshot::classic([], vec![0], 0.0);
        };
        cell.snapshot(&mut Scratch::default()).to_snapshot()
    }
}

impl Metric for Histogram {}

impl Sealed for Histogram {
    type Cell = Cell;
    const KIND: Kind = Kind::Histogram;
    const NATIVE: bool = true;

    fn cell(shape: &Shape) -> Cell {
        Cell::new(shape)
    }

    fn handle(place: Place<Cell>, shape: &Shape) -> Self {
        Self {
            place,
            rejected: shape.rejected.clone(),
        }
    }

    fn read<'a>(cell: &'a Cell, scratch: &'a mut Scratch) -> Sample<'a> {
        Sample::new(ValueRef::Histogram(cell.snapshot(scratch)))
    }
}
