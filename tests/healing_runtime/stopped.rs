//! A process that is stopped and goes on, and a runtime that is blocked: after a late wake-up every
//! limit is overdue at once, which is not a fault of any task.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use selfheal::healing::runtime::DetectionResult;
use selfheal::healing::{
    AttemptResult, Confirm, Context, Healing, Issue, Observation, Restart, Risk, Rule, Supervise,
    TaskContext, What,
};
use tokio::io::{AsyncBufReadExt, BufReader as AsyncReader};
use tokio::time::sleep;

use crate::bench::{eager, seconds};

const CHILD: &str = "TEST_STOPPED_CHILD";

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Healthy tasks: they show progress `often` in their timeout, some of them shortly after
/// their detectors ask and some shortly before.
async fn beat(healing: &Healing, timeout: Duration, often: u32) {
    const TASKS: u32 = 10;
    for n in 0..TASKS {
        let run = move |cx: TaskContext| async move {
            loop {
                cx.heartbeat();
                sleep(timeout / often).await;
            }
        };
        let component = format!("mailer {n}");
        let task = Supervise::new(healing.clone(), component, Restart::Permanent, run);
        task.heartbeat(timeout).spawn().unwrap();
        sleep(timeout / often / TASKS).await;
    }
}

/// A fault whose repair takes `repair` and whose detection takes a tenth of that.
fn slow(
    component: &'static str,
    repair: Duration,
    began: impl Fn() + Send + Sync + 'static,
) -> Rule {
    let broken = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&broken);
    let began = Arc::new(began);
    Rule::when(component, move |_: Context| {
        let bad = seen
            .load(SeqCst)
            .then(|| Observation::new(component, "broken"));
        async move {
            sleep(repair / 10).await;
            Ok(bad.into_iter().collect())
        }
    })
    .run("repair", move |_: Context, _: Issue| {
        let (broken, began) = (Arc::clone(&broken), Arc::clone(&began));
        async move {
            began();
            for _ in 0..10 {
                sleep(repair / 10).await;
            }
            broken.store(false, SeqCst);
            Ok(())
        }
    })
    .plan(|plan| plan.risk(Risk::Reversible).confirm(Confirm::at_once()))
}

/// Every attempt that ended, as `component action result`.
fn ended(healing: &Healing) -> Vec<String> {
    let records = healing.recent(10_000);
    let attempts = records.iter().filter_map(|record| match &record.what {
        What::AttemptFinished {
            key,
            action,
            result,
            ..
        } => Some(format!("{} {action} {}", key.component, result.as_str())),
        _ => None,
    });
    attempts.collect()
}

fn overdue(healing: &Healing) -> u64 {
    let detections = healing.detections().into_iter();
    let overdue = detections.filter(|(_, result, _)| *result == DetectionResult::Timeout);
    overdue.map(|(_, _, count)| count).sum()
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_was_blocked_has_nothing_restarted_or_timed_out() {
    let healing = Healing::builder().policy(eager()).start().unwrap();
    beat(&healing, seconds(10), 2).await;
    healing.register(slow("cache", seconds(8), || {})).unwrap();
    sleep(seconds(4)).await;
    assert_eq!(
        healing.snapshot().attempts_running,
        1,
        "the repair is under way"
    );
    for _ in 0..3 {
        // For everything on the runtime it is as if it had been blocked, or the process stopped.
        tokio::time::advance(seconds(1000)).await;
        sleep(ms(300)).await;
    }
    assert_eq!(
        healing.snapshot().attempts_running,
        1,
        "{:?}",
        ended(&healing)
    );
    sleep(seconds(20)).await;
    assert_eq!(ended(&healing), ["cache repair ok"]);
    assert_eq!(overdue(&healing), 0);
    assert_eq!(healing.alerts(), []);

    // A task that hangs by itself is still found.
    let hangs = |_: TaskContext| std::future::pending::<()>();
    let task = Supervise::new(healing.clone(), "reader", Restart::Permanent, hangs);
    task.heartbeat(seconds(5)).spawn().unwrap();
    sleep(seconds(12)).await;
    let restarted = healing.snapshot().attempts_finished.get(AttemptResult::Ok);
    assert!(restarted >= 2, "{:?}", ended(&healing));
    assert!(healing.shutdown(seconds(30)).await.is_clean());
}

/// The child: it runs a task, a detector and a repair, and reports their results.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let mut policy = eager();
    policy.detect_every = ms(100);
    policy.timeout = seconds(2);
    policy.verify.timeout = seconds(2);
    policy.settle = ms(500);
    policy.grace = ms(100);
    let healing = Healing::builder().policy(policy).start().unwrap();
    beat(&healing, seconds(2), 2).await;
    // Writing like this to standard output is not captured.
    let say = |text: &str| writeln!(std::io::stdout(), "\nstopped: {text}").unwrap();
    healing
        .register(slow("cache", ms(500), move || say("ready")))
        .unwrap();
    let mut go_on = AsyncReader::new(tokio::io::stdin()).lines();
    go_on.next_line().await.unwrap();
    while healing.snapshot().closed.sum() == 0 {
        sleep(ms(10)).await;
    }
    for attempt in ended(&healing) {
        say(&attempt);
    }
    say(&format!(
        "{} overdue, {} alerts",
        overdue(&healing),
        healing.alerts().len()
    ));
}

/// Limits of one and two seconds; stopped for five.
#[test]
fn a_process_that_was_stopped_has_nothing_restarted_or_timed_out() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stopped::child", "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let signal = |name| {
        let sent = Command::new("kill")
            .args([name, pid.as_str()])
            .status()
            .unwrap();
        assert!(sent.success());
    };
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("stopped: ").map(str::to_owned));
    assert_eq!(lines.next().as_deref(), Some("ready"));
    signal("-STOP");
    // The point is that this much time passes between detections.
    std::thread::sleep(seconds(5));
    signal("-CONT");
    child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    // Reads to its end, so that the child can write.
    let said: Vec<_> = lines.collect();
    assert!(child.wait().unwrap().success());
    assert_eq!(said, ["cache repair ok", "0 overdue, 0 alerts"]);
}
