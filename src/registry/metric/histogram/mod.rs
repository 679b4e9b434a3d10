//! Histograms: one handle, one cell for each series, and two ways to sum up in it.
//!
//! | part | job |
//! |---|---|
//! | `cell` | observations and reads, independent of the way of summing |
//! | `tally` | the trait of a way of summing: by `single` here, or by stripes in `striped` |
//! | `single`, `numbers` | one set of counts, written by one thread at a time |
//! | `native` | exponential buckets, created as values come |

mod cell;
mod native;
mod numbers;
mod single;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use super::Metric;
use super::sealed::{Sealed, Shape};
use crate::catalog::Kind;
use crate::registry::notes::Common;
use crate::registry::rejected::Rejected;
use crate::registry::snapshot::{ExemplarLabels, HistogramSnapshot, Sample, Scratch, ValueRef};
use crate::registry::storage::Place;
use crate::util::Clock;
use cell::Cell;
#[cfg(test)]
pub(super) use native::Buckets;
pub(crate) use native::Plan;
pub(super) use native::{Found, add_alone};
use single::Single;
pub(super) use tally::Observation;
pub(in crate::registry) use tally::Tally;

/// Observations counted by buckets, with their sum: by classic buckets, with declared bounds, by
/// native ones, which are exponential and created as values come
/// ([`Declare::native`](crate::registry::Declare::native)), or by both.
///
/// The count is the sum of the buckets, computed when they are read, so `+Inf` always equals the
/// count. A value equal to a bound is in the bucket below it. Negative values have separate native
/// buckets; values near zero are in the zero bucket, see [`Native`](crate::catalog::Native).
///
/// `T` determines how threads share it, and is rarely named: a declared one is a `Histogram`, which
/// all threads write to in turn, and with `striped` a
/// [`StripedHistogram`](crate::registry::StripedHistogram).
#[derive(Debug)]
pub struct Histogram<T: Tally = Single> {
    pub(super) place: Place<Cell<T>>,
    rejected: Rejected,
    common: Arc<Common>,
}

impl<T: Tally> Histogram<T> {
    /// Counts one observation. NaN and infinities are skipped and counted as rejected under the
    /// name of the metric: either would make the sum permanently useless.
    #[inline]
    pub fn observe(&self, value: f64) {
        self.observe_n(value, 1);
    }

    /// Counts `n` observations of the same value at once, as for a one-in-`n` sample. As for
    /// [`observe`](Self::observe), a value that is not finite is counted as rejected.
    #[inline]
    pub fn observe_n(&self, value: f64, n: u32) {
        // A closure would force its captures into memory.
        if let Some(cell) = self.place.cell() {
            cell.observe(&self.rejected, value, n);
        }
    }

    /// Counts a duration, in seconds.
    #[inline]
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    /// Counts one observation, like [`observe`](Self::observe), with an exemplar.
    ///
    /// The exemplar is taken, and `labels` called, only if its bucket has no unread one, so this
    /// costs hardly more than `observe`. There is one for each classic bucket, and eight if there
    /// are only native ones; their memory, some 50 bytes each and their labels, is allocated with
    /// the first. Labels that break a rule give no exemplar and are counted in
    /// `selfheal_exemplars_rejected_total`, see [`ExemplarLabels::push`]; without labels there is
    /// no exemplar.
    ///
    /// ```
    /// use selfheal::registry::{DeclareError, Registry};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let registry = Registry::new();
    /// let took = registry.histogram("took_seconds", "Time it took").build()?;
    /// took.observe_with_exemplar(0.4, |labels| labels.push("trace_id", "4bf92f3577b34da6"));
    /// let seen = took.snapshot();
    /// assert_eq!(seen.exemplars[0].labels(), "trace_id=\"4bf92f3577b34da6\"");
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn observe_with_exemplar(&self, value: f64, labels: impl FnOnce(&mut ExemplarLabels)) {
        if let Some(cell) = self.place.cell() {
            cell.observe_with_exemplar((&self.rejected, &self.common), value, labels);
        }
    }

    /// Offers an exemplar of a value that is counted separately, for example by
    /// [`observe_n`](Self::observe_n); see [`observe_with_exemplar`](Self::observe_with_exemplar).
    #[inline]
    pub fn exemplar(&self, value: f64, labels: impl FnOnce(&mut ExemplarLabels)) {
        if let Some(cell) = self.place.cell() {
            cell.exemplar(&self.common, value, labels);
        }
    }

    /// The registry's clock.
    pub(super) fn clock(&self) -> &Clock {
        self.common.clock()
    }

    /// The current counts and sum. Marks exemplars as read, so that new ones can be taken.
    #[must_use]
    pub fn snapshot(&self) -> HistogramSnapshot {
        let Some(cell) = self.place.cell() else {
            return HistogramSnapshot::classic([], vec![0], 0.0);
        };
        cell.snapshot(&mut Scratch::default()).to_snapshot()
    }
}

impl<T: Tally> Clone for Histogram<T> {
    fn clone(&self) -> Self {
        Self {
            place: self.place.clone(),
            rejected: self.rejected.clone(),
            common: Arc::clone(&self.common),
        }
    }
}

impl<T: Tally> Metric for Histogram<T> {}

impl<T: Tally> Sealed for Histogram<T> {
    type Cell = Cell<T>;
    const KIND: Kind = Kind::Histogram;

    fn cell(shape: &Shape) -> Cell<T> {
        Cell::new(shape)
    }

    fn handle(place: Place<Cell<T>>, shape: &Shape) -> Self {
        Self {
            place,
            rejected: shape.rejected.clone(),
            common: Arc::clone(&shape.common),
        }
    }

    fn read<'a>(cell: &'a Cell<T>, scratch: &'a mut Scratch) -> Sample<'a> {
        cell.sample(scratch)
    }

    fn value<'a>(cell: &'a Cell<T>, _: usize, scratch: &'a mut Scratch) -> Option<ValueRef<'a>> {
        Some(ValueRef::Histogram(cell.counted(scratch)))
    }
}
