//! The table of recording rules.

/// Names and expressions, in the order of evaluation; `$w` in a name is the window.
pub(super) static RECORDS: &[(&str, &str)] = &[
    (
        "job:system_cpu_usage_percent:avg$w",
        "avg by (job) (avg_over_time(system_cpu_usage_percent[$w]))",
    ),
    (
        "job:system_cpu_usage_percent:max$w",
        "max by (job) (max_over_time(system_cpu_usage_percent[$w]))",
    ),
    (
        "job:system_memory_percent:avg$w",
        "avg by (job) (avg_over_time(system_memory_percent[$w]))",
    ),
    (
        "job:system_memory_percent:max$w",
        "max by (job) (max_over_time(system_memory_percent[$w]))",
    ),
    (
        "job:system_health_score:avg$w",
        "avg by (job) (avg_over_time(system_health_score[$w]))",
    ),
    (
        "job:http_request_duration_seconds:avg$w",
        "sum by (job) (rate(http_request_duration_seconds_sum[$w])) / (sum by (job) (rate(http_request_duration_seconds_count[$w])) > 0)",
    ),
    (
        "job:http_request_duration_seconds:p50_$w",
        "histogram_quantile(0.5, sum by (job, le) (rate(http_request_duration_seconds_bucket[$w])))",
    ),
    (
        "job:http_request_duration_seconds:p95_$w",
        "histogram_quantile(0.95, sum by (job, le) (rate(http_request_duration_seconds_bucket[$w])))",
    ),
    (
        "job:http_request_duration_seconds:p99_$w",
        "histogram_quantile(0.99, sum by (job, le) (rate(http_request_duration_seconds_bucket[$w])))",
    ),
    (
        "job:http_requests:sum",
        "sum by (job) (http_requests_total)",
    ),
    (
        "job:http_requests:rate$w",
        "sum by (job) (rate(http_requests_total[$w]))",
    ),
    (
        "job:http_errors:rate$w",
        "sum by (job) (rate(http_requests_total{status=~\"5..\"}[$w])) or 0 * sum by (job) (rate(http_requests_total[$w]))",
    ),
    (
        "job:http_errors:ratio$w",
        "job:http_errors:rate$w / (job:http_requests:rate$w > 0)",
    ),
    ("job:errors:rate$w", "sum by (job) (rate(errors_total[$w]))"),
    (
        "job:anomalies_detected:rate$w",
        "sum by (job) (rate(anomalies_detected_total[$w]))",
    ),
    (
        "job:anomalies_detected:increase1h",
        "sum by (job) (increase(anomalies_detected_total[1h]))",
    ),
    (
        "job:healing_attempts:rate$w",
        "sum by (job) (rate(healing_attempts_total[$w]))",
    ),
    (
        "job:healing_success:ratio1h",
        "(sum by (job) (increase(healing_success_total[1h])) or 0 * sum by (job) (increase(healing_attempts_total[1h]))) / (sum by (job) (increase(healing_attempts_total[1h])) > 0)",
    ),
    (
        "job:llm_requests:rate$w",
        "sum by (job, provider, model) (rate(llm_requests_total[$w]))",
    ),
    (
        "job:llm_cost_usd:increase1h",
        "sum by (job, provider, model) (increase(llm_cost_usd_total[1h]))",
    ),
];
