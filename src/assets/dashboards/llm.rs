//! The dashboard of own models and of calls to language models.

use crate::assets::table::{Dashboard, Panel};

pub(super) static MODELS: Dashboard<'static> = Dashboard {
    uid: "models",
    title: "Models",
    marks: &[],
    panels: &[
        Panel::gauge("Least accuracy", "percentunit")
            .query("min(ml_model_accuracy)", "")
            .steps(&[(0.0, "red"), (0.85, "yellow"), (0.9, "green")])
            .alert("ModelAccuracyLow"),
        Panel::gauge("Most false alarms", "percentunit")
            .query("max(ml_false_positive_rate)", "")
            .steps(&[(0.0, "green"), (0.1, "yellow"), (0.15, "red")])
            .alert("ModelFalsePositives"),
        Panel::stat("Inferences", "ops")
            .rate("ml_inference_duration_seconds_count", ""),
        Panel::lines("Accuracy", "percentunit")
            .query("ml_model_accuracy", "{{model}}"),
        Panel::lines("Share of false alarms", "percentunit")
            .query("ml_false_positive_rate", "{{model}}"),
        Panel::lines("Inference time", "s")
            .quantile(0.5, "ml_inference_duration_seconds", "{{model}} p50")
            .quantile(0.99, "ml_inference_duration_seconds", "{{model}} p99"),
        Panel::lines("Training runs of the last day", "none")
            .query("sum by (model, status) (increase(ml_training_runs_total[1d]))", "{{model}} {{status}}"),
        Panel::lines("Loss", "none")
            .query("ml_training_loss", "{{model}}"),
        Panel::lines("Training time, mean", "s")
            .query("sum by (model) (increase(ml_training_duration_seconds_sum[1d])) / (sum by (model) (increase(ml_training_duration_seconds_count[1d])) > 0)", "{{model}}"),
    ],
};

pub(super) static LLM: Dashboard<'static> = Dashboard {
    uid: "llm",
    title: "LLM calls",
    marks: &[],
    panels: &[
        Panel::stat("Cost an hour", "currencyUSD")
            .hourly("llm_cost_usd_total", "")
            .alert("LlmCostHigh"),
        Panel::stat("Calls", "reqps").rate("llm_requests_total", ""),
        Panel::stat("Errors", "percentunit")
            .query("sum(rate(llm_requests_total{status=\"error\"}[$w])) / (sum(rate(llm_requests_total[$w])) > 0)", "")
            .alert("LlmErrors"),
        Panel::stat("Rate-limited, last hour", "none")
            .hourly("llm_rate_limits_total", "")
            .alert("LlmRateLimited"),
        Panel::lines("Cost an hour, by model", "currencyUSD")
            .hourly("llm_cost_usd_total", "{{provider}} {{model}}"),
        Panel::lines("Tokens", "cps")
            .rate("llm_tokens_total", "{{model}} {{type}}"),
        Panel::lines("Calls by status", "reqps")
            .rate("llm_requests_total", "{{model}} {{operation}} {{status}}"),
        Panel::lines("Latency", "s")
            .quantile(0.5, "llm_request_duration_seconds", "{{model}} p50")
            .quantile(0.95, "llm_request_duration_seconds", "{{model}} p95")
            .alert("LlmSlow"),
        Panel::lines("Time to the first token, p95", "s")
            .quantile(0.95, "llm_time_to_first_token_seconds", "{{model}}"),
        Panel::lines("Errors by type", "cps")
            .rate("llm_errors_total", "{{provider}} {{error_type}}"),
    ],
};
