//! The exposition, read back by parsers that are not ours.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]
#![allow(
    clippy::float_cmp,
    reason = "what is read back must be the same number, not one near it"
)]

#[path = "../support/mod.rs"]
mod support;

mod broken;
mod clashes;
mod exemplars;
mod given;
mod golden;
mod heap;
mod kinds;
mod model;
mod names;
mod native;
mod prometheus;
mod prometheus_3;
mod promtool;
mod properties;
mod proto;
mod protobuf;
mod rich;
mod round_trip;
#[cfg(feature = "server")]
mod scraped;
mod stream;
