//! Alerts on the cost and failures of calls to language models.

use crate::assets::table::{Alert, AlertGroup};

pub(super) static LLM: AlertGroup = AlertGroup {
    name: "llm",
    alerts: &[
        Alert {
            name: "LlmCostHigh",
            severity: "warning",
            hold: "5m",
            expr: "sum by (job, provider) (increase(llm_cost_usd_total[1h])) > 10",
            summary: "Calls to {{ $labels.provider }} cost {{ $value | printf \"%.2f\" }} dollars an hour",
            description: "In the last hour the calls of {{ $labels.job }} to {{ $labels.provider }} cost {{ $value | printf \"%.2f\" }} dollars, more than 10.",
            impact: "Money.",
            tried: "Nothing.",
            steps: &[
                "See which model and operation it is.",
                "Look for calls that are repeated endlessly.",
                "Take a cheaper model, or cache answers.",
            ],
            queries: &[
                "topk(5, sum by (model) (increase(llm_cost_usd_total[1h])))",
                "topk(5, sum by (model, type) (rate(llm_tokens_total[$w])))",
            ],
            test: &["llm_cost_usd_total{job=\"shop\",provider=\"p\",model=\"m\"} 0+1x60 0+0.01x60"],
        },
        Alert {
            name: "LlmErrors",
            severity: "warning",
            hold: "5m",
            expr: "sum by (job, provider, model) (rate(llm_requests_total{status=\"error\"}[$w])) / sum by (job, provider, model) (rate(llm_requests_total[$w])) > 0.05",
            summary: "{{ $value | humanizePercentage }} of the calls to {{ $labels.model }} fail",
            description: "For five minutes more than 5 % of the calls of {{ $labels.job }} to {{ $labels.model }} of {{ $labels.provider }} have failed; now it is {{ $value | humanizePercentage }}.",
            impact: "Whatever needs the answers fails or waits.",
            tried: "Where the provider is guarded, the engine has failed over.",
            steps: &[
                "See the type of the errors.",
                "See the status page of the provider.",
            ],
            queries: &["sum by (provider, error_type) (rate(llm_errors_total[$w]))"],
            test: &[
                "llm_requests_total{job=\"shop\",provider=\"p\",model=\"m\",operation=\"chat\",status=\"success\"} 0+10x60 0+10x60",
                "llm_requests_total{job=\"shop\",provider=\"p\",model=\"m\",operation=\"chat\",status=\"error\"} 0+5x60 0+0x60",
            ],
        },
        Alert {
            name: "LlmRateLimited",
            severity: "warning",
            hold: "",
            expr: "sum by (job, provider) (increase(llm_rate_limits_total[$w])) > 5",
            summary: "{{ $labels.provider }} limits the rate of calls",
            description: "{{ $labels.provider }} refused {{ $value | printf \"%.0f\" }} calls of {{ $labels.job }} in a few minutes, because of their rate.",
            impact: "Answers are late or missing.",
            tried: "Nothing, unless the caller retries.",
            steps: &[
                "Spread the calls, or queue them.",
                "Ask the provider for a higher limit.",
            ],
            queries: &["sum by (provider) (rate(llm_requests_total[$w]))"],
            test: &["llm_rate_limits_total{job=\"shop\",provider=\"p\"} 0+5x60 0+0x60"],
        },
        Alert {
            name: "LlmSlow",
            severity: "warning",
            hold: "10m",
            expr: "histogram_quantile(0.95, sum by (job, provider, model, le) (rate(llm_request_duration_seconds_bucket[$w]))) > 30",
            summary: "One call in twenty to {{ $labels.model }} takes over {{ $value | humanizeDuration }}",
            description: "The 95th percentile of the calls of {{ $labels.job }} to {{ $labels.model }} has been over 30 s for ten minutes; now it is {{ $value | humanizeDuration }}.",
            impact: "Callers wait long for answers.",
            tried: "Nothing.",
            steps: &[
                "See whether the answers became longer: tokens by type.",
                "See the status page of the provider.",
            ],
            queries: &["sum by (model, type) (rate(llm_tokens_total[$w]))"],
            test: &[
                "llm_request_duration_seconds_bucket{job=\"shop\",provider=\"p\",model=\"m\",operation=\"chat\",le=\"10.24\"} 0+0x60 0+10x60",
                "llm_request_duration_seconds_bucket{job=\"shop\",provider=\"p\",model=\"m\",operation=\"chat\",le=\"81.92\"} 0+10x60 0+10x60",
                "llm_request_duration_seconds_bucket{job=\"shop\",provider=\"p\",model=\"m\",operation=\"chat\",le=\"+Inf\"} 0+10x60 0+10x60",
            ],
        },
    ],
};
