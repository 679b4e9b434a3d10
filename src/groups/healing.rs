use super::LONG;
use super::older::{ALL, DURATION, FAILED, OLDER_BUCKETS, SUCCEEDED, older};

crate::group! {
    /// The metrics of anomalies and healing actions in the application's own code. This crate's
    /// healing engine has separate metrics.
    pub struct ActionMetrics: "actions" {
        /// Anomalies that were detected
        pub anomalies: Counter = "anomalies_detected_total" ["anomaly_type", "severity"] .at_most("anomaly_type", 100) .at_most("severity", 16);
        /// Healing actions of the application itself that succeeded
        pub succeeded: Counter = "own_healing_success_total" ["action"] .at_most("action", 100)
            .alias(older(ALL).with("status", "succeeded")) .alias(older(SUCCEEDED));
        /// Healing actions of the application itself that failed
        pub failed: Counter = "own_healing_failures_total" ["action"] .at_most("action", 100)
            .alias(older(ALL).with("status", "failed")) .alias(older(FAILED));
        /// Time a healing action of the application itself took
        pub duration: Histogram = "own_healing_duration_seconds" ["action"] .at_most("action", 100) .buckets(&LONG) .alias(older(DURATION).buckets(&OLDER_BUCKETS));
    }
}

crate::tracker! {
    /// A healing action of the application itself: counted by outcome and timed.
    pub struct HealingAction: Action(action) in ActionMetrics {
        ended(metrics, outcome, took) {
            match outcome {
                crate::track::Outcome::Success => metrics.succeeded.inc(&(action,)),
                _ => metrics.failed.inc(&(action,)),
            }
            metrics.duration.observe(&(action,), took.as_secs_f64());
        }
    }
}
