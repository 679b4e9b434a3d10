//! Decisions from outside: pause, kill, approval, mutes, a new policy, the wall clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use selfheal::config::{HealingPolicy, Mode};
use selfheal::healing::core::{Notice, Target};
use selfheal::healing::{
    AlertChange, AttemptResult, By, Closed, Healing, HealingEvent, Phase, Severity, What,
};
use selfheal::util::Clock;

use crate::bench::{Bench, Faults, eager, key, seconds, settle_down};

fn ann() -> By {
    By::Person("ann".into())
}

#[test]
fn pause_racing_with_start() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let mut policy = eager();
    policy.settle = Duration::from_millis(1);
    policy.detect_every = Duration::from_millis(100);
    policy.budget.global.max = 10_000;
    policy.budget.component.max = 10_000;
    policy.intensity.max = 10_000;
    let registered = runtime.handle().clone();
    let bench = Bench::build(Healing::builder().policy(policy).runtime(registered));
    let faults = Faults::default();
    let handle = bench.register(faults.mending_rule());
    let over = Arc::new(AtomicBool::new(false));
    let breaking = {
        let (over, faults) = (Arc::clone(&over), faults.clone());
        std::thread::spawn(move || {
            let mut n = 0_u32;
            while !over.load(SeqCst) {
                let component = format!("c{}", n % 50);
                faults.break_it(&component);
                handle.observe(selfheal::healing::Observation::new(&*component, "broken"));
                n += 1;
                std::thread::yield_now();
            }
        })
    };
    let mut started = 0;
    for _ in 0..100 {
        bench.healing.pause(ann()).unwrap();
        let before = bench.scrape().attempts_started;
        for _ in 0..10 {
            std::thread::yield_now();
            assert_eq!(
                bench.scrape().attempts_started,
                before,
                "started in a pause"
            );
        }
        bench.healing.resume(ann()).unwrap();
        started = before;
        std::thread::yield_now();
    }
    over.store(true, SeqCst);
    breaking.join().unwrap();
    assert!(started > 0, "nothing was ever started");
    runtime.block_on(bench.end());
}

