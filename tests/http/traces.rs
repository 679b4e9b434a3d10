//! The trace of a request is an exemplar of its duration, in OpenMetrics alone.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::get;
use http_body_util::BodyExt;
use selfheal::encode::{Format, append};
use selfheal::http::{HttpLayer, HttpLayerBuilder, HttpMetrics, HttpNames, TraceContext};
use selfheal::registry::{Exemplar, FamilySettings, Registry, Settings};
use tower::ServiceExt;

use crate::wire::counted;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OWN: u128 = 0x1234;

/// The exemplars of the duration after one request with this header.
async fn exemplars(
    registry: &Registry,
    parent: Option<&str>,
    set_up: impl FnOnce(HttpLayerBuilder) -> HttpLayerBuilder,
) -> Vec<Exemplar> {
    let layer = set_up(HttpLayer::builder(registry)).build().unwrap();
    let inner = async || {
        let mut response = Response::new(Body::from("hello"));
        let context = TraceContext::new(OWN).unwrap().span(0xab);
        response.extensions_mut().insert(context);
        response
    };
    let app: Router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/inner", get(inner))
        .layer(layer)
        .with_state(());
    let path = if parent.is_some() { "/" } else { "/inner" };
    let mut request = Request::builder().uri(path);
    if let Some(parent) = parent {
        request = request.header("traceparent", parent);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    response.collect().await.unwrap();
    let http = registry.group::<HttpMetrics>().unwrap();
    let duration = http.duration.get(&["GET", path, "200"]).unwrap();
    duration.snapshot().exemplars
}

fn page(registry: &Registry, format: Format) -> String {
    let mut page = Vec::new();
    append(&registry.scrape(), format, &mut page);
    String::from_utf8(page).unwrap()
}

#[tokio::test]
async fn the_header_of_the_caller() {
    let registry = Registry::new();
    let exemplars = exemplars(&registry, Some(PARENT), |layer| layer).await;
    let labels: Vec<&str> = exemplars.iter().map(Exemplar::labels).collect();
    assert_eq!(labels, [r#"trace_id="4bf92f3577b34da6a3ce929d0e0e4736""#]);
}

#[tokio::test]
async fn only_openmetrics_has_it_and_only_the_duration() {
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry)
        .names([HttpNames::Catalog, HttpNames::OpenTelemetry])
        .build()
        .unwrap();
    let app: Router = Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(layer)
        .with_state(());
    let request = Request::builder().uri("/").header("traceparent", PARENT);
    let request = request.body(Body::empty()).unwrap();
    app.oneshot(request).await.unwrap().collect().await.unwrap();

    assert!(!page(&registry, Format::TEXT).contains("trace_id"));
    let open = page(&registry, Format::OPEN_METRICS);
    let mut named: Vec<&str> = open
        .lines()
        .filter(|line| line.contains("# {trace_id="))
        .filter_map(|line| line.split('{').next())
        .collect();
    named.dedup();
    assert_eq!(
        named,
        [
            "http_request_duration_seconds_bucket",
            "http_server_request_duration_seconds_bucket",
        ]
    );
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_or_malformed_is_none() {
    for parent in [&PARENT.replace("-01", "-00"), "", "00-zz", &"0".repeat(55)] {
        let registry = Registry::new();
        let exemplars = exemplars(&registry, Some(parent), |layer| layer).await;
        assert_eq!(exemplars, [], "{parent}");
    }
}

#[tokio::test]
async fn the_application_can_give_it_and_so_can_a_layer_further_in() {
    let registry = Registry::new();
    let given = |layer: HttpLayerBuilder| layer.trace_by(|_| TraceContext::new(OWN));
    let exemplars = exemplars(&registry, Some(PARENT), given).await;
    assert_eq!(exemplars[0].labels(), format!("trace_id=\"{OWN:032x}\""));

    let registry = Registry::new();
    let exemplars = self::exemplars(&registry, None, |layer| layer.trace_by(|_| None)).await;
    assert_eq!(
        exemplars[0].labels(),
        format!("trace_id=\"{OWN:032x}\",span_id=\"{:016x}\"", 0xab)
    );
}

#[tokio::test]
async fn what_is_not_timed_is_no_example() {
    let registry = Registry::new();
    let exemplars = exemplars(&registry, Some(PARENT), |layer| layer.sample_rate(0.0)).await;
    assert_eq!(exemplars, []);
}

/// Finding a trace costs time, and so does reading the clock.
#[tokio::test]
async fn no_one_looks_for_the_trace_of_what_is_not_timed() {
    let mut off = Settings::default();
    for name in [
        "http_request_duration_seconds",
        "http_time_to_first_byte_seconds",
        "http_request_size_bytes",
        "http_response_size_bytes",
        "http_session_duration_seconds",
    ] {
        let mut family = FamilySettings::default();
        family.enabled = false;
        off.metrics.family.insert(name.to_owned(), family);
    }
    for (registry, share) in [(Registry::new(), 0.0), (Registry::with_settings(off), 1.0)] {
        let layer = HttpLayer::builder(&registry)
            .sample_rate(share)
            .trace_by(|_| panic!("no one asks"));
        let app: Router = Router::new()
            .route("/", get(|| async { "hello" }))
            .layer(layer.build().unwrap())
            .with_state(());
        let request = Request::new(Body::empty());
        app.oneshot(request).await.unwrap().collect().await.unwrap();
        assert_eq!(counted(&registry)["GET / 200"], 1);
    }
}

/// The state of a request is reused by the next one on its thread.
#[tokio::test]
async fn a_request_without_a_trace_has_not_that_of_the_one_before() {
    let registry = Registry::new();
    let layer = HttpLayer::new(&registry).unwrap();
    let app: Router = Router::new()
        .route("/traced", get(|| async { "hello" }))
        .route("/bare", get(|| async { "hello" }))
        .layer(layer)
        .with_state(());
    let http = registry.group::<HttpMetrics>().unwrap();
    for (path, parent, exemplars) in [("/traced", PARENT, 1), ("/bare", "", 0)] {
        let request = Request::builder().uri(path).header("traceparent", parent);
        let request = request.body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        response.collect().await.unwrap();
        let duration = http.duration.get(&["GET", path, "200"]).unwrap();
        assert_eq!(duration.snapshot().exemplars.len(), exemplars, "{path}");
    }
}
