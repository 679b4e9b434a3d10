//! Trackers record once, however the work ends.
#![expect(clippy::panic, reason = "what is tested here is code that panics")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use selfheal::groups::{ApiCall, AuditRun, LlmCall, PlaybookRun, Recorder};
use selfheal::registry::{DeclareError, Family, Gauge, Group, Registry, Text};
use selfheal::testing::{Reading, assert_absent, assert_value};
use selfheal::track::{self, Outcome, TrackFuture, Tracker, TrackerKind};
use selfheal::util::Clock;

fn call(registry: &Registry) -> LlmCall {
    LlmCall::start_in(registry, "openai", "gpt-4", "completion")
}

/// The labels of a call with that status.
fn ended(status: &str) -> [(&str, &str); 4] {
    [
        ("provider", "openai"),
        ("model", "gpt-4"),
        ("operation", "completion"),
        ("status", status),
    ]
}

#[test]
fn a_call_is_counted_timed_and_paid_for() {
    let registry = Registry::new();
    let before = Reading::of(&registry);
    let (clock, hand) = Clock::manual();
    let call = LlmCall::start_with(&registry, clock, "openai", "gpt-4", "completion");
    hand.advance(Duration::from_millis(250));
    call.first_token();
    hand.advance(Duration::from_millis(750));
    call.success(1_200, 350, 0.02);

    let duration = r#"model="gpt-4",operation="completion",provider="openai""#;
    let model = r#"model="gpt-4",provider="openai""#;
    Reading::of(&registry).since(&before).assert(&[
        &format!("llm_cost_usd_total{{{model}}} +0.02"),
        &format!("llm_request_duration_seconds_count{{{duration}}} +1"),
        &format!("llm_request_duration_seconds_sum{{{duration}}} +1"),
        &format!("llm_requests_total{{{duration},status=\"success\"}} +1"),
        &format!("llm_time_to_first_token_seconds_count{{{model}}} +1"),
        &format!("llm_time_to_first_token_seconds_sum{{{model}}} +0.25"),
        &format!("llm_tokens_total{{{model},type=\"input\"}} +1200"),
        &format!("llm_tokens_total{{{model},type=\"output\"}} +350"),
    ]);
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
    assert_value(&registry, "llm_requests_total", &ended("abandoned"), 1.0);
    assert_value(&registry, "llm_requests_total", &ended("error"), 1.0);
    let panics = [
        ("provider", "openai"),
        ("model", "gpt-4"),
        ("error_type", "panic"),
    ];
    assert_value(&registry, "llm_errors_total", &panics, 1.0);
}

#[test]
fn a_refusal_is_a_rate_limit_and_an_error() {
    let registry = Registry::new();
    call(&registry).rate_limited();
    let provider = [("provider", "openai")];
    assert_value(&registry, "llm_rate_limits_total", &provider, 1.0);
    assert_value(&registry, "llm_requests_total", &ended("error"), 1.0);
    // Recorded once.
    assert_absent(&registry, "llm_requests_total", &ended("abandoned"));
}

#[test]
fn a_cost_that_is_not_a_number_is_left_out() {
    let registry = Registry::new();
    for cost in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -3.0] {
        call(&registry).success(1, 1, cost);
    }
    let cost = [("metric", "llm_cost_usd_total")];
    assert_value(&registry, "selfheal_values_rejected_total", &cost, 4.0);
    assert_value(&registry, "llm_requests_total", &ended("success"), 4.0);
}

#[test]
fn metrics_that_clash_make_a_tracker_silent_and_visible() {
    let registry = Registry::new();
    registry
        .gauge("llm_time_to_first_token_seconds", "Mine")
        .build()
        .unwrap();
    call(&registry).success(1, 1, 0.1);
    assert_value(&registry, "selfheal_collectors_skipped_total", &[], 1.0);
}

