//! The layer for outgoing requests, over real sockets.
#![cfg(feature = "http-client")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

mod endings;
mod errors;
#[cfg(feature = "server")]
mod example;
mod gone;
mod names;
mod opentelemetry;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "trace-exemplars")]
mod traces;
mod wire;
