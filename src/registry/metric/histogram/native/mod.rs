//! Native buckets: exponential, and created with the first value in them.
//!
//! The buckets are in tables, of which the last is written to. When it is full, a larger table
//! follows, and at the limit of buckets, one with coarser buckets: first with a wider zero bucket,
//! if allowed, then at half the resolution each time, down to the coarsest, where all buckets fit.
//! Nothing is ever moved: readers sum the tables, and coarser buckets are exact sums of finer ones.
//! So a thread that has found a bucket can use it at any later time, and no observation is lost.
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
