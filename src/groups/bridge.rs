crate::group! {
    /// The metrics of a bridge through which blocking code calls async code.
    pub struct BridgeMetrics: "async_bridge" {
        /// Calls over the bridge
        pub calls: Counter = "async_bridge_calls_total" ["operation"] .at_most("operation", 100);
        /// Calls over the bridge that failed
        pub errors: Counter = "async_bridge_errors_total" ["operation"] .at_most("operation", 100);
        /// Calls over the bridge that took too long
        pub timeouts: Counter = "async_bridge_timeouts_total" ["operation"] .at_most("operation", 100);
        /// Calls over the bridge that are under way
        pub pending: Gauge = "async_bridge_pending_tasks";
        /// Runtimes that the bridge keeps
        pub loops: Gauge = "async_bridge_active_loops";
        /// Time a call over the bridge took
        pub duration: Histogram = "async_bridge_execution_duration_seconds" ["operation"] .at_most("operation", 100);
    }
}

crate::tracker! {
    /// A call over the bridge: counted, timed, and pending until it ends. An error of type
    /// `timeout` also counts as a timeout.
    pub struct BridgeCall: Bridge(operation) in BridgeMetrics {
        started(metrics) {
            metrics.calls.inc(&(operation,));
            metrics.pending.inc();
        }
        ended(metrics, outcome, took) {
            metrics.pending.dec();
            metrics.duration.observe(&(operation,), took.as_secs_f64());
            if let Some(error_type) = outcome.error_type() {
                metrics.errors.inc(&(operation,));
                if error_type == "timeout" {
                    metrics.timeouts.inc(&(operation,));
                }
            }
        }
    }
}
