//! Outgoing HTTP requests: a tower layer for clients, such as that of `hyper-util`.
//!
//! Guarantees:
//! - Every request is counted once, however it ends; see the table. The in-flight gauge always
//!   returns to its previous value.
//! - Hosts become labels only if they are declared; all others are `other`. Methods beyond
//!   the ten standard ones are `other` too.
//! - Requests are forwarded unchanged; so are the frames, size hints and trailers of responses.
//!
//! ```
//! use http_body_util::Empty;
//! use hyper::body::Bytes;
//! use hyper_util::client::legacy::Client;
//! use hyper_util::rt::TokioExecutor;
//! use selfheal::http_client::{HttpClientLayer, HttpClientNames};
//! use selfheal::registry::Registry;
//! use tower::ServiceBuilder;
//!
//! # fn main() -> Result<(), selfheal::registry::DeclareError> {
//! let registry = Registry::new();
//! let layer = HttpClientLayer::builder(&registry)
//!     .host("api.github.com", "github")
//!     .names([HttpClientNames::Catalog, HttpClientNames::Api])
//!     .build()?;
//! let client = ServiceBuilder::new()
//!     .layer(layer)
//!     .service(Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>());
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `trace-exemplars`, durations carry the trace of a request as an exemplar.
//!
//! # What is recorded
//!
//! | event | `status` | duration until |
//! |---|---|---|
//! | the response is read to its end | as received | the end of the body |
//! | the caller drops the response before its end: it has read enough | as received | it is dropped |
//! | the caller drops the response before its end: it has read enough | as received | the drop |
//! | there is no response, but an error | its kind: `connection_refused`, `connection_lost`, `unreachable`, `dns`, `timeout`, one that the application [names](HttpClientLayerBuilder::error_kind), or `error` | the error |
//! | the client will never be ready, such as a `Buffer` whose worker has ended | the kind of the error, of host and method `other`, since it fails before it gets the request | the error |
//! | the caller drops the future: a timeout *above* the layer, for example | `cancelled` | the drop |
//! | the client or the body panics | `panic` | the unwinding |
//!
//! If a layer that retries or follows redirects is above this one, each attempt is a request; if it
//! is below, all attempts are one request, to the first host.
//!
//! # Other clients
//!
//! `reqwest` has its own request and response types. With the feature `reqwest` the layer has a
//! method of that name for a client of version 0.13. For any other version a closure makes the
//! client a service:
//!
//! ```
//! use selfheal::http_client::HttpClientLayer;
//! use selfheal::registry::Registry;
//! use tower::{Layer, service_fn};
//!
//! # fn main() -> Result<(), selfheal::registry::DeclareError> {
//! let layer = HttpClientLayer::new(&Registry::new())?;
//! let client = reqwest::Client::new();
//! let service = layer.layer(service_fn(move |request: http::Request<reqwest::Body>| {
//!     let client = client.clone();
//!     async move { client.execute(request.try_into()?).await.map(http::Response::from) }
//! }));
//! # async fn ask<S: tower::Service<http::Request<reqwest::Body>>>(mut service: S) {
//! #     service.call(http::Request::default()).await.ok();
//! # }
//! # drop(ask(service));
//! # Ok(())
//! # }
//! ```
//!
//! Record calls that are not a tower service with [`ApiCall`](crate::groups::ApiCall).

mod error;
mod hosts;
mod layer;
mod names;
mod outcome;
mod protocol;
#[cfg(feature = "reqwest")]
mod reqwest;
mod service;
mod shared;

pub use crate::exchange::{BoxError, ResponseFuture};
pub use layer::{HttpClientLayer, HttpClientLayerBuilder};
pub use names::{HttpClientMetrics, HttpClientNames};
#[cfg(feature = "reqwest")]
pub use reqwest::{ReqwestClient, ReqwestFuture};
pub use service::{ClientBody, HttpClientService};
