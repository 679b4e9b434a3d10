//! Metrics that many threads write at once.
//!
//! Two threads that add to one number take turns with its cache line, which takes several times
//! as long as the addition. A striped metric has one number for each thread that can run at the
//! same time, each on cache lines of its own; a thread writes to its own, and who reads adds them
//! up. What that costs is memory: 128 bytes for each stripe of each series and more, where a
//! plain counter has 8. So it is for a family to choose, where threads are known to meet.
//!
//! | part | job |
//! |---|---|
//! | `util::stripes` | which stripe is whose, and how many there are |
//! | `counter` | a number on each stripe |
//! | `histogram` | classic buckets and a sum on each stripe, and a column of the native ones |
//! | `lines` | how they are written and read (`model` tries the orders of that) |

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
