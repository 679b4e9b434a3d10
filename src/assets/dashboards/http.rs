//! The dashboard of requests and calls, served and made.

use crate::assets::table::{Dashboard, Panel};

pub(super) static HTTP: Dashboard<'static> = Dashboard {
    uid: "http",
    title: "HTTP and gRPC",
    marks: &[],
    panels: &[
        Panel::row("HTTP, served"),
        Panel::lines("Requests by status", "reqps")
            .rate("http_requests_total", "{{status}}"),
        Panel::lines("Requests by route", "reqps")
            .query("topk(10, sum by (method, path) (rate(http_requests_total[$w])))", "{{method}} {{path}}"),
        Panel::lines("Share of errors by route", "percentunit")
            .query("sum by (path) (rate(http_requests_total{status=~\"5..\"}[$w])) / (sum by (path) (rate(http_requests_total[$w])) > 0)", "{{path}}")
            .alert("ServerErrors"),
        Panel::lines("Latency by route, p95", "s")
            .query("topk(10, histogram_quantile(0.95, sum by (path, le) (rate(http_request_duration_seconds_bucket[$w]))))", "{{path}}")
            .alert("LatencyHigh"),
        Panel::lines("Time to the first byte", "s")
            .quantile(0.5, "http_time_to_first_byte_seconds", "p50")
            .quantile(0.95, "http_time_to_first_byte_seconds", "p95"),
        Panel::lines("In flight", "none")
            .query("http_requests_in_flight", "{{instance}}"),
        Panel::lines("Bytes", "Bps")
            .rate("http_request_size_bytes_sum", "received")
            .rate("http_response_size_bytes_sum", "sent"),
        Panel::lines("Budgets of the objectives, hourly", "percentunit")
            .query("slo:error_ratio:rate1h", "{{slo}}")
            .alert("SloBudgetBurn"),
        Panel::row("HTTP, made"),
        Panel::lines("Requests made", "reqps")
            .rate("http_client_requests_total", "{{host}} {{status}}"),
        Panel::lines("Latency of requests made, p95", "s")
            .quantile(0.95, "http_client_duration_seconds", "{{host}}"),
        Panel::row("gRPC"),
        Panel::lines("Calls by status", "reqps")
            .rate("grpc_requests_total", "{{service}} {{status}}")
            .alert("GrpcErrors"),
        Panel::lines("Latency of calls, p95", "s")
            .quantile(0.95, "grpc_request_duration_seconds", "{{service}}/{{method}}"),
        Panel::lines("Messages", "cps")
            .rate("grpc_messages_received_total", "{{service}} received")
            .rate("grpc_messages_sent_total", "{{service}} sent"),
        Panel::lines("Calls under way", "none")
            .sum("grpc_streams_active", "{{service}}"),
        Panel::lines("Calls made", "reqps")
            .rate("grpc_client_requests_total", "{{service}} {{status}}"),
    ],
};
