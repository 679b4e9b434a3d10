//! The dashboard of requests and calls, served and made.

use crate::assets::table::{Dashboard, Panel};

pub(super) static HTTP: Dashboard<'static> = Dashboard {
    uid: "http",
    title: "HTTP and gRPC",
    marks: &[],
    panels: &[
        Panel::row("HTTP, served"),
        Panel::lines("Requests by status", "reqps", &[("sum by (status) (rate(http_requests_total[$w]))", "{{status}}")]),
        Panel::lines("Requests by route", "reqps", &[("topk(10, sum by (method, path) (rate(http_requests_total[$w])))", "{{method}} {{path}}")]),
        Panel::lines(
            "Share of errors by route",
            "percentunit",
            &[(
                "sum by (path) (rate(http_requests_total{status=~\"5..\"}[$w])) / (sum by (path) (rate(http_requests_total[$w])) > 0)",
                "{{path}}",
            )],
        )
        .alert("ServerErrors"),
        Panel::lines(
            "Latency by route, p95",
            "s",
            &[("topk(10, histogram_quantile(0.95, sum by (path, le) (rate(http_request_duration_seconds_bucket[$w]))))", "{{path}}")],
        )
        .alert("LatencyHigh"),
        Panel::lines(
            "Time to the first byte",
            "s",
            &[
                ("histogram_quantile(0.5, sum by (le) (rate(http_time_to_first_byte_seconds_bucket[$w])))", "p50"),
                ("histogram_quantile(0.95, sum by (le) (rate(http_time_to_first_byte_seconds_bucket[$w])))", "p95"),
            ],
        ),
        Panel::lines("In flight", "none", &[("http_requests_in_flight", "{{instance}}")]),
        Panel::lines(
            "Bytes",
            "Bps",
            &[
                ("sum(rate(http_request_size_bytes_sum[$w]))", "received"),
                ("sum(rate(http_response_size_bytes_sum[$w]))", "sent"),
            ],
        ),
        Panel::lines(
            "Budgets of the objectives, hourly",
            "percentunit",
            &[("slo:error_ratio:rate1h", "{{slo}}")],
        )
        .alert("SloBudgetBurn"),
        Panel::row("HTTP, made"),
        Panel::lines("Requests made", "reqps", &[("sum by (host, status) (rate(http_client_requests_total[$w]))", "{{host}} {{status}}")]),
        Panel::lines(
            "Latency of requests made, p95",
            "s",
            &[("histogram_quantile(0.95, sum by (host, le) (rate(http_client_duration_seconds_bucket[$w])))", "{{host}}")],
        ),
        Panel::row("gRPC"),
        Panel::lines("Calls by status", "reqps", &[("sum by (service, status) (rate(grpc_requests_total[$w]))", "{{service}} {{status}}")])
            .alert("GrpcErrors"),
        Panel::lines(
            "Latency of calls, p95",
            "s",
            &[("histogram_quantile(0.95, sum by (service, method, le) (rate(grpc_request_duration_seconds_bucket[$w])))", "{{service}}/{{method}}")],
        ),
        Panel::lines(
            "Messages",
            "cps",
            &[
                ("sum by (service) (rate(grpc_messages_received_total[$w]))", "{{service}} received"),
                ("sum by (service) (rate(grpc_messages_sent_total[$w]))", "{{service}} sent"),
            ],
        ),
        Panel::lines("Calls under way", "none", &[("sum by (service) (grpc_streams_active)", "{{service}}")]),
        Panel::lines("Calls made", "reqps", &[("sum by (service, status) (rate(grpc_client_requests_total[$w]))", "{{service}} {{status}}")]),
    ],
};
