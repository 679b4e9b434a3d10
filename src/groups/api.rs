use std::time::Duration;

use crate::track::Outcome;

crate::group! {
    /// The metrics of calls to other services.
    pub struct ApiMetrics: "api" {
        /// Calls to other services, by how they ended
        pub calls: Counter = "api_calls_total" ["api", "status"] .at_most("api", 200) .only("status", &Outcome::STATUSES);
        /// Time a call to another service took
        pub duration: Histogram = "api_request_duration_seconds" ["api"] .at_most("api", 200);
        /// Time the last call to another service took
        pub last: FloatGauge = "api_response_time_seconds" ["api"] .at_most("api", 200);
        /// Calls that another service refused for their rate
        pub rate_limits: Counter = "api_rate_limits_total" ["api"] .at_most("api", 200);
        /// Calls to other services that failed, by type of error
        pub errors: Counter = "api_errors_total" ["api", "error_type"] .at_most("api", 200) .at_most("error_type", 100);
        /// Tokens that other services charged for
        pub tokens: Counter = "api_tokens_used_total" ["api"] .at_most("api", 200);
    }
}

impl ApiMetrics {
    /// Records one call that has ended.
    pub fn ended(&self, api: &str, outcome: Outcome<'_>, took: Duration) {
        let took = took.as_secs_f64();
        self.calls.inc(&(api, outcome.status()));
        self.duration.observe(&(api,), took);
        self.last.set(&(api,), took);
        if let Some(error_type) = outcome.error_type() {
            self.errors.inc(&(api, error_type));
            if error_type == super::RATE_LIMIT {
                self.rate_limits.inc(&(api,));
            }
        }
    }
}

crate::tracker! {
    /// A call to another service: counted by outcome and timed.
    ///
    /// Dropped without an outcome it counts as `abandoned`, in a panic as an error of type `panic`.
    ///
    /// ```
    /// use selfheal::groups::ApiCall;
    /// use selfheal::registry::Registry;
    ///
    /// let registry = Registry::new();
    /// ApiCall::start_in(&registry, "github").success();
    /// ApiCall::start_in(&registry, "github").rate_limited();
    /// assert!(registry.gather().iter().any(|family| family.def.name == "api_rate_limits_total"));
    /// ```
    pub struct ApiCall: Api(api) in ApiMetrics {
        ended(metrics, outcome, took) { metrics.ended(api, outcome, took); }
    }
}

impl ApiCall {
    /// Adds tokens that the service charges for.
    pub fn tokens(&self, used: u64) {
        self.record(|metrics, [api]| metrics.tokens.add(&(api,), used));
    }

    /// Records that the service rate-limited the call: an error of type `rate_limit`.
    pub fn rate_limited(self) {
        self.error(super::RATE_LIMIT);
    }
}
