//! What heals by itself after healing has given up, once the world is well again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use selfheal::healing::{Restart, TaskContext};
use selfheal::health::Status;
use selfheal::{Config, Selfheal};

use crate::bench::seconds;

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
    .spawn()
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

    // For hours, and then there is one.
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
        // At once as long as it does not flap, and slowly from then on.
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
