//! The healing engine with a metrics server: a guarded file becomes corrupt and is restored.

use std::any::Any;
use std::time::Duration;

use selfheal::Selfheal;

use crate::rows::{Row, assert_all};

pub(crate) const ROWS: &[Row] = &[
    (
        "luminous_nix_healing_issues_detected_total",
        "counter",
        &[("component", "config")],
        1.0,
    ),
    ("luminous_nix_healing_attempts_total", "counter", &[], 1.0),
    ("luminous_nix_healing_success_total", "counter", &[], 1.0),
    ("luminous_nix_healing_failures_total", "counter", &[], 0.0),
    (
        "luminous_nix_healing_duration_seconds_count",
        "histogram",
        &[],
        1.0,
    ),
    (
        "luminous_nix_healing_confidence_score_count",
        "histogram",
        &[],
        1.0,
    ),
    ("luminous_nix_healing_queue_size", "gauge", &[], 0.0),
    ("luminous_nix_system_health_score", "gauge", &[], f64::NAN),
    (
        "luminous_nix_active_alerts",
        "gauge",
        &[("severity", "critical")],
        0.0,
    ),
    ("luminous_nix_monitored_paths", "gauge", &[], 1.0),
    ("luminous_nix_monitored_paths_total", "gauge", &[], 1.0),
    (
        "luminous_nix_file_events_total",
        "counter",
        &[("event_type", "corrupted")],
        1.0,
    ),
    (
        "luminous_nix_file_events_total",
        "counter",
        &[("event_type", "restored")],
        1.0,
    ),
    (
        "luminous_nix_service_info",
        "gauge",
        &[("version", "1.2.3"), ("pod", "pod-1")],
        1.0,
    ),
    ("luminous_nix_build_info", "gauge", &[], 1.0),
    ("luminous_nix_uptime_seconds", "gauge", &[], f64::NAN),
    (
        "luminous_nix_uptime_seconds_total",
        "counter",
        &[],
        f64::NAN,
    ),
    ("luminous_nix_system_uptime_seconds", "gauge", &[], f64::NAN),
    ("process_start_time_seconds", "gauge", &[], f64::NAN),
];

pub(crate) async fn life() -> (Selfheal, Box<dyn Any>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flake.conf");
    std::fs::write(&path, "good").unwrap();
    let heal = Selfheal::new(super::config("luminous_nix")).unwrap();
    heal.guard_file("config", &path)
        .validate(|bytes| bytes.starts_with(b"good").then_some(()).ok_or("bad"))
        .install()
        .unwrap();
    std::fs::write(&path, "garbage").unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "good");
    (heal, Box::new(folder))
}

#[tokio::test(start_paused = true)]
async fn a_file_is_healed_under_the_names_of_luminous_nix() {
    let (heal, _folder) = life().await;
    assert_all(&heal, ROWS);
    assert!(heal.shutdown().await);
}
