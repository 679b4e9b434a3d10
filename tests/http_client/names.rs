//! Hosts and names.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use selfheal::http_client::{HttpClientLayer, HttpClientNames};
use selfheal::registry::{DeclareError, FamilySettings, Registry, Settings};
use tower::{Layer, Service, ServiceExt};

use crate::wire::{client, lines, request, serve, text};

#[tokio::test]
async fn the_names_of_the_catalogue_for_calls_to_other_services() {
    let routes = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/404", get(|| async { StatusCode::NOT_FOUND }))
        .route("/429", get(|| async { StatusCode::TOO_MANY_REQUESTS }))
        .route("/never", get(std::future::pending::<()>));
    let addr = serve(routes).await;
    let registry = Registry::new();
    let mut client = client(&registry, |layer| layer.names([HttpClientNames::Api]));
    for path in ["/", "/404", "/429", "/429"] {
        text(
            client
                .ready()
                .await
                .unwrap()
                .call(request("GET", addr, path))
                .await
                .unwrap(),
        )
        .await;
    }
    drop(client.call(request("GET", addr, "/never")));
    assert_eq!(
        lines(&registry, "api_")
            .into_iter()
            .filter(|line| !line.starts_with("api_response_time"))
            .collect::<Vec<_>>(),
        [
            "api_calls_total{here abandoned} 1",
            "api_calls_total{here error} 3",
            "api_calls_total{here success} 1",
            "api_errors_total{here 404} 1",
            "api_errors_total{here rate_limit} 2",
            "api_rate_limits_total{here} 2",
            "api_request_duration_seconds{here} 5",
        ]
    );
}

#[tokio::test]
async fn the_names_of_opentelemetry_beside_our_own() {
    let routes = Router::new().route("/404", get(|| async { StatusCode::NOT_FOUND }));
    let addr = serve(routes).await;
    let registry = Registry::new();
    let names = [HttpClientNames::Catalog, HttpClientNames::OpenTelemetry];
    let client = client(&registry, |layer| layer.names(names));
    text(client.oneshot(request("GET", addr, "/404")).await.unwrap()).await;
    let lines = lines(&registry, "http_client_");
    let port = addr.port();
    for line in [
        format!("http_client_active_requests{{GET 127.0.0.1 {port}}} 0"),
        format!("http_client_request_duration_seconds{{GET 127.0.0.1 {port} 404 404 1.1}} 1"),
        "http_client_requests_total{GET here 404} 1".to_owned(),
    ] {
        assert!(lines.contains(&line), "{line} is not among {lines:#?}");
    }
}

#[tokio::test]
async fn what_opentelemetry_calls_other_hosts_and_methods() {
    let registry = Registry::new();
    let names = [HttpClientNames::OpenTelemetry];
    let layer = HttpClientLayer::builder(&registry)
        .names(names)
        .host("*.shop.test:8443", "shop")
        .buckets([0.5, 30.0]);
    let mut service = layer.build().unwrap().layer(Empty);
    for (method, uri) in [
        ("GET", "http://elsewhere.test/"),
        ("PURGE", "https://cache.shop.test:8443/"),
    ] {
        let request = hyper::Request::builder().method(method).uri(uri);
        let request = request.body(Body::empty()).unwrap();
        service.call(request).await.unwrap();
    }
    assert_eq!(
        lines(&registry, "http_client_"),
        [
            "http_client_active_requests{GET other } 0",
            "http_client_active_requests{_OTHER *.shop.test 8443} 0",
            "http_client_request_duration_seconds{GET other  200  1.1} 1",
            "http_client_request_duration_seconds{_OTHER *.shop.test 8443 200  1.1} 1",
        ]
    );
    assert_eq!(
        buckets(&registry, "http_client_request_duration_seconds"),
        [0.5, 30.0]
    );
}

fn buckets(registry: &Registry, name: &str) -> Vec<f64> {
    let families = registry.gather();
    let family = families.iter().find(|family| family.def.name == name);
    family.unwrap().def.buckets.clone()
}

#[tokio::test]
async fn both_times_have_the_buckets_of_the_layer() {
    let registry = Registry::new();
    let layer = HttpClientLayer::builder(&registry).buckets([0.5, 30.0]);
    let mut service = layer.build().unwrap().layer(Empty);
    service
        .call(hyper::Request::new(Body::empty()))
        .await
        .unwrap();
    for name in [
        "http_client_duration_seconds",
        "http_client_time_to_first_byte_seconds",
    ] {
        assert_eq!(buckets(&registry, name), [0.5, 30.0], "{name}");
    }
}

/// Answers everything with nothing.
struct Empty;

impl Service<hyper::Request<Body>> for Empty {
    type Response = hyper::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: hyper::Request<Body>) -> Self::Future {
        ready(Ok(hyper::Response::new(Body::empty())))
    }
}

#[tokio::test]
async fn ten_thousand_hosts_are_one_label() {
    let registry = Registry::new();
    let layer = selfheal::http_client::HttpClientLayer::builder(&registry)
        .hosts(["declared.test"])
        .build()
        .unwrap();
    let mut service = layer.layer(Empty);
    for n in 0..10_000 {
        let uri = format!("http://host{n}.test/");
        let request = hyper::Request::builder()
            .uri(uri)
            .body(Body::empty())
            .unwrap();
        service.call(request).await.unwrap();
    }
    let declared = hyper::Request::builder()
        .uri("http://declared.test/")
        .body(Body::empty());
    service.call(declared.unwrap()).await.unwrap();
    assert_eq!(
        lines(&registry, "http_client_requests_total"),
        [
            "http_client_requests_total{GET declared.test 200} 1",
            "http_client_requests_total{GET other 200} 10000",
        ]
    );
}

#[tokio::test]
async fn what_is_switched_off_is_not_recorded() {
    let addr = serve(Router::new().route("/", get(|| async { "hello" }))).await;
    let mut settings = Settings::default();
    for name in [
        "http_client_duration_seconds",
        "http_client_time_to_first_byte_seconds",
        "http_client_requests_in_flight",
        "http_client_request_duration_seconds",
        "http_client_active_requests",
    ] {
        let mut off = FamilySettings::default();
        off.enabled = false;
        settings.metrics.family.insert(name.to_owned(), off);
    }
    let registry = Registry::with_settings(settings);
    let names = [HttpClientNames::Catalog, HttpClientNames::OpenTelemetry];
    let client = client(&registry, |layer| layer.names(names));
    text(client.oneshot(request("GET", addr, "/")).await.unwrap()).await;
    assert_eq!(
        lines(&registry, "http_client"),
        [
            "http_client_requests_total{GET here 200} 1",
            "http_client_response_size_bytes{GET here} 1",
        ]
    );
}

#[test]
fn no_names_at_all_are_an_error() {
    let layer = HttpClientLayer::builder(&Registry::new()).names([]);
    let error = layer.build().unwrap_err();
    assert!(matches!(error, DeclareError::NoNames { .. }), "{error}");
}
