//! The bridges to the `prometheus` crate, in its plain build. `tests/protobuf` runs the same
//! tests in the other one.

#![cfg(feature = "prometheus")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

#[path = "interop/both.rs"]
mod both;
#[path = "interop/clashes.rs"]
mod clashes;
#[path = "interop/from.rs"]
mod from;
#[path = "interop/support.rs"]
mod support;
#[path = "interop/text.rs"]
mod text;
#[path = "interop/to.rs"]
mod to;

use prometheus::proto::{Metric, Untyped};

/// A metric without a type, which no type of the crate yields but a collector may.
#[expect(deprecated, reason = "there is no other way in this build")]
fn untyped(value: f64) -> Metric {
    let mut untyped = Untyped::default();
    untyped.set_value(value);
    let mut metric = Metric::default();
    metric.set_untyped(untyped);
    metric
}
