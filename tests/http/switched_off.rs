//! Disabled families are not recorded.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use http_body_util::BodyExt;
use selfheal::http::{HttpLayer, HttpNames};
use selfheal::registry::{FamilySettings, Registry, Settings};
use tower::ServiceExt;

use crate::wire::lines;

const HISTOGRAMS: [&str; 5] = [
    "http_request_duration_seconds",
    "http_time_to_first_byte_seconds",
    "http_request_size_bytes",
    "http_response_size_bytes",
    "http_session_duration_seconds",
];

fn registry(off: &[&str]) -> Registry {
    let mut settings = Settings::default();
    for name in off {
        let mut family = FamilySettings::default();
        family.enabled = false;
        settings.metrics.family.insert((*name).to_owned(), family);
    }
    Registry::with_settings(settings)
}

/// The metrics page after one request to each route.
async fn recorded(registry: &Registry, layer: HttpLayer) -> Vec<String> {
    let app: Router = Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(layer)
        .with_state(());
    let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
    response.collect().await.unwrap();
    lines(registry)
}

#[tokio::test]
async fn one_family_off_leaves_the_others() {
    let registry = registry(&["http_requests_in_flight", "http_request_size_bytes"]);
    let layer = HttpLayer::new(&registry).unwrap();
    let lines = recorded(&registry, layer).await;
    let names: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.split('{').next())
        .collect();
    assert_eq!(
        names,
        [
            "http_request_duration_seconds",
            "http_requests_total",
            "http_response_size_bytes",
            "http_time_to_first_byte_seconds",
        ]
    );
}

#[tokio::test]
async fn without_histograms_the_counts_are_left() {
    let registry = registry(&HISTOGRAMS);
    let layer = HttpLayer::new(&registry).unwrap();
    let lines = recorded(&registry, layer).await;
    assert_eq!(
        lines,
        [
            "http_requests_in_flight{} 0",
            "http_requests_total{GET / 200} 1"
        ]
    );
}

#[tokio::test]
async fn every_set_of_names_can_be_off() {
    let all = [
        "http_requests_total",
        "http_requests_in_flight",
        "http_server_request_duration_seconds",
        "http_server_request_body_size_bytes",
        "http_server_response_body_size_bytes",
        "http_server_active_requests",
        "axum_http_requests_total",
        "axum_http_requests_duration_seconds",
        "axum_http_response_body_size",
        "axum_http_requests_pending",
    ];
    let registry = registry(&[&all[..], &HISTOGRAMS].concat());
    let layer = HttpLayer::builder(&registry).names([
        HttpNames::Catalog,
        HttpNames::OpenTelemetry,
        HttpNames::AxumPrometheus,
    ]);
    let layer = layer.build().unwrap();
    assert_eq!(recorded(&registry, layer).await, [""; 0]);
    assert_eq!(registry.series(), 0);
}
