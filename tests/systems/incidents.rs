//! The LLM incident manager: HTTP and gRPC, calls that are priced, incidents that are escalated,
//! playbooks, notifications and storage.

use std::any::Any;
use std::time::Duration;

use axum::{Router, body::Body, extract::Request, routing::get};
use selfheal::Selfheal;
use selfheal::groups::{Delivery, Incident, LlmCall, PlaybookRun, Recorder, StorageOperation};
use tower::ServiceExt;

use crate::rows::{Row, assert_all};

pub(crate) const ROWS: &[Row] = &[
    (
        "llm_incident_manager_http_requests_total",
        "counter",
        &[("path", "/incidents")],
        1.0,
    ),
    (
        "llm_incident_manager_http_request_duration_seconds_count",
        "histogram",
        &[],
        1.0,
    ),
    (
        "llm_incident_manager_http_connections_active",
        "gauge",
        &[],
        0.0,
    ),
    (
        "llm_incident_manager_grpc_requests_total",
        "counter",
        &[
            ("service", "grpc.health.v1.Health"),
            ("method", "Check"),
            ("status", "OK"),
        ],
        1.0,
    ),
    (
        "llm_incident_manager_grpc_request_duration_seconds_count",
        "histogram",
        &[("method", "Check")],
        1.0,
    ),
    (
        "llm_incident_manager_grpc_streams_active",
        "gauge",
        &[("method", "Check")],
        0.0,
    ),
    (
        "llm_incident_manager_grpc_messages_received_total",
        "counter",
        &[("method", "Check")],
        1.0,
    ),
    (
        "llm_incident_manager_grpc_messages_sent_total",
        "counter",
        &[("method", "Check")],
        1.0,
    ),
    (
        "llm_incident_manager_llm_requests_total",
        "counter",
        &[
            ("provider", "openai"),
            ("model", "gpt-4"),
            ("operation", "triage"),
            ("status", "success"),
        ],
        1.0,
    ),
    (
        "llm_incident_manager_llm_requests_total",
        "counter",
        &[("status", "error")],
        2.0,
    ),
    (
        "llm_incident_manager_llm_requests_total",
        "counter",
        &[("status", "abandoned")],
        1.0,
    ),
    (
        "llm_incident_manager_llm_request_duration_seconds_count",
        "histogram",
        &[("operation", "triage")],
        4.0,
    ),
    (
        "llm_incident_manager_llm_time_to_first_token_seconds_count",
        "histogram",
        &[("model", "gpt-4")],
        1.0,
    ),
    (
        "llm_incident_manager_llm_tokens_total",
        "counter",
        &[("type", "input")],
        1_200.0,
    ),
    (
        "llm_incident_manager_llm_tokens_total",
        "counter",
        &[("type", "output")],
        350.0,
    ),
    (
        "llm_incident_manager_llm_errors_total",
        "counter",
        &[("error_type", "timeout")],
        1.0,
    ),
    (
        "llm_incident_manager_llm_cost_usd_total",
        "counter",
        &[("provider", "openai")],
        0.021,
    ),
    (
        "llm_incident_manager_llm_cost_usd",
        "counter",
        &[("provider", "openai"), ("model", "gpt-4")],
        0.021,
    ),
    (
        "llm_incident_manager_llm_rate_limits_total",
        "counter",
        &[("provider", "openai")],
        2.0,
    ),
    (
        "llm_incident_manager_incidents_total",
        "counter",
        &[("severity", "critical"), ("status", "success")],
        1.0,
    ),
    (
        "llm_incident_manager_incidents_active",
        "gauge",
        &[("severity", "warning")],
        1.0,
    ),
    (
        "llm_incident_manager_incident_processing_duration_seconds_count",
        "histogram",
        &[("severity", "critical")],
        1.0,
    ),
    (
        "llm_incident_manager_incidents_deduplicated_total",
        "counter",
        &[],
        2.0,
    ),
    (
        "llm_incident_manager_incidents_correlated_total",
        "counter",
        &[],
        2.0,
    ),
    (
        "llm_incident_manager_incidents_escalated_total",
        "counter",
        &[("level", "2")],
        2.0,
    ),
    (
        "llm_incident_manager_playbook_executions_total",
        "counter",
        &[("playbook", "restart"), ("status", "success")],
        1.0,
    ),
    (
        "llm_incident_manager_playbook_execution_duration_seconds_count",
        "histogram",
        &[("playbook", "restart")],
        1.0,
    ),
    (
        "llm_incident_manager_playbooks_active",
        "gauge",
        &[("playbook", "restart")],
        0.0,
    ),
    (
        "llm_incident_manager_notifications_total",
        "counter",
        &[("channel", "slack"), ("status", "success")],
        1.0,
    ),
    (
        "llm_incident_manager_notifications_total",
        "counter",
        &[("channel", "pager"), ("status", "error")],
        1.0,
    ),
    (
        "llm_incident_manager_notification_delivery_duration_seconds_count",
        "histogram",
        &[],
        2.0,
    ),
    (
        "llm_incident_manager_notification_queue_size",
        "gauge",
        &[("channel", "slack")],
        3.0,
    ),
    (
        "llm_incident_manager_storage_operations_total",
        "counter",
        &[
            ("operation", "put"),
            ("backend", "s3"),
            ("status", "success"),
        ],
        2.0,
    ),
    (
        "llm_incident_manager_storage_operation_duration_seconds_sum",
        "histogram",
        &[("operation", "get")],
        0.04,
    ),
    (
        "llm_incident_manager_storage_size_bytes",
        "gauge",
        &[("backend", "s3")],
        4_096.0,
    ),
    (
        "llm_incident_manager_errors_total",
        "counter",
        &[("component", "triage"), ("error_type", "timeout")],
        1.0,
    ),
];

