//! Actions that panic, hang, lie, or must not run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;

use parking_lot::Mutex;
use selfheal::healing::engine::BoxedEngine;
use selfheal::healing::{
    AttemptResult, Closed, Context, HealError, Healing, HealingEngine, Issue, Observation, Phase,
    Plan, Precondition, Rule, Severity, Verdict, What,
};

use crate::bench::{Bench, Faults, Renamed, begun, eager, key, once, seconds, settle_down};

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

/// Runs an action whose first attempt fails and whose second heals; returns what the first
/// one said.
async fn second_time_lucky<F>(first: impl Fn(Context) -> F + Send + Sync + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let faults = Faults::one("db");
    let repaired = faults.clone();
    let tries = AtomicU32::new(0);
    let rule = faults.rule(move |cx, _| {
        let wrong = (tries.fetch_add(1, SeqCst) == 0).then(|| first(cx));
        let repaired = repaired.clone();
        async move {
            if let Some(wrong) = wrong {
                wrong.await;
            }
            repaired.repair("db");
            Ok(())
        }
    });
    let mut bench = Bench::start(eager());
    bench.register(rule);
    let (result, message) = bench.attempt().await;
    assert_eq!(result, AttemptResult::Panicked, "{message}");
    assert_eq!(bench.closed("db").await, Closed::Healed);
    let snapshot = bench.scrape();
    assert_eq!(snapshot.attempts_finished.get(AttemptResult::Panicked), 1);
    assert_eq!(snapshot.attempts_finished.get(AttemptResult::Ok), 1);
    bench.end().await;
    message
}

#[tokio::test(start_paused = true)]
async fn an_action_that_panics_before_an_await() {
    let said = second_time_lucky(|_| async { panic!("before") }).await;
    assert_eq!(said, "panicked: before");
}

#[tokio::test(start_paused = true)]
async fn an_action_that_panics_while_it_is_made() {
    let said = second_time_lucky(|_| -> std::future::Ready<()> { panic!("made") }).await;
    assert_eq!(said, "panicked: made");
}

#[tokio::test(start_paused = true)]
async fn an_action_that_panics_during_an_await() {
    let said = second_time_lucky(|_| async {
        let mut polls = 0;
        let twice = std::future::poll_fn(|cx| {
            polls += 1;
            assert!(polls < 2, "during");
            cx.waker().wake_by_ref();
            std::task::Poll::<()>::Pending
        });
        twice.await;
    });
    assert_eq!(said.await, "panicked: during");
}

#[tokio::test(start_paused = true)]
async fn an_action_that_panics_after_an_await() {
    let said = second_time_lucky(|_| async {
        tokio::time::sleep(seconds(1)).await;
        panic!("after");
    });
    assert_eq!(said.await, "panicked: after");
}

#[tokio::test(start_paused = true)]
async fn an_action_that_panics_in_drop() {
    let said = second_time_lucky(|_| async {
        let _bomb = PanicsInDrop;
        tokio::task::yield_now().await;
    });
    assert_eq!(said.await, "panicked: in drop");
}

#[tokio::test(start_paused = true)]
async fn an_action_that_panics_in_drop_when_it_is_called_off() {
    let said = second_time_lucky(|_| async {
        let _bomb = PanicsInDrop;
        std::future::pending::<()>().await;
    });
    assert_eq!(said.await, "panicked: in drop");
}

#[tokio::test(start_paused = true)]
async fn a_blocking_job_that_panics() {
    let said = second_time_lucky(|cx| async move {
        cx.blocking(|| panic!("on a thread")).await;
    });
    assert_eq!(said.await, "panicked: on a thread");
}

#[tokio::test(start_paused = true)]
async fn an_async_action_that_never_returns() {
    let faults = Faults::one("db");
    let dropped = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&dropped);
    let rule = faults.rule(move |_, _| {
        let counts = CountsDrops(Arc::clone(&count));
        async move {
            let _counts = counts;
            std::future::pending().await
        }
    });
    let mut bench = Bench::start(eager());
    bench.register(rule);
    bench.gives_up("db").await;
    assert_eq!(bench.finished(AttemptResult::Timeout), 2);
    assert_eq!(dropped.load(SeqCst), 2, "nothing of it is left");
    let snapshot = bench.scrape();
    assert_eq!((snapshot.zombies, snapshot.attempts_running), (0, 0));
    bench.end().await;
}

struct CountsDrops(Arc<AtomicU32>);

