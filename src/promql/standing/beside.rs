//! Series besides those of the history.

use crate::promql::labels::LabelSet;
use crate::promql::source::Matcher;

/// Series besides the history that a query may read, such as those of rules.
pub(crate) trait Beside {
    /// Changes whenever the set of names changes.
    fn names(&self) -> u64;

    /// Changes whenever the set of series changes.
    fn series(&self) -> u64;

    /// Changes with each sample.
    fn values(&self) -> u64;

    /// Whether any series may match, by its name.
    fn may_match(&self, matchers: &[Matcher]) -> bool;

    /// Calls `visit` with each matching series and its index.
    fn find(&self, matchers: &[Matcher], visit: &mut dyn FnMut(&LabelSet, usize));

    /// Writes the newest value of each series after one time and up to another, or
    /// [`STALE`](crate::util::STALE) if it has none. False if one is a native histogram.
    fn newest(&self, places: &[usize], times: (i64, i64), into: &mut [f64]) -> bool;
}
