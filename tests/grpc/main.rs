//! The gRPC layers over real sockets: a tonic server on a free port, a tonic client.
#![cfg(feature = "grpc")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

#[path = "../support/echo.rs"]
mod echo;

mod agreement;
mod by_hand;
mod client;
mod endings;
#[cfg(feature = "server")]
mod example;
mod exclude;
mod fleet;
mod gone;
mod handle;
mod hostile;
mod http;
mod names;
mod patience;
mod properties;
mod raw;
mod reflection;
mod server;
#[cfg(feature = "trace-exemplars")]
mod traces;
#[cfg(feature = "trace-exemplars")]
mod traces_by_hand;
mod wire;
