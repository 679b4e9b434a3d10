//! Requests of an HTTP server: a tower layer for axum routers and any other tower service.
//!
//! The room promises:
//! - Every request is counted once, when its *response body* ends, whatever ended it; see the
//!   table. In-flight is back where it was afterwards.
//! - No client can create series: the route is the pattern that axum matched, what matched
//!   none is [`unmatched`](UNMATCHED), and a method that is not one of the nine standard ones
//!   is `other`.
//! - Once a route, method and status have been seen, recording allocates nothing and takes no
//!   lock: two readings of the clock, one look-up and a few atomic additions.
//! - The request body is untouched, the type of the response body stays generic, and frames,
//!   size hints and trailers pass as they are.
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
//! # What is recorded
//!
//! | what happens | `status` | duration until |
//! |---|---|---|
//! | the body is read to its end | as sent | the last frame is handed to the server |
//! | HEAD, 1xx, 204, 304, an empty body, CONNECT with 2xx | as sent | the headers |
//! | WebSocket and other upgrades | `101` | the headers; the connection afterwards is not HTTP |
//! | no route matches, a `fallback` or `fallback_service` answers | as sent, path `unmatched` | as above |
//! | the path matches and the method does not | `405`, path as matched | as above |
//! | the client hangs up before the headers or inside the body | `499` | it is noticed |
//! | a timeout *above* the layer drops the future | `499` | then |
//! | a timeout *below* the layer | as it answers | as above |
//! | the body fails after the headers were sent | `500` | the error |
//! | the service fails (axum's cannot) | `500` | the error |
//! | the handler or the body panics | `500` | the unwinding drops it |
//!
//! 499 is what nginx logs for a client that closed the connection. The end counts over the
//! headers: a response that breaks off after `200 OK` is not counted under 200.
//!
//! Put the layer on with `Router::layer` after the routes, or with `route_layer` to leave the
//! unmatched alone. A layer *outside* of the router (around `into_service`, or on a service
//! given to `nest_service`) runs before axum has matched and sees `unmatched`.

mod body;
mod exclude;
mod future;
mod guard;
mod layer;
mod method;
mod metrics;
mod outcome;
mod route;
mod sample;
mod series;
mod service;

pub use body::InstrumentedBody;
pub use future::ResponseFuture;
pub use layer::{HttpLayer, HttpLayerBuilder};
pub use metrics::{DURATION, HttpMetrics};
pub use route::UNMATCHED;
pub use service::HttpService;
