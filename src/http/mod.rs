//! Requests of an HTTP server: a tower layer for axum routers and any other tower service.
//!
//! The module promises:
//! - Every request is counted once, when its *response body* ends, whatever ended it; see the
//!   table. In-flight is back where it was afterwards.
//! - No client can create series: the route is the pattern that axum matched, what matched
//!   none is [`unmatched`](UNMATCHED), a method that is not one of the ten standard ones is
//!   `other`, and labels that the application adds have declared values.
//! - Once a route, method and status have been seen, recording takes no lock (one for the copy of a
//!   pointer, where series of theirs were removed or have expired since) and allocates
//!   nothing, but a small box for each request beyond 64 at once on a thread: two readings of the
//!   clock (a third where the body comes in pieces), one look-up and a few atomic additions.
//!   Under axum, a body that is watched is boxed, as axum boxes every body that is not its own;
//!   elsewhere ([`HttpLayer::generic`]) it is not.
//! - What an operator has switched off is not recorded; without any histogram no time is taken.
//! - Frames, size hints and trailers pass as they are.
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
//! [`HttpLayerBuilder`] has the rest: excluded paths, samples, routes with labels and buckets
//! of their own, labels from requests and responses, other [names](HttpNames), the
//! [scheme](Scheme) behind a proxy. With the feature `trace-exemplars`, durations carry the
//! trace of a request as an exemplar.
//!
//! # What is recorded
//!
//! [`HttpMetrics`] lists the metrics. `status` and the duration are those of the end:
//!
//! | what happens | `status` | duration until |
//! |---|---|---|
//! | the body is read to its end | as sent | the last frame is handed to the server |
//! | HEAD, 204, 304, an empty body, CONNECT with 2xx | as sent | the headers |
//! | 100, 102 or 103 as the answer: servers refuse it (the 100 for `Expect` is the server's own and not seen here) | `500` | the headers |
//! | WebSocket and other upgrades | `101` | the headers; with a [`HttpSession`] in the handler, the life of the connection is in `http_session_duration_seconds`, and it is in flight until its end |
//! | a stream of server-sent events | as sent | the headers; its life is in `http_session_duration_seconds`, and it is in flight until its end |
//! | a stream on a route that is declared one ([`RouteRule::session`]): a 2xx whose body does not say its size | as sent | the same |
//! | no route matches, a `fallback` or `fallback_service` answers | as sent, path `unmatched` | as above |
//! | the path matches and the method does not | `405`, path as matched | as above |
//! | the client hangs up, or resets its HTTP/2 stream, before the headers or inside the body | `499` | it is noticed |
//! | the client goes after the server was handed the last frame, which for a body in one piece is all of it | as sent | that frame is handed over |
//! | the client breaks off its upload, so that the body of the request fails | `499` for an answer of 5xx (axum's `Multipart` and proxies give one), an error, or none that can be sent; else as the handler answers (400 by axum's other extractors) | as above |
//! | the body of the request fails for another reason: a layer *above* cuts it (tower-http's limits of size and time, a gzip that is none), or its chunks are no HTTP | as the handler answers; `499` for an error, or an answer that breaks off | as above |
//! | a timeout *above* the layer drops the future | `499` | then |
//! | a timeout *below* the layer | as it answers | as above |
//! | the body fails after the headers were sent | `500` | the error |
//! | the body is shorter than the `Content-Length`: the response breaks off | `500` | its end |
//! | the body is longer than the `Content-Length`: the server cuts it | as sent | the last byte that fits |
//! | the service fails (axum's cannot): `tower`'s load shedding, limits and timeouts below the layer | `500` | the error |
//! | the handler or the body panics, whether or not that is caught above the layer | `500` | the unwinding drops it |
//! | a panic is caught below the layer | as its catcher answers | as above |
//! | the path is excluded | nothing is recorded | |
//! | the response says that it is [`Unrecorded`], as those of this crate's own endpoints do | nothing; it is in flight until its headers | |
//! | bytes that are no HTTP, a request that waits behind another on its connection | nothing, for it has not come yet | |
//! | the server refuses the request itself: a URI (414) or headers (431) too large, contradictions in them (400), HTTP/2 streams beyond its limit or reset too fast | nothing, for no layer sees it | |
//!
//! A client that has gone is noticed when the server reads the end of its connection; on HTTP/1.1
//! one that only closes its own side (`nc -N`) is taken for gone, too, and if that is before the
//! handler has begun, the request is not seen. There hyper reads no further while another request
//! of the client waits, sent ahead of its turn: until the handler is done, the first one stays in
//! flight.
//!
//! 499 is what nginx logs for a client that closed the connection. The end counts over the
//! headers: a response that breaks off after `200 OK` is not counted under 200. (Under
//! OpenTelemetry's names the status is the one sent, and `error_type` says how the request ended:
//! `client_closed`, `body_error`, `service_error`, `panic`.)
//!
//! Sizes are what passed, frame by frame: of the request what was read by the time the
//! response ended, of the response what was sent. Each request is one sample of both, which is
//! zero where there is no body. The time to the first byte is the time until the server has
//! taken the headers and asks for the body, together with the first frame where that is there
//! at once; a request that ends before its headers has none.
//!
//! Put the layer on with `Router::layer` after the routes *and after every `merge`*, or with
//! `route_layer` to leave the unmatched alone. Of two routers without a fallback that are merged,
//! axum keeps the silent 404 of the second one, so that a router merged in after the layer takes
//! the unmatched out of sight. Likewise, a `fallback` that is set after the layer is not seen.
//!
//! What a layer *above* this one answers is not seen: a request that is refused there is nothing
//! here, and one whose time is up there is `499`, though its client is sent a 504 and the fault is
//! the server's. So put this layer on last, above timeouts, limits and catchers of panics, save
//! for what gives it labels.
//!
//! On a nested router the layer sees the whole pattern as the route, but of the path only what
//! axum has left of it: there, `/internal` is excluded as `/internal` and not as `/api/internal`.
//! A layer *outside* of the router (around `into_service`, or on a service
//! given to `nest_service`) runs before axum has matched and sees `unmatched`;
//! [`route_by`](HttpLayerBuilder::route_by) helps there. Where such a closure is cheap, that place
//! is also the faster one, by a third: axum boxes and clones whatever a router has inside of it.

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
