use std::time::Duration;

use crate::registry::{
    Counter, DeclareError, Family, FloatGauge, Group, Histogram, Registry, Text,
};
use crate::track::texts::Texts;
use crate::track::{Outcome, Tracker, TrackerKind};
use crate::util::Clock;

/// The metrics of calls to other services' interfaces.
#[derive(Debug)]
pub struct ApiMetrics {
    calls: Family<Counter, [Text; 2]>,
    duration: Family<Histogram, [Text; 1]>,
    last: Family<FloatGauge, [Text; 1]>,
    rate_limits: Family<Counter, [Text; 1]>,
    errors: Family<Counter, [Text; 2]>,
    tokens: Family<Counter, [Text; 1]>,
}

impl Group for ApiMetrics {
    const NAME: &'static str = "api";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self {
            calls: registry
                .counter(
                    "api_calls_total",
                    "Calls to other services, by how they ended",
                )
                .labels(["api", "status"])?,
            duration: registry
                .histogram(
                    "api_request_duration_seconds",
                    "Time a call to another service took",
                )
                .labels(["api"])?,
            last: registry
                .float_gauge(
                    "api_response_time_seconds",
                    "Time the last call to another service took",
                )
                .labels(["api"])?,
            rate_limits: registry
                .counter(
                    "api_rate_limits_total",
                    "Calls that another service refused for their rate",
                )
                .labels(["api"])?,
            errors: registry
                .counter(
                    "api_errors_total",
                    "Calls to other services that failed, by type of error",
                )
                .labels(["api", "error_type"])?,
            tokens: registry
                .counter(
                    "api_tokens_used_total",
                    "Tokens that other services charged for",
                )
                .labels(["api"])?,
        })
    }
}

impl ApiMetrics {
    /// The type of error of a call that was refused for its rate.
    pub(crate) const RATE_LIMIT: &str = "rate_limit";

    /// Records one call that has ended.
    pub(crate) fn ended(&self, api: &str, outcome: Outcome<'_>, took: Duration) {
        let took = took.as_secs_f64();
        self.calls.inc(&[api, outcome.status()]);
        self.duration.observe(&[api], took);
        self.last.set(&[api], took);
        if let Outcome::Error(error_type) = outcome {
            self.errors.inc(&[api, error_type]);
            if error_type == Self::RATE_LIMIT {
                self.rate_limits.inc(&[api]);
            }
        }
    }
}

/// One call to another service: counted by outcome and timed.
///
/// Dropped without a word it counts as `abandoned`; in a panic as an error of type `panic`.
///
/// ```
/// use selfheal::registry::Registry;
/// use selfheal::track::ApiCall;
///
/// let registry = Registry::new();
/// ApiCall::start_in(&registry, "github").success();
/// ApiCall::start_in(&registry, "github").rate_limited();
/// assert!(registry.gather().iter().any(|family| family.def.name == "api_rate_limits_total"));
/// ```
#[derive(Debug)]
#[must_use = "a call that is dropped at once is recorded as abandoned"]
pub struct ApiCall(Tracker<Call>);

/// The API.
#[derive(Debug)]
struct Call(Texts<1>);

impl TrackerKind for Call {
    type Metrics = ApiMetrics;

    fn record(&self, metrics: &ApiMetrics, outcome: Outcome<'_>, took: Duration) {
        let [api] = self.0.get();
        metrics.ended(api, outcome, took);
    }
}

impl ApiCall {
    /// Starts a call in the registry of the process. `api` becomes a label: the name of the
    /// service, not its address.
    pub fn start(api: &str) -> Self {
        Self::start_in(Registry::global(), api)
    }

    /// Starts a call in `registry`.
    pub fn start_in(registry: &Registry, api: &str) -> Self {
        Self::start_with(registry, Clock::system(), api)
    }

    /// Starts a call in `registry` by the time of `clock`.
    pub fn start_with(registry: &Registry, clock: Clock, api: &str) -> Self {
        Self(Tracker::start_with(
            registry,
            clock,
            Call(Texts::new([api])),
        ))
    }

    /// Adds tokens that the service charges for, which some count instead of money.
    pub fn tokens(&self, used: u64) {
        if let Some(metrics) = self.0.metrics() {
            metrics.tokens.add(&self.0.kind().0.get(), used);
        }
    }

    /// Records that the call went well.
    pub fn success(self) {
        self.0.success();
    }

    /// Records that the call failed, by a name from a small set, for example `timeout`.
    pub fn error(self, error_type: &str) {
        self.0.error(error_type);
    }

    /// Records that the service refused the call for its rate: an error of type `rate_limit`.
    pub fn rate_limited(self) {
        self.0.error(ApiMetrics::RATE_LIMIT);
    }

    /// How long the call has taken so far.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
