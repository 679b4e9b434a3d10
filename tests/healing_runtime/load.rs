//! More load than the limits allow.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use selfheal::healing::core::{Dropped, Notice};
use selfheal::healing::{
    Closed, HealError, Healing, HealingEvent, Observation, Phase, Rule, Severity, What,
};

use crate::bench::{Bench, Faults, eager, key, seconds, settle_down};

/// The number of observations of the largest test.
const OBSERVATIONS: usize = 1_000_000;

#[test]
fn a_million_observations_from_16_threads_during_scrapes() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut policy = eager();
    policy.dry_run = true;
    policy.limits.open = 1_000;
    policy.limits.open_per_engine = 500;
    let builder = Healing::builder().policy(policy);
    let bench = Bench::build(builder.runtime(runtime.handle().clone()));
    let each = OBSERVATIONS / 16;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16_usize)
            .map(|thread| {
                let engine = Rule::when(format!("engine-{thread}"), |_| async {
                    Err(HealError::retry("blind"))
                })
                .run("act", |_, _| async { Ok(()) });
                let handle = bench.register(engine);
                scope.spawn(move || {
                    for n in 0..each {
                        let component = format!("c{}", (n * 7 + thread) % 3_000);
                        let severity = Severity::ALL[(n + thread) % 4];
                        handle.observe(Observation::new(component, "broken").severity(severity));
                    }
                })
            })
            .collect();
        let scrapes = scope.spawn(|| {
            let mut scrapes = 0_u32;
            while !over.load(SeqCst) {
                let snapshot = bench.scrape();
                assert!(snapshot.open.sum() <= 1_000);
                scrapes += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            scrapes
        });
        for thread in threads {
            thread.join().unwrap();
        }
        over.store(true, SeqCst);
        assert!(scrapes.join().unwrap() > 0);
    });
    let snapshot = bench.scrape();
    assert_eq!(snapshot.observations.total, (each * 16) as u64);
    assert!(snapshot.observations.dropped.get(Dropped::Full) > 0);
    runtime.block_on(bench.end());
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_duplicates_of_one_key() {
    let mut bench = Bench::start(eager());
    let faults = Faults::one("db");
    let handle = bench.register(faults.mending_rule());
    for _ in 0..100_000 {
        handle.observe(Observation::new("db", "broken"));
    }
    let issue = bench.healing.issue(&key("db")).unwrap().issue;
    assert_eq!(issue.count, 100_000);
    assert_eq!(bench.scrape().observations.coalesced, 99_999);
    assert_eq!(bench.closed("db").await, Closed::Healed);
    let snapshot = bench.scrape();
    assert_eq!((snapshot.opened, snapshot.attempts_started), (1, 1));
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_observes_far_too_many_keys() {
    let mut policy = eager();
    policy.detect_every = seconds(30);
    let most = 1_024;
    let bench = Bench::start(policy);
    let mut events = bench.healing.subscribe();
    let wild = Faults::default();
    let many = most + 5_000;
    for n in 0..many {
        wild.set(&format!("c{n}"), Severity::Info);
    }
    bench.register(wild.rule(|_, _| async { Err(HealError::retry("no")) }));
    let good = Faults::one("good");
    let good = crate::bench::Renamed("good", good.mending_rule());
    bench.register(good);
    tokio::time::sleep(seconds(60)).await;
    let snapshot = bench.scrape();
    assert_eq!(snapshot.closed.get(Closed::Healed), 1, "the rest goes on");
    assert_eq!(snapshot.open.sum(), most, "the others are left out");
    let runs = snapshot.observations.total / many;
    assert!(runs >= 2, "{:?}", snapshot.observations);
    let dropped = snapshot.observations.dropped.get(Dropped::Full);
    assert_eq!(dropped, runs * 5_000);
    let named = loop {
        match events.next().await {
            Some(HealingEvent::Notice(Notice::Dropped { key, count, .. })) => break (key, count),
            event => assert!(event.is_some(), "nothing is named"),
        }
    };
    assert!(named.0.component.as_str().starts_with('c'));
    assert_eq!(named.1, 5_000);
    let alerts = bench.healing.alerts();
    assert!(
        alerts
            .iter()
            .any(|alert| alert.id.to_string() == "overflow"),
        "{alerts:?}"
    );
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_of_low_ones_then_a_critical_one() {
    let mut policy = eager();
    policy.limits.open = 100;
    policy.limits.open_per_engine = 100;
    policy.max_running = 1;
    let mut bench = Bench::start(policy);
    let faults = Faults::default();
    for n in 0..100 {
        faults.set(&format!("low{n}"), Severity::Info);
    }
    let repaired = faults.clone();
    let rule = faults.rule(move |_, issue| {
        let repaired = repaired.clone();
        async move {
            tokio::time::sleep(seconds(5)).await;
            repaired.repair(issue.key.component.as_str());
            Ok(())
        }
    });
    let handle = bench.register(rule);
    bench.reaches("low0", Phase::Pending).await;
    settle_down().await;
    assert_eq!(bench.scrape().open.sum(), 100);
    faults.set("db", Severity::Critical);
    handle.observe(Observation::new("db", "broken").severity(Severity::Critical));
    let snapshot = bench.scrape();
    assert_eq!((snapshot.open.sum(), snapshot.evicted), (100, 1));
    // It is healed next, before those that wait for longer.
    let next = bench
        .until(|record| match &record.what {
            What::AttemptStarted(intent) => {
                (record.stamp.at > snapshot.stamp.at).then(|| intent.key.clone())
            }
            _ => None,
        })
        .await;
    assert_eq!(next, key("db"));
    assert_eq!(bench.closed("db").await, Closed::Healed);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn all_components_fail_at_once() {
    let mut policy = eager();
    policy.storm = selfheal::config::Storm::default();
    let mut bench = Bench::start(policy);
    let faults = Faults::default();
    for n in 0..20 {
        faults.break_it(&format!("c{n}"));
    }
    bench.register(faults.mending_rule());
    tokio::time::sleep(seconds(600)).await;
    let snapshot = bench.scrape();
    assert!(snapshot.storm);
    assert!(
        snapshot.attempts_started <= 4,
        "{}",
        snapshot.attempts_started
    );
    let alerts = bench.healing.alerts();
    assert!(
        alerts.iter().any(|alert| alert.id.to_string() == "storm"),
        "{alerts:?}"
    );
    // The common cause is gone; two were hit separately.
    for n in 0..18 {
        faults.repair(&format!("c{n}"));
    }
    assert_eq!(bench.closed("c19").await, Closed::Healed);
    let snapshot = bench.scrape();
    assert!(!snapshot.storm);
    assert!(snapshot.closed.get(Closed::SelfResolved) >= 14);
    bench.end().await;
}

/// The faults of ten engines: as many as the limit allows besides another one.
const FAILING: usize = 9_990;

const ENGINES: [&str; 10] = ["e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9"];

fn failing() -> Vec<Faults> {
    let of = |engine: usize| {
        let faults = Faults::default();
        for n in 0..FAILING / ENGINES.len() {
            faults.break_it(&format!("c{engine}-{n}"));
        }
        faults
    };
    (0..ENGINES.len()).map(of).collect()
}

/// In any case: nothing dropped, and everything bounded.
fn assert_bounded(bench: &Bench) -> selfheal::healing::core::Snapshot {
    let snapshot = bench.scrape();
    assert!(snapshot.open.sum() <= 10_000);
    assert!(snapshot.attempts_running <= 4);
    assert_eq!(snapshot.observations.dropped.sum(), 0);
    assert_eq!((snapshot.evicted, snapshot.zombies), (0, 0));
    assert!(bench.healing.alerts().len() <= 1_024);
    // Each metric with a component label has at most 512 series.
    let page = bench.page();
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    snapshot
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_components_fail_at_once_and_all_of_them_are_healed() {
    let mut policy = eager();
    policy.budget.global.max = 4_000;
    let bench = Bench::start(policy);
    let failing = failing();
    let mending = |faults: &Faults| {
        let repaired = faults.clone();
        faults.rule(move |_, issue| {
            let repaired = repaired.clone();
            async move {
                // Otherwise it ends in the same moment in which a detection run begins.
                tokio::time::sleep(Duration::from_millis(1)).await;
                repaired.repair(issue.key.component.as_str());
                Ok(())
            }
        })
    };
    for (name, faults) in ENGINES.into_iter().zip(&failing) {
        bench.register(crate::bench::Renamed(name, mending(faults)));
    }
    let urgent = Faults::default();
    bench.register(crate::bench::Renamed("urgent", mending(&urgent)));
    let begin = tokio::time::Instant::now();
    tokio::time::sleep(seconds(1)).await;
    let snapshot = assert_bounded(&bench);
    assert_eq!(snapshot.opened, FAILING as u64, "each has its issue");

    // Meanwhile something worse breaks, and does not wait for the others.
    assert!(snapshot.queue > 1_000, "{}", snapshot.queue);
    urgent.set("db", Severity::Critical);
    bench.healing.hint("urgent");
    let mut waited = 0;
    while !urgent.found().is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        waited += 1;
        assert!(waited < 20, "it stalls");
    }
    while assert_bounded(&bench).open.sum() > 0 {
        tokio::time::sleep(seconds(5)).await;
        assert!(begin.elapsed() < seconds(600), "it stalls");
    }
    let snapshot = assert_bounded(&bench);
    let all = FAILING as u64 + 1;
    assert_eq!(snapshot.opened, all);
    assert_eq!(snapshot.closed.get(Closed::Healed), all, "nothing is lost");
    assert_eq!(snapshot.attempts_started, all, "and nothing done twice");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_ten_thousand_components_is_left_alone_and_forgotten_when_it_is_over() {
    let mut policy = eager();
    policy.storm = selfheal::config::Storm::default();
    let bench = Bench::start(policy);
    let failing = failing();
    for (name, faults) in ENGINES.into_iter().zip(&failing) {
        bench.register(crate::bench::Renamed(name, faults.useless_rule()));
    }
    tokio::time::sleep(seconds(120)).await;
    let snapshot = assert_bounded(&bench);
    assert!(snapshot.storm);
    assert!(snapshot.attempts_started <= 4);
    assert_eq!(snapshot.open.sum(), FAILING as u64);
    for faults in &failing {
        for seen in faults.found() {
            faults.repair(seen.key.component.as_str());
        }
    }
    tokio::time::sleep(seconds(120)).await;
    let snapshot = assert_bounded(&bench);
    assert!(!snapshot.storm);
    assert_eq!((snapshot.opened, snapshot.open.sum()), (FAILING as u64, 0));
    assert_eq!(snapshot.closed.sum(), FAILING as u64);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_engine_with_all_the_time_in_the_world_is_idle() {
    let bench = Bench::start(eager());
    let handle = bench.register(Faults::default().mending_rule());
    tokio::time::sleep(seconds(86_400)).await;
    let detections = bench.healing.detections();
    let looked: u64 = detections.iter().map(|(.., count)| count).sum();
    assert!((8_600..=8_650).contains(&looked), "{looked}");
    assert_eq!(handle.name().as_str(), "engine");
    bench.end().await;
}