/// A clock that was set back gives no negative duration.
#[test]
fn a_time_that_did_not_pass_is_none() {
    let registry = Registry::new();
    let recorder = Recorder::of(&registry);
    let call = call(&registry);
    assert_eq!(call.elapsed().as_secs(), 0);
    call.success(0, 0, 0.0);
    recorder.storage("put", "s3", Duration::ZERO, true);
    recorder.storage("put", "s3", Duration::MAX, true);
    let of = [("operation", "put"), ("backend", "s3")];
    let count = "storage_operation_duration_seconds_count";
    assert_value(&registry, count, &of, 2.0);
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
        panic!("a kind of a user");
    }
}

#[test]
fn a_kind_that_panics_cannot_take_the_host_down() {
    let registry = Registry::new();
    drop(Tracker::start_in(&registry, Broken));
    Tracker::start_in(&registry, Broken).success();
    assert_value(&registry, "broken", &[("how", "abandoned")], 1.0);
    assert_value(&registry, "broken", &[("how", "success")], 1.0);
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
    let api = ("api", "github");
    for (status, n) in [("success", 1.0), ("error", 2.0), ("abandoned", 1.0)] {
        assert_value(&registry, "api_calls_total", &[api, ("status", status)], n);
    }
    let timeout = ("error_type", "timeout");
    assert_value(&registry, "api_errors_total", &[api, timeout], 1.0);
    for (name, value) in [
        ("api_rate_limits_total", 1.0),
        ("api_tokens_used_total", 7.0),
        ("api_request_duration_seconds_sum", 2.0),
        // The last one took no time.
        ("api_response_time_seconds", 0.0),
    ] {
        assert_value(&registry, name, &[api], value);
    }
}

selfheal::group! {
    /// Reports.
    struct ReportMetrics: "reports" {
        /// Reports
        reports: Counter = "reports_total" ["format", "status"];
        /// Reports that are being made
        active: Gauge = "reports_active" ["format"];
    }
}

selfheal::tracker! {
    /// One report, declared by the means that the groups of the crate are declared by.
    struct Report: ReportKind(format) in ReportMetrics {
        started(metrics) { metrics.active.inc(&(format,)); }
        ended(metrics, outcome, _took) {
            metrics.active.dec(&(format,));
            metrics.reports.inc(&(format, outcome.status()));
        }
    }
}

fn reports(registry: &Registry, status: &str) -> Option<f64> {
    let labels = [("format", "pdf"), ("status", status)];
    selfheal::testing::value(registry, "reports_total", &labels)
}

#[tokio::test]
async fn a_future_is_followed_to_its_end_its_error_its_drop_or_its_panic() {
    let registry = Registry::new();
    let kind = || ReportKind::new("pdf");
    let good = async { Ok::<_, String>(7) }.tracked_in(&registry, kind());
    // Moved across threads, as a runtime does.
    assert_eq!(tokio::spawn(good).await.unwrap(), Ok(7));
    let bad = Report::start_in(&registry, "pdf").run(async { Err::<(), _>("no") });
    assert_eq!(bad.await, Err("no"));
    let named = Report::start_in(&registry, "pdf");
    assert_eq!(named.result(Err::<(), _>(3), |_| "three"), Err(3));

    let never = std::future::pending::<Result<(), ()>>();
    let mut never = Box::pin(never.tracked_in(&registry, kind()));
    drop(Box::pin(
        std::future::pending::<Result<(), ()>>().tracked_in(&registry, kind()),
    ));
    let gone =
        std::future::poll_fn(|cx| std::task::Poll::Ready(never.as_mut().poll(cx).is_ready()));
    assert!(!gone.await);
    assert_value(&registry, "reports_active", &[("format", "pdf")], 1.0);
    drop(never);

    let panics = async { panic!("in the middle") };
    let panics = Box::pin(panics.tracked_in(&registry, kind()));
    let unwound: Result<Result<(), ()>, _> = tokio::spawn(panics).await;
    assert!(unwound.is_err_and(|error| error.is_panic()));
    assert_eq!(reports(&registry, "success"), Some(1.0));
    assert_eq!(reports(&registry, "error"), Some(3.0));
    assert_eq!(
        reports(&registry, "abandoned"),
        Some(1.0),
        "one was never polled"
    );
    assert_value(&registry, "reports_active", &[("format", "pdf")], 0.0);
}

