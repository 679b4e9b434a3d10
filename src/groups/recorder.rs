use std::sync::Arc;
use std::time::Duration;

use super::{
    ActionMetrics, ApiMetrics, AuditMetrics, BridgeMetrics, ErrorMetrics, IncidentMetrics,
    LlmMetrics, ModelMetrics, NotificationMetrics, PipelineMetrics, StorageMetrics,
    TestWatcherMetrics,
};
use crate::catalog::{Kind, MetricDef};
use crate::registry::{DeclareError, Group, Registry};
use crate::track::Outcome;

/// Records finished work in one call, for code written against its own metrics module. Where
/// possible, use a tracker: it also records work that is dropped early or panics.
///
/// Calls never fail. Metrics that clash with those of the application are not recorded, and
/// `selfheal_collectors_skipped_total` counts them; values that a counter cannot take are counted
/// in `selfheal_values_rejected_total`. Clones are cheap.
///
/// ```
/// use std::time::Duration;
/// use selfheal::groups::Recorder;
/// use selfheal::registry::Registry;
///
/// let registry = Registry::new();
/// let recorder = Recorder::of(&registry);
/// recorder.storage("put", "s3", Duration::from_millis(40), true);
/// recorder.error("checkout", "timeout");
/// recorder.escalation("on-call");
/// let labels = [("component", "checkout"), ("error_type", "timeout")];
/// selfheal::testing::assert_value(&registry, "errors_total", &labels, 1.0);
/// ```
///
/// [`migration`](super::migration) has a table of old and new calls.
#[derive(Clone, Debug)]
pub struct Recorder(Registry);

impl Recorder {
    /// Creates a recorder for `registry`, or for that of a handle.
    #[must_use]
    pub fn of(registry: &impl AsRef<Registry>) -> Self {
        Self(registry.as_ref().clone())
    }

    /// Creates a recorder for the global registry.
    #[must_use]
    pub fn global() -> Self {
        Self(Registry::global().clone())
    }

    /// The metrics of a group, or `None` if they could not be declared.
    #[must_use]
    pub fn group<G: Group>(&self) -> Option<Arc<G>> {
        self.0.group_or_skip()
    }

    fn with<G: Group>(&self, record: impl FnOnce(&G)) {
        if let Some(group) = self.group::<G>() {
            record(&group);
        }
    }

