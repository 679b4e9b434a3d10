//! The life of one exchange, a request or a call, from its head to the end of its response: what
//! the layers of HTTP and gRPC have in common, on both sides of the wire.
//!
//! A layer makes a [`Recorded`] service of the one it is put on. For each request that has a
//! [`Guard`], which travels through the [`ResponseFuture`] into the [`ResponseBody`] and records
//! the exchange once, whatever ends it. The body of the request goes its own way as a
//! [`RequestBody`]. Which names and outcomes there are is up to a [`Protocol`]; what records them
//! is a [`Series`], and [`Known`] has those that have been seen.
//!
//! Everything is generic over the protocol, so that each is compiled for itself.

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
    reason = "no one else makes a protocol, so that its traits are of no use outside"
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
