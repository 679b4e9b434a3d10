//! PromQL: Prometheus's own corpus, hostile expressions, and any expression on any series against
//! a real server.
#![cfg(feature = "rules")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod corpus;
mod differential;
mod edges;
mod hostile;
mod limits;
mod recorded;
#[path = "../support/mod.rs"]
mod support;
