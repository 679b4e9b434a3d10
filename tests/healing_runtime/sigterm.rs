//! SIGTERM, as an orchestrator sends it, in each state of an issue: in child processes and real
//! time.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use selfheal::config::Journal;
use selfheal::healing::{Healing, Phase};
use tokio::signal::unix::{SignalKind, signal};

use crate::bench::{Bench, Faults, eager, seconds};
use crate::shutdown::{bring_to, case, starts_again};

const FOLDER: &str = "TEST_SIGTERM_FOLDER";
const PHASE: &str = "TEST_SIGTERM_PHASE";

fn on(folder: &Path, policy: selfheal::config::HealingPolicy) -> Bench {
    let journal = Journal::new().path(folder);
    Bench::build(Healing::builder().policy(policy).journal(journal))
}

/// The child: it reaches the state, reports that, and ends in order at the signal.
#[tokio::test]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let wanted = std::env::var(PHASE).unwrap();
    let phase = Phase::ALL.into_iter().find(|one| one.as_str() == wanted);
    let phase = phase.unwrap();
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let faults = Faults::one("db");
    let (policy, rule) = case(phase, &faults);
    let mut bench = on(Path::new(&folder), policy);
    bring_to(&mut bench, phase, rule).await;
    // Writing like this to standard output is not captured.
    writeln!(std::io::stdout(), "\nsigterm: ready").unwrap();
    terminate.recv().await;
    let report = bench.healing.shutdown(seconds(10)).await;
    assert!(report.is_clean(), "{report:?}");
}

fn is_terminated_in(phase: Phase, folder: &Path) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sigterm::child", "--nocapture"])
        .env(FOLDER, folder)
        .env(PHASE, phase.as_str())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut lines = out.lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "sigterm: ready"), "{phase:?}");
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(sent.success());
    // Reads to its end, so that the child can write.
    lines.for_each(drop);
    let status = child.wait().unwrap();
    assert!(status.success(), "{phase:?}: {status}");
}

#[tokio::test]
async fn sigterm_in_each_state() {
    let mut quick = eager();
    quick.settle = std::time::Duration::from_millis(1);
    let mut all = tokio::task::JoinSet::new();
    for phase in Phase::ALL {
        let quick = quick.clone();
        all.spawn(async move {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().to_owned();
            let ended = tokio::task::spawn_blocking(move || is_terminated_in(phase, &path));
            ended.await.unwrap();
            let bench = on(folder.path(), quick);
            starts_again(bench, phase, &Faults::one("db")).await;
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
}
