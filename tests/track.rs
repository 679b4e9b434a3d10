//! Trackers record once, however the work ends.
#![expect(clippy::panic, reason = "what is tested here is code that panics")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use selfheal::registry::{DeclareError, Family, Gauge, Group, Registry, Text, Value};
use selfheal::track::{ApiCall, LlmCall, Outcome, Tracker, TrackerKind};
use selfheal::util::Clock;

fn number(registry: &Registry, name: &str, labels: &str) -> Option<f64> {
    let families = registry.gather();
    let family = families.iter().find(|family| family.def.name == name)?;
    let series = family
        .series
        .iter()
        .find(|series| &*series.labels == labels)?;
    match &series.value {
        Value::Number(number) => Some(number.as_f64()),
        Value::Histogram(histogram) => Some(histogram.sum),
        _ => None,
    }
}

fn call(registry: &Registry) -> LlmCall {
    LlmCall::start_in(registry, "openai", "gpt-4", "completion")
}

fn requests(registry: &Registry, status: &str) -> Option<f64> {
    let labels =
        format!(r#"provider="openai",model="gpt-4",operation="completion",status="{status}""#);
    number(registry, "llm_requests_total", &labels)
}

#[test]
fn a_call_is_counted_timed_and_paid_for() {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let call = LlmCall::start_with(&registry, clock, "openai", "gpt-4", "completion");
    hand.advance(Duration::from_millis(250));
    call.first_token();
    hand.advance(Duration::from_millis(750));
    call.success(1_200, 350, 0.02);

    assert_eq!(requests(&registry, "success"), Some(1.0));
    let of = |name: &str, labels: &str| number(&registry, name, labels);
    let model = r#"provider="openai",model="gpt-4""#;
    assert_eq!(of("llm_time_to_first_token_seconds", model), Some(0.25));
    assert_eq!(
        of(
            "llm_request_duration_seconds",
            &format!(r#"{model},operation="completion""#)
        ),
        Some(1.0)
    );
    assert_eq!(
        of("llm_tokens_total", &format!(r#"{model},type="input""#)),
        Some(1200.0)
    );
    assert_eq!(
        of("llm_tokens_total", &format!(r#"{model},type="output""#)),
        Some(350.0)
    );
    assert_eq!(of("llm_cost_usd_total", model), Some(0.02));
}

#[test]
fn dropped_early_it_is_abandoned_and_in_a_panic_an_error() {
    let registry = Registry::new();
    drop(call(&registry));
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _call = call(&registry);
        panic!("the model said no");
    }));
    assert!(unwound.is_err());
    assert_eq!(requests(&registry, "abandoned"), Some(1.0));
    assert_eq!(requests(&registry, "error"), Some(1.0));
    let panics = r#"provider="openai",model="gpt-4",error_type="panic""#;
    assert_eq!(number(&registry, "llm_errors_total", panics), Some(1.0));
}

#[test]
fn a_refusal_is_a_rate_limit_and_an_error() {
    let registry = Registry::new();
    call(&registry).rate_limited();
    assert_eq!(
        number(&registry, "llm_rate_limits_total", r#"provider="openai""#),
        Some(1.0)
    );
    assert_eq!(requests(&registry, "error"), Some(1.0));
    assert_eq!(requests(&registry, "abandoned"), None, "recorded once");
}

#[test]
fn a_cost_that_is_not_a_number_is_left_out() {
    let registry = Registry::new();
    call(&registry).success(1, 1, f64::NAN);
    call(&registry).success(1, 1, -3.0);
    let rejected = number(
        &registry,
        "selfheal_values_rejected_total",
        r#"metric="llm_cost_usd_total""#,
    );
    assert_eq!(rejected, Some(2.0));
    assert_eq!(requests(&registry, "success"), Some(2.0));
}

#[test]
fn metrics_that_clash_make_a_tracker_silent_and_visible() {
    let registry = Registry::new();
    registry
        .gauge("llm_time_to_first_token_seconds", "Mine")
        .build()
        .unwrap();
    call(&registry).success(1, 1, 0.1);
    assert_eq!(
        number(&registry, "selfheal_collectors_skipped_total", ""),
        Some(1.0)
    );
}

struct Broken;
struct BrokenMetrics(Family<Gauge, [Text; 1]>);

impl Group for BrokenMetrics {
    const NAME: &'static str = "broken";
    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self(registry.gauge("broken", "").labels(["how"])?))
    }
}

impl TrackerKind for Broken {
    type Metrics = BrokenMetrics;
    fn record(&self, metrics: &BrokenMetrics, outcome: Outcome<'_>, _: Duration) {
        metrics.0.set(&[outcome.status()], 1);
        panic!("a kind of somebody's own");
    }
}

#[test]
fn a_kind_that_panics_cannot_take_the_host_down() {
    let registry = Registry::new();
    drop(Tracker::start_in(&registry, Broken));
    Tracker::start_in(&registry, Broken).success();
    assert_eq!(number(&registry, "broken", r#"how="abandoned""#), Some(1.0));
    assert_eq!(number(&registry, "broken", r#"how="success""#), Some(1.0));
}

#[test]
fn a_call_to_another_service_is_counted_and_its_last_time_kept() {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let start = || ApiCall::start_with(&registry, clock.clone(), "github");
    let call = start();
    hand.advance(Duration::from_secs(2));
    call.tokens(7);
    call.success();
    start().error("timeout");
    start().rate_limited();
    drop(start());
    let number = |name: &str, labels: &str| {
        let labels = format!(r#"api="github"{labels}"#);
        number(&registry, name, &labels)
    };
    for (status, n) in [("success", 1.0), ("error", 2.0), ("abandoned", 1.0)] {
        let labels = format!(r#",status="{status}""#);
        assert_eq!(number("api_calls_total", &labels), Some(n), "{status}");
    }
    assert_eq!(
        number("api_errors_total", r#",error_type="timeout""#),
        Some(1.0)
    );
    assert_eq!(number("api_rate_limits_total", ""), Some(1.0));
    assert_eq!(number("api_tokens_used_total", ""), Some(7.0));
    assert_eq!(
        number("api_request_duration_seconds", ""),
        Some(2.0),
        "the sum"
    );
    assert_eq!(
        number("api_response_time_seconds", ""),
        Some(0.0),
        "the last one took no time"
    );
}