impl Drop for CountsDrops {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn an_action_that_heeds_the_token() {
    let faults = Faults::one("db");
    let rule = faults.rule(|cx: Context, _| async move {
        cx.cancelled().await;
        Err(HealError::retry("gave up in time"))
    });
    let mut bench = Bench::start(eager());
    bench.register(rule);
    let (result, message) = bench.attempt().await;
    assert_eq!(result, AttemptResult::Timeout);
    assert_eq!(message, "gave up in time");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_blocking_action_that_never_returns_then_succeeds_late() {
    let faults = Faults::one("db");
    let (release, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(Some(wait));
    let repaired = faults.clone();
    let rule = faults
        .rule(move |cx: Context, issue: Issue| {
            let (wait, repaired) = (wait.lock().take(), repaired.clone());
            async move {
                let repair = move || repaired.repair(issue.key.component.as_str());
                match wait {
                    Some(wait) => begun(&cx, move || wait.recv().map(|()| repair())).await??,
                    None => repair(),
                }
                Ok(())
            }
        })
        .plan(|plan| plan.lock("shared"));
    let mut bench = Bench::start(eager());
    bench.register(rule);
    assert_eq!(bench.attempt().await.0, AttemptResult::Timeout);
    assert_eq!(bench.scrape().zombies, 1);

    // Another issue with the same lock waits as long as it takes.
    faults.break_it("web");
    bench.reaches("web", Phase::Pending).await;
    tokio::time::sleep(seconds(600)).await;
    let snapshot = bench.scrape();
    assert_eq!((snapshot.attempts_started, snapshot.zombies), (1, 1));
    let explained = bench.healing.explain(&key("web")).unwrap();
    assert!(
        explained.to_string().contains("holds shared"),
        "{explained}"
    );

    release.send(()).unwrap();
    bench
        .until(|record| matches!(record.what, What::ZombieEnded { .. }).then_some(()))
        .await;
    // Only now can the next attempt take the lock, one after another.
    assert_eq!(bench.closed("db").await, Closed::Healed);
    assert_eq!(bench.closed("web").await, Closed::Healed);
    let snapshot = bench.scrape();
    assert_eq!((snapshot.zombies, snapshot.attempts_started), (0, 3));
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_action_that_lies_is_never_healed() {
    let faults = Faults::one("db");
    let mut bench = Bench::start(eager());
    bench.register(faults.useless_rule());
    bench.gives_up("db").await;
    let snapshot = bench.scrape();
    assert_eq!(snapshot.attempts_finished.get(AttemptResult::Ok), 2);
    assert_eq!(snapshot.closed.get(Closed::Healed), 0);
    let (_, counts) = &snapshot.actions[0];
    assert_eq!((counts.successes, counts.failures), (0, 2));
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_check_right_before_acting_decides() {
    let faults = Faults::one("db");
    let looks = Arc::new(AtomicU32::new(0));
    let (count, acted) = (Arc::clone(&looks), faults.clone());
    let rule = faults
        .rule(move |_, _| {
            acted.repair("db");
            async { Ok(()) }
        })
        .only_if(move |_: Context, _: Issue| {
            let nth = count.fetch_add(1, SeqCst);
            async move {
                match nth {
                    0 => Precondition::Stale,
                    1 => Precondition::refuse("a backup runs"),
                    _ => Precondition::Proceed,
                }
            }
        })
        .plan(|plan| plan.attempts(3));
    let mut bench = Bench::start(eager());
    bench.register(rule);
    assert_eq!(bench.attempt().await.0, AttemptResult::Stale);
    let (result, message) = bench.attempt().await;
    assert_eq!(result, AttemptResult::Failed);
    assert_eq!(message, "refused: a backup runs");
    assert_eq!(bench.closed("db").await, Closed::Healed);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_did_not_heal_is_undone_before_the_next_step() {
    for boxed in [false, true] {
        undone_before_the_next_step(boxed).await;
    }
}

async fn undone_before_the_next_step(boxed: bool) {
    let faults = Faults::one("db");
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = |what: &'static str, end: Result<(), &'static str>| {
        let log = Arc::clone(&log);
        move |_: Context, _: Issue| {
            log.lock().push(what);
            async move { end.map_err(HealError::retry) }
        }
    };
    let detector = faults.clone();
    let rule = selfheal::healing::Rule::when("engine", move |_: Context| {
        let found = detector.found();
        async move { Ok(found) }
    })
    .run("first", note("first", Err("no")))
    .rollback(note("undo", Ok(())))
    .plan(once)
    .at_last("second", {
        let (note, repaired) = (note("second", Ok(())), faults.clone());
        move |cx: Context, issue: Issue| {
            repaired.repair("db");
            note(cx, issue)
        }
    })
    .verify({
        let (log, faults) = (Arc::clone(&log), faults.clone());
        move |_: Context, _: Issue| {
            log.lock().push("verify");
            let good = faults.found().is_empty();
            async move { if good { Verdict::Good } else { Verdict::Bad } }
        }
    });
    let mut bench = Bench::start(eager());
    if boxed {
        bench.register(BoxedEngine::new(rule));
    } else {
        bench.register(rule);
    }
    assert_eq!(bench.closed("db").await, Closed::Healed);
    log.lock().dedup();
    assert_eq!(*log.lock(), ["first", "undo", "second", "verify"]);
    assert_eq!(bench.scrape().rollbacks_started, 1);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_goes_on_with_the_next_step() {
    let faults = Faults::one("db");
    let repaired = faults.clone();
    let rule = faults
        .rule(|_, _| async { Err(HealError::permanent("no such unit")) })
        .plan(|plan| plan.attempts(100))
        .then("other", move |_: Context, _: Issue| {
            repaired.repair("db");
            async { Ok(()) }
        });
    let mut bench = Bench::start(eager());
    bench.register(rule);
    assert_eq!(bench.closed("db").await, Closed::Healed);
    assert_eq!(bench.scrape().attempts_started, 2);
    bench.end().await;
}

struct PlanPanics;

impl HealingEngine for PlanPanics {
    fn name(&self) -> &'static str {
        "worse"
    }

    async fn detect(&self, _: &Context) -> Result<Vec<Observation>, HealError> {
        Ok(vec![Observation::new("worse", "broken")])
    }

    fn plan(&self, _: &Issue) -> Plan {
        panic!("no idea")
    }

    async fn heal(&self, _: &Context, _: &Issue, _: &str) -> Result<(), HealError> {
        Ok(())
    }
}

/// Calls the runtime while it plans, which would never return under its lock.
#[tokio::test(start_paused = true)]
async fn no_lock_is_held_over_a_plan() {
    let faults = Faults::one("db");
    let mut bench = Bench::start(eager());
    let asking = bench.healing.clone();
    let (asked, rule) = (Arc::new(AtomicUsize::new(0)), faults.mending_rule());
    let engine = Asking(asking, Arc::clone(&asked), rule);
    bench
        .register(engine)
        .observe(Observation::new("db", "broken").severity(Severity::Critical));
    assert_eq!(bench.closed("db").await, Closed::Healed);
    assert_eq!(
        asked.load(SeqCst),
        1,
        "once for an issue that does not get worse"
    );
    bench.end().await;
}

struct Asking(Healing, Arc<AtomicUsize>, Rule);

impl HealingEngine for Asking {
    fn name(&self) -> &'static str {
        "asking"
    }

    async fn detect(&self, cx: &Context) -> Result<Vec<Observation>, HealError> {
        self.2.detect(cx).await
    }

    fn plan(&self, issue: &Issue) -> Plan {
        self.1.fetch_add(1, SeqCst);
        assert_eq!(issue.count, 1);
        assert_eq!(self.0.snapshot().open.sum(), 0);
        HealingEngine::plan(&self.2, issue)
    }

    async fn heal(&self, cx: &Context, issue: &Issue, action: &str) -> Result<(), HealError> {
        self.2.heal(cx, issue, action).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_panics_or_is_empty_leaves_the_rest_alone() {
    let (bad, good) = (Faults::one("bad"), Faults::one("good"));
    let mut bench = Bench::start(eager());
    let rule = bad.mending_rule().plan(|mut plan| {
        plan.steps.clear();
        plan
    });
    bench.register(Renamed("empty", rule));
    bench.register(PlanPanics);
    bench.register(good.mending_rule());
    assert_eq!(bench.closed("good").await, Closed::Healed);
    settle_down().await;
    let alerts = bench.healing.alerts();
    let ids: Vec<_> = alerts.iter().map(|alert| alert.id.to_string()).collect();
    assert_eq!(ids, ["bad_plan bad/broken", "bad_plan worse/broken"]);
    assert_eq!(alerts[0].severity, Severity::Error);
    assert_eq!(
        bench.scrape().panics,
        0,
        "it was not the core that panicked"
    );
    bench.end().await;
}
