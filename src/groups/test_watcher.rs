use crate::track::Outcome;

crate::group! {
    /// The metrics of a test watcher, which runs tests when files change.
    pub struct TestWatcherMetrics: "test_watcher" {
        /// Changed files that were processed
        pub files: Counter = "test_watcher_files_processed_total";
        /// Errors of the watcher, by type
        pub errors: Counter = "test_watcher_errors_total" ["error_type"] .at_most("error_type", 100);
        /// Tests that were run, by result
        pub tests: Counter = "test_watcher_tests_run_total" ["status"] .only("status", &["pass", "fail", "error"]);
        /// Calls of the watcher to other services
        pub api_calls: Counter = "test_watcher_api_calls_total" ["api", "status"] .at_most("api", 50) .only("status", &Outcome::STATUSES);
        /// Changed files that wait
        pub changed: Gauge = "test_watcher_changed_files_current";
        /// Memory of the watcher
        pub memory: Gauge = "test_watcher_memory_usage_bytes";
        /// 1 while the watcher runs
        pub running: Gauge = "test_watcher_is_running";
        /// Time from a change to the end of its processing
        pub processing: Histogram = "test_watcher_processing_duration_seconds";
        /// Time that changes were waited for after the first
        pub debounce: Histogram = "test_watcher_debounce_duration_seconds";
        /// Time a run of tests took
        pub execution: Histogram = "test_watcher_test_execution_duration_seconds" [] .buckets(&super::LONG);
    }
}

crate::tracker! {
    /// The processing of a changed file: counted and timed.
    pub struct WatchedFile: WatchedFileKind() in TestWatcherMetrics {
        ended(metrics, outcome, took) {
            metrics.files.inc();
            metrics.processing.observe_duration(took);
            if let Some(error_type) = outcome.error_type() {
                metrics.errors.inc(&(error_type,));
            }
        }
    }
}

crate::tracker! {
    /// A test run: timed, with the status `pass`, or `fail` for an error of that type, else
    /// `error`. Dropped early, it is an `error`.
    pub struct TestRun: TestRunKind() in TestWatcherMetrics {
        ended(metrics, outcome, took) {
            let status = match outcome {
                Outcome::Success => "pass",
                Outcome::Error("fail") => "fail",
                Outcome::Error(_) | Outcome::Abandoned => "error",
            };
            metrics.tests.inc(&(status,));
            metrics.execution.observe(&(), took.as_secs_f64());
        }
    }
}
