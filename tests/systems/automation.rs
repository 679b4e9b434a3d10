//! The automation platform, without any async runtime: a test watcher, an audit agent, a bridge
//! and calls to other services.

use std::any::Any;
use std::time::Duration;

use selfheal::Selfheal;
use selfheal::groups::{
    ApiCall, AuditRun, BridgeCall, Recorder, TestRun, TestWatcherMetrics, WatchedFile,
};
use selfheal::track::Outcome;

use crate::rows::{Row, assert_all};

pub(crate) const ROWS: &[Row] = &[
    ("test_watcher_files_processed_total", "counter", &[], 3.0),
    (
        "test_watcher_errors_total",
        "counter",
        &[("error_type", "parse")],
        1.0,
    ),
    (
        "test_watcher_tests_run_total",
        "counter",
        &[("status", "pass")],
        11.0,
    ),
    (
        "test_watcher_tests_run_total",
        "counter",
        &[("status", "fail")],
        3.0,
    ),
    (
        "test_watcher_tests_run_total",
        "counter",
        &[("status", "error")],
        1.0,
    ),
    (
        "test_watcher_api_calls_total",
        "counter",
        &[("api", "ci"), ("status", "success")],
        1.0,
    ),
    ("test_watcher_changed_files_current", "gauge", &[], 4.0),
    ("test_watcher_memory_usage_bytes", "gauge", &[], 1_024.0),
    ("test_watcher_is_running", "gauge", &[], 1.0),
    (
        "test_watcher_processing_duration_seconds_count",
        "histogram",
        &[],
        3.0,
    ),
    (
        "test_watcher_debounce_duration_seconds_count",
        "histogram",
        &[],
        1.0,
    ),
    (
        "test_watcher_test_execution_duration_seconds_count",
        "histogram",
        &[],
        4.0,
    ),
    (
        "audit_agent_runs_total",
        "counter",
        &[("trigger", "scheduled")],
        1.0,
    ),
    (
        "audit_agent_runs_total",
        "counter",
        &[("trigger", "manual")],
        1.0,
    ),
    (
        "audit_agent_completion_markers_found_total",
        "counter",
        &[],
        5.0,
    ),
    (
        "audit_agent_git_commits_detected_total",
        "counter",
        &[],
        2.0,
    ),
    (
        "audit_agent_errors_total",
        "counter",
        &[("error_type", "git")],
        1.0,
    ),
    ("audit_agent_coverage_percent", "gauge", &[], 81.5),
    (
        "audit_agent_last_run_timestamp_seconds",
        "gauge",
        &[],
        f64::NAN,
    ),
    ("audit_agent_active_tasks", "gauge", &[], 0.0),
    (
        "audit_agent_run_duration_seconds_count",
        "histogram",
        &[],
        2.0,
    ),
    (
        "audit_agent_analysis_duration_seconds_count",
        "histogram",
        &[],
        1.0,
    ),
    (
        "async_bridge_calls_total",
        "counter",
        &[("operation", "fetch")],
        2.0,
    ),
    (
        "async_bridge_errors_total",
        "counter",
        &[("operation", "fetch")],
        1.0,
    ),
    (
        "async_bridge_timeouts_total",
        "counter",
        &[("operation", "fetch")],
        1.0,
    ),
    ("async_bridge_pending_tasks", "gauge", &[], 0.0),
    ("async_bridge_active_loops", "gauge", &[], 2.0),
    (
        "async_bridge_execution_duration_seconds_count",
        "histogram",
        &[("operation", "fetch")],
        2.0,
    ),
    (
        "api_calls_total",
        "counter",
        &[("api", "github"), ("status", "success")],
        2.0,
    ),
    (
        "api_request_duration_seconds_count",
        "histogram",
        &[("api", "github")],
        3.0,
    ),
    (
        "api_response_time_seconds",
        "gauge",
        &[("api", "github")],
        0.5,
    ),
    (
        "api_rate_limits_total",
        "counter",
        &[("api", "github")],
        2.0,
    ),
    (
        "api_errors_total",
        "counter",
        &[("api", "github"), ("error_type", "rate_limit")],
        1.0,
    ),
    (
        "api_tokens_used_total",
        "counter",
        &[("api", "github")],
        70.0,
    ),
    ("system_cpu_percent", "gauge", &[], 42.0),
    ("system_uptime_seconds", "gauge", &[], f64::NAN),
    ("process_open_fds", "gauge", &[], f64::NAN),
    ("process_open_file_descriptors", "gauge", &[], f64::NAN),
    ("process_threads_count", "gauge", &[], f64::NAN),
];

pub(crate) fn life() -> (Selfheal, Box<dyn Any>) {
    let heal = Selfheal::new(super::config("automation_platform")).unwrap();
    let registry = heal.registry();
    let recorder = Recorder::of(&heal);
    let watcher = registry.group::<TestWatcherMetrics>().unwrap();
    watcher.running.set(1);
    watcher.changed.set(4);
    watcher.memory.set(1_024);
    watcher.debounce.measure(|| ());
    watcher.api_calls.inc(&("ci", Outcome::Success.status()));
    WatchedFile::start_in(registry).success();
    WatchedFile::start_in(registry).error("parse");
    recorder.file_processed(Duration::from_millis(20));
    TestRun::start_in(registry).success();
    TestRun::start_in(registry).error("fail");
    drop(TestRun::start_in(registry));
    recorder.test_run(10, 2, 0, Duration::from_secs(9));
    let run = AuditRun::start_in(registry, "scheduled");
    run.found(5, 2);
    run.record(|audit, _| audit.analysis.observe(&(), 0.2));
    run.success();
    AuditRun::start_in(registry, "manual").error("git");
    recorder.coverage(81.5);
    BridgeCall::start_in(registry, "fetch").success();
    BridgeCall::start_in(registry, "fetch").error("timeout");
    recorder.bridge_loops(2);
    let call = ApiCall::start_in(registry, "github");
    call.tokens(70);
    call.success();
    ApiCall::start_in(registry, "github").rate_limited();
    recorder.api_rate_limit("github");
    recorder.api_call("github", Duration::from_millis(500), Outcome::Success);
    let machine = super::machine(&heal);
    (heal, Box::new(machine))
}

#[test]
fn a_watcher_an_agent_and_a_bridge_without_an_async_runtime() {
    let (heal, _machine) = life();
    assert_all(&heal, ROWS);
    let listener = heal.listen().unwrap();
    let page = format!("http://{}/metrics", listener.address());
    let page = super::support::http::Request::get(&page).send().unwrap();
    assert!(page.text().contains("test_watcher_is_running 1"));
}
