//! The engine by hand, on a paused clock.

use std::sync::atomic::{AtomicU32, Ordering};

use super::child::End;
use super::*;
use crate::healing::{Context, HealingEngine, Mode, Plan};

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

async fn seen(engine: &impl HealingEngine) -> Vec<String> {
    let found = engine.detect(&Context::by_hand().unwrap()).await.unwrap();
    found
        .iter()
        .map(|seen| seen.key.issue_type.to_string())
        .collect()
}

fn issue() -> crate::healing::Issue {
    crate::healing::Issue::sample("mailer", "task_panicked")
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
    let child = Child::new(move |cx: TaskContext| {
        let n = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            assert!(n > 0, "the first one dies");
            cx.cancelled().await;
        }
    });
    let engine = Supervisor::new(Arc::clone(&child), spec(Restart::Transient), || || {});
    assert!(seen(&engine).await.is_empty(), "not started is no fault");
    child.start(|| {});
    settle().await;
    assert_eq!(seen(&engine).await, ["task_panicked"]);
    let cx = Context::by_hand().unwrap();
    engine.heal(&cx, &issue(), "restart").await.unwrap();
    settle().await;
    assert!(seen(&engine).await.is_empty());
    assert_eq!(starts.load(Ordering::Relaxed), 2);
    engine.close(&cx).await;
    assert_eq!(child.look().end, Some(End::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_missed_heartbeat_is_a_hung_task() {
    let child = Child::new(|_| std::future::pending::<()>());
    let engine = Supervisor::new(Arc::clone(&child), spec(Restart::Permanent), || || {});
    child.start(|| {});
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
        let child = Child::new(|_| async {});
        let engine = Supervisor::new(Arc::clone(&child), spec(restart), || || {});
        child.start(|| {});
        settle().await;
        assert_eq!(seen(&engine).await, want, "{restart:?}");
    }
}

#[tokio::test]
async fn the_plan_says_how_often_and_a_temporary_task_is_only_reported() {
    let plan = |restart| -> Plan {
        let child = Child::new(|_| async {});
        Supervisor::new(child, spec(restart), || || {}).plan(&issue())
    };
    let permanent = plan(Restart::Permanent);
    assert!(permanent.validate().is_ok());
    assert_eq!(
        permanent.budget,
        Some(Budget::new(3, Duration::from_secs(60)))
    );
    assert_eq!(permanent.mode, None);
    assert_eq!(plan(Restart::Temporary).mode, Some(Mode::DryRun));
}
