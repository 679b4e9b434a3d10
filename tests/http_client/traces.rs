//! The trace of an outgoing request is an exemplar of its duration.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use selfheal::http_client::{
    HttpClientLayer, HttpClientLayerBuilder, HttpClientMetrics, HttpClientNames,
};
use selfheal::registry::Registry;
use selfheal::trace::TraceContext;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::wire::{client, request, serve, text};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The exemplars of the duration after one request.
async fn exemplars(
    set_up: impl FnOnce(HttpClientLayerBuilder) -> HttpClientLayerBuilder,
) -> Vec<String> {
    let addr = serve(Router::new().route("/", get(async || "hello"))).await;
    let registry = Registry::new();
    let client = client(&registry, set_up);
    let mut request = request("GET", addr, "/");
    let parent = PARENT.parse().unwrap();
    request.headers_mut().insert("traceparent", parent);
    text(client.oneshot(request).await.unwrap()).await;
    let metrics = registry.group::<HttpClientMetrics>().unwrap();
    let duration = metrics.duration.get(&["GET", "here", "200"]).unwrap();
    let labels = duration.snapshot().exemplars;
    labels.iter().map(|one| one.labels().to_owned()).collect()
}

#[tokio::test]
async fn the_header_that_is_sent() {
    let names = [HttpClientNames::Catalog, HttpClientNames::OpenTelemetry];
    let found = exemplars(|layer| layer.names(names)).await;
    assert_eq!(found, ["trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\""]);
}

#[tokio::test]
async fn what_the_application_gives() {
    let found = exemplars(|layer| layer.trace_by(|_| TraceContext::new(0x1234))).await;
    assert_eq!(found, [format!("trace_id=\"{:032x}\"", 0x1234)]);
    assert_eq!(exemplars(|layer| layer.trace_by(|_| None)).await, [""; 0]);
}

#[tokio::test]
async fn what_the_answer_gives() {
    let registry = Registry::new();
    let answer = service_fn(async |_: hyper::Request<Body>| {
        let mut response = hyper::Response::new(Body::empty());
        let given = TraceContext::new(0x1234).unwrap();
        response.extensions_mut().insert(given);
        Ok::<_, Infallible>(response)
    });
    let mut service = HttpClientLayer::new(&registry).unwrap().layer(answer);
    let request = hyper::Request::new(Body::empty());
    service.call(request).await.unwrap();
    let metrics = registry.group::<HttpClientMetrics>().unwrap();
    let duration = metrics.duration.get(&["GET", "other", "200"]).unwrap();
    let given = format!("trace_id=\"{:032x}\"", 0x1234);
    assert_eq!(duration.snapshot().exemplars[0].labels(), given);
}
