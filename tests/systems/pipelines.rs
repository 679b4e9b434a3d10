//! The pipeline guard: pipelines run, fail and are healed; models are trained and watched.

use std::any::Any;
use std::time::Duration;

use selfheal::Selfheal;
use selfheal::groups::{PipelineHealing, PipelineRun, Recorder, TrainingRun};

use crate::rows::{Row, assert_all};

pub(crate) const ROWS: &[Row] = &[
    (
        "pipeline_failures_detected_total",
        "counter",
        &[("pipeline_type", "etl")],
        2.0,
    ),
    (
        "pipeline_healing_attempts_total",
        "counter",
        &[("pipeline_type", "etl"), ("status", "success")],
        1.0,
    ),
    (
        "pipeline_healing_attempts_total",
        "counter",
        &[("pipeline_type", "etl"), ("status", "abandoned")],
        1.0,
    ),
    (
        "pipeline_healing_duration_seconds_count",
        "histogram",
        &[("pipeline_type", "etl")],
        2.0,
    ),
    (
        "active_pipelines",
        "gauge",
        &[("pipeline_type", "etl")],
        1.0,
    ),
    ("ml_model_accuracy", "gauge", &[("model", "ranker")], 0.88),
    (
        "ml_training_runs_total",
        "counter",
        &[("model", "ranker"), ("status", "success")],
        1.0,
    ),
    (
        "ml_training_duration_seconds_count",
        "histogram",
        &[("model", "ranker")],
        1.0,
    ),
    ("ml_training_loss", "gauge", &[("model", "ranker")], 0.25),
    (
        "errors_total",
        "counter",
        &[("component", "loader"), ("error_type", "schema")],
        1.0,
    ),
    (
        "anomalies_detected_total",
        "counter",
        &[("anomaly_type", "drift")],
        1.0,
    ),
    (
        "own_healing_success_total",
        "counter",
        &[("action", "rollback")],
        1.0,
    ),
    ("system_cpu_percent", "gauge", &[], 42.0),
    ("system_cpu_usage_percent", "gauge", &[], 42.0),
    ("system_memory_used_bytes", "gauge", &[], 4_000.0),
    ("system_memory_total_bytes", "gauge", &[], 8_000.0),
    ("system_memory_percent", "gauge", &[], 50.0),
];

pub(crate) fn life() -> (Selfheal, Box<dyn Any>) {
    let heal = Selfheal::new(super::config("pipeline_guard")).unwrap();
    let registry = heal.registry();
    let running = PipelineRun::start_in(registry, "etl");
    PipelineRun::start_in(registry, "etl").success();
    PipelineRun::start_in(registry, "etl").error("schema");
    PipelineHealing::start_in(registry, "etl").success();
    drop(PipelineHealing::start_in(registry, "etl"));
    let training = TrainingRun::start_in(registry, "ranker");
    training.loss(0.5);
    training.loss(0.25);
    training.success();
    let recorder = Recorder::of(&heal);
    recorder.pipeline_failure("etl");
    recorder.model("ranker", 0.88, 0.02);
    recorder.error("loader", "schema");
    recorder.anomaly("drift", "warning");
    recorder.healing_action("rollback", Duration::from_secs(2), true);
    let machine = super::machine(&heal);
    (heal, Box::new((machine, running)))
}

#[test]
fn pipelines_fail_and_are_healed() {
    let (heal, _running) = life();
    assert_all(&heal, ROWS);
}
