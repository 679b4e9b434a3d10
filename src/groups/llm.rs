use crate::catalog::Alias;
use crate::config::INCIDENT_MANAGER;
use crate::track::Outcome;

/// Durations of calls to a model: the buckets of the OpenTelemetry semantic conventions for
/// generative AI, `gen_ai.client.operation.duration`.
const DURATION: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// Time to the first token: the buckets of `gen_ai.server.time_to_first_token`.
const FIRST_TOKEN: [f64; 16] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

crate::group! {
    /// The metrics of calls to language models.
    pub struct LlmMetrics: "llm" {
        /// Calls to language models, by how they ended
        pub requests: Counter = "llm_requests_total" ["provider", "model", "operation", "status"]
            .at_most("provider", 50) .at_most("model", 200) .at_most("operation", 50) .only("status", &Outcome::STATUSES);
        /// Time a call to a language model took
        pub duration: Histogram = "llm_request_duration_seconds" ["provider", "model", "operation"]
            .at_most("provider", 50) .at_most("model", 200) .at_most("operation", 50) .buckets(&DURATION);
        /// Time from the start of a call to its first token
        pub first_token: Histogram = "llm_time_to_first_token_seconds" ["provider", "model"]
            .at_most("provider", 50) .at_most("model", 200) .buckets(&FIRST_TOKEN);
        /// Tokens sent to (input) and received from (output) models
        pub tokens: Counter = "llm_tokens_total" ["provider", "model", "type"]
            .at_most("provider", 50) .at_most("model", 200) .only("type", &["input", "output"]);
        /// Calls to language models that failed, by type of error
        pub errors: Counter = "llm_errors_total" ["provider", "model", "error_type"]
            .at_most("provider", 50) .at_most("model", 200) .at_most("error_type", 100);
        /// Cost of calls to language models in US dollars
        pub cost: FloatCounter = "llm_cost_usd_total" ["provider", "model"]
            .at_most("provider", 50) .at_most("model", 200) .alias(Alias::new(INCIDENT_MANAGER, "llm_cost_usd"));
        /// Calls that a provider refused for their rate
        pub rate_limits: Counter = "llm_rate_limits_total" ["provider"] .at_most("provider", 50);
    }
}

crate::tracker! {
    /// A call to a language model: counted by outcome, timed, with its tokens and cost.
    ///
    /// Dropped without an outcome it counts as `abandoned`, in a panic as an error of type `panic`.
    pub struct LlmCall: Llm(provider, model, operation) in LlmMetrics, without success {
        ended(metrics, outcome, took) {
            metrics.requests.inc(&(provider, model, operation, outcome.status()));
            metrics.duration.observe(&(provider, model, operation), took.as_secs_f64());
            if let Some(error_type) = outcome.error_type() {
                metrics.errors.inc(&(provider, model, error_type));
            }
        }
    }
}

impl LlmCall {
    /// Records the time from the start to the first token of the answer.
    pub fn first_token(&self) {
        let took = self.elapsed().as_secs_f64();
        self.record(|llm, [provider, model, _]| llm.first_token.observe(&(provider, model), took));
    }

    /// Records success, the tokens sent and received, and the cost in dollars. A cost that is
    /// negative or not finite is ignored and counted as rejected.
    pub fn success(self, tokens_in: u64, tokens_out: u64, usd: f64) {
        self.record(|llm, [provider, model, _]| {
            llm.tokens.add(&(provider, model, "input"), tokens_in);
            llm.tokens.add(&(provider, model, "output"), tokens_out);
            llm.cost.add(&(provider, model), usd);
        });
        self.0.success();
    }

    /// Records that the provider rate-limited the call: an error of type `rate_limit`.
    pub fn rate_limited(self) {
        self.record(|llm, [provider, ..]| llm.rate_limits.inc(&(provider,)));
        self.error(super::RATE_LIMIT);
    }
}
