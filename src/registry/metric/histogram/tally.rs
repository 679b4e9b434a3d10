use std::fmt;

use super::native::Found;

/// Sums up the observations of one series: the count of each classic bucket, and the sum. It also
/// writes to the series' native buckets, which are stored beside it.
pub trait Tally: fmt::Debug + Send + Sync + 'static {
    /// The maximum number of repeated reads because of concurrent writes. A write takes
    /// nanoseconds. An interrupted writer is not waited for: sum and counts may then differ by its
    /// observation.
    const ATTEMPTS: usize;

    /// A tally for this many bounds, at zero.
    fn new(bounds: usize) -> Self;

    /// Number of columns of counts its native buckets have besides their own counts.
    fn columns() -> usize;

    /// Adds an observation. A reader that sees it in a classic bucket also sees it in its native
    /// one.
    fn add(&self, observation: Observation<'_>);

    /// A number that changes with each observation; none while one is being added.
    fn turn(&self) -> Option<u64>;

    /// Copies the counts, as many as in `counts`, and returns the sum. Later reads are not older.
    fn read(&self, counts: &mut Vec<u64>) -> f64;
}

/// An observation: its buckets and its amount.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    pub(in crate::registry::metric) bucket: usize,
    pub(in crate::registry::metric) native: Option<Found<'a>>,
    pub(in crate::registry::metric) n: u32,
    pub(in crate::registry::metric) total: f64,
}
