//! gRPC calls of servers and clients: tower layers for tonic.
//!
//! The module promises:
//! - Every call is counted once, when its *response* ends, with the code that ended it: from
//!   the trailers, from the headers, or by what happened; see the table. What is active is
//!   back where it was afterwards.
//! - Messages are counted as they pass, from the length-prefixed frames: compressed or not,
//!   cut in any way. Nothing is buffered, and eight bytes are kept.
//! - No client can create series: a method is labelled by its name once it is known to be
//!   served, and everything else is [`unknown`](UNKNOWN).
//! - Once a method and code have been seen, recording takes no lock and allocates nothing, but a
//!   small box for each call beyond 64 at once on a thread. The body of a client's request is
//!   boxed once, because a `Channel` takes no other.
//! - The types of bodies stay generic, and frames, size hints and trailers pass as they are.
//!
//! ```
//! use selfheal::grpc::GrpcLayer;
//! use selfheal::registry::Registry;
//! use tonic::transport::Server;
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let layer = GrpcLayer::builder(Registry::global())
//!     .descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)?
//!     .build()?;
//! let (_, health) = tonic_health::server::health_reporter();
//! Server::builder()
//!     .layer(layer)
//!     .add_service(health)
//!     .serve("127.0.0.1:50051".parse()?)
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! A tonic service in an axum router takes the layer with `Router::layer`; requests there that
//! are not gRPC are left alone. [`GrpcClientLayer`] does the same for a `Channel`, and
//! [`MetricsInterceptor`] and [`instrument_grpc!`](crate::instrument_grpc) are for calls that
//! no layer sees.
//!
//! With the feature `trace-exemplars`, durations carry the trace of a call as an exemplar: that
//! of its headers, or that of the module `trace`, also for calls by hand.
//!
//! # Which methods are known
//!
//! Best is to declare them, with [`descriptor_set`](GrpcLayerBuilder::descriptor_set) (the bytes
//! that server reflection takes) or [`service`](GrpcLayerBuilder::service): their series are
//! there at zero from the start, and how many messages go each way is known, which cannot be
//! seen on the wire. Beyond that a server learns: the first answer of a method with more than an error
//! in its headers shows that a handler is behind it. A router that knows no such path and an
//! interceptor that refuses the call answer with an error in the headers, so that what they
//! turn away stays `unknown`; so do the errors of a method that has not worked yet. A client's
//! paths come from the program and are taken as they are. Both learn 1,000 methods at most.
//!
//! # What is left out
//!
//! Nothing, unless it is [excluded](GrpcLayerBuilder::exclude): the probes of
//! `grpc.health.v1.Health`, reflection, or all that is gRPC's own by `grpc.*`. The
//! [layer for HTTP](crate::http) leaves out by default what this crate itself serves, the scrape
//! and the health paths. Here nothing is the crate's own: the health service is one that the
//! application has put on, its `Watch` is a stream that a client holds open, and a probe that
//! fails or comes too often is first seen in its counts, which have series of their own and
//! blur no other method's. Go's `go-grpc-middleware` counts everything, too.
//!
//! # What is recorded
//!
//! | what happens | code | duration until |
//! |---|---|---|
//! | `grpc-status` in the trailers | that code | the trailers are handed on |
//! | `grpc-status` in the headers (an error without messages) | that code | the headers |
//! | a `grpc-status` that is none of the 17 codes | `UNKNOWN` | as above |
//! | a response of HTTP 200 that ends without a `grpc-status` | `UNKNOWN` | its end |
//! | any other HTTP status without a `grpc-status` | as gRPC maps it: 404 is `UNIMPLEMENTED`, 503 `UNAVAILABLE` | its end |
//! | the caller hangs up, or the answer is dropped before its end | `CANCELLED` | it is dropped |
//! | the same after the caller's `grpc-timeout` has passed, less 10 ms and half of it at most, for the caller's clock starts before this one; or a [time-out](GrpcLayerBuilder::timeout) of the server that the layer was told of | `DEADLINE_EXCEEDED` | it is dropped |
//! | a time-out of tonic's `Channel` or `Endpoint` | `DEADLINE_EXCEEDED` | the error |
//! | the handler or the stream panics | `UNKNOWN`, as gRPC has it for exceptions | the unwinding drops it |
//! | the service or the body fails with a [`Status`](tonic::Status) somewhere in the error | its code | the error |
//! | the server resets the stream of HTTP/2 | as gRPC maps the reason, by tonic's hand: `ENHANCE_YOUR_CALM` is `RESOURCE_EXHAUSTED`, `CANCEL` is `CANCELLED`, most are `INTERNAL`; behind the headers some look like an end without a `grpc-status` | the error |
//! | it fails otherwise | `UNKNOWN` on a server; on a client, to which no answer came, or no end of it, `UNAVAILABLE`: the connection was refused, was lost, took too long, does not answer a ping, or was closing because the server stops | the error |
//! | a client's channel is not ready and never will be: its run-time has ended, its worker has | `UNAVAILABLE`, of `unknown`, for the channel fails before it is handed the call | the error |
//! | no such service or method | `UNIMPLEMENTED`, of `unknown` | the headers |
//! | a message that breaks off | not counted as a message | |
//! | a call that tonic's `load_shed` turns away or its `concurrency_limit` makes wait | nothing yet: they are above the layers of `Server::layer` | |
//! | a request that is not gRPC, gRPC-Web among them | nothing | |
//! | a call of a method that is excluded | nothing, by the name of the method or as `unknown` | |
//!
//! What tonic's time-outs call `Cancelled` is `DEADLINE_EXCEEDED` here, on both sides: that is
//! what happened, though tonic reports another code to its callers. A caller that has its last message
//! and drops the stream without reading on to its end has cancelled the call, and so has one whose
//! codec refuses a message: tonic reports to the caller alone that it was too large, as it does that the
//! `OK` of a unary call came without a message.
//!
//! Each attempt of a layer that retries is a call if that layer is above this one, and all
//! attempts are one call if it is below. A channel that balances does not try again.
//!
//! Put the layer *below* the translator of gRPC-Web, if there is one, and at most one layer of
//! one profile on the way of a call: two count it twice. Beside the layer for HTTP, in either
//! order, a call is a request as well, `POST /package.Service/{*rest}` with status 200 whatever its
//! code; where that is not wanted, put that layer on the other routes before they are merged.

mod begin;
mod builder;
mod declare;
mod descriptor;
mod exclude;
mod frames;
mod headers;
mod interceptor;
mod layer;
mod methods;
mod metrics;
mod names;
mod path;
mod protocol;
mod service;
mod status;
mod tally;
mod timeout;
#[cfg(feature = "trace-exemplars")]
mod traced;

pub use crate::exchange::{BoxedErr, ResponseFuture};
pub use builder::GrpcLayerBuilder;
pub use declare::{RpcKind, RpcMethod};
pub use descriptor::InvalidDescriptorSet;
pub use interceptor::{GrpcCall, MetricsInterceptor, instrument};
pub use layer::{GrpcClientLayer, GrpcLayer};
pub use metrics::{GrpcClientMetrics, GrpcMetrics};
pub use names::{GrpcNames, UNKNOWN};
pub use service::{GrpcClientService, GrpcService, RequestBody, ResponseBody};
