//! Detectors that panic, hang or fail, and the effects on others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use selfheal::healing::runtime::DetectionResult;
use selfheal::healing::{
    By, Closed, Context, HealError, Healing, Issue, Observation, RegisterError, Rule, StartError,
};
use tokio::time::Instant;

use crate::bench::{Bench, Faults, Renamed, begun, eager, key, seconds, settle_down};

async fn nothing(_: Context, _: Issue) -> Result<(), HealError> {
    Ok(())
}

fn detections(bench: &Bench, engine: &str, result: DetectionResult) -> u64 {
    let all = bench.healing.detections();
    let of = |(name, is, _): &&(_, DetectionResult, u64)| -> bool {
        let name: &selfheal::healing::Name = name;
        name.as_str() == engine && *is == result
    };
    all.iter().find(of).map_or(0, |(_, _, count)| *count)
}

#[tokio::test(start_paused = true)]
async fn a_detector_that_panics_every_tick() {
    let mut bench = Bench::start(eager());
    let well = Arc::new(AtomicBool::new(false));
    let says = Arc::clone(&well);
    let rule = Rule::when("sick", move |_: Context| {
        assert!(says.load(SeqCst), "I cannot look");
        async { Ok(Vec::new()) }
    })
    .run("nothing", nothing);
    let sick = bench.register(rule);
    let good = Faults::one("good");
    bench.register(good.mending_rule());
    assert_eq!(bench.closed("good").await, Closed::Healed);

    // Hints do not cause more runs: a panic is costly, and gives no result.
    for _ in 0..3_600 {
        sick.hint();
        tokio::time::sleep(seconds(1)).await;
    }
    let panicked = detections(&bench, "sick", DetectionResult::Panicked);
    assert!((10..30).contains(&panicked), "{panicked} in an hour");
    assert!(detections(&bench, "engine", DetectionResult::Ok) > 300);
    let page = bench.page();
    assert!(
        page.contains(&format!(
            "healing_detections_total{{engine=\"sick\",result=\"panicked\"}} {panicked}"
        )),
        "{page}"
    );
    let alerts = bench.healing.alerts();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(alerts[0].summary.as_str().contains("sick"), "{alerts:?}");

    well.store(true, SeqCst);
    tokio::time::sleep(seconds(301)).await;
    assert_eq!(bench.healing.alerts(), []);
    let ok = detections(&bench, "sick", DetectionResult::Ok);
    tokio::time::sleep(seconds(100)).await;
    assert!(
        detections(&bench, "sick", DetectionResult::Ok) >= ok + 9,
        "as often as ever"
    );
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_detector_that_hangs_holds_up_no_one() {
    let mut bench = Bench::start(eager());
    let running = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&running);
    let rule = Rule::when("stuck", move |_: Context| {
        count.fetch_add(1, SeqCst);
        std::future::pending()
    })
    .run("nothing", nothing);
    bench.register(rule);
    let good = Faults::one("good");
    bench.register(good.mending_rule());
    assert_eq!(bench.closed("good").await, Closed::Healed);
    tokio::time::sleep(seconds(3_600)).await;
    let hung = detections(&bench, "stuck", DetectionResult::Timeout);
    assert!((10..30).contains(&hung), "{hung} in an hour");
    assert!(u64::from(running.load(SeqCst)) <= hung + 1, "one at a time");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_detector_that_blocks_for_ever_is_reported() {
    let bench = Bench::start(eager());
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = parking_lot::Mutex::new(Some(wait));
    let rule = Rule::when("stuck", move |cx: Context| {
        let wait = wait.lock().take();
        async move {
            if let Some(wait) = wait {
                let _ = begun(&cx, move || wait.recv()).await?;
            }
            Ok(Vec::new())
        }
    })
    .run("nothing", nothing);
    bench.register(rule);
    tokio::time::sleep(seconds(600)).await;
    assert_eq!(
        detections(&bench, "stuck", DetectionResult::Timeout),
        1,
        "one pass"
    );
    let alerts = bench.healing.alerts();
    assert_eq!(alerts[0].id.to_string(), "blind stuck/detector");
    release.send(()).unwrap();
    let mut looked = 0;
    while looked == 0 {
        tokio::time::sleep(seconds(10)).await;
        looked = detections(&bench, "stuck", DetectionResult::Ok);
    }
    assert_eq!(bench.healing.alerts(), []);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_detector_that_could_not_run_says_nothing() {
    let faults = Faults::one("db");
    let fails = Arc::new(AtomicBool::new(false));
    let (found, failing) = (faults.clone(), Arc::clone(&fails));
    let rule = Rule::when("engine", move |_: Context| {
        let found = found.found();
        let fails = failing.load(SeqCst);
        async move {
            if fails {
                return Err(HealError::retry("no route to host"));
            }
            Ok(found)
        }
    })
    .run("act", nothing);
    let mut policy = eager();
    policy.dry_run = true;
    let mut bench = Bench::start(policy);
    bench.register(rule);
    bench.reaches("db", selfheal::healing::Phase::Parked).await;
    fails.store(true, SeqCst);
    faults.repair("db");
    tokio::time::sleep(seconds(600)).await;
    assert!(bench.healing.issue(&key("db")).is_some());
    fails.store(false, SeqCst);
    assert_eq!(bench.closed("db").await, Closed::SelfResolved);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn hints_are_answered_soon_and_become_one_run() {
    let bench = Bench::start(eager());
    let handle = bench.register(Faults::default().mending_rule());
    tokio::time::sleep(seconds(5)).await;
    let before = detections(&bench, "engine", DetectionResult::Ok);
    for _ in 0..1_000 {
        handle.hint();
        bench.healing.hint("engine");
    }
    bench.healing.hint("missing");
    settle_down().await;
    assert_eq!(
        detections(&bench, "engine", DetectionResult::Ok),
        before + 1
    );
    // A flood of hints causes at most ten runs a second.
    let began = Instant::now();
    while began.elapsed() < seconds(1) {
        handle.hint();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let looks = detections(&bench, "engine", DetectionResult::Ok) - before - 1;
    assert!((8..=11).contains(&looks), "{looks}");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_interval_holds_at_once() {
    let mut policy = eager();
    policy.detect_every = seconds(36_000);
    let bench = Bench::start(policy.clone());
    bench.register(Faults::default().mending_rule());
    tokio::time::sleep(seconds(60)).await;
    assert_eq!(detections(&bench, "engine", DetectionResult::Ok), 1);
    policy.detect_every = seconds(30);
    bench.healing.reload(policy).unwrap();
    tokio::time::sleep(seconds(300)).await;
    let looks = detections(&bench, "engine", DetectionResult::Ok);
    assert!((9..=11).contains(&looks), "{looks}");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_comes_and_goes() {
    let mut bench = Bench::start(eager());
    let faults = Faults::one("db");
    let rule = faults.rule(|_, _| std::future::pending());
    let handle = bench.register(rule);
    let taken = bench.healing.register(Faults::default().mending_rule());
    assert!(matches!(taken, Err(RegisterError::Taken { .. })));
    let nameless = Renamed("", Faults::default().mending_rule());
    assert!(matches!(
        bench.healing.register(nameless),
        Err(RegisterError::Nameless)
    ));
    bench.reaches("db", selfheal::healing::Phase::Running).await;
    handle.remove().await;
    assert_eq!(bench.closed("db").await, Closed::Superseded);
    // Its name is free again, and the next engine finds the same fault.
    bench.register(faults.mending_rule());
    assert_eq!(bench.closed("db").await, Closed::Healed);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_observed_outside_is_healed_too() {
    let mut policy = eager();
    policy.detect_every = seconds(36_000);
    let mut bench = Bench::start(policy);
    let faults = Faults::default();
    let handle = bench.register(faults.mending_rule());
    tokio::time::sleep(seconds(5)).await;
    let before = Instant::now();
    faults.break_it("db");
    handle.observe(Observation::new("db", "broken"));
    bench.reaches("db", selfheal::healing::Phase::Running).await;
    assert!(before.elapsed() < seconds(1), "{:?}", before.elapsed());
    assert_eq!(bench.closed("db").await, Closed::Healed);
    bench.end().await;
}

#[test]
fn without_a_runtime_it_says_so() {
    let error = Healing::builder().start().unwrap_err();
    assert!(matches!(error, StartError::NoRuntime(_)), "{error}");
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}

#[test]
fn a_runtime_without_a_clock_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let started = Healing::builder().runtime(runtime.handle().clone()).start();
    assert!(matches!(started, Err(StartError::NoTime)));
}

#[test]
fn a_second_engine_on_one_registry_is_refused_and_leaves_nothing_behind() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let registry = selfheal::registry::Registry::new();
    let builder = || {
        Healing::builder()
            .runtime(runtime.handle().clone())
            .registry(&registry)
    };
    let first = builder().start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let journal = selfheal::config::Journal::new().path(folder.path());
    let second = builder().journal(journal.clone()).start();
    assert!(matches!(second, Err(StartError::Metrics(_))));
    let third = || {
        Healing::builder()
            .runtime(runtime.handle().clone())
            .journal(journal.clone())
            .start()
    };
    while third().is_err() {
        std::thread::yield_now();
    }
    assert!(runtime.block_on(first.shutdown(seconds(5))).is_clean());
}

#[test]
fn a_runtime_that_goes_away_takes_it_along() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let builder = Healing::builder().runtime(runtime.handle().clone());
    let mut bench = Bench::build(builder.policy(eager()));
    let faults = Faults::one("db");
    let handle = bench.register(faults.rule(|_, _| std::future::pending()));
    runtime.block_on(bench.reaches("db", selfheal::healing::Phase::Running));
    drop(runtime);
    // Nothing works any more, which is reported where possible, and nothing panics.
    handle.hint();
    handle.observe(Observation::new("db", "broken"));
    let late = bench
        .healing
        .register(Renamed("late", faults.mending_rule()));
    assert!(matches!(late, Err(RegisterError::RuntimeEnded { .. })));
    assert!(bench.healing.pause(By::Person("operator".into())).is_err());
    bench.scrape();
    // No one waits for an end that has already come.
    let other = tokio::runtime::Runtime::new().unwrap();
    other.block_on(bench.healing.shutdown(seconds(5)));
    other.block_on(handle.remove());
    bench.scrape();
}

/// The same on both kinds of runtime, with real time.
fn heals_on(runtime: &tokio::runtime::Runtime) {
    let mut policy = eager();
    policy.settle = Duration::from_millis(1);
    runtime.block_on(async {
        let mut bench = Bench::start(policy);
        let faults = Faults::one("db");
        bench.register(faults.mending_rule());
        assert_eq!(bench.closed("db").await, Closed::Healed);
        bench.end().await;
    });
}

#[test]
fn works_on_a_runtime_with_one_thread() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    heals_on(&runtime.enable_time().build().unwrap());
}

#[test]
fn works_on_a_runtime_with_several_threads() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    heals_on(&runtime.worker_threads(2).enable_time().build().unwrap());
}

/// An engine of the application: the probe of one of its targets has no answer.
#[tokio::test(start_paused = true)]
async fn a_probe_without_an_answer_leaves_its_issue_open_and_no_other() {
    let mut bench = Bench::start(eager());
    let faults = Faults::one("a");
    faults.break_it("b");
    let (found, silent) = (faults.clone(), Arc::new(AtomicBool::new(false)));
    let silence = Arc::clone(&silent);
    let rule = Rule::when("engine", move |cx: Context| {
        let mut found = found.found();
        if silence.load(SeqCst) {
            found.retain(|one| one.key != key("a"));
            cx.unknown(key("a"), "the probe timed out");
        }
        async move { Ok(found) }
    })
    .run("act", nothing)
    .plan(|plan| plan.risk(selfheal::healing::Risk::Destructive));
    bench.healing.pause(By::Policy).unwrap();
    let engine = bench.register(rule);
    settle_down().await;
    silent.store(true, SeqCst);
    faults.repair("b");
    engine.hint();
    assert_eq!(bench.closed("b").await, Closed::SelfResolved);
    tokio::time::sleep(seconds(600)).await;
    let explained = bench.healing.explain(&key("a")).unwrap();
    assert_eq!(
        explained.unknown.unwrap().why.as_str(),
        "the probe timed out"
    );
    assert_eq!(bench.healing.unknown().len(), 1);
    assert_eq!(detections(&bench, "engine", DetectionResult::Failed), 0);
    assert!(
        detections(&bench, "engine", DetectionResult::Ok) > 50,
        "as often as ever"
    );
    assert_eq!(bench.scrape().open.sum(), 1);
    // The default verification has no verdict either: after its tries the attempt counts as failed.
    bench.healing.resume(By::Policy).unwrap();
    let good = bench
        .until(|record| match &record.what {
            selfheal::healing::What::Verified { good, .. } => Some(*good),
            _ => None,
        })
        .await;
    assert!(!good);
    // Now it answers.
    faults.repair("a");
    silent.store(false, SeqCst);
    engine.hint();
    assert_eq!(
        bench.closed("a").await,
        Closed::Healed,
        "by the second attempt"
    );
    assert!(bench.healing.unknown().is_empty());
    bench.end().await;
}
