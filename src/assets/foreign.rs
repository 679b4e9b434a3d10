//! Metrics of other exporters that rules and dashboards use, with the labels used.

/// Names and labels, without those of the scrape.
static METRICS: &[(&str, &[&str])] = &[
    ("up", &[]),
    ("scrape_duration_seconds", &[]),
    ("ALERTS", &["alertname", "alertstate", "severity"]),
    // kube-state-metrics.
    ("kube_pod_container_status_restarts_total", &["container"]),
    ("kube_pod_status_ready", &["condition"]),
    ("kube_pod_status_phase", &["phase"]),
    (
        "kube_node_status_condition",
        &["node", "condition", "status"],
    ),
    (
        "kube_horizontalpodautoscaler_status_current_replicas",
        &["horizontalpodautoscaler"],
    ),
    (
        "kube_horizontalpodautoscaler_spec_max_replicas",
        &["horizontalpodautoscaler"],
    ),
    ("kube_deployment_status_replicas_available", &["deployment"]),
    ("kube_deployment_spec_replicas", &["deployment"]),
    // The blackbox exporter.
    ("probe_success", &[]),
];

/// The labels of a metric in the table.
pub(super) fn labels(name: &str) -> Option<&'static [&'static str]> {
    let metric = METRICS.iter().find(|(known, _)| *known == name);
    metric.map(|(_, labels)| *labels)
}