    /// Counts and times an HTTP request that no layer of this crate recorded.
    #[cfg(feature = "http")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        self.with::<crate::http::HttpMetrics>(|http| {
            let mut buffer = itoa::Buffer::new();
            let labels = [method, route, buffer.format(status)];
            http.requests.inc(&labels);
            http.duration.observe(&labels, took.as_secs_f64());
        });
    }

    /// Counts an anomaly.
    pub fn anomaly(&self, anomaly_type: &str, severity: &str) {
        self.with::<ActionMetrics>(|actions| actions.anomalies.inc(&(anomaly_type, severity)));
    }

    /// Counts and times a healing action of the application itself.
    pub fn healing_action(&self, action: &str, took: Duration, succeeded: bool) {
        self.with::<ActionMetrics>(|actions| {
            let counter = if succeeded {
                &actions.succeeded
            } else {
                &actions.failed
            };
            counter.inc(&(action,));
            actions.duration.observe(&(action,), took.as_secs_f64());
        });
    }

    /// Counts an error of a component, by its type.
    pub fn error(&self, component: &str, error_type: &str) {
        self.with::<ErrorMetrics>(|errors| errors.errors.inc(&(component, error_type)));
    }

    /// Counts and times a call to another service.
    pub fn api_call(&self, api: &str, took: Duration, outcome: Outcome<'_>) {
        self.with::<ApiMetrics>(|metrics| metrics.ended(api, outcome, took));
    }

    /// Counts a call that another service rate-limited.
    pub fn api_rate_limit(&self, api: &str) {
        self.with::<ApiMetrics>(|metrics| metrics.rate_limits.inc(&(api,)));
    }

    /// Counts a call that a model provider rate-limited.
    pub fn llm_rate_limit(&self, provider: &str) {
        self.with::<LlmMetrics>(|llm| llm.rate_limits.inc(&(provider,)));
    }

    /// Counts and times a storage operation.
    pub fn storage(&self, operation: &str, backend: &str, took: Duration, succeeded: bool) {
        self.with::<StorageMetrics>(|storage| {
            storage
                .operations
                .inc(&(operation, backend, status(succeeded)));
            storage
                .duration
                .observe(&(operation, backend), took.as_secs_f64());
        });
    }

    /// Sets the size of a storage, in bytes.
    pub fn storage_size(&self, backend: &str, bytes: i64) {
        self.with::<StorageMetrics>(|storage| storage.size.set(&(backend,), bytes));
    }

    /// Counts and times the delivery of a notification.
    pub fn notification(&self, channel: &str, took: Duration, succeeded: bool) {
        self.with::<NotificationMetrics>(|metrics| {
            metrics.notifications.inc(&(channel, status(succeeded)));
            metrics.duration.observe(&(channel,), took.as_secs_f64());
        });
    }

    /// Sets the number of notifications waiting for delivery.
    pub fn notification_queue(&self, channel: &str, waiting: i64) {
        self.with::<NotificationMetrics>(|metrics| metrics.queue.set(&(channel,), waiting));
    }

    /// Counts a report of a known incident.
    pub fn deduplication(&self) {
        self.with::<IncidentMetrics>(|incidents| incidents.deduplicated.inc());
    }

    /// Counts an incident that belongs to another.
    pub fn correlation(&self) {
        self.with::<IncidentMetrics>(|incidents| incidents.correlated.inc());
    }

    /// Counts an escalation to this level.
    pub fn escalation(&self, level: &str) {
        self.with::<IncidentMetrics>(|incidents| incidents.escalated.inc(&(level,)));
    }

    /// Counts a detected failure of a pipeline.
    pub fn pipeline_failure(&self, pipeline_type: &str) {
        self.with::<PipelineMetrics>(|pipelines| pipelines.failures.inc(&(pipeline_type,)));
    }

    /// Sets the accuracy and false positive rate of a model, 0 to 1.
    pub fn model(&self, model: &str, accuracy: f64, false_positive_rate: f64) {
        self.with::<ModelMetrics>(|models| {
            models.accuracy.set(&(model,), accuracy);
            models.false_positives.set(&(model,), false_positive_rate);
        });
    }

    /// Counts and times a changed file that a test watcher processed.
    pub fn file_processed(&self, took: Duration) {
        self.with::<TestWatcherMetrics>(|watcher| {
            watcher.files.inc();
            watcher.processing.observe_duration(took);
        });
    }

    /// Counts the tests of one run of a test watcher, and times the run.
    pub fn test_run(&self, passed: u64, failed: u64, errors: u64, took: Duration) {
        self.with::<TestWatcherMetrics>(|watcher| {
            for (status, n) in [("pass", passed), ("fail", failed), ("error", errors)] {
                watcher.tests.add(&(status,), n);
            }
            watcher.execution.observe(&(), took.as_secs_f64());
        });
    }

    /// Sets the share of the work that an audit found covered, 0 to 100.
    pub fn coverage(&self, percent: f64) {
        self.with::<AuditMetrics>(|audit| audit.coverage.set(&(), percent));
    }

    /// Sets the number of runtimes of a bridge from blocking to async code.
    pub fn bridge_loops(&self, loops: i64) {
        self.with::<BridgeMetrics>(|bridge| bridge.loops.set(loops));
    }

    /// Sets a gauge or adds to a counter whose name is known only at run time, and declares it if
    /// it is new. For frequent calls, keep the result of [`Registry::declare`].
    ///
    /// # Errors
    /// Those of [`Registry::declare`]; a name ending in `_total` is a counter, any other a gauge.
    pub fn metric(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        value: f64,
    ) -> Result<(), DeclareError> {
        let kind = if name.ends_with("_total") {
            Kind::Counter
        } else {
            Kind::Gauge
        };
        let names = labels.iter().map(|(name, _)| (*name).to_owned());
        let def = MetricDef::new(kind, name.to_owned(), "Set at run time").with_labels(names);
        let values: Vec<&str> = labels.iter().map(|(_, value)| *value).collect();
        self.0.declare(def)?.record(&values, value);
        Ok(())
    }
}

fn status(succeeded: bool) -> &'static str {
    if succeeded {
        Outcome::Success.status()
    } else {
        Outcome::Error("").status()
    }
}
