//! The lines that the docs of `selfheal::trace` have for OpenTelemetry, run.

use ::opentelemetry::Context;
use ::opentelemetry::trace::{FutureExt, TraceContextExt, Tracer, TracerProvider};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use http_body_util::BodyExt;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use selfheal::http::{HttpLayer, HttpMetrics};
use selfheal::registry::{Exemplar, Registry};
use selfheal::trace::TraceContext;
use tower::ServiceExt;
use tracing::{Instrument, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

fn current() -> Option<TraceContext> {
    let context = Context::current();
    let span = context.span().span_context().clone();
    let trace = u128::from_be_bytes(span.trace_id().to_bytes());
    let own = u64::from_be_bytes(span.span_id().to_bytes());
    let found = TraceContext::new(trace)?.span(own);
    span.is_sampled().then_some(found)
}

/// One request through an application that asks OpenTelemetry.
async fn request(registry: &Registry) {
    let layer = HttpLayer::builder(registry).trace_by(|_| current()).build();
    let app: Router = Router::new()
        .route("/", get(async || "hello"))
        .layer(layer.unwrap());
    let request = Request::builder().uri("/").body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    response.collect().await.unwrap();
}

fn exemplars(registry: &Registry) -> Vec<String> {
    let http = registry.group::<HttpMetrics>().unwrap();
    let duration = http.duration.get(&["GET", "/", "200"]).unwrap().snapshot();
    let labels = duration.exemplars.iter().map(Exemplar::labels);
    labels.map(str::to_owned).collect()
}

/// The labels that say where this context is.
fn labels(context: &Context) -> String {
    let span = context.span().span_context().clone();
    let (trace, own) = (span.trace_id(), span.span_id());
    format!("trace_id=\"{trace}\",span_id=\"{own}\"")
}

fn provider(sampler: Sampler) -> SdkTracerProvider {
    SdkTracerProvider::builder().with_sampler(sampler).build()
}

#[tokio::test]
async fn the_span_that_is_current() {
    let tracer = provider(Sampler::AlwaysOn).tracer("test");
    let context = Context::current_with_span(tracer.start("request"));
    let registry = Registry::new();
    request(&registry).with_context(context.clone()).await;
    assert_eq!(exemplars(&registry), [labels(&context)]);
}

#[tokio::test]
async fn the_span_of_tracing_that_is_entered() {
    let tracer = provider(Sampler::AlwaysOn).tracer("test");
    let exporter = tracing_opentelemetry::layer().with_tracer(tracer);
    let subscriber = tracing_subscriber::registry().with(exporter);
    let _until_the_end = tracing::subscriber::set_default(subscriber);
    let registry = Registry::new();
    let span = info_span!("request");
    request(&registry).instrument(span.clone()).await;
    assert_eq!(exemplars(&registry), [labels(&span.context())]);
}

#[tokio::test]
async fn what_is_not_sampled_is_no_example_and_neither_is_nothing() {
    let tracer = provider(Sampler::AlwaysOff).tracer("test");
    let context = Context::current_with_span(tracer.start("request"));
    let registry = Registry::new();
    request(&registry).with_context(context).await;
    request(&registry).await;
    assert_eq!(exemplars(&registry), [""; 0]);
}
