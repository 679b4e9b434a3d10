//! The input of a function over a range.

use super::notes::Notes;
use crate::promql::labels::LabelSet;
use crate::promql::value::{PointValue, Sample};

/// A function of a series' samples in a range.
pub(crate) type WindowFunction = fn(&Window<'_>, &mut Notes<'_>) -> Option<PointValue>;

/// The samples of one series in a range, with further arguments of a function over them.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    pub(crate) labels: &'a LabelSet,
    /// At least one, oldest first, without stale markers.
    pub(crate) samples: &'a [Sample],
    pub(crate) after: i64,
    pub(crate) until: i64,
    /// The time of the evaluation, not shifted by offsets.
    pub(crate) time: i64,
    /// The arguments besides the range.
    pub(crate) scalars: &'a [f64],
    /// The position of the range in the expression.
    pub(crate) at: usize,
    /// The position of the first scalar.
    pub(crate) scalar_at: usize,
}
