//! The series and the size of a history.

use std::sync::Arc;

use crate::registry::SeriesId;

/// A series with values in a [`History`](super::History).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Known {
    /// Identifies the series.
    pub id: SeriesId,
    /// The exposed name of its metric.
    pub name: Arc<str>,
    /// The rendered labels, without the global ones.
    pub labels: Arc<str>,
    /// The upper bounds of a histogram's classic buckets, without `+Inf`; `None` for a number, and
    /// for a histogram without them.
    pub bounds: Option<Arc<[f64]>>,
    /// Whether it is a histogram with native buckets; see
    /// [`History::read_native`](super::History::read_native).
    pub native: bool,
}

/// The size of a [`History`](super::History).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The number of series; a histogram is one.
    pub series: usize,
    /// The number of ticks.
    pub ticks: usize,
    /// The memory of the values and their index, in bytes.
    pub bytes: usize,
    /// The number of values dropped early because of the memory limit.
    pub evicted: u64,
}
