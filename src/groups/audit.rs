use super::LONG;

crate::group! {
    /// The metrics of an audit agent.
    pub struct AuditMetrics: "audit_agent" {
        /// Runs of the agent, by what set them off
        pub runs: Counter = "audit_agent_runs_total" ["trigger"] .at_most("trigger", 20);
        /// Markers of completed work that were found
        pub markers: Counter = "audit_agent_completion_markers_found_total";
        /// Commits that were found
        pub commits: Counter = "audit_agent_git_commits_detected_total";
        /// Errors of the agent, by type
        pub errors: Counter = "audit_agent_errors_total" ["error_type"] .at_most("error_type", 100);
        /// Share of the work that is covered, 0 to 100
        pub coverage: FloatGauge = "audit_agent_coverage_percent" [];
        /// When the last run ended, in seconds since 1970
        pub last_run: FloatGauge = "audit_agent_last_run_timestamp_seconds" [];
        /// Runs that are under way
        pub active: Gauge = "audit_agent_active_tasks";
        /// Time a run took
        pub run: Histogram = "audit_agent_run_duration_seconds" [] .buckets(&LONG);
        /// Time an analysis took
        pub analysis: Histogram = "audit_agent_analysis_duration_seconds" [] .buckets(&LONG);
    }
}

crate::tracker! {
    /// A run of the agent: counted by trigger, timed, and active until it ends.
    pub struct AuditRun: Audit(trigger) in AuditMetrics {
        started(metrics) {
            metrics.runs.inc(&(trigger,));
            metrics.active.inc();
        }
        ended(metrics, outcome, took) {
            metrics.active.dec();
            metrics.run.observe(&(), took.as_secs_f64());
            metrics.last_run.set_to_now(&());
            if let Some(error_type) = outcome.error_type() {
                metrics.errors.inc(&(error_type,));
            }
        }
    }
}

impl AuditRun {
    /// Adds the run's findings: markers of completed work, and commits.
    pub fn found(&self, markers: u64, commits: u64) {
        self.record(|metrics, _| {
            metrics.markers.add(markers);
            metrics.commits.add(commits);
        });
    }

    /// Sets the share of covered work, 0 to 100.
    pub fn coverage(&self, percent: f64) {
        self.record(|metrics, _| metrics.coverage.set(&(), percent));
    }
}
