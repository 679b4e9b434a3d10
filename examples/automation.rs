//! A test watcher, an audit agent and calls to other services, in a program without any async
//! runtime: the metrics are served from a thread of their own.
//!
//! `cargo run --example automation` prints what it does and its metrics; `-- 127.0.0.1:9898`
//! serves them there, and goes on until it is ended.

use std::error::Error;
use std::thread::{self, sleep};
use std::time::Duration;

use selfheal::config::{Config, Server};
use selfheal::groups::{
    ApiCall, AuditRun, BridgeCall, Recorder, TestRun, TestWatcherMetrics, WatchedFile,
};
use selfheal::registry::Registry;
use selfheal::testing::Reading;

/// Files change, and their tests run.
fn watch(rounds: u64) -> Result<(), Box<dyn Error + Send + Sync>> {
    let watcher = Registry::global().group::<TestWatcherMetrics>()?;
    watcher.running.set(1);
    for round in 0..rounds {
        watcher.changed.set(2);
        watcher.debounce.measure(|| sleep(Duration::from_millis(2)));
        for file in ["a.rs", "b.rs"] {
            let tracked = WatchedFile::start();
            if round == 1 && file == "b.rs" {
                tracked.error("parse");
                continue;
            }
            sleep(Duration::from_millis(3));
            tracked.success();
        }
        watcher.changed.set(0);
        let run = TestRun::start();
        sleep(Duration::from_millis(5));
        if round == 2 {
            run.error("fail");
        } else {
            run.success();
        }
        println!("watcher: round {round} is done");
    }
    watcher.running.set(0);
    Ok(())
}

/// An audit of the work, with a call to another service.
fn audit() {
    let run = AuditRun::start("scheduled");
    run.found(12, 3);
    let call = ApiCall::start("github");
    sleep(Duration::from_millis(4));
    call.tokens(250);
    call.success();
    run.coverage(83.5);
    run.success();
    println!("audit: 12 markers, 3 commits, 83.5 % covered");
    drop(ApiCall::start("github")); // by a `?` for example: recorded as abandoned
}

/// Blocking code that waits for what another thread does, for a while.
fn bridge() {
    let recorder = Recorder::global();
    recorder.bridge_loops(1);
    for limit in [50, 1] {
        let call = BridgeCall::start("fetch");
        let (sender, answer) = std::sync::mpsc::channel();
        thread::spawn(move || {
            sleep(Duration::from_millis(10));
            // The receiver may be gone.
            let _ = sender.send("answer");
        });
        if let Ok(answer) = answer.recv_timeout(Duration::from_millis(limit)) {
            println!("bridge: {answer}");
            call.success();
        } else {
            println!("bridge: no answer within {limit} ms");
            call.error("timeout");
        }
    }
    recorder.bridge_loops(0);
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let mut config = Config::new().profile("automation_platform");
    if let Some(address) = &address {
        config = config.server(Server::new().listen(address.parse()?));
    }
    let heal = selfheal::install(config)?;
    let watcher = thread::spawn(|| watch(3));
    audit();
    bridge();
    watcher
        .join()
        .map_or(Ok(()), |done| done.map_err(|error| error.to_string()))?;
    let reading = Reading::of(&heal).to_string();
    let ours = [
        "test_watcher_",
        "audit_agent_",
        "async_bridge_",
        "api_",
        "process_threads",
    ];
    let lines = reading.lines().filter(|line| !line.contains("_bucket"));
    for line in lines.filter(|line| ours.iter().any(|part| line.starts_with(part))) {
        println!("{line}");
    }
    if address.is_some() {
        let listener = heal.listen()?;
        println!("look at http://{}/metrics", listener.address());
        loop {
            thread::park();
        }
    }
    Ok(())
}
