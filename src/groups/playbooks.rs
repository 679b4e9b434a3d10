use super::LONG;
use crate::track::Outcome;

crate::group! {
    /// The metrics of playbooks.
    pub struct PlaybookMetrics: "playbooks" {
        /// Executions of playbooks, by how they ended
        pub executions: Counter = "playbook_executions_total" ["playbook", "status"] .at_most("playbook", 200) .only("status", &Outcome::STATUSES);
        /// Time an execution of a playbook took
        pub duration: Histogram = "playbook_execution_duration_seconds" ["playbook"] .at_most("playbook", 200) .buckets(&LONG);
        /// Executions of playbooks that are under way
        pub active: Gauge = "playbooks_active" ["playbook"] .at_most("playbook", 200);
    }
}

crate::tracker! {
    /// An execution of a playbook: counted by outcome, timed, and active until it ends.
    pub struct PlaybookRun: Playbook(playbook) in PlaybookMetrics {
        started(metrics) { metrics.active.inc(&(playbook,)); }
        ended(metrics, outcome, took) {
            metrics.active.dec(&(playbook,));
            metrics.executions.inc(&(playbook, outcome.status()));
            metrics.duration.observe(&(playbook,), took.as_secs_f64());
        }
    }
}
