//! The dashboard of own models and of calls to language models.

use crate::assets::table::{Dashboard, Panel};

pub(super) static MODELS: Dashboard<'static> = Dashboard {
    uid: "models",
    title: "Models",
    marks: &[],
    panels: &[
        Panel::gauge(
            "Least accuracy",
            "percentunit",
            &[("min(ml_model_accuracy)", "")],
        )
        .steps(&[(0.0, "red"), (0.85, "yellow"), (0.9, "green")])
        .alert("ModelAccuracyLow"),
        Panel::gauge(
            "Most false alarms",
            "percentunit",
            &[("max(ml_false_positive_rate)", "")],
        )
        .steps(&[(0.0, "green"), (0.1, "yellow"), (0.15, "red")])
        .alert("ModelFalsePositives"),
        Panel::stat(
            "Inferences",
            "ops",
            &[("sum(rate(ml_inference_duration_seconds_count[$w]))", "")],
        ),
        Panel::lines(
            "Accuracy",
            "percentunit",
            &[("ml_model_accuracy", "{{model}}")],
        ),
        Panel::lines(
            "Share of false alarms",
            "percentunit",
            &[("ml_false_positive_rate", "{{model}}")],
        ),
        Panel::lines(
            "Inference time",
            "s",
            &[
                (
                    "histogram_quantile(0.5, sum by (model, le) (rate(ml_inference_duration_seconds_bucket[$w])))",
                    "{{model}} p50",
                ),
                (
                    "histogram_quantile(0.99, sum by (model, le) (rate(ml_inference_duration_seconds_bucket[$w])))",
                    "{{model}} p99",
                ),
            ],
        ),
        Panel::lines(
            "Training runs of the last day",
            "none",
            &[(
                "sum by (model, status) (increase(ml_training_runs_total[1d]))",
                "{{model}} {{status}}",
            )],
        ),
        Panel::lines("Loss", "none", &[("ml_training_loss", "{{model}}")]),
        Panel::lines(
            "Training time, mean",
            "s",
            &[(
                "sum by (model) (increase(ml_training_duration_seconds_sum[1d])) / (sum by (model) (increase(ml_training_duration_seconds_count[1d])) > 0)",
                "{{model}}",
            )],
        ),
    ],
};

pub(super) static LLM: Dashboard<'static> = Dashboard {
    uid: "llm",
    title: "LLM calls",
    marks: &[],
    panels: &[
        Panel::stat("Cost an hour", "currencyUSD", &[("sum(increase(llm_cost_usd_total[1h]))", "")]).alert("LlmCostHigh"),
        Panel::stat("Calls", "reqps", &[("sum(rate(llm_requests_total[$w]))", "")]),
        Panel::stat(
            "Errors",
            "percentunit",
            &[("sum(rate(llm_requests_total{status=\"error\"}[$w])) / (sum(rate(llm_requests_total[$w])) > 0)", "")],
        )
        .alert("LlmErrors"),
        Panel::stat("Rate-limited, last hour", "none", &[("sum(increase(llm_rate_limits_total[1h]))", "")]).alert("LlmRateLimited"),
        Panel::lines("Cost an hour, by model", "currencyUSD", &[("sum by (provider, model) (increase(llm_cost_usd_total[1h]))", "{{provider}} {{model}}")]),
        Panel::lines("Tokens", "cps", &[("sum by (model, type) (rate(llm_tokens_total[$w]))", "{{model}} {{type}}")]),
        Panel::lines("Calls by status", "reqps", &[("sum by (model, operation, status) (rate(llm_requests_total[$w]))", "{{model}} {{operation}} {{status}}")]),
        Panel::lines(
            "Latency",
            "s",
            &[
                ("histogram_quantile(0.5, sum by (model, le) (rate(llm_request_duration_seconds_bucket[$w])))", "{{model}} p50"),
                ("histogram_quantile(0.95, sum by (model, le) (rate(llm_request_duration_seconds_bucket[$w])))", "{{model}} p95"),
            ],
        )
        .alert("LlmSlow"),
        Panel::lines("Time to the first token, p95", "s", &[("histogram_quantile(0.95, sum by (model, le) (rate(llm_time_to_first_token_seconds_bucket[$w])))", "{{model}}")]),
        Panel::lines("Errors by type", "cps", &[("sum by (provider, error_type) (rate(llm_errors_total[$w]))", "{{provider}} {{error_type}}")]),
    ],
};
