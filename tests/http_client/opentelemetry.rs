//! OpenTelemetry's names, as its conventions for HTTP clients have them.

use std::collections::BTreeSet;
use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::{any, get};
use http_body_util::BodyExt;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use selfheal::http_client::{HttpClientLayer, HttpClientLayerBuilder, HttpClientNames};
use selfheal::registry::{Registry, parse_labels};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::endings::answer_with;
use crate::wire::{client, lines, request, serve, text};

fn otel(layer: HttpClientLayerBuilder) -> HttpClientLayerBuilder {
    layer.names([HttpClientNames::OpenTelemetry])
}

const DURATION: &str = "http_client_request_duration_seconds";

/// The series of the duration, without its name.
fn durations(registry: &Registry) -> Vec<String> {
    let lines = lines(registry, DURATION).into_iter();
    lines
        .map(|line| line[DURATION.len()..].to_owned())
        .collect()
}

#[tokio::test]
async fn statuses_methods_and_the_port_of_the_request() {
    let routes = Router::new()
        .route("/", any(|| async { "hello" }))
        .route("/404", get(|| async { StatusCode::NOT_FOUND }));
    let addr = serve(routes).await;
    let registry = Registry::new();
    let client = client(&registry, otel);
    for (method, path) in [("GET", "/"), ("BREW", "/"), ("QUERY", "/"), ("GET", "/404")] {
        let asked = client.clone().oneshot(request(method, addr, path));
        text(asked.await.unwrap()).await;
    }
    let port = addr.port();
    assert_eq!(
        durations(&registry),
        [
            format!("{{GET 127.0.0.1 {port} 200  1.1}} 1"),
            format!("{{GET 127.0.0.1 {port} 404 404 1.1}} 1"),
            format!("{{QUERY 127.0.0.1 {port} 200  1.1}} 1"),
            format!("{{_OTHER 127.0.0.1 {port} 200  1.1}} 1"),
        ]
    );
    let active = format!("http_client_active_requests{{GET 127.0.0.1 {port}}} 0");
    assert!(lines(&registry, "http_client_active").contains(&active));
    let families = registry.gather();
    let family = families.iter().find(|family| family.def.name == DURATION);
    let labels = parse_labels(&family.unwrap().series[0].labels);
    let names: Vec<_> = labels.into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "http_request_method",
            "server_address",
            "server_port",
            "http_response_status_code",
            "error_type",
            "network_protocol_version",
        ]
    );
}

#[tokio::test]
async fn http_2_is_distinguished() {
    let addr = serve(Router::new().route("/", get(|| async { "hello" }))).await;
    let registry = Registry::new();
    let layer = otel(HttpClientLayer::builder(&registry)).build().unwrap();
    let client = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http::<Body>();
    let asked = layer.layer(client).oneshot(request("GET", addr, "/"));
    text(asked.await.unwrap()).await;
    assert_eq!(durations(&registry), ["{GET other  200  2} 1"]);
}

/// The status was received, and stays, though the response is an error after all.
#[tokio::test]
async fn a_body_that_breaks_off_has_its_status_and_an_error() {
    let addr = answer_with(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nfirst").await;
    let registry = Registry::new();
    let client = client(&registry, otel);
    let response = client.oneshot(request("GET", addr, "/")).await.unwrap();
    assert!(response.collect().await.is_err());
    let port = addr.port();
    let expected = format!("{{GET 127.0.0.1 {port} 200 body_error 1.1}} 1");
    assert_eq!(durations(&registry), [expected]);
}

#[tokio::test]
async fn errors_without_a_response_have_their_kind_or_the_fallback() {
    let addr = answer_with(b"SSH-2.0-OpenSSH_9.6\r\n").await;
    let registry = Registry::new();
    let no_http = client(&registry, otel);
    assert!(no_http.oneshot(request("GET", addr, "/")).await.is_err());
    let refused = tokio::net::TcpSocket::new_v4().unwrap();
    refused.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let missing = refused.local_addr().unwrap();
    let mut client = client(&registry, otel);
    assert!(client.call(request("PUT", missing, "/")).await.is_err());
    drop(client.call(request("POST", missing, "/")));
    let (port, free) = (addr.port(), missing.port());
    assert_eq!(
        durations(&registry),
        [
            format!("{{GET 127.0.0.1 {port}  _OTHER }} 1"),
            format!("{{POST 127.0.0.1 {free}  cancelled }} 1"),
            format!("{{PUT 127.0.0.1 {free}  connection_refused }} 1"),
        ]
    );
}

/// Requests to addresses without a server, in process.
async fn ask(layer: &HttpClientLayer, uris: impl IntoIterator<Item = String>) {
    let answer =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let mut service = layer.layer(answer);
    for uri in uris {
        let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
        service.call(request).await.unwrap();
    }
}

#[tokio::test]
async fn the_port_is_declared_or_in_the_address_or_that_of_the_scheme() {
    let registry = Registry::new();
    let layer = otel(HttpClientLayer::builder(&registry))
        .hosts(["a.test", "b.test:8443", "*.c.test"])
        .build()
        .unwrap();
    let uris = [
        "https://a.test/",
        "http://a.test/",
        "http://a.test:8080/",
        "https://b.test:8443/",
        "https://x.c.test/",
        "https://missing.test:99/",
    ];
    ask(&layer, uris.map(str::to_owned)).await;
    assert_eq!(
        durations(&registry),
        [
            "{GET *.c.test 443 200  1.1} 1",
            "{GET a.test 443 200  1.1} 1",
            "{GET a.test 80 200  1.1} 1",
            "{GET a.test 8080 200  1.1} 1",
            "{GET b.test 8443 200  1.1} 1",
            "{GET other  200  1.1} 1",
        ]
    );
}

#[tokio::test]
async fn ports_without_end_are_one_series() {
    let registry = Registry::new();
    let layer = otel(HttpClientLayer::builder(&registry)).host("a.test", "a");
    let uris = (1..=10_000).map(|port| format!("http://a.test:{port}/"));
    ask(&layer.build().unwrap(), uris).await;
    let counted: BTreeSet<_> = durations(&registry).into_iter().collect();
    assert_eq!(counted.len(), 101);
    assert!(
        counted.contains("{GET a.test  200  1.1} 9900"),
        "{counted:?}"
    );
}
