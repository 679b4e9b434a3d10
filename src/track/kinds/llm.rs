use std::time::Duration;

use crate::registry::{
    Counter, DeclareError, Family, FloatCounter, Group, Histogram, Registry, Text,
};
use crate::track::texts::Texts;
use crate::track::{Outcome, Tracker, TrackerKind};
use crate::util::Clock;

/// Durations of calls to a model: the buckets of the OpenTelemetry semantic conventions for
/// generative AI, `gen_ai.client.operation.duration`.
const DURATION: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// Time to the first token: the buckets of `gen_ai.server.time_to_first_token`.
const FIRST_TOKEN: [f64; 16] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The metrics of calls to language models.
#[derive(Debug)]
pub struct LlmMetrics {
    requests: Family<Counter, [Text; 4]>,
    duration: Family<Histogram, [Text; 3]>,
    first_token: Family<Histogram, [Text; 2]>,
    tokens: Family<Counter, [Text; 3]>,
    errors: Family<Counter, [Text; 3]>,
    cost: Family<FloatCounter, [Text; 2]>,
    rate_limits: Family<Counter, [Text; 1]>,
}

impl Group for LlmMetrics {
    const NAME: &'static str = "llm";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self {
            requests: registry
                .counter(
                    "llm_requests_total",
                    "Calls to language models, by how they ended",
                )
                .labels(["provider", "model", "operation", "status"])?,
            duration: registry
                .histogram(
                    "llm_request_duration_seconds",
                    "Time a call to a language model took",
                )
                .buckets(&DURATION)
                .labels(["provider", "model", "operation"])?,
            first_token: registry
                .histogram(
                    "llm_time_to_first_token_seconds",
                    "Time from the start of a call to its first token",
                )
                .buckets(&FIRST_TOKEN)
                .labels(["provider", "model"])?,
            tokens: registry
                .counter(
                    "llm_tokens_total",
                    "Tokens sent to (input) and received from (output) models",
                )
                .labels(["provider", "model", "type"])?,
            errors: registry
                .counter(
                    "llm_errors_total",
                    "Calls to language models that failed, by type of error",
                )
                .labels(["provider", "model", "error_type"])?,
            cost: registry
                .float_counter(
                    "llm_cost_usd_total",
                    "Cost of calls to language models in US dollars",
                )
                .labels(["provider", "model"])?,
            rate_limits: registry
                .counter(
                    "llm_rate_limits_total",
                    "Calls that a provider refused for their rate",
                )
                .labels(["provider"])?,
        })
    }
}

/// One call to a language model: counted by outcome, timed, its tokens and cost added up.
///
/// Dropped without a word it counts as `abandoned`; in a panic as an error of type `panic`.
#[derive(Debug)]
#[must_use = "a call that is dropped at once is recorded as abandoned"]
pub struct LlmCall(Tracker<Call>);

/// Provider, model and operation.
#[derive(Debug)]
struct Call(Texts<3>);

impl TrackerKind for Call {
    type Metrics = LlmMetrics;

    fn record(&self, metrics: &LlmMetrics, outcome: Outcome<'_>, took: Duration) {
        let [provider, model, operation] = self.0.get();
        metrics
            .requests
            .inc(&[provider, model, operation, outcome.status()]);
        metrics
            .duration
            .observe(&[provider, model, operation], took.as_secs_f64());
        if let Outcome::Error(error_type) = outcome {
            metrics.errors.inc(&[provider, model, error_type]);
        }
    }
}

impl LlmCall {
    /// Starts a call in the registry of the process.
    pub fn start(provider: &str, model: &str, operation: &str) -> Self {
        Self::start_in(Registry::global(), provider, model, operation)
    }

    /// Starts a call in `registry`.
    pub fn start_in(registry: &Registry, provider: &str, model: &str, operation: &str) -> Self {
        Self::start_with(registry, Clock::system(), provider, model, operation)
    }

    /// Starts a call in `registry` by the time of `clock`.
    pub fn start_with(
        registry: &Registry,
        clock: Clock,
        provider: &str,
        model: &str,
        operation: &str,
    ) -> Self {
        let call = Call(Texts::new([provider, model, operation]));
        Self(Tracker::start_with(registry, clock, call))
    }

    /// Records the time from the start to the first token of the answer.
    pub fn first_token(&self) {
        if let Some(metrics) = self.0.metrics() {
            let [provider, model, _] = self.0.kind().0.get();
            let took = self.0.elapsed().as_secs_f64();
            metrics.first_token.observe(&[provider, model], took);
        }
    }

    /// Records that the call went well, the tokens sent and received, and its cost in dollars.
    /// A cost that is negative or not finite is left out and counted as rejected.
    pub fn success(self, tokens_in: u64, tokens_out: u64, usd: f64) {
        if let Some(metrics) = self.0.metrics() {
            let [provider, model, _] = self.0.kind().0.get();
            metrics.tokens.add(&[provider, model, "input"], tokens_in);
            metrics.tokens.add(&[provider, model, "output"], tokens_out);
            metrics.cost.add(&[provider, model], usd);
        }
        self.0.success();
    }

    /// Records that the call failed, by a name from a small set, for example `timeout`.
    pub fn error(self, error_type: &str) {
        self.0.error(error_type);
    }

    /// Records that the provider refused the call for its rate: an error of type `rate_limit`.
    pub fn rate_limited(self) {
        if let Some(metrics) = self.0.metrics() {
            let [provider, ..] = self.0.kind().0.get();
            metrics.rate_limits.inc(&[provider]);
        }
        self.0.error("rate_limit");
    }

    /// How long the call has taken so far.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
