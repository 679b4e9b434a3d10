//! Issues that are healed after healing has given up, once the fault is gone, and issues that are
//! only reported.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use selfheal::config::{HealingPolicy, Mode, Override};
use selfheal::healing::{AlertChange, Healing, Observation, Restart, Rule, Supervise, TaskContext};
use selfheal::health::Status;
use selfheal::{Config, Selfheal};

use crate::bench::{Bench, seconds};

#[tokio::test(start_paused = true)]
async fn a_permanent_task_is_down_while_it_is_dead_and_runs_again_once_it_can() {
    let heal = Selfheal::new(Config::new()).unwrap();
    let broken = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&broken);
    heal.supervise("mailer", Restart::Permanent, move |cx: TaskContext| {
        let broken = seen.load(SeqCst);
        async move {
            assert!(!broken, "no mail server");
            cx.cancelled().await;
        }
    })
    .install()
    .unwrap();
    tokio::time::sleep(seconds(300)).await;
    let report = heal.report();
    let mailer = &report.components[0];
    assert_eq!(mailer.status(), Status::Down, "{mailer:?}");
    assert!(
        mailer
            .detail
            .contains("attempt 4, beyond the 3 of its plan"),
        "{mailer:?}"
    );
    assert!(mailer.detail.contains("tried again in "), "{mailer:?}");
    let said = &report.alerts[0].text;
    assert!(
        said.contains("`restart` is tried again every 15m"),
        "{said}"
    );

    // For hours there is none, and then one.
    tokio::time::sleep(seconds(6 * 3600)).await;
    assert_eq!(heal.report().components[0].status(), Status::Down);
    broken.store(false, SeqCst);
    tokio::time::sleep(seconds(20 * 60)).await;
    let report = heal.report();
    assert_eq!(report.components[0].status(), Status::Up);
    assert!(report.alerts.is_empty(), "{:?}", report.alerts);
    heal.shutdown().await;
}

#[cfg(feature = "files")]
#[tokio::test(start_paused = true)]
async fn a_file_that_is_broken_four_times_is_restored_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port");
    std::fs::write(&path, "80").unwrap();
    let heal = Selfheal::new(Config::new()).unwrap();
    heal.guard_file("config", &path)
        .validate(|bytes: &[u8]| String::from_utf8_lossy(bytes).trim().parse::<u16>())
        .every(seconds(1))
        .install()
        .unwrap();
    tokio::time::sleep(seconds(5)).await;
    for nth in 1..=4 {
        std::fs::write(&path, "garbage").unwrap();
        // At once unless it flaps, and slowly from then on.
        let patience = if nth <= 3 { 60 } else { 20 * 60 };
        tokio::time::sleep(seconds(patience)).await;
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "80", "{nth}");
    }
    let alert = &heal.report().alerts[0].text;
    assert!(alert.contains("runs at most every 15m now"), "{alert}");
    tokio::time::sleep(seconds(3600)).await;
    assert!(heal.report().alerts.is_empty(), "it has stayed whole");
    heal.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_temporary_task_is_never_restarted_whatever_the_policy_says() {
    let word = Override::new(Mode::Run).component("import");
    let bench = Bench::start(HealingPolicy::new().override_mode(word));
    let starts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&starts);
    Supervise::new(
        bench.healing.clone(),
        "import",
        Restart::Temporary,
        move |_| {
            counted.fetch_add(1, SeqCst);
            async { Err::<(), _>(std::io::Error::other("no file")) }
        },
    )
    .spawn()
    .unwrap();
    tokio::time::sleep(seconds(3600)).await;
    assert_eq!(starts.load(SeqCst), 1);
    let alerts = bench.healing.alerts();
    assert_eq!(alerts[0].id.to_string(), "report_only import/task_failed");
    bench.end().await;
}

/// A first rule of a new user: it sets no risk.
#[tokio::test(start_paused = true)]
async fn a_first_rule_says_why_it_does_nothing() {
    let reported = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let log = Arc::clone(&reported);
    let hook = move |change: &AlertChange| log.lock().push(change.to_string());
    let bench = Bench::build(Healing::builder().on_alert(hook));
    let rule = Rule::when("cache", |_| async {
        Ok(vec![Observation::new("cache", "cold")])
    })
    .run("warm", |_, _| async { Ok(()) });
    bench.register(rule);
    tokio::time::sleep(seconds(600)).await;
    let reported = reported.lock().clone();
    let [once] = &reported[..] else {
        panic!("{reported:?}");
    };
    assert!(
        once.contains("`healing.modes.disruptive = \"run\"`"),
        "{once}"
    );
    bench.end().await;
}
