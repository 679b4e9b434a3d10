//! The overview dashboard of the service.

use super::{IS_HIGH, NO_KUBERNETES};
use crate::assets::table::{Dashboard, Panel};

pub(super) static OVERVIEW: Dashboard<'static> = Dashboard {
    uid: "overview",
    title: "Overview",
    marks: &[("healed", "sum by (action) (increase(healing_success_total[$w])) > 0")],
    panels: &[
        Panel::gauge("Health", "none")
            .query("min(system_health_score)", "")
            .steps(&[(0.0, "red"), (60.0, "orange"), (80.0, "yellow"), (90.0, "green")])
            .alert("HealthDegraded"),
        Panel::stat("Requests", "reqps")
            .rate("http_requests_total", ""),
        Panel::stat("Errors", "percentunit")
            .query("sum(rate(http_requests_total{status=~\"5..\"}[$w])) / (sum(rate(http_requests_total[$w])) > 0)", "")
            .steps(&[(0.0, "green"), (0.001, "yellow"), (0.01, "red")]),
        Panel::stat("Open issues", "none")
            .sum("healing_issues_open", "")
            .steps(&[(0.0, "green"), (1.0, "yellow"), (5.0, "red")]),
        Panel::gauge("Healing success, last hour", "percentunit")
            .query("sum(increase(healing_success_total[1h])) / (sum(increase(healing_attempts_total[1h])) > 0)", "")
            .steps(&[(0.0, "red"), (0.8, "yellow"), (0.95, "green")]),
        Panel::gauge("Model accuracy", "percentunit")
            .query("min(ml_model_accuracy)", "")
            .steps(&[(0.0, "red"), (0.85, "yellow"), (0.9, "green")]),
        Panel::lines("Latency", "s")
            .quantile(0.5, "http_request_duration_seconds", "p50")
            .quantile(0.95, "http_request_duration_seconds", "p95")
            .quantile(0.99, "http_request_duration_seconds", "p99")
            .query("sum(rate(http_request_duration_seconds_sum[$w])) / (sum(rate(http_request_duration_seconds_count[$w])) > 0)", "mean"),
        Panel::lines("Request rate", "reqps")
            .rate("http_requests_total", "{{instance}}")
            .rate("http_requests_total", "all"),
        Panel::lines("Health score, and how much of it is known", "none")
            .query("system_health_score", "{{instance}}")
            .query("system_health_score_upper", "{{instance}}, if everything unknown is healthy")
            .query("100 * system_health_coverage_ratio", "{{instance}}, percent known")
            .alert("HealthCritical"),
        Panel::lines("Errors by component", "cps")
            .rate("errors_total", "{{component}} {{error_type}}"),
        Panel::row("Machine, healing and cluster"),
        Panel::lines("CPU of the machine", "percent")
            .query("system_cpu_usage_percent", "{{instance}}")
            .query("avg(system_cpu_usage_percent)", "mean")
            .steps(IS_HIGH),
        Panel::lines("Memory of the machine", "percent")
            .query("system_memory_percent", "{{instance}}")
            .query("avg(system_memory_percent)", "mean")
            .steps(IS_HIGH),
        Panel::lines("Heals of the last hour", "none")
            .hourly("healing_success_total", "{{action}} healed")
            .hourly("healing_failures_total", "{{action}} failed"),
        Panel::lines("Anomalies of the last hour", "none")
            .hourly("anomalies_detected_total", "{{anomaly_type}}"),
        Panel::lines("Pods, available and desired", "none")
            .sum("kube_deployment_status_replicas_available", "{{deployment}}")
            .sum("kube_deployment_spec_replicas", "{{deployment}}, wanted")
            .empty(NO_KUBERNETES),
        Panel::table("Alerts that fire", "none")
            .query("ALERTS{alertstate=\"firing\"}", "")
            .empty("No alert fires."),
    ],
};
