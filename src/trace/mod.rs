//! Which trace a duration is an example of: exemplars for the layers of HTTP and gRPC, on both
//! sides of the wire.
//!
//! Each layer looks for the trace of a request as it begins, by default in its header
//! `traceparent`, and offers it as an exemplar of the duration when the request ends: `trace_id`,
//! and `span_id` where it is known, on scrapes in OpenMetrics and protobuf, at most one for each
//! bucket between two scrapes. Prometheus keeps them with `--enable-feature=exemplar-storage`.
//!
//! The builder of each layer has `trace_by` for another way to find it. The closure runs once for
//! each request, as it begins, on the task that has it: what a tracing layer *further out* has
//! entered is current. So it is with OpenTelemetry, and with `tracing` under
//! `tracing-opentelemetry`, which makes the context of the span that is entered the current one:
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
//! gRPC calls that are recorded by hand pass no layer. `current_by` says once for a registry what
//! is current for them, by the same closure, and `GrpcCall::trace` gives one call its trace.

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
