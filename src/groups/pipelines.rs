use super::LONG;
use crate::track::Outcome;

crate::group! {
    /// The metrics of pipelines and of their healing.
    pub struct PipelineMetrics: "pipelines" {
        /// Failures of pipelines that were detected
        pub failures: Counter = "pipeline_failures_detected_total" ["pipeline_type"] .at_most("pipeline_type", 100);
        /// Attempts to heal a pipeline, by how they ended
        pub attempts: Counter = "pipeline_healing_attempts_total" ["pipeline_type", "status"] .at_most("pipeline_type", 100) .only("status", &Outcome::STATUSES);
        /// Time an attempt to heal a pipeline took
        pub duration: Histogram = "pipeline_healing_duration_seconds" ["pipeline_type"] .at_most("pipeline_type", 100) .buckets(&LONG);
        /// Pipelines that run
        pub active: Gauge = "active_pipelines" ["pipeline_type"] .at_most("pipeline_type", 100);
    }
}

crate::tracker! {
    /// A run of a pipeline: active until it ends; a failure counts as detected.
    pub struct PipelineRun: Pipeline(pipeline_type) in PipelineMetrics {
        started(metrics) { metrics.active.inc(&(pipeline_type,)); }
        ended(metrics, outcome, took) {
            metrics.active.dec(&(pipeline_type,));
            if outcome.error_type().is_some() {
                metrics.failures.inc(&(pipeline_type,));
            }
        }
    }
}

crate::tracker! {
    /// An attempt to heal a pipeline: counted by outcome and timed.
    pub struct PipelineHealing: PipelineHeal(pipeline_type) in PipelineMetrics {
        ended(metrics, outcome, took) {
            metrics.attempts.inc(&(pipeline_type, outcome.status()));
            metrics.duration.observe(&(pipeline_type,), took.as_secs_f64());
        }
    }
}
