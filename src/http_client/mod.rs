//! Outgoing HTTP requests: a tower layer for clients, such as that of `hyper-util`.
//!
//! The module promises:
//! - Every request is counted once, whatever ended it; see the table. In-flight is back where
//!   it was afterwards.
//! - Hosts become labels only if they are declared; all others are `other`. Methods beyond
//!   the ten standard ones are `other` too.
//! - Requests pass as they are; of responses, frames, size hints and trailers do.
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
//! | what happens | `status` | duration until |
//! |---|---|---|
//! | the response is read to its end | as received | the end of the body |
//! | the caller drops the response before its end: it has read enough | as received | it is dropped |
//! | the body of the response fails | `body_error` | the error |
//! | there is no response, but an error | its kind: `connection_refused`, `connection_lost`, `unreachable`, `dns`, `timeout`, one that the application [names](HttpClientLayerBuilder::error_kind), or `error` | the error |
//! | the client is not ready and never will be, as one behind a `Buffer` whose worker has ended | the kind of the error, of host and method `other`, for it fails before it is handed the request | the error |
//! | the caller drops the future: a timeout *above* the layer, for example | `cancelled` | it is dropped |
//! | the client or the body panics | `panic` | the unwinding drops it |
//!
//! Each attempt of a layer that retries or follows redirects is a request if that layer is above
//! this one, and all attempts are one request if it is below, to the host that was asked first.
//!
//! # Other clients
//!
//! `reqwest` has requests and responses of its own. With the feature `reqwest` the layer has a
//! method of that name, which takes a client of version 0.13. For any other version a closure
//! makes a service of the client:
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
//! What is no service at all is recorded by hand with [`ApiCall`](crate::groups::ApiCall).

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
