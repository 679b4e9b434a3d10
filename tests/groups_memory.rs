//! The memory of the groups when each has been used by many threads.

use std::time::Duration;

use selfheal::groups::{self, *};
use selfheal::registry::Registry;
use selfheal::track::Outcome;

const THREADS: usize = 16;

/// Uses every group once.
fn touch(registry: &Registry) {
    let recorder = Recorder::of(registry);
    let took = Duration::from_millis(3);
    LlmCall::start_in(registry, "openai", "gpt-4", "chat").success(1, 2, 0.5);
    LlmCall::start_in(registry, "openai", "gpt-4", "chat").rate_limited();
    ApiCall::start_in(registry, "github").rate_limited();
    recorder.api_call("github", took, Outcome::Success);
    let incident = Incident::start_in(registry, "critical");
    incident.escalated("2");
    incident.success();
    PlaybookRun::start_in(registry, "restart").success();
    Delivery::start_in(registry, "slack").success();
    recorder.notification_queue("slack", 1);
    StorageOperation::start_in(registry, "put", "s3").size(7);
    PipelineRun::start_in(registry, "etl").error("schema");
    PipelineHealing::start_in(registry, "etl").success();
    InferenceRun::start_in(registry, "ranker").success();
    TrainingRun::start_in(registry, "ranker").loss(0.5);
    recorder.model("ranker", 0.9, 0.1);
    WatchedFile::start_in(registry).error("parse");
    TestRun::start_in(registry).success();
    AuditRun::start_in(registry, "manual").error("git");
    recorder.coverage(80.0);
    BridgeCall::start_in(registry, "fetch").error("timeout");
    HealingAction::start_in(registry, "restart").success();
    recorder.anomaly("latency", "warning");
    recorder.error("checkout", "timeout");
}

#[test]
fn every_group_touched_by_sixteen_threads_takes_500_kb_at_most() {
    let mut kept = None;
    let taken = allocation_counter::measure(|| {
        let registry = Registry::new();
        let threads: Vec<u64> = std::thread::scope(|scope| {
            // Memory of a thread is counted where it is allocated.
            let touched = || allocation_counter::measure(|| touch(&registry)).bytes_current;
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(touched)).collect();
            let ended = threads.into_iter().map(|thread| thread.join().unwrap());
            ended
                .map(|bytes| u64::try_from(bytes).unwrap_or_default())
                .collect()
        });
        kept = Some((registry, threads.into_iter().sum::<u64>()));
    });
    let (registry, by_threads) = kept.unwrap();
    let all = u64::try_from(taken.bytes_current).unwrap_or_default() + by_threads;
    assert!(registry.series() > 60, "{}", registry.series());
    assert!((10_000..=500_000).contains(&all), "{all} bytes");
}

#[test]
fn a_group_that_is_not_used_has_no_series_and_next_to_no_memory() {
    let registry = Registry::new();
    // A thread's memory for scrapes is allocated at its first scrape.
    let mut scraped = registry.scrape().families().len();
    let before = allocation_counter::measure(|| scraped = registry.scrape().families().len());
    assert_eq!((scraped, before.bytes_current), (0, 0));
    groups::declare_all(&registry).unwrap();
    // A series without labels exists from the start, at zero.
    assert!(registry.series() < 30, "{}", registry.series());
}
