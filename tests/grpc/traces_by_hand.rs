//! Calls by hand carry the trace that is current, or the one they are given.

use opentelemetry::Context;
use opentelemetry::trace::{FutureExt, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use selfheal::grpc::MetricsInterceptor;
use selfheal::registry::Registry;
use selfheal::trace::{TraceContext, current_by};
use tonic::Request;

use crate::traces::{PARENT, TRACE, asked, exemplars};

const DURATION: &str = "grpc_request_duration_seconds";

/// As the docs of `selfheal::trace` have it.
fn current() -> Option<TraceContext> {
    let context = Context::current();
    let span = context.span().span_context().clone();
    let trace = u128::from_be_bytes(span.trace_id().to_bytes());
    let own = u64::from_be_bytes(span.span_id().to_bytes());
    let found = TraceContext::new(trace)?.span(own);
    span.is_sampled().then_some(found)
}

#[test]
fn without_a_word_there_is_none() {
    let registry = Registry::new();
    MetricsInterceptor::start_request_in(&registry, "shop.Orders", "Place").success();
    assert_eq!(exemplars(&registry)[DURATION], [""; 0]);
}

#[test]
fn the_first_to_say_what_is_current_counts_also_after_the_first_call() {
    let registry = Registry::new();
    let start = || MetricsInterceptor::start_request_in(&registry, "shop.Orders", "Place");
    start().success();
    current_by(&registry, || TraceContext::new(0x1234));
    current_by(&registry, || TraceContext::new(0x5678));
    start().success();
    let own = format!("trace_id=\"{:032x}\"", 0x1234);
    assert_eq!(exemplars(&registry)[DURATION], [own]);
}

#[test]
fn one_call_is_given_its_own() {
    let registry = Registry::new();
    current_by(&registry, || TraceContext::new(0x1234));
    let start = || MetricsInterceptor::start_request_in(&registry, "shop.Orders", "Place");
    let request: Request<String> = asked(PARENT);
    let context = TraceContext::of_headers(request.metadata().as_ref());
    start().trace(context).success();
    assert_eq!(exemplars(&registry)[DURATION], [TRACE]);

    let registry = Registry::new();
    current_by(&registry, || TraceContext::new(0x1234));
    let call = MetricsInterceptor::start_request_in(&registry, "shop.Orders", "Place");
    call.trace(None).success();
    let own = format!("trace_id=\"{:032x}\"", 0x1234);
    assert_eq!(exemplars(&registry)[DURATION], [own]);
}

/// In the registry of the process: no other test has what is current there.
#[tokio::test]
async fn the_macro_takes_the_span_that_is_current_when_it_is_first_polled() {
    current_by(Registry::global(), current);
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let context = Context::current_with_span(tracer.start("request"));
    let work = selfheal::instrument_grpc!("traced.Test", "Ok", async { Ok(7) });
    assert_eq!(work.with_context(context.clone()).await.unwrap(), 7);
    let span = context.span().span_context().clone();
    let (trace, own) = (span.trace_id(), span.span_id());
    let labels = format!("trace_id=\"{trace}\",span_id=\"{own}\"");
    assert!(exemplars(Registry::global())[DURATION].contains(&labels));
}
