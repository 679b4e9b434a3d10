//! A journal that is torn, flipped, full or slow under a running engine.

use std::sync::Arc;

use parking_lot::Mutex;
use selfheal::config::Journal;
use selfheal::healing::journal::FolderError;
use selfheal::healing::{
    AlertKind, AttemptResult, By, Closed, Context, Healing, HistoryFilter, Issue, Phase, Risk,
    StartError, What,
};

use crate::bench::{Bench, Faults, eager, key, seconds};
use crate::disk::Disk;

fn on(disk: &Disk) -> Bench {
    Bench::build(Healing::builder().policy(eager()).store(disk.clone()))
}

/// The journal of a process that died during an attempt, after another issue was healed.
async fn left_behind() -> (Vec<u8>, Faults) {
    let disk = Disk::default();
    let faults = Faults::one("web");
    let repaired = faults.clone();
    let rule = faults.rule(move |_, issue: Issue| {
        let hangs = issue.key.component.as_str() == "db";
        repaired.repair("web");
        async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            Ok(())
        }
    });
    let mut bench = on(&disk);
    bench.register(rule);
    assert_eq!(bench.closed("web").await, Closed::Healed);
    faults.break_it("db");
    bench.reaches("db", Phase::Running).await;
    // Long enough for the intent to be written, too short for the attempt to end.
    tokio::time::sleep(seconds(1)).await;
    (disk.newest(), faults)
}

#[tokio::test(start_paused = true)]
async fn a_torn_journal() {
    let (whole, faults) = left_behind().await;
    let mut interrupted = 0;
    for end in (0..=whole.len()).rev().step_by(61) {
        let disk = Disk::with(whole[..end].to_vec());
        let mut bench = on(&disk);
        let first = bench.scrape();
        interrupted += first.attempts_finished.get(AttemptResult::Interrupted);
        faults.break_it("db");
        bench.register(faults.mending_rule());
        assert_eq!(bench.closed("db").await, Closed::Healed, "cut at {end}");
        bench.end().await;

        // Nothing is interrupted twice.
        let bench = on(&disk);
        let again = bench.scrape();
        assert_eq!(again.attempts_finished.get(AttemptResult::Interrupted), 0);
        assert_eq!(bench.healing.replay_report().damage, []);
    }
    assert!(interrupted > 1, "{interrupted}");
}

