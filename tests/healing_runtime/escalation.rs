//! Escalation beyond an alert: a service that is not ready, and the orderly end of the process.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use selfheal::config::{HealingPolicy, Journal};
use selfheal::healing::core::{ExitRequest, ServiceEscalation};
use selfheal::healing::{AlertChange, AlertKind, By, Closed, Healing, HistoryFilter, What};
use selfheal::{Config, Selfheal};
use tokio::time::Instant;

use crate::bench::{Bench, Faults, eager, key, seconds, settle_down};
use crate::disk::Disk;

const FOLDER: &str = "TEST_EXIT_FOLDER";

fn chain() -> HealingPolicy {
    let mut policy = eager();
    policy.detect_every = seconds(1);
    policy.escalation.severity = selfheal::healing::Severity::Error;
    policy.escalation.not_ready_after = Some(seconds(60));
    policy.escalation.exit_after = Some(seconds(600));
    policy
}

#[tokio::test(start_paused = true)]
async fn action_alert_readiness_exit() {
    let disk = Disk::default();
    let builder = Healing::builder().policy(chain()).store(disk.clone());
    let mut bench = Bench::build(builder);
    let asked = bench.healing.exit_asked();
    let faults = Faults::one("db");
    bench.register(faults.useless_rule());
    bench.gives_up("db").await;
    let given_up = Instant::now();
    assert_eq!(bench.healing.alerts()[0].id.kind, AlertKind::Exhausted);
    assert_eq!(bench.healing.not_ready(), []);

    let level = |level| {
        move |record: &selfheal::healing::Record| match &record.what {
            What::Escalated { level: is, .. } => (*is == level).then_some(()),
            _ => None,
        }
    };
    bench.until(level(ServiceEscalation::NotReady)).await;
    let waited = given_up.elapsed();
    assert!((60..63).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(
        bench.healing.not_ready()[0].to_string(),
        "exhausted db/broken"
    );
    let explained = bench.healing.explain(&key("db")).unwrap();
    assert_eq!(
        explained.escalation.unwrap().reached,
        Some(ServiceEscalation::NotReady)
    );

    let request: ExitRequest = asked.await;
    let waited = given_up.elapsed();
    assert!((600..603).contains(&waited.as_secs()), "{waited:?}");
    assert!(
        request.why.as_str().contains("db/broken"),
        "{}",
        request.why
    );
    assert!(
        disk.text().contains("\"level\":\"exit\""),
        "{}",
        disk.text()
    );
    let page = bench.page();
    for line in [
        "healing_escalations_total{level=\"not_ready\"} 1",
        "healing_escalations_total{level=\"exit\"} 1",
        "healing_not_ready 1",
        "healing_exit_asked 1",
    ] {
        assert!(page.lines().any(|is| is == line), "{line}\n{page}");
    }
    // Late subscribers are notified as well.
    assert_eq!(bench.healing.exit_asked().await, request);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn readyz_follows_the_fault_and_comes_back() {
    let config = Config::new().healing(chain());
    let heal = Selfheal::new(config).unwrap();
    let faults = Faults::one("db");
    heal.register(faults.useless_rule()).unwrap();
    assert!(heal.report().ready.ok);
    tokio::time::sleep(seconds(120)).await;
    let ready = heal.report().ready;
    assert!(!ready.ok && ready.reason.contains("db/broken"), "{ready:?}");
    assert!(heal.report().live.ok, "it turns traffic away, no more");
    faults.repair("db");
    tokio::time::sleep(seconds(5)).await;
    assert!(heal.report().ready.ok);
    faults.break_it("db");
    tokio::time::sleep(seconds(120)).await;
    assert!(!heal.report().ready.ok);
    let healing = heal.healing().unwrap();
    healing
        .acknowledge(key("db"), By::Person("ann".into()))
        .unwrap();
    assert!(heal.report().ready.ok);
    heal.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_comes_late_is_notified_of_what_fires() {
    let mut bench = Bench::start(eager());
    let faults = Faults::one("db");
    bench.register(faults.useless_rule());
    bench.gives_up("db").await;
    let reported = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&reported);
    bench
        .healing
        .on_alert(move |change: &AlertChange| log.lock().push(change.to_string()));
    settle_down().await;
    assert!(reported.lock()[0].starts_with("raised exhausted db/broken"));
    let ann = By::Person("ann".into());
    bench.healing.acknowledge(key("db"), ann).unwrap();
    settle_down().await;
    assert!(reported.lock()[1].starts_with("resolved exhausted db/broken"));
    bench.end().await;
}

/// The child: heals in vain, and is ended by the engine, as requested.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let journal = Journal::new().path(Path::new(&folder));
        let bench = Bench::build(Healing::builder().policy(chain()).journal(journal));
        let faults = Faults::one("db");
        bench.register(faults.useless_rule());
        bench.healing.exit_process_when_asked(70, seconds(10));
        tokio::time::sleep(Duration::from_secs(86_400)).await;
    });
}

#[tokio::test]
async fn a_process_that_asked_for_it_is_ended_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "escalation::child"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(70));
    let journal = Journal::new().path(folder.path());
    let bench = Bench::build(Healing::builder().policy(chain()).journal(journal));
    assert_eq!(bench.healing.replay_report().damage, []);
    let history = HistoryFilter::new().key(key("db")).limit(usize::MAX);
    let history = bench.healing.history(history).await;
    let asked = |what: &What| {
        matches!(
            what,
            What::Escalated {
                level: ServiceEscalation::Exit,
                ..
            }
        )
    };
    let place = history.iter().position(|record| asked(&record.what));
    let closed = history.iter().position(|record| {
        matches!(&record.what, What::Closed { outcome, .. } if *outcome == Closed::Shutdown)
    });
    assert!(place.is_some() && place < closed, "{history:?}");
    assert_eq!(bench.scrape().restored, 1, "the next process takes it up");
    bench.end().await;
}