/// A call of the health service with an empty message.
fn check() -> Request {
    Request::post("/grpc.health.v1.Health/Check")
        .version(axum::http::Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::from(vec![0_u8; 5]))
        .unwrap()
}

pub(crate) async fn life() -> (Selfheal, Box<dyn Any>) {
    let heal = Selfheal::new(super::config("llm_incident_manager")).unwrap();
    let registry = heal.registry();
    let http = Router::new()
        .route("/incidents", get(|| async { "[]" }))
        .layer(heal.http_layer());
    let (_, health) = tonic_health::server::health_reporter();
    let health = tonic::service::Routes::new(health).into_axum_router();
    let grpc = health.layer(
        heal.grpc_layer()
            .service("grpc.health.v1.Health", ["Check"])
            .build()
            .unwrap(),
    );
    let get = Request::get("/incidents").body(Body::empty()).unwrap();
    for (app, request) in [(http, get), (grpc, check())] {
        let answer = app.oneshot(request).await.unwrap();
        selfheal::testing::read_to_end(answer).await.unwrap();
    }
    let call = || LlmCall::start_in(registry, "openai", "gpt-4", "triage");
    let good = call();
    good.first_token();
    good.success(1_200, 350, 0.021);
    call().error("timeout");
    call().rate_limited();
    drop(call());
    let open = Incident::start_in(registry, "warning");
    let incident = Incident::start_in(registry, "critical");
    incident.escalated("2");
    incident.correlated();
    incident.deduplicated();
    incident.success();
    PlaybookRun::start_in(registry, "restart")
        .run(async { Ok::<_, ()>(()) })
        .await
        .unwrap();
    Delivery::start_in(registry, "slack").success();
    let put = StorageOperation::start_in(registry, "put", "s3");
    put.size(2_048);
    put.success();
    let recorder = Recorder::of(&heal);
    recorder.notification("pager", Duration::from_millis(30), false);
    recorder.notification_queue("slack", 3);
    recorder.storage("put", "s3", Duration::from_millis(40), true);
    recorder.storage("get", "s3", Duration::from_millis(40), false);
    recorder.storage_size("s3", 4_096);
    recorder.deduplication();
    recorder.correlation();
    recorder.escalation("2");
    recorder.llm_rate_limit("openai");
    recorder.error("triage", "timeout");
    (heal, Box::new(open))
}

#[tokio::test]
async fn calls_are_priced_and_incidents_escalated() {
    let (heal, _open) = life().await;
    assert_all(&heal, ROWS);
}
