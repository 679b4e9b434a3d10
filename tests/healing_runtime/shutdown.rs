//! The orderly end in each state of an issue, and the next start.

use std::time::Duration;

use selfheal::config::{HealingPolicy, Mode};
use selfheal::healing::core::Dropped;
use selfheal::healing::{
    AttemptResult, By, Closed, Confirm, Context, HealError, Healing, Issue, Observation, Phase,
    RegisterError, Rule, Verdict,
};
use tokio::time::Instant;

use crate::bench::{Bench, Faults, Renamed, begun, eager, key, seconds};
use crate::disk::Disk;

fn on(disk: &Disk, policy: HealingPolicy) -> Bench {
    Bench::build(Healing::builder().policy(policy).store(disk.clone()))
}

/// A policy and a rule with which the issue of `db` reaches `phase`, and stays.
pub(crate) fn case(phase: Phase, faults: &Faults) -> (HealingPolicy, Rule) {
    let mut policy = eager();
    let ok = || faults.useless_rule();
    let rule = match phase {
        Phase::Running => faults.rule(hang),
        Phase::Verifying => ok().verify(|_: Context, _: Issue| std::future::pending::<Verdict>()),
        Phase::Settling => ok().verify(|_: Context, _: Issue| async { Verdict::Good }),
        // Enough time to pause while it runs.
        Phase::AwaitingRollback => faults
            .rule(slowly_no)
            .rollback(|_: Context, _: Issue| async { Ok::<_, HealError>(()) }),
        _ => faults.rule(no),
    };
    match phase {
        Phase::Confirming => policy.confirm = Confirm::of(2, 3),
        Phase::Backoff => policy.backoff.base = seconds(10),
        Phase::Approval => policy.modes.disruptive = Mode::Approval,
        Phase::Settling => policy.settle = seconds(600),
        Phase::Parked => policy.dry_run = true,
        _ => {}
    }
    (policy, rule)
}

/// Waits until the issue of `db` reaches `phase`.
pub(crate) async fn bring_to(bench: &mut Bench, phase: Phase, rule: Rule) {
    if phase == Phase::Pending {
        bench.healing.pause(By::Policy).unwrap();
    }
    bench.register(rule);
    if phase == Phase::AwaitingRollback {
        bench.reaches("db", Phase::Running).await;
        bench.healing.pause(By::Policy).unwrap();
    }
    if phase == Phase::Confirming {
        tokio::time::sleep(seconds(1)).await;
    } else {
        bench.reaches("db", phase).await;
    }
    assert_eq!(bench.scrape().open.get(phase), 1, "{phase:?}");
}

/// The next start after an orderly end in `phase`: nothing was interrupted, and it heals.
pub(crate) async fn starts_again(mut bench: Bench, phase: Phase, faults: &Faults) {
    assert_eq!(bench.healing.replay_report().damage, [], "{phase:?}");
    if matches!(phase, Phase::Pending | Phase::AwaitingRollback) {
        bench.healing.resume(By::Policy).unwrap();
    }
    let first = bench.scrape();
    assert_eq!(first.restored, 1, "{phase:?}");
    let interrupted = first.attempts_finished.get(AttemptResult::Interrupted);
    assert_eq!(interrupted, 0, "{phase:?}: all had ended");
    bench.register(faults.mending_rule());
    assert_eq!(bench.closed("db").await, Closed::Healed, "{phase:?}");
    bench.end().await;
}

/// Shuts down while the issue of `db` is in `phase`, then starts again and heals.
async fn in_state(phase: Phase) {
    let disk = Disk::default();
    let faults = Faults::one("db");
    let (policy, rule) = case(phase, &faults);
    let mut bench = on(&disk, policy);
    bring_to(&mut bench, phase, rule).await;
    let report = bench.healing.shutdown(seconds(30)).await;
    assert!(report.is_clean(), "{phase:?}: {report:?}");
    let last = bench.scrape();
    assert_eq!(last.closed.get(Closed::Shutdown), 1, "{phase:?}");
    starts_again(on(&disk, eager()), phase, &faults).await;
}

