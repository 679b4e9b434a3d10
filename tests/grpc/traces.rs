//! The trace of a call is an exemplar of its duration, on both sides of the wire.

use std::collections::BTreeMap;
use std::convert::Infallible;

use selfheal::grpc::{GrpcClientLayer, GrpcLayer, GrpcNames, RequestBody};
use selfheal::registry::{Exemplar, Registry, Value};
use selfheal::trace::TraceContext;
use tonic::Request;
use tower::{Layer, Service, service_fn};

use crate::wire::{EchoClient, Server, channel};

pub(crate) const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
pub(crate) const TRACE: &str = "trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"";

/// The labels of all exemplars, by family.
pub(crate) fn exemplars(registry: &Registry) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for family in registry.gather() {
        for series in &family.series {
            if let Value::Histogram(histogram) = &series.value {
                let labels = histogram.exemplars.iter().map(Exemplar::labels);
                let of_family = found.entry(family.def.name.to_string()).or_default();
                of_family.extend(labels.map(str::to_owned));
            }
        }
    }
    found
}

pub(crate) fn asked(parent: &'static str) -> Request<String> {
    let mut request = Request::new("hello".to_owned());
    let parent = parent.parse().unwrap();
    request.metadata_mut().insert("traceparent", parent);
    request
}

#[tokio::test]
async fn the_header_of_the_caller_on_both_sides() {
    let server = Server::start().await;
    let registry = Registry::new();
    let layer = GrpcClientLayer::new(&registry).unwrap();
    let mut echo = EchoClient::new(layer.layer(channel(server.addr).await));
    echo.unary(asked(PARENT)).await.unwrap();
    for (registry, name) in [
        (&server.registry, "grpc_request_duration_seconds"),
        (&registry, "grpc_client_request_duration_seconds"),
    ] {
        assert_eq!(exemplars(registry)[name], [TRACE], "{name}");
    }
}

#[tokio::test]
async fn under_all_names() {
    for (names, family) in [
        (GrpcNames::GoGrpcMiddleware, "grpc_server_handling_seconds"),
        (GrpcNames::OpenTelemetry, "rpc_server_call_duration_seconds"),
    ] {
        let registry = Registry::new();
        let layer = GrpcLayer::builder(&registry).names(names).build().unwrap();
        let server = Server::with_layer(registry, layer).await;
        server.client().await.unary(asked(PARENT)).await.unwrap();
        assert_eq!(exemplars(&server.registry)[family], [TRACE]);
    }
}

#[tokio::test]
async fn the_application_can_give_it() {
    let registry = Registry::new();
    let layer = GrpcLayer::builder(&registry)
        .trace_by(|_| Some(TraceContext::new(0x1234)?.span(0xab)))
        .build();
    let server = Server::with_layer(registry, layer.unwrap()).await;
    server.client().await.unary(asked(PARENT)).await.unwrap();
    let own = format!("trace_id=\"{:032x}\",span_id=\"{:016x}\"", 0x1234, 0xab);
    let found = exemplars(&server.registry);
    assert_eq!(found["grpc_request_duration_seconds"], [own]);
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_is_none() {
    let server = Server::start().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    server.client().await.unary(asked(parent)).await.unwrap();
    let found = exemplars(&server.registry);
    assert_eq!(found["grpc_request_duration_seconds"], [""; 0]);
}

/// The state of a call is reused by the next one on its thread.
#[tokio::test]
async fn the_answer_can_give_it_and_the_next_call_has_not_that_of_the_last() {
    let registry = Registry::new();
    let answer = service_fn(async |request: http::Request<RequestBody<String>>| {
        let mut response = http::Response::new(String::new());
        let ok = http::HeaderValue::from_static("0");
        response.headers_mut().insert("grpc-status", ok);
        if request.uri().path().ends_with("/Given") {
            let given = TraceContext::new(0x1234).unwrap();
            response.extensions_mut().insert(given);
        }
        Ok::<_, Infallible>(response)
    });
    let layer = GrpcLayer::builder(&registry).service("test.Echo", ["Given", "Bare"]);
    let mut service = layer.build().unwrap().layer(answer);
    for path in ["/test.Echo/Given", "/test.Echo/Bare"] {
        let request = http::Request::post(path).header("content-type", "application/grpc");
        let request = request.body(String::new()).unwrap();
        service.call(request).await.unwrap();
    }
    let given = format!("trace_id=\"{:032x}\"", 0x1234);
    assert_eq!(
        exemplars(&registry)["grpc_request_duration_seconds"],
        [given]
    );
}
