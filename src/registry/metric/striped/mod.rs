//! Metrics for many concurrent writers.
//!
//! Threads that add to one number contend for its cache line, which takes several times as long as
//! the addition. A striped metric has a number for each thread that can run in parallel, each on
//! separate cache lines; a thread writes to its own, and readers sum them. This costs memory: 128
//! bytes and more for each stripe of each series, where a plain counter has 8. So each family has
//! to opt in.
//!
//! | part | job |
//! |---|---|
//! | `util::stripes` | the stripe of each thread, and their number |
//! | `counter` | a number on each stripe |
//! | `histogram` | classic buckets and a sum on each stripe, and a column of the native ones |
//! | `lines` | writing and reading of stripes (`model` tests its orderings) |

mod counter;
mod histogram;
mod lines;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use crate::registry::sync;
use crate::util::{LINE, Padded, stripes};

pub use counter::StripedCounter;
#[cfg(test)]
pub(super) use histogram::Striped;
pub use histogram::StripedHistogram;
