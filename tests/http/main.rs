//! The HTTP layer over real sockets: an axum server on a free port and a hyper client.
#![cfg(feature = "http")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

mod endings;
#[cfg(feature = "server")]
mod endpoints;
mod examples;
mod frames;
mod gone;
mod handle;
mod hostile;
mod http1;
mod http2;
mod layers;
mod names;
#[cfg(feature = "trace-exemplars")]
mod opentelemetry;
mod proxied;
mod routers;
mod routes;
mod sampling;
mod sessions;
mod setup;
mod sizes;
mod streams;
mod switched_off;
#[cfg(feature = "trace-exemplars")]
mod traces;
mod upgrades;
mod uploads;
mod wire;
