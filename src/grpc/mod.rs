//! gRPC calls of servers and clients: tower layers for tonic.
//!
//! Guarantees:
//! - Every call is counted once, when its *response* ends, with the code that ended it: from the
//!   trailers, from the headers, or derived; see the table. The gauge of active calls always
//!   returns to its previous value.
//! - Messages are counted from the length-prefixed frames as they pass, compressed or not and
//!   however split. Nothing is buffered; the state is eight bytes.
//! - No client can create series: a method is labelled by its name once it is known to be served,
//!   and everything else is [`unknown`](UNKNOWN).
//! - Once a method and code have been seen, recording takes no lock and allocates nothing, except a
//!   small box per call beyond 64 at once on a thread. A client's request body is boxed once, since
//!   a `Channel` requires it.
//! - Body types stay generic; frames, size hints and trailers are forwarded unchanged.
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
//! For a tonic service in an axum router, add the layer with `Router::layer`; requests that are not
//! gRPC are not recorded. [`GrpcClientLayer`] does the same for a `Channel`; [`MetricsInterceptor`]
//! and [`instrument_grpc!`](crate::instrument_grpc) record calls that no layer sees.
//!
//! With the feature `trace-exemplars`, durations carry the trace of a call as an exemplar: that of
//! its headers, or that of the module `trace`, also for calls recorded by hand.
//!
//! # Which methods are known
//!
//! Declare them, with [`descriptor_set`](GrpcLayerBuilder::descriptor_set) (the bytes that server
//! reflection uses) or [`service`](GrpcLayerBuilder::service): their series then start at zero, and
//! their kind is known, which cannot be seen on the wire. A server also learns: the first answer of
//! a method that is more than an error in the headers shows that a handler exists. Routers that
//! know no such path and interceptors that reject a call answer with an error in the headers, so
//! those calls stay `unknown`, as do the errors of a method that has not succeeded yet. A client's
//! paths come from the program and are learnt at once. Both learn at most 1,000 methods.
//!
//! # What is left out
//!
//! Nothing, unless it is [excluded](GrpcLayerBuilder::exclude): the probes of
//! `grpc.health.v1.Health`, reflection, or all of gRPC's own services by `grpc.*`. The [HTTP
//! layer](crate::http) excludes this crate's own endpoints by default, such as the metrics and
//! health paths. Here no service is the crate's own: the health service was added by the
//! application, its `Watch` is a stream that a client holds open, and a failing or too frequent
//! probe shows first in its counts, which are separate series. Go's `go-grpc-middleware` counts
//! everything, too.
//!
//! # What is recorded
//!
//! | event | code | duration until |
//! |---|---|---|
//! | `grpc-status` in the trailers | that code | the trailers |
//! | `grpc-status` in the headers (an error without messages) | that code | the headers |
//! | a `grpc-status` that is none of the 17 codes | `UNKNOWN` | as above |
//! | a response of HTTP 200 that ends without a `grpc-status` | `UNKNOWN` | its end |
//! | any other HTTP status without a `grpc-status` | as gRPC maps it: 404 is `UNIMPLEMENTED`, 503 `UNAVAILABLE` | its end |
//! | the caller disconnects, or the response is dropped before its end | `CANCELLED` | the drop |
//! | the same after the caller's `grpc-timeout` has passed, less 10 ms and at most half of it, since the caller's clock starts earlier; or after the server's [timeout](GrpcLayerBuilder::timeout), if set on the layer | `DEADLINE_EXCEEDED` | the drop |
//! | a timeout of tonic's `Channel` or `Endpoint` | `DEADLINE_EXCEEDED` | the error |
//! | the handler or the stream panics | `UNKNOWN`, as gRPC defines for exceptions | the unwinding |
//! | the service or the body fails with a [`Status`](tonic::Status) in the error's chain | its code | the error |
//! | the server resets the HTTP/2 stream | as gRPC maps the reason, by tonic: `ENHANCE_YOUR_CALM` is `RESOURCE_EXHAUSTED`, `CANCEL` is `CANCELLED`, most are `INTERNAL`; after the headers some look like an end without a `grpc-status` | the error |
//! | any other failure | on a server `UNKNOWN`; on a client, which got no complete answer, `UNAVAILABLE`: the connection was refused, was lost, took too long, does not answer a ping, or was closing because the server stops | the error |
//! | a client's channel will never be ready: its runtime or its worker has ended | `UNAVAILABLE`, of `unknown`, since the channel fails before it gets the call | the error |
//! | no such service or method | `UNIMPLEMENTED`, of `unknown` | the headers |
//! | an incomplete message | not counted as a message | |
//! | a call that tonic's `load_shed` rejects or its `concurrency_limit` delays | nothing yet: they are above the layers of `Server::layer` | |
//! | a request that is not gRPC, including gRPC-Web | nothing | |
//! | a call of an excluded method | nothing, neither by name nor as `unknown` | |
//!
//! A timeout that tonic reports as `Cancelled` is `DEADLINE_EXCEEDED` here, on both sides, since
//! that is what happened. A caller that has its last message and drops the stream without reading
//! to its end has cancelled the call, and so has one whose codec rejects a message: tonic reports
//! only to the caller that a message was too large, or that the `OK` of a unary call came without a
//! message.
//!
//! If a retrying layer is above this one, each attempt is a call; if it is below, all attempts are
//! one call. A load-balancing channel does not retry.
//!
//! Put the layer *below* the gRPC-Web translator, if any, and only one layer of a profile on the
//! path of a call: two count it twice. With the HTTP layer as well, in either order, a call is also
//! a request, `POST /package.Service/{*rest}` with status 200 whatever its code; to avoid that, add
//! the HTTP layer to the other routes before they are merged.

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