#[tokio::test]
async fn closures_and_futures_are_measured_whatever_they_return() {
    let kind = || ReportKind::new("measured");
    assert_eq!(track::measure(kind(), || 3), 3);
    assert_eq!(track::measure_async(kind(), async { "x" }).await, "x");
    let unwound = catch_unwind(AssertUnwindSafe(|| track::measure(kind(), || panic!("no"))));
    assert!(unwound.is_err());
    drop(Report::start("measured"));
    Report::start("measured").success();
    let ended = |status| [("format", "measured"), ("status", status)];
    for (status, n) in [("success", 3.0), ("error", 1.0), ("abandoned", 1.0)] {
        assert_value(Registry::global(), "reports_total", &ended(status), n);
    }
}

#[test]
fn a_stretch_of_code_is_timed_by_the_clock_of_the_registry() {
    let (clock, hand) = Clock::manual();
    let registry = Registry::with_clock(selfheal::registry::Settings::default(), clock);
    let took = registry.histogram("took_seconds", "").build().unwrap();
    {
        let timer = took.timer();
        hand.advance(Duration::from_secs(2));
        assert_eq!(timer.elapsed(), Duration::from_secs(2));
    }
    took.timer().discard();
    took.timer().stop();
    took.measure(|| hand.advance(Duration::from_secs(3)));
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _timer = took.timer();
        hand.advance(Duration::from_secs(4));
        panic!("timed all the same");
    }));
    assert!(unwound.is_err());
    assert_value(&registry, "took_seconds_sum", &[], 9.0);
    assert_value(&registry, "took_seconds_count", &[], 4.0);
}

#[test]
fn a_tracker_goes_by_the_clock_of_its_registry() {
    let (clock, hand) = Clock::manual();
    let registry = Registry::with_clock(selfheal::registry::Settings::default(), clock);
    let call = call(&registry);
    hand.advance(Duration::from_secs(2));
    assert_eq!(call.elapsed(), Duration::from_secs(2));
    call.success(1, 1, 0.0);
    assert_value(
        &registry,
        "llm_request_duration_seconds_sum",
        &ended("success")[..3],
        2.0,
    );
}

#[test]
fn a_tracker_may_live_for_a_day_and_end_on_another_thread() {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let run = AuditRun::start_with(&registry, clock, "manual");
    hand.advance(Duration::from_secs(86_400));
    std::thread::spawn(move || {
        run.found(3, 4);
        run.coverage(87.5);
        run.coverage(f64::NAN);
        run.success();
    })
    .join()
    .unwrap();
    assert_value(
        &registry,
        "audit_agent_run_duration_seconds_sum",
        &[],
        86_400.0,
    );
    assert_value(&registry, "audit_agent_active_tasks", &[], 0.0);
    assert_value(
        &registry,
        "audit_agent_runs_total",
        &[("trigger", "manual")],
        1.0,
    );
}

#[test]
fn names_of_any_length_and_none_are_recorded() {
    let registry = Registry::new();
    for name in ["", &"x".repeat(10_000_000), "a\"b\n"] {
        PlaybookRun::start_in(&registry, name).success();
        PlaybookRun::start_in(&registry, name).error(name);
    }
    let reading = Reading::of(&registry);
    let sums = ["playbook_executions_total", "playbooks_active"].map(|name| reading.sum(name, &[]));
    assert_eq!(sums.map(f64::to_bits), [6.0, 0.0].map(f64::to_bits));
    assert_value(
        &registry,
        "playbook_executions_total",
        &[("playbook", ""), ("status", "success")],
        1.0,
    );
}
