use std::fmt;

use super::native::Found;

/// Where the observations of one series are added up: how many in each classic bucket, and their
/// sum. The native buckets of the series are there beside it, and written to by it.
pub trait Tally: fmt::Debug + Send + Sync + 'static {
    /// How often it is read again, at the most, because of a write meanwhile. A writer is
    /// done within nanoseconds. One that was interrupted is not waited for: sum and counts may
    /// then differ by its observation.
    const ATTEMPTS: usize;

    /// One for so many bounds, at zero.
    fn new(bounds: usize) -> Self;

    /// How many columns of counts its native buckets have beside the counts of their own.
    fn columns() -> usize;

    /// Adds an observation. Who sees it in a classic bucket sees it in its native one.
    fn add(&self, observation: Observation<'_>);

    /// What changes with each observation; none while one is being added.
    fn turn(&self) -> Option<u64>;

    /// Copies the counts, of which there are as many as in `counts`, and returns the sum. All
    /// that is read afterwards is not older.
    fn read(&self, counts: &mut Vec<u64>) -> f64;
}

/// One observation: the buckets that it is in, and the amount.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    pub(in crate::registry::metric) bucket: usize,
    pub(in crate::registry::metric) native: Option<Found<'a>>,
    pub(in crate::registry::metric) n: u32,
    pub(in crate::registry::metric) total: f64,
}
