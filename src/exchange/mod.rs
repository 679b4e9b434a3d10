//! The life of an exchange, a request or a call, from its head to the end of its response: the
//! shared part of the HTTP and gRPC layers, for servers and clients.
//!
//! A layer wraps a service in [`Recorded`]. Each request gets a [`Guard`], which moves through the
//! [`ResponseFuture`] into the [`ResponseBody`] and records the exchange once, however it ends. The
//! request body is wrapped separately, as a [`RequestBody`]. A [`Protocol`] defines names and
//! outcomes, a [`Series`] records them, and [`Known`] finds the existing series.
//!
//! Everything is generic over the protocol and monomorphised.

#![cfg_attr(
    not(all(feature = "http", feature = "http-client", feature = "grpc")),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        reason = "each protocol uses a part of it"
    )
)]
#![allow(
    private_bounds,
    reason = "protocols are internal, so that their traits are of no use outside"
)]

mod body;
mod chain;
mod future;
mod guard;
mod handles;
mod known;
mod protocol;
mod renewing;
mod series;
mod service;
mod spare;

pub(crate) use body::{RequestBody, ResponseBody};
pub use future::{BoxError, BoxedErr, ResponseFuture};
pub(crate) use guard::{Guard, State};
pub(crate) use handles::{Ended, Open};
pub(crate) use known::Known;
pub use protocol::Generic;
pub(crate) use protocol::{Counts, Fails, Protocol, Reads, Wrap};
pub(crate) use renewing::Current;
pub(crate) use series::{Entered, Series};
pub(crate) use service::Recorded;
pub(crate) use spare::Spare;

/// The bucket bounds of sizes in bytes: powers of ten, since sizes span many of them.
pub(crate) const SIZES: [f64; 8] = [
    100.0,
    1_000.0,
    10_000.0,
    100_000.0,
    1_000_000.0,
    10_000_000.0,
    100_000_000.0,
    1_000_000_000.0,
];
