//! The self-healing platform: requests, anomalies, healing actions, models and pods.

use std::any::Any;
use std::time::Duration;

use axum::{Router, body::Body, extract::Request, http::StatusCode, routing::get};
use selfheal::Selfheal;
use selfheal::groups::{HealingAction, InferenceRun, Recorder};
use tower::ServiceExt;

use crate::rows::{Row, assert_all};

pub(crate) const ROWS: &[Row] = &[
    (
        "http_requests_total",
        "counter",
        &[("method", "GET"), ("path", "/"), ("status", "200")],
        3.0,
    ),
    (
        "http_request_duration_seconds_count",
        "histogram",
        &[("path", "/")],
        3.0,
    ),
    (
        "http_request_size_bytes_count",
        "histogram",
        &[("path", "/")],
        3.0,
    ),
    (
        "http_response_size_bytes_sum",
        "histogram",
        &[("path", "/")],
        15.0,
    ),
    ("http_requests_in_flight", "gauge", &[], 0.0),
    (
        "requests_total",
        "counter",
        &[("method", "GET"), ("endpoint", "/"), ("status", "200")],
        3.0,
    ),
    (
        "requests_total",
        "counter",
        &[("endpoint", "/bad"), ("status", "500")],
        1.0,
    ),
    (
        "response_time_histogram_count",
        "histogram",
        &[("endpoint", "/")],
        3.0,
    ),
    (
        "response_time_histogram_bucket",
        "histogram",
        &[("endpoint", "/bad"), ("le", "200")],
        1.0,
    ),
    ("response_time", "gauge", &[("pod", "pod-1")], f64::NAN),
    ("error_rate", "gauge", &[("pod", "pod-1")], 25.0),
    ("cpu_usage", "gauge", &[("pod", "pod-1")], 42.0),
    ("memory_usage", "gauge", &[("pod", "pod-1")], 50.0),
    (
        "anomalies_detected_total",
        "counter",
        &[("anomaly_type", "latency"), ("severity", "warning")],
        2.0,
    ),
    (
        "healing_actions_total",
        "counter",
        &[("action_type", "restart"), ("status", "succeeded")],
        2.0,
    ),
    (
        "healing_actions_total",
        "counter",
        &[("action_type", "restart"), ("status", "failed")],
        1.0,
    ),
    (
        "healing_actions_succeeded_total",
        "counter",
        &[("action_type", "restart")],
        2.0,
    ),
    (
        "healing_actions_failed_total",
        "counter",
        &[("action_type", "restart")],
        1.0,
    ),
    (
        "healing_action_duration_seconds_bucket",
        "histogram",
        &[("le", "5")],
        2.0,
    ),
    (
        "healing_action_duration_seconds_bucket",
        "histogram",
        &[("le", "10")],
        2.0,
    ),
    (
        "healing_action_duration_seconds_bucket",
        "histogram",
        &[("le", "30")],
        3.0,
    ),
    (
        "healing_action_duration_seconds_count",
        "histogram",
        &[("action_type", "restart")],
        3.0,
    ),
    ("ml_model_accuracy", "gauge", &[("model", "detector")], 0.91),
    (
        "ml_false_positive_rate",
        "gauge",
        &[("model", "detector")],
        0.07,
    ),
    (
        "ml_inference_duration_seconds_count",
        "histogram",
        &[("model", "detector")],
        1.0,
    ),
    ("system_health_score", "gauge", &[], f64::NAN),
    ("system_uptime_seconds", "gauge", &[], f64::NAN),
];

pub(crate) async fn life() -> (Selfheal, Box<dyn Any>) {
    let heal = Selfheal::new(super::config("self_healing_platform")).unwrap();
    let bad = || async { StatusCode::INTERNAL_SERVER_ERROR };
    let app = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/bad", get(bad))
        .layer(heal.http_layer());
    for path in ["/", "/", "/", "/bad"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        selfheal::testing::read_to_end(answer).await.unwrap();
    }
    let recorder = Recorder::of(&heal);
    for _ in 0..2 {
        recorder.anomaly("latency", "warning");
    }
    recorder.healing_action("restart", Duration::from_secs(12), true);
    recorder.healing_action("restart", Duration::from_secs(3), false);
    HealingAction::start_in(heal.registry(), "restart").success();
    recorder.model("detector", 0.91, 0.07);
    InferenceRun::start_in(heal.registry(), "detector").success();
    let machine = super::machine(&heal);
    (heal, Box::new(machine))
}

#[tokio::test]
async fn requests_anomalies_actions_and_models_under_the_names_of_the_platform() {
    let (heal, _machine) = life().await;
    assert_all(&heal, ROWS);
}
