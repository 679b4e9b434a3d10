//! Alerts on failing and slow requests.

use crate::assets::table::{Alert, AlertGroup};

const ENGINE: &str = "The engine works on what its detectors find: tasks, files, resources, suppliers. A fault in a handler is not among it.";

const WHERE: &[&str] = &[
    "Find the routes that fail: the second query.",
    "Read the log of the instance for one of these requests.",
    "Find out what changed when it began: a deployment, a supplier, the load. Undo that.",
];
const RATIO: &[&str] = &[
    "job:http_errors:ratio$w",
    "topk(10, sum by (path, status) (rate(http_requests_total{status=~\"5..\"}[$w])))",
];
const SLOW: &[&str] = &[
    "Find the routes that are slow: the second query.",
    "Compare with the load and with the CPU of the machine.",
    "Find out whether a supplier is slow: see the dashboards of outgoing calls.",
];
const TIMES: &[&str] = &[
    "job:http_request_duration_seconds:p99_$w",
    "topk(10, histogram_quantile(0.95, sum by (path, le) (rate(http_request_duration_seconds_bucket[$w]))))",
];

pub(super) static HTTP: AlertGroup = AlertGroup {
    name: "http",
    alerts: &[
        Alert {
            name: "ServerErrors",
            severity: "critical",
            hold: "5m",
            expr: "job:http_errors:ratio$w > 0.01",
            summary: "{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} fail",
            description: "More than 1 % of the requests to {{ $labels.job }} have been answered with 5xx for five minutes; now it is {{ $value | humanizePercentage }}.",
            impact: "Users see errors.",
            tried: ENGINE,
            steps: WHERE,
            queries: RATIO,
            test: &[
                "http_requests_total{job=\"shop\",instance=\"a\",method=\"GET\",path=\"/\",status=\"200\"} 0+97x60 0+1000x60",
                "http_requests_total{job=\"shop\",instance=\"a\",method=\"GET\",path=\"/\",status=\"500\"} 0+3x60 0+1x60",
            ],
        },
        Alert {
            name: "ErrorRateHigh",
            severity: "warning",
            hold: "1m",
            expr: "job:http_errors:ratio$w > 0.05 <= 0.1",
            summary: "{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} fail",
            description: "More than 5 % of the requests to {{ $labels.job }} have been answered with 5xx for a minute; now it is {{ $value | humanizePercentage }}.",
            impact: "Users see errors, one request in twenty.",
            tried: ENGINE,
            steps: WHERE,
            queries: RATIO,
            test: &[
                "http_requests_total{job=\"shop\",instance=\"a\",method=\"GET\",path=\"/\",status=\"200\"} 0+93x60 0+1000x60",
                "http_requests_total{job=\"shop\",instance=\"a\",method=\"GET\",path=\"/\",status=\"500\"} 0+7x60 0+1x60",
            ],
        },
        Alert {
            name: "ErrorRateCritical",
            severity: "critical",
            hold: "30s",
            expr: "job:http_errors:ratio$w > 0.1",
            summary: "{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} fail",
            description: "More than 10 % of the requests to {{ $labels.job }} have been answered with 5xx for 30 seconds; now it is {{ $value | humanizePercentage }}.",
            impact: "Users see errors, one request in ten or more.",
            tried: ENGINE,
            steps: WHERE,
            queries: RATIO,
            test: &[
                "http_requests_total{job=\"shop\",instance=\"a\",method=\"GET\",path=\"/\",status=\"200\"} 0+80x60 0+1000x60",
                "http_requests_total{job=\"shop\",instance=\"a\",method=\"GET\",path=\"/\",status=\"500\"} 0+20x60 0+1x60",
            ],
        },
        Alert {
            name: "LatencyHigh",
            severity: "warning",
            hold: "10m",
            expr: "job:http_request_duration_seconds:p95_$w > 0.2",
            summary: "One request in twenty to {{ $labels.job }} takes over {{ $value | humanizeDuration }}",
            description: "The 95th percentile of the request times of {{ $labels.job }} has been over 200 ms for ten minutes; now it is {{ $value | humanizeDuration }}.",
            impact: "Users wait.",
            tried: "If load is shed, the least important requests are refused already.",
            steps: SLOW,
            queries: TIMES,
            test: &[
                "http_request_duration_seconds_bucket{job=\"shop\",le=\"0.1\"} 0+0x60 0+100x60",
                "http_request_duration_seconds_bucket{job=\"shop\",le=\"0.5\"} 0+100x60 0+100x60",
                "http_request_duration_seconds_bucket{job=\"shop\",le=\"+Inf\"} 0+100x60 0+100x60",
            ],
        },
        Alert {
            name: "ResponseTimeHigh",
            severity: "warning",
            hold: "2m",
            expr: "job:http_request_duration_seconds:avg$w > 0.8 <= 2",
            summary: "The mean request to {{ $labels.job }} takes {{ $value | humanizeDuration }}",
            description: "The mean request time of {{ $labels.job }} has been over 800 ms for two minutes; now it is {{ $value | humanizeDuration }}.",
            impact: "Users wait.",
            tried: "If load is shed, the least important requests are refused already.",
            steps: SLOW,
            queries: TIMES,
            test: &[
                "http_request_duration_seconds_sum{job=\"shop\",instance=\"a\",method=\"GET\",path=\"/\",status=\"200\"} 0+100x60 0+10x60",
                "http_request_duration_seconds_count{job=\"shop\",instance=\"a\",method=\"GET\",path=\"/\",status=\"200\"} 0+100x60 0+100x60",
            ],
        },
        Alert {
            name: "ResponseTimeCritical",
            severity: "critical",
            hold: "1m",
            expr: "job:http_request_duration_seconds:avg$w > 2",
            summary: "The mean request to {{ $labels.job }} takes {{ $value | humanizeDuration }}",
            description: "The mean request time of {{ $labels.job }} has been over two seconds for a minute; now it is {{ $value | humanizeDuration }}.",
            impact: "Users give up.",
            tried: "If load is shed, the least important requests are refused already.",
            steps: SLOW,
            queries: TIMES,
            test: &[
                "http_request_duration_seconds_sum{job=\"shop\",instance=\"a\",method=\"GET\",path=\"/\",status=\"200\"} 0+300x60 0+10x60",
                "http_request_duration_seconds_count{job=\"shop\",instance=\"a\",method=\"GET\",path=\"/\",status=\"200\"} 0+100x60 0+100x60",
            ],
        },
        Alert {
            name: "GrpcErrors",
            severity: "warning",
            hold: "5m",
            expr: "sum by (job, service) (rate(grpc_requests_total{status=~\"INTERNAL|UNAVAILABLE|UNKNOWN|DATA_LOSS|DEADLINE_EXCEEDED\"}[$w])) / sum by (job, service) (rate(grpc_requests_total[$w])) > 0.05",
            summary: "{{ $value | humanizePercentage }} of the calls of {{ $labels.service }} fail",
            description: "More than 5 % of the gRPC calls of {{ $labels.service }} in {{ $labels.job }} have failed for five minutes; now it is {{ $value | humanizePercentage }}.",
            impact: "Clients see errors, and retry.",
            tried: ENGINE,
            steps: WHERE,
            queries: &[
                "sum by (service, status) (rate(grpc_requests_total[$w]))",
                "topk(10, sum by (service, method) (rate(grpc_requests_total{status!=\"OK\"}[$w])))",
            ],
            test: &[
                "grpc_requests_total{job=\"shop\",service=\"s\",method=\"m\",status=\"OK\"} 0+80x60 0+100x60",
                "grpc_requests_total{job=\"shop\",service=\"s\",method=\"m\",status=\"INTERNAL\"} 0+20x60 0+0x60",
            ],
        },
    ],
};
