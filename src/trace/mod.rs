//! Exemplars: the trace of a request as an example of its duration, for the HTTP and gRPC layers of
//! servers and clients.
//!
//! Each layer reads the trace of a request when it begins, by default from the header
//! `traceparent`, and adds it to the duration as an exemplar when the request ends: `trace_id`, and
//! `span_id` if known, in OpenMetrics and protobuf scrapes, at most one per bucket between two
//! scrapes. Prometheus keeps them with `--enable-feature=exemplar-storage`.
//!
//! `trace_by` on the builder of each layer sets another source. The closure runs once per request,
//! when it begins, on its task, so a span entered by an *outer* tracing layer is current. That
//! holds for OpenTelemetry, and for `tracing` with `tracing-opentelemetry`, which makes the context
//! of the entered span current:
//!
//! ```
//! use opentelemetry::Context;
//! use opentelemetry::trace::TraceContextExt;
//! use selfheal::http::HttpLayer;
//! use selfheal::registry::Registry;
//! use selfheal::trace::TraceContext;
//!
//! fn current() -> Option<TraceContext> {
//!     let context = Context::current();
//!     let span = context.span().span_context().clone();
//!     let trace = u128::from_be_bytes(span.trace_id().to_bytes());
//!     let own = u64::from_be_bytes(span.span_id().to_bytes());
//!     let found = TraceContext::new(trace)?.span(own);
//!     span.is_sampled().then_some(found)
//! }
//!
//! # fn main() -> Result<(), selfheal::registry::DeclareError> {
//! let layer = HttpLayer::builder(&Registry::new()).trace_by(|_| current()).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! A tracing layer *further in* puts the [`TraceContext`] into the extensions of its response.
//!
//! gRPC calls recorded by hand go through no layer. `current_by` sets such a closure for them, once
//! per registry, and `GrpcCall::trace` sets the trace of one call.

mod context;
#[cfg(feature = "grpc")]
mod current;
mod source;

pub use context::TraceContext;
#[cfg(feature = "grpc")]
pub(crate) use current::Current;
#[cfg(feature = "grpc")]
pub use current::current_by;
pub(crate) use source::{Source, Trace, trace_by};
