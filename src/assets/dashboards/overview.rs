//! The overview dashboard of the service.

use super::{IS_HIGH, NO_KUBERNETES};
use crate::assets::table::{Dashboard, Panel};

pub(super) static OVERVIEW: Dashboard<'static> = Dashboard {
    uid: "overview",
    title: "Overview",
    marks: &[("healed", "sum by (action) (increase(healing_success_total[$w])) > 0")],
    panels: &[
        Panel::gauge("Health", "none", &[("min(system_health_score)", "")])
            .steps(&[(0.0, "red"), (60.0, "orange"), (80.0, "yellow"), (90.0, "green")])
            .alert("HealthDegraded"),
        Panel::stat("Requests", "reqps", &[("sum(rate(http_requests_total[$w]))", "")]),
        Panel::stat(
            "Errors",
            "percentunit",
            &[(
                "sum(rate(http_requests_total{status=~\"5..\"}[$w])) / (sum(rate(http_requests_total[$w])) > 0)",
                "",
            )],
        )
        .steps(&[(0.0, "green"), (0.001, "yellow"), (0.01, "red")]),
        Panel::stat("Open issues", "none", &[("sum(healing_issues_open)", "")])
            .steps(&[(0.0, "green"), (1.0, "yellow"), (5.0, "red")]),
        Panel::gauge(
            "Healing success, last hour",
            "percentunit",
            &[(
                "sum(increase(healing_success_total[1h])) / (sum(increase(healing_attempts_total[1h])) > 0)",
                "",
            )],
        )
        .steps(&[(0.0, "red"), (0.8, "yellow"), (0.95, "green")]),
        Panel::gauge("Model accuracy", "percentunit", &[("min(ml_model_accuracy)", "")])
            .steps(&[(0.0, "red"), (0.85, "yellow"), (0.9, "green")]),
        Panel::lines(
            "Latency",
            "s",
            &[
                (
                    "histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket[$w])))",
                    "p50",
                ),
                (
                    "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[$w])))",
                    "p95",
                ),
                (
                    "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[$w])))",
                    "p99",
                ),
                (
                    "sum(rate(http_request_duration_seconds_sum[$w])) / (sum(rate(http_request_duration_seconds_count[$w])) > 0)",
                    "mean",
                ),
            ],
        ),
        Panel::lines(
            "Request rate",
            "reqps",
            &[
                ("sum by (instance) (rate(http_requests_total[$w]))", "{{instance}}"),
                ("sum(rate(http_requests_total[$w]))", "all"),
            ],
        ),
        Panel::lines(
            "Health score, and how much of it is known",
            "none",
            &[
                ("system_health_score", "{{instance}}"),
                ("system_health_score_upper", "{{instance}}, if everything unknown is healthy"),
                ("100 * system_health_coverage_ratio", "{{instance}}, percent known"),
            ],
        )
        .alert("HealthCritical"),
        Panel::lines(
            "Errors by component",
            "cps",
            &[("sum by (component, error_type) (rate(errors_total[$w]))", "{{component}} {{error_type}}")],
        ),
        Panel::row("Machine, healing and cluster"),
        Panel::lines(
            "CPU of the machine",
            "percent",
            &[
                ("system_cpu_usage_percent", "{{instance}}"),
                ("avg(system_cpu_usage_percent)", "mean"),
            ],
        )
        .steps(IS_HIGH),
        Panel::lines(
            "Memory of the machine",
            "percent",
            &[
                ("system_memory_percent", "{{instance}}"),
                ("avg(system_memory_percent)", "mean"),
            ],
        )
        .steps(IS_HIGH),
        Panel::lines(
            "Heals of the last hour",
            "none",
            &[
                ("sum by (action) (increase(healing_success_total[1h]))", "{{action}} healed"),
                ("sum by (action) (increase(healing_failures_total[1h]))", "{{action}} failed"),
            ],
        ),
        Panel::lines(
            "Anomalies of the last hour",
            "none",
            &[(
                "sum by (anomaly_type) (increase(anomalies_detected_total[1h]))",
                "{{anomaly_type}}",
            )],
        ),
        Panel::lines(
            "Pods, available and desired",
            "none",
            &[
                ("sum by (deployment) (kube_deployment_status_replicas_available)", "{{deployment}}"),
                ("sum by (deployment) (kube_deployment_spec_replicas)", "{{deployment}}, wanted"),
            ],
        )
        .empty(NO_KUBERNETES),
        Panel::table("Alerts that fire", "none", &[("ALERTS{alertstate=\"firing\"}", "")])
            .empty("No alert fires."),
    ],
};