async fn no(_: Context, _: Issue) -> Result<(), HealError> {
    Err(HealError::retry("no"))
}

async fn slowly_no(_: Context, _: Issue) -> Result<(), HealError> {
    tokio::time::sleep(Duration::from_millis(500)).await;
    Err(HealError::retry("no"))
}

async fn hang(_: Context, _: Issue) -> Result<(), HealError> {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_in_each_state() {
    for phase in Phase::ALL {
        in_state(phase).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_zombie_does_not_hold_up_the_end() {
    let faults = Faults::one("db");
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = parking_lot::Mutex::new(Some(wait));
    let rule = faults.rule(move |cx: Context, _| {
        let wait = wait.lock().take();
        async move {
            if let Some(wait) = wait {
                begun(&cx, move || wait.recv()).await??;
            }
            Ok(())
        }
    });
    let mut bench = Bench::start(eager());
    bench.register(rule);
    assert_eq!(bench.attempt().await.0, AttemptResult::Timeout);
    let before = Instant::now();
    let report = bench.healing.shutdown(seconds(20)).await;
    assert!(before.elapsed() <= seconds(23), "{:?}", before.elapsed());
    assert!(!report.is_clean());
    assert_eq!((report.zombies, report.unfinished), (1, 0));
    bench.scrape();
    release.send(()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_grace_that_is_too_short_leaves_an_attempt_for_the_next_start() {
    let disk = Disk::default();
    let faults = Faults::one("db");
    let mut bench = on(&disk, eager());
    bench.register(faults.rule(hang));
    bench.reaches("db", Phase::Running).await;
    tokio::time::sleep(seconds(1)).await;
    let report = bench.healing.shutdown(Duration::from_millis(100)).await;
    assert_eq!(report.unfinished, 1);
    bench.scrape();
    let mut bench = on(&disk, eager());
    let first = bench.scrape();
    assert_eq!(first.attempts_finished.get(AttemptResult::Interrupted), 1);
    bench.register(faults.mending_rule());
    assert_eq!(bench.closed("db").await, Closed::Healed);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_triggered_before_its_engine_is_there_is_not_forgotten() {
    let disk = Disk::default();
    let faults = Faults::one("db");
    let mut bench = on(&disk, eager());
    bench.register(faults.rule(hang));
    bench.reaches("db", Phase::Running).await;
    bench.healing.shutdown(seconds(30)).await;

    let mut bench = on(&disk, eager());
    bench.healing.trigger(key("db"), By::Policy).unwrap();
    tokio::time::sleep(seconds(60)).await;
    let before = Instant::now();
    bench.register(faults.mending_rule());
    assert_eq!(bench.closed("db").await, Closed::Healed);
    assert!(before.elapsed() < seconds(5), "{:?}", before.elapsed());
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn after_the_end_nothing_is_taken_in() {
    let bench = Bench::start(eager());
    let faults = Faults::one("db");
    let handle = bench.register(Faults::default().mending_rule());
    let (one, two) = tokio::join!(
        bench.healing.shutdown(seconds(5)),
        bench.healing.shutdown(seconds(5)),
    );
    assert_eq!(one, two);
    handle.observe(Observation::new("db", "broken"));
    handle.hint();
    let late = bench
        .healing
        .register(Renamed("late", faults.mending_rule()));
    assert!(matches!(late, Err(RegisterError::ShutDown { .. })));
    let snapshot = bench.scrape();
    assert_eq!(snapshot.observations.dropped.get(Dropped::Shutdown), 1);
    assert!(bench.healing.issue(&key("db")).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_goes_on_though_no_one_waits_for_it() {
    let bench = Bench::start(eager());
    bench.register(Faults::one("db").rule(hang));
    tokio::time::sleep(seconds(1)).await;
    let gave_up = tokio::time::timeout(
        Duration::from_millis(1),
        bench.healing.shutdown(seconds(60)),
    );
    assert!(gave_up.await.is_err());
    tokio::time::sleep(seconds(60)).await;
    let closed = tokio::time::timeout(Duration::from_millis(1), bench.healing.shutdown(seconds(1)));
    assert!(closed.await.unwrap().is_clean());
    bench.scrape();
}
