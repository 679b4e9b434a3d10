//! Hosts and names.

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use selfheal::http_client::{HttpClientLayer, HttpClientNames};
use selfheal::registry::{DeclareError, FamilySettings, Registry, Settings};
use tower::{Service, ServiceExt};

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
async fn ten_thousand_hosts_are_one_label() {
    let registry = Registry::new();
    let layer = selfheal::http_client::HttpClientLayer::builder(&registry)
        .hosts(["declared.test"])
        .build()
        .unwrap();
    let answer = tower::service_fn(async |_: hyper::Request<Body>| {
        Ok::<_, std::convert::Infallible>(hyper::Response::new(Body::empty()))
    });
    let mut service = tower::Layer::layer(&layer, answer);
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
        off.disabled = true;
        settings.families.insert(name.to_owned(), off);
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
