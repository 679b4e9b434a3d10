//! Native buckets: exponential, and made when the first value comes that is in them.
//!
//! The buckets are in tables, of which the last is written to. When it has no room for another
//! bucket, a larger table follows, and when there may be no more buckets, one with coarser
//! buckets: at first with a wider zero bucket, where that is allowed, then at half the resolution
//! each time, down to the coarsest, where all that there is has room. Nothing is ever moved: who
//! reads adds up the tables, and coarser buckets are exact sums of finer ones. So a thread that
//! found a bucket may take its time, and no observation is lost.
//!
//! The order, first the zero bucket and then the resolution, is that of the Go client library;
//! unlike there, the zero bucket gets its full width at once.

mod buckets;
#[cfg(test)]
mod model;
mod table;

use crate::registry::sync;

pub(in crate::registry::metric) use buckets::Buckets;
pub(crate) use buckets::Plan;
pub(in crate::registry::metric) use table::{Found, add_alone};

#[cfg(test)]
mod tests;