#[tokio::test(start_paused = true)]
async fn a_journal_with_a_flipped_bit() {
    let (whole, faults) = left_behind().await;
    for at in (0..whole.len()).step_by(97) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        let mut bench = on(&Disk::with(flipped));
        let report = bench.healing.replay_report().clone();
        assert_eq!(report.damage.len(), 1, "byte {at}: {report:?}");
        faults.break_it("db");
        bench.register(faults.mending_rule());
        assert_eq!(bench.closed("db").await, Closed::Healed, "byte {at}");
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_stops_what_is_not_reversible() {
    let disk = Disk::default();
    let mut bench = on(&disk);
    let faults = Faults::one("web");
    let rule = faults.mending_rule();
    bench.register(rule);
    assert_eq!(bench.closed("web").await, Closed::Healed);

    disk.set_space(Some(30));
    faults.break_it("db");
    bench.healing.hint("engine");
    bench
        .until(|record| match &record.what {
            What::Raised(alert) => (alert.id.kind == AlertKind::Journal).then_some(()),
            _ => None,
        })
        .await;
    tokio::time::sleep(seconds(300)).await;
    let snapshot = bench.scrape();
    assert!(!snapshot.journal_healthy);
    assert_eq!(snapshot.attempts_finished.get(AttemptResult::Ok), 1);
    let explained = bench.healing.explain(&key("db")).unwrap().to_string();
    assert!(
        explained.contains("journal cannot be written"),
        "{explained}"
    );

    disk.set_space(None);
    assert_eq!(bench.closed("db").await, Closed::Healed);
    assert!(bench.scrape().journal_healthy);
    assert_eq!(bench.healing.alerts(), []);
    bench.healing.shutdown(seconds(10)).await;

    let bench = on(&disk);
    assert_eq!(bench.healing.replay_report().damage, []);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_lets_reversible_actions_run() {
    let disk = Disk::default();
    disk.set_space(Some(0));
    let mut bench = on(&disk);
    let faults = Faults::one("db");
    let rule = faults
        .mending_rule()
        .plan(|plan| plan.risk(Risk::Reversible));
    bench.register(rule);
    assert_eq!(bench.closed("db").await, Closed::Healed);
    assert!(!bench.scrape().journal_healthy);
    let known = bench
        .healing
        .history(HistoryFilter::new().key(key("db")))
        .await;
    assert!(known.len() > 4, "the memory has it: {known:?}");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_intent_is_written_before_the_action_starts() {
    let disk = Disk::default();
    let mut bench = on(&disk);
    let faults = Faults::one("db");
    let seen = Arc::new(Mutex::new(None));
    let (writes, repaired, file) = (Arc::clone(&seen), faults.clone(), disk.clone());
    let rule = faults.rule(move |cx: Context, _| {
        let intent = format!(
            "\"attempt_started\":{{\"attempt\":{}",
            cx.attempt().unwrap().0
        );
        *writes.lock() = Some(file.text().contains(&intent));
        repaired.repair("db");
        async { Ok(()) }
    });
    disk.hold(true);
    bench.register(rule);
    bench.reaches("db", Phase::Running).await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*seen.lock(), None, "it waits for the disk");
    disk.hold(false);
    assert_eq!(bench.closed("db").await, Closed::Healed);
    assert_eq!(*seen.lock(), Some(true));
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_hangs_is_reported() {
    let disk = Disk::default();
    let mut bench = on(&disk);
    let faults = Faults::one("db");
    disk.hold(true);
    bench.register(faults.mending_rule());
    bench.reaches("db", Phase::Running).await;
    // A blocked thread keeps the paused clock from advancing by itself.
    for _ in 0..60 {
        tokio::time::advance(std::time::Duration::from_millis(100)).await;
    }
    let (result, message) = bench.attempt().await;
    assert_eq!(result, AttemptResult::Cancelled);
    assert!(message.contains("journal"), "{message}");
    assert!(!bench.scrape().journal_healthy);
    disk.hold(false);
    assert_eq!(bench.closed("db").await, Closed::Healed);
    assert!(bench.scrape().journal_healthy);
    bench.end().await;
}

#[tokio::test]
async fn a_folder_is_kept_and_belongs_to_one_engine() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Journal::new().path(folder.path().join("journal"));
    let mut policy = eager();
    policy.settle = std::time::Duration::from_millis(1);
    let builder = || {
        Healing::builder()
            .policy(policy.clone())
            .journal(settings.clone())
    };
    let mut bench = Bench::build(builder());
    let second = builder().start();
    assert!(matches!(
        second,
        Err(StartError::Folder(FolderError::InUse { .. }))
    ));
    let faults = Faults::one("db");
    bench.register(faults.mending_rule());
    assert_eq!(bench.closed("db").await, Closed::Healed);
    bench.healing.pause(By::Person("ann".into())).unwrap();
    bench.end().await;

    let bench = Bench::build(builder());
    assert!(bench.scrape().paused, "a pause outlives the process");
    let history = bench
        .healing
        .history(HistoryFilter::new().component("db"))
        .await;
    assert!(matches!(history[0].what, What::Opened { .. }));
    let closed = history.iter().any(|record| {
        matches!(
            &record.what,
            What::Closed {
                outcome: Closed::Healed,
                ..
            }
        )
    });
    assert!(closed);
    let numbers: Vec<_> = history.iter().map(|record| record.seq).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    bench.end().await;
}
