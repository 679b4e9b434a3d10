//! Tests of the engine by hand, on a paused clock.

use std::sync::atomic::{AtomicU32, Ordering};

use super::child::{End, boxed};
use super::*;
use crate::healing::core::{Plan, What};
use crate::healing::engine::Timeline;
use crate::healing::engine::{Context, HealingEngine};
use crate::util::Clock;

fn spec(restart: Restart) -> Spec {
    Spec {
        component: "mailer".into(),
        restart,
        heartbeat: Some(Duration::from_secs(5)),
        grace: GRACE,
        severity: Severity::Error,
        intensity: Some(Budget::new(3, Duration::from_secs(60))),
        settle: None,
    }
}

fn child<F, Fut>(start: F) -> Arc<Child>
where
    F: Fn(TaskContext) -> Fut + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: TaskOutput,
{
    Child::new(
        boxed(start),
        Timeline::start(Clock::system(), Handle::current()),
        || {},
    )
}

fn start(child: &Arc<Child>) {
    assert!(child.start(&Handle::current()));
}

async fn seen(engine: &impl HealingEngine) -> Vec<String> {
    let found = engine.detect(&Context::by_hand().unwrap()).await.unwrap();
    found
        .iter()
        .map(|seen| seen.key.issue_type.to_string())
        .collect()
}

fn issue() -> crate::healing::core::Issue {
    crate::healing::core::Issue::sample("mailer", "task_panicked")
}

/// Lets the tasks that are ready run.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_seen_and_a_restart_mends_it() {
    let starts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&starts);
    let child = child(move |cx: TaskContext| {
        let n = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            assert!(n > 0, "the first one dies");
            cx.cancelled().await;
        }
    });
    let engine = Supervisor::new(Arc::clone(&child), spec(Restart::Transient));
    assert!(seen(&engine).await.is_empty(), "not started is no fault");
    start(&child);
    settle().await;
    assert_eq!(seen(&engine).await, ["task_panicked"]);
    let cx = Context::by_hand().unwrap();
    engine.heal(&cx, &issue(), "restart").await.unwrap();
    settle().await;
    assert!(seen(&engine).await.is_empty());
    assert_eq!(starts.load(Ordering::Relaxed), 2);
    engine.close(&cx).await;
    assert_eq!(child.status().end, Some(End::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_missed_heartbeat_is_a_hung_task() {
    let child = child(|_| std::future::pending::<()>());
    let engine = Supervisor::new(Arc::clone(&child), spec(Restart::Permanent));
    start(&child);
    settle().await;
    tokio::time::advance(Duration::from_secs(4)).await;
    assert!(seen(&engine).await.is_empty());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(seen(&engine).await, ["heartbeat_missed"]);
}

#[tokio::test]
async fn an_orderly_return_is_a_fault_of_permanent_tasks_alone() {
    for (restart, want) in [
        (Restart::Permanent, &["task_exited"][..]),
        (Restart::Transient, &[]),
        (Restart::Temporary, &[]),
    ] {
        let child = child(|_| async {});
        let engine = Supervisor::new(Arc::clone(&child), spec(restart));
        start(&child);
        settle().await;
        assert_eq!(seen(&engine).await, want, "{restart:?}");
    }
}

#[tokio::test]
async fn the_plan_says_how_often_and_a_temporary_task_is_only_reported() {
    let plan = |restart| -> Plan {
        let child = child(|_| async {});
        Supervisor::new(child, spec(restart)).plan(&issue())
    };
    let permanent = plan(Restart::Permanent);
    assert!(permanent.validate().is_ok());
    assert_eq!(
        permanent.budget,
        Some(Budget::new(3, Duration::from_secs(60)))
    );
    assert_eq!(permanent.mode, None);
    let temporary = plan(Restart::Temporary);
    assert!(temporary.report && temporary.validate().is_ok());
}

/// Each way to write a task; that this compiles is the test.
#[tokio::test(start_paused = true)]
async fn a_task_may_return_nothing_or_a_result_or_never() {
    async fn forever(cx: TaskContext) -> std::convert::Infallible {
        loop {
            cx.heartbeat();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    async fn diverges(_: TaskContext) -> ! {
        std::future::pending().await
    }
    async fn may_fail(_: TaskContext) -> std::io::Result<()> {
        Err(std::io::Error::other("no mail server"))
    }
    async fn any_error(_: TaskContext) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
        Ok(1)
    }
    async fn plain(_: TaskContext) {}
    let healing = Healing::builder().start().unwrap();
    let supervise = |name: &'static str| (healing.clone(), name, Restart::Transient);
    macro_rules! spawn {
        ($($name:literal: $task:expr,)+) => {
            $({
                let (healing, name, restart) = supervise($name);
                Supervise::new(healing, name, restart, $task).spawn().unwrap();
            })+
        };
    }
    spawn! {
        "loop": |cx| async move {
            loop {
                cx.heartbeat();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        },
        "loop that panics": |_| async { panic!("at once") },
        "loop with a break": |cx| async move {
            loop {
                if cx.is_cancelled() { break; }
                cx.cancelled().await;
            }
        },
        "block": |_| async {},
        "question mark": |_| async {
            std::fs::metadata("/nowhere/at/all")?;
            Ok::<(), std::io::Error>(())
        },
        "loop with a question mark": |_| async {
            loop {
                std::fs::metadata("/nowhere/at/all")?;
            }
            #[expect(unreachable_code, reason = "it gives the type of the error")]
            Ok::<(), std::io::Error>(())
        },
        "forever": forever,
        "diverges": diverges,
        "may fail": may_fail,
        "any error": any_error,
        "plain": plain,
    }
    settle().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let records = healing.recent(1000);
    let mut failed: Vec<_> = records
        .iter()
        .filter_map(|record| match &record.what {
            What::Opened { issue, .. } => Some(issue.key.component.to_string()),
            _ => None,
        })
        .collect();
    failed.sort();
    failed.dedup();
    let want = [
        "loop that panics",
        "loop with a question mark",
        "may fail",
        "question mark",
    ];
    assert_eq!(failed, want);
}

#[tokio::test(start_paused = true)]
async fn heartbeats_that_nothing_waits_for_are_reported() {
    let healing = Healing::builder().start().unwrap();
    let beats = |cx: TaskContext| async move {
        loop {
            cx.heartbeat();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let quiet = |cx: TaskContext| async move { cx.cancelled().await };
    let new = |name: &'static str| Supervise::new(healing.clone(), name, Restart::Permanent, beats);
    new("without").spawn().unwrap();
    new("with")
        .heartbeat(Duration::from_secs(5))
        .spawn()
        .unwrap();
    let silent = Supervise::new(healing.clone(), "silent", Restart::Permanent, quiet);
    silent.spawn().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let remarks = healing.watched().into_iter().filter_map(|one| {
        let text = one.remark?;
        Some((one.component.to_string(), text))
    });
    let [(component, text)] = &remarks.collect::<Vec<_>>()[..] else {
        panic!("one of three: {:?}", healing.watched());
    };
    assert_eq!(component, "without");
    assert!(text.contains("`Supervise::heartbeat`"), "{text}");
}
