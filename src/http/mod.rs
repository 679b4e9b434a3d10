//! A tower layer that records requests of HTTP servers: axum routers and any other tower service.
//!
//! Guarantees:
//! - Every request is counted once, when its *response body* ends, however it ends; see the table.
//!   The in-flight gauge always returns to its previous value.
//! - No client can create series: the route is the pattern that axum matched, or else
//!   [`unmatched`](UNMATCHED), a method other than the ten standard ones is `other`, and labels
//!   added by the application have declared values.
//! - Once a route, method and status have been seen, recording takes no lock (except to clone a
//!   pointer, if their series were removed or have expired) and allocates nothing, except a small
//!   box per request beyond 64 at once on a thread: two clock readings (three for a body in several
//!   pieces), one lookup and a few atomic additions. Under axum, a watched body is boxed, as axum
//!   boxes every foreign body; with [`HttpLayer::generic`] it is not.
//! - Disabled families are not recorded; without any histogram the clock is not read.
//! - Frames, size hints and trailers are forwarded unchanged.
//!
//! ```
//! use axum::{Router, routing::get};
//! use selfheal::http::HttpLayer;
//! use selfheal::registry::Registry;
//!
//! # fn main() -> Result<(), selfheal::registry::DeclareError> {
//! let registry = Registry::new();
//! let app: Router = Router::new()
//!     .route("/orders/{id}", get(|| async { "one order" }))
//!     .layer(HttpLayer::new(&registry)?);
//! # Ok(())
//! # }
//! ```
//!
//! [`HttpLayerBuilder`] has further options: excluded paths, sampling, labels and buckets per
//! route, labels from requests and responses, other [names](HttpNames), the [scheme](Scheme) behind
//! a proxy. With the feature `trace-exemplars`, durations carry the trace of a request as an
//! exemplar.
//!
//! # What is recorded
//!
//! [`HttpMetrics`] lists the metrics. `status` and the duration are determined at the end:
//!
//! | event | `status` | duration until |
//! |---|---|---|
//! | the body is read to its end | as sent | the last frame is handed to the server |
//! | HEAD, 204, 304, an empty body, CONNECT with 2xx | as sent | the headers |
//! | a final response of 100, 102 or 103: servers reject it (the 100 for `Expect` comes from the server and is not seen here) | `500` | the headers |
//! | WebSocket and other upgrades | `101` | the headers; with an [`HttpSession`] in the handler, the lifetime of the connection is in `http_session_duration_seconds`, and it is in flight until its end |
//! | a stream of server-sent events | as sent | the headers; its lifetime is in `http_session_duration_seconds`, and it is in flight until its end |
//! | a stream on a route declared as one ([`RouteRule::session`]): a 2xx whose body has no known size | as sent | the same |
//! | no route matches, a `fallback` or `fallback_service` answers | as sent, path `unmatched` | as above |
//! | the path matches and the method does not | `405`, path as matched | as above |
//! | the client disconnects, or resets its HTTP/2 stream, before the headers or within the body | `499` | it is noticed |
//! | the client disconnects after the server got the last frame, which for a body in one piece is all of it | as sent | that frame is handed over |
//! | the client aborts its upload, so that the request body fails | `499` for a response of 5xx (as from axum's `Multipart` and proxies), an error, or a response that cannot be sent; else as the handler answers (400 by axum's other extractors) | as above |
//! | the request body fails for another reason: a layer *above* aborts it (tower-http's limits of size and time, invalid gzip), or its chunks are invalid | as the handler answers; `499` for an error, or an incomplete response | as above |
//! | a timeout *above* the layer drops the future | `499` | then |
//! | a timeout *below* the layer | as it answers | as above |
//! | the body fails after the headers were sent | `500` | the error |
//! | the body is shorter than the `Content-Length`: the response is incomplete | `500` | its end |
//! | the body is longer than the `Content-Length`: the server truncates it | as sent | the last byte that fits |
//! | the service fails (axum's cannot): `tower`'s load shedding, limits and timeouts below the layer | `500` | the error |
//! | the handler or the body panics, whether or not that is caught above the layer | `500` | the unwinding |
//! | a panic is caught below the layer | as its catcher answers | as above |
//! | the path is excluded | nothing is recorded | |
//! | the response is marked [`Unrecorded`], as those of this crate's own endpoints are | nothing; it is in flight until its headers | |
//! | bytes that are no HTTP, a request queued behind another on its connection | nothing, since it has not arrived yet | |
//! | the server rejects the request itself: a URI (414) or headers (431) too large, contradictory headers (400), HTTP/2 streams beyond its limit or reset too fast | nothing, since no layer sees it | |
//!
//! A disconnected client is noticed when the server reads the end of its connection; on HTTP/1.1 a
//! client that only closes its sending side (`nc -N`) counts as disconnected, too, and if that
//! happens before the handler starts, the request is not seen. hyper does not read while another
//! request is pipelined on an HTTP/1.1 connection: until the handler is done, the first one stays
//! in flight.
//!
//! 499 is nginx's log status for a client that closed the connection. The end overrides the
//! headers: an incomplete response after `200 OK` does not count as 200. (Under OpenTelemetry's
//! names the status is the one sent, and `error_type` shows how the request ended: `client_closed`,
//! `body_error`, `service_error`, `panic`.)
//!
//! Sizes are those of the frames that passed: of the request what was read until the response
//! ended, of the response what was sent. Each request adds one sample to both, which is zero
//! without a body. The time to first byte ends when the server has taken the headers and polls the
//! body, including the first frame if that is ready at once; a request that ends before its headers
//! has none.
//!
//! Add the layer with `Router::layer` after the routes *and after every `merge`*, or with
//! `route_layer` to ignore unmatched requests. When two routers without a fallback are merged, axum
//! keeps the implicit 404 of the second, so a router merged after the layer hides unmatched
//! requests. A `fallback` that is set after the layer is not seen either.
//!
//! Responses of a layer *above* this one are not seen: a request rejected there is not recorded,
//! and one that times out there is `499`, although its client gets a 504 and the server is at
//! fault. So add this layer last, above timeouts, limits and panic catchers, but below layers that
//! set its labels.
//!
//! On a nested router the layer sees the whole pattern as the route, but the path without the
//! prefix that axum removed: there, exclude `/internal`, not `/api/internal`. A layer *outside* the
//! router (around `into_service`, or on a service given to `nest_service`) runs before axum matches
//! and sees `unmatched`; use [`route_by`](HttpLayerBuilder::route_by) there. With a cheap closure,
//! that position is also faster, by a third: axum boxes and clones everything inside a router.

mod answer;
mod builder;
mod exclude;
mod labels;
mod layer;
mod load;
mod mode;
mod mount;
mod names;
mod outcome;
mod protocol;
mod route;
mod sample;
mod scheme;
mod series;
mod service;
mod session;
mod state;
mod upload;

pub use crate::exchange::Generic;
#[cfg(feature = "trace-exemplars")]
pub use crate::trace::TraceContext;
pub use crate::util::{RequestHead, Unrecorded};
pub use builder::HttpLayerBuilder;
pub use layer::HttpLayer;
pub use load::Load;
pub use mode::Axum;
pub(crate) use names::FIRST_BYTE;
pub use names::{DURATION, HttpMetrics, HttpNames};
pub use route::{RouteRule, UNMATCHED};
pub use scheme::Scheme;
pub use service::{CountedBody, HttpService, InstrumentedBody, ResponseFuture};
pub use session::HttpSession;