#[tokio::test(start_paused = true)]
async fn the_kill_switch_calls_off_what_runs() {
    let mut bench = Bench::start(eager());
    let faults = Faults::one("db");
    let rule = faults.rule(|_, _| std::future::pending());
    bench.register(rule);
    bench.reaches("db", Phase::Running).await;
    bench.healing.kill(ann()).unwrap();
    assert_eq!(bench.attempt().await.0, AttemptResult::Cancelled);
    tokio::time::sleep(seconds(600)).await;
    assert_eq!(bench.scrape().attempts_started, 1);
    bench.healing.revive(ann()).unwrap();
    bench.reaches("db", Phase::Running).await;
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn approval_is_asked_for_given_and_written_down() {
    let mut policy = eager();
    policy.modes.disruptive = Mode::Approval;
    let mut bench = Bench::start(policy);
    let faults = Faults::one("db");
    bench.register(faults.mending_rule());
    bench.reaches("db", Phase::Approval).await;
    let refused = bench.healing.approve(key("web"), None, ann()).unwrap_err();
    assert!(refused.to_string().contains("web/broken"), "{refused}");
    let seen = bench.healing.issue(&key("db")).unwrap().issue.generation;
    bench.healing.approve(key("db"), Some(seen), ann()).unwrap();
    let by = bench
        .until(|record| match &record.what {
            What::AttemptStarted(intent) => Some(intent.by.clone()),
            _ => None,
        })
        .await;
    assert_eq!(by, ann());
    assert_eq!(bench.closed("db").await, Closed::Healed);

    faults.break_it("db");
    bench.reaches("db", Phase::Approval).await;
    bench.healing.deny(key("db"), ann()).unwrap();
    bench.reaches("db", Phase::Parked).await;
    bench.healing.acknowledge(key("db"), ann()).unwrap();
    bench.reaches("db", Phase::Approval).await;
    bench.healing.trigger(key("db"), ann()).unwrap();
    assert_eq!(bench.closed("db").await, Closed::Healed);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_mute_ends_by_itself() {
    let mut bench = Bench::start(eager());
    let faults = Faults::one("db");
    let db = Target::Component("db".into());
    bench.healing.mute(db.clone(), seconds(60), ann()).unwrap();
    bench.register(faults.mending_rule());
    tokio::time::sleep(seconds(50)).await;
    assert_eq!(bench.scrape().open.sum(), 0);
    assert!(bench.scrape().observations.muted > 0);
    assert_eq!(bench.closed("db").await, Closed::Healed);
    assert!(bench.healing.unmute(db, ann()).is_err(), "it is over");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_invalid_policy_reloaded_while_healing() {
    let mut bench = Bench::start(eager());
    let faults = Faults::one("db");
    let repaired = faults.clone();
    let rule = faults.rule(move |_, _| {
        let repaired = repaired.clone();
        async move {
            tokio::time::sleep(seconds(5)).await;
            repaired.repair("db");
            Ok(())
        }
    });
    bench.register(rule);
    bench.reaches("db", Phase::Running).await;
    let mut events = bench.healing.subscribe();
    let mut bad = HealingPolicy::default();
    bad.attempts = 0;
    bad.storm.share = 7.0;
    let faults_found = bench.healing.reload(bad).unwrap_err();
    let paths: Vec<_> = faults_found
        .iter()
        .map(|fault| fault.path.clone())
        .collect();
    assert_eq!(paths, ["storm.share", "attempts"]);
    assert_eq!(bench.healing.policy(), eager(), "the last valid one stays");
    let reported = events.next().await.unwrap();
    assert!(
        matches!(&reported, HealingEvent::Notice(Notice::Refused { why }) if why.as_str().contains("attempts")),
        "{reported:?}"
    );
    assert_eq!(bench.closed("db").await, Closed::Healed);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_wall_clock_jumps_by_a_day() {
    let day = seconds(86_400);
    let (clock, hand) = Clock::manual();
    let noon = clock.wall();
    for jump in [noon + day, noon - day, SystemTime::UNIX_EPOCH] {
        let builder = Healing::builder().clock(clock.clone()).policy(eager());
        let mut bench = Bench::build(builder);
        let faults = Faults::one("db");
        bench.register(faults.mending_rule());
        bench.reaches("db", Phase::Settling).await;
        hand.set_wall(jump);
        let before = tokio::time::Instant::now();
        assert_eq!(bench.closed("db").await, Closed::Healed);
        assert!(before.elapsed() < seconds(5), "{:?}", before.elapsed());
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_what_it_would_do() {
    let mut bench = Bench::start(HealingPolicy::default());
    let faults = Faults::one("db");
    let rule = faults
        .mending_rule()
        .plan(|plan| plan.confirm(selfheal::healing::Confirm::at_once()));
    bench.register(rule);
    bench.reaches("db", Phase::Parked).await;
    let would = bench.healing.recent(100).iter().any(
        |record| matches!(&record.what, What::WouldRun { action, .. } if action.as_str() == "act"),
    );
    assert!(would);
    let report = bench.healing.dry_run();
    assert_eq!(report.len(), 1);
    assert!(
        report[0].to_string().contains("next is act"),
        "{}",
        report[0]
    );
    let components = bench.healing.components();
    assert_eq!(components[0].component.as_str(), "db");
    assert_eq!(components[0].severity, Severity::Error);
    assert_eq!(
        components[0].text,
        "broken: act, attempt 1 of 3; left to a person (dry run). Held back: the mode is dry-run"
    );
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_components_say_when_the_next_attempt_is_due() {
    let mut policy = eager();
    policy.backoff.base = seconds(60);
    policy.attempts = 3;
    let mut bench = Bench::start(policy);
    let faults = Faults::one("db");
    faults.set("web", Severity::Info);
    let rule = faults.rule(|_, _| async { Err(selfheal::healing::HealError::retry("no")) });
    bench.register(rule);
    bench.reaches("db", Phase::Backoff).await;
    let components = bench.healing.components();
    let names: Vec<_> = components.iter().map(|c| c.component.as_str()).collect();
    assert_eq!(names, ["db", "web"]);
    let text = &components[0].text;
    let wait = text
        .strip_prefix("broken: act, attempt 2 of 3; next in ")
        .and_then(|rest| rest.split_once(' '))
        .and_then(|(digits, unit)| Some((digits.parse::<f64>().ok()?, unit)));
    assert!(
        wait.is_some_and(|(wait, unit)| wait > 0.0 && (unit == "ms" || wait <= 60.0)),
        "{text}"
    );
    let issues = bench.healing.issues();
    assert_eq!(issues[0].issue.key, key("db"), "the worst first");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn hooks_are_notified_of_alerts_and_may_panic() {
    let reported = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&reported);
    let builder = Healing::builder()
        .policy(eager())
        .on_alert(|_: &AlertChange| panic!("a hook of a user"))
        .on_alert(move |change: &AlertChange| log.lock().push(change.to_string()))
        .on_alert(());
    let mut bench = Bench::build(builder);
    let faults = Faults::one("db");
    bench.register(faults.useless_rule());
    bench.gives_up("db").await;
    settle_down().await;
    assert_eq!(reported.lock().len(), 1);
    assert!(
        reported.lock()[0].starts_with("raised exhausted db/broken"),
        "{reported:?}"
    );
    bench.healing.acknowledge(key("db"), ann()).unwrap();
    settle_down().await;
    assert!(
        reported.lock()[1].starts_with("resolved exhausted db/broken"),
        "{reported:?}"
    );
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_loses_its_own_events_alone() {
    let mut bench = Bench::start(eager());
    let mut slow = bench.healing.subscribe();
    let faults = Faults::default();
    bench.register(faults.mending_rule());
    for _ in 0..300 {
        faults.break_it("db");
        bench.healing.hint("engine");
        assert_eq!(bench.closed("db").await, Closed::Healed);
    }
    let missed = match slow.next().await {
        Some(HealingEvent::Missed(missed)) => missed,
        other => panic!("{other:?}"),
    };
    assert!(missed > 100, "{missed}");
    assert!(matches!(slow.next().await, Some(HealingEvent::Record(_))));
    assert_eq!(bench.scrape().closed.get(Closed::Healed), 300);
    bench.end().await;
}
