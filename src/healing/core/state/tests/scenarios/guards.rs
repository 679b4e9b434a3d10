//! Scenarios of the guards.

use super::*;
use crate::config::Mode;
use crate::healing::core::{Closed, Hold};

#[test]
fn a_fault_is_confirmed_before_it_is_acted_on() {
    let mut bench = Bench::new(HealingPolicy {
        confirm: Confirm::of(2, 3),
        ..policy()
    });
    bench.hint(down("db"));
    bench.hint(down("db"));
    assert_eq!(bench.phase("db"), Some((Phase::Confirming, None)));
    bench.wait(SECOND);
    bench.detect(vec![]);
    bench.wait(SECOND);
    bench.detect(vec![down("db")]);
    assert_eq!(bench.running(), ["db"]);

    bench.hint(down("cache"));
    for _ in 0..2 {
        bench.wait(SECOND);
        bench.detect(vec![down("db")]);
    }
    assert_eq!(bench.phase("cache"), None, "one of three is a blip");
    assert_eq!(bench.state.snapshot().closed.get(Closed::SelfResolved), 1);
}

#[test]
fn a_run_that_is_reported_twice_weighs_once() {
    let mut bench = Bench::new(HealingPolicy {
        confirm: Confirm::of(2, 3),
        ..policy()
    });
    bench.detect(vec![down("db")]);
    bench.detect(vec![down("db")]);
    assert_eq!(bench.phase("db"), Some((Phase::Confirming, None)));
    bench.wait(SECOND);
    bench.detect(vec![]);
    bench.detect(vec![]);
    assert_eq!(bench.phase("db"), Some((Phase::Confirming, None)));
    bench.wait(SECOND);
    bench.detect(vec![down("db")]);
    assert_eq!(bench.running(), ["db"]);
}

#[test]
fn a_run_says_nothing_about_what_was_seen_after_it_began() {
    let mut bench = Bench::new(HealingPolicy {
        confirm: Confirm::of(2, 2),
        ..policy()
    });
    bench.wait(SECOND);
    bench.hint(down("db"));
    bench.pass_of("e", Moment::START, vec![]);
    assert_eq!(bench.phase("db"), Some((Phase::Confirming, None)));
    bench.detect(vec![down("db")]);
    assert_eq!(bench.running(), ["db"]);
}

#[test]
fn ok_is_not_healed() {
    let mut bench = Bench::new(policy());
    bench.hint(down("db"));
    bench.end(AttemptResult::Ok);
    assert_eq!(bench.phase("db"), Some((Phase::Verifying, None)));
    let (_, ticket) = bench.checks[0].clone();
    // Data from before the end of the attempt are no evidence.
    bench.wait(SECOND);
    bench.feed(Event::Judged {
        ticket,
        data_from: Moment::START.back(SECOND),
        verdict: Verdict::Good,
    });
    assert_eq!(bench.phase("db"), Some((Phase::Verifying, None)));
    bench.checks.clear();
    bench.sleep();
    bench.judge(Verdict::Good);
    assert_eq!(bench.phase("db"), Some((Phase::Settling, None)));
    bench.sleep();
    bench.judge(Verdict::Bad);
    let snapshot = bench.state.snapshot();
    assert_eq!(snapshot.closed.get(Closed::Healed), 0);
    assert_eq!(snapshot.actions[0].1.failures, 1);
    assert_eq!(bench.running(), ["db"], "the next attempt");
    bench.heal();
    let snapshot = bench.state.snapshot();
    assert_eq!(snapshot.closed.get(Closed::Healed), 1);
    assert_eq!(snapshot.actions[0].1.successes, 1);
}

#[test]
fn what_is_stale_uses_up_no_attempt_and_no_step() {
    let mut strict = policy();
    strict.intensity.max = 2;
    let mut bench = Bench::with(strict, plan().attempts(2).then("failover"));
    bench.detect(vec![down("db")]);
    for _ in 0..5 {
        assert_eq!(bench.runs[0].intent.action.as_str(), "restart");
        assert_eq!(bench.runs[0].intent.nth, 1);
        bench.end(AttemptResult::Stale);
    }
    // A crash does not reset this.
    let log = bench.log.iter();
    let records: Vec<_> = log
        .filter_map(|effect| match effect {
            Effect::Record(record) => Some((**record).clone()),
            _ => None,
        })
        .collect();
    let start = Stamp::new(Moment::START, bench.now.wall);
    let (state, _) = State::restore(Arc::clone(&bench.state.policy), 1, start, &records);
    let next = state
        .open
        .iter()
        .next()
        .map(|(_, one)| (one.step, one.used));
    assert_eq!(next, Some((0, 1)), "the one that was interrupted counts");

    assert_eq!(bench.alerts(), []);
    // The fault is gone: two detection runs show it, in spite of a stale attempt in between.
    for _ in 0..2 {
        bench.control(Control::Pause);
        bench.end(AttemptResult::Stale);
        bench.wait(SECOND);
        bench.detect(vec![]);
        bench.control(Control::Resume);
    }
    assert_eq!(bench.phase("db"), None);
    assert_eq!(bench.state.snapshot().closed.get(Closed::SelfResolved), 1);
}

#[test]
fn an_action_that_lies_is_exhausted_and_left_alone() {
    let plan = plan().attempts(2).then("failover").attempts(1);
    let mut bench = Bench::with(policy(), plan);
    bench.detect(vec![down("db")]);
    let mut actions = Vec::new();
    while !bench.runs.is_empty() {
        actions.push(bench.runs[0].intent.action.to_string());
        bench.end(AttemptResult::Ok);
        bench.judge(Verdict::Bad);
    }
    assert_eq!(actions, ["restart", "restart", "failover"]);
    // The same issue shows it at once, and nothing is done while the fault lasts.
    assert_eq!(bench.alerts(), [AlertKind::Exhausted]);
    bench.wait(SECOND);
    bench.detect(vec![down("db")]);
    let parked = Some((Phase::Parked, Some(ParkReason::Exhausted)));
    assert_eq!(bench.phase("db"), parked);
    assert!(bench.runs.is_empty());

    // The alert ends with the fault; the next occurrence is healed again.
    for _ in 0..2 {
        bench.wait(SECOND);
        bench.detect(vec![]);
    }
    assert_eq!((bench.phase("db"), bench.alerts()), (None, vec![]));
    let snapshot = bench.state.snapshot();
    assert_eq!(
        (snapshot.opened, snapshot.closed.get(Closed::Exhausted)),
        (1, 1)
    );
    bench.wait(SECOND);
    bench.detect(vec![down("db")]);
    assert_eq!(bench.running(), ["db"]);
}

#[test]
fn an_exhausted_key_that_is_good_again_is_forgiven() {
    let mut bench = Bench::with(policy(), plan().attempts(1));
    bench.hint(down("db"));
    bench.end(AttemptResult::Failed);
    assert_eq!(bench.alerts(), [AlertKind::Exhausted]);
    for _ in 0..2 {
        bench.wait(SECOND);
        bench.detect(vec![]);
    }
    assert_eq!(bench.alerts(), []);
    bench.hint(down("db"));
    assert_eq!(bench.running(), ["db"]);
}

#[test]
fn a_block_stays_while_another_engine_sees_the_fault() {
    let mut bench = Bench::with(policy(), plan().attempts(1));
    bench.hint(down("db"));
    bench.end(AttemptResult::Failed);
    let engine = Name::new("e");
    bench.feed(Event::EngineRemoved {
        engine: engine.clone(),
    });
    bench.feed(Event::EngineAdded {
        engine,
        components: Vec::new(),
    });
    assert_eq!(bench.phase("db"), None, "no longer reported");
    bench.hint_of("other", down("db"));
    for _ in 0..3 {
        bench.wait(SECOND);
        bench.detect(vec![]);
    }
    let parked = Some((Phase::Parked, Some(ParkReason::Exhausted)));
    assert_eq!(bench.phase("db"), parked);
    assert_eq!(bench.alerts(), [AlertKind::Exhausted]);
}

#[test]
fn a_storm_stops_everything_and_says_so() {
    let mut bench = Bench::new(HealingPolicy {
        confirm: Confirm::of(2, 3),
        ..policy()
    });
    let names = ["a", "b", "c", "d", "e", "f"];
    bench.feed(Event::EngineAdded {
        engine: Name::new("e"),
        components: ["g", "h", "i"].map(Name::new).to_vec(),
    });
    for _ in 0..2 {
        bench.wait(SECOND);
        bench.detect(names.map(down).to_vec());
    }
    assert!(bench.runs.is_empty(), "six of nine");
    assert_eq!(bench.alerts(), [AlertKind::Storm]);
    assert!(matches!(
        bench.explain("a").holds[0],
        Hold::Storm { until: None }
    ));
    for _ in 0..2 {
        bench.wait(SECOND);
        bench.detect(names[..4].iter().map(|name| down(name)).collect());
    }
    assert!(bench.runs.is_empty(), "it has not been calm for long");
    bench.wait(30 * SECOND);
    assert_eq!(bench.running().len(), 4);
    assert_eq!(bench.alerts(), []);
}

#[test]
fn a_parent_heals_first_and_its_children_wait() {
    let mut bench = Bench::new(policy());
    bench.detect(vec![
        critical("app").parent("db"),
        critical("db").parent("network"),
        down("network").severity(Severity::Info),
    ]);
    assert_eq!(bench.running(), ["network"]);
    let hold = &bench.explain("app").holds[0];
    assert_eq!(hold.to_string(), "db is healed first");
    bench.heal();
    assert_eq!(bench.running(), ["db"]);
    // A parent that waits for a person does not hold back others for ever.
    bench.plan = Plan::default();
    bench.hint(down("db").severity(Severity::Critical));
    bench.end(AttemptResult::Ok);
    bench.judge(Verdict::Good);
    bench.sleep();
    bench.judge(Verdict::Good);
    assert_eq!(bench.running(), ["app"]);
}

#[test]
fn flapping_is_left_alone_until_acknowledged() {
    let mut tight = policy();
    tight.flap.heals = 2;
    tight.settle = SECOND;
    for gap in [0, 500, 999, 1000, 1001, 5000] {
        let mut bench = Bench::new(tight.clone());
        for _ in 0..2 {
            bench.hint(down("db"));
            bench.heal();
            bench.wait(Duration::from_millis(gap));
        }
        bench.hint(down("db"));
        let parked = Some((Phase::Parked, Some(ParkReason::Flapping)));
        assert_eq!(bench.phase("db"), parked, "{gap} ms");
        // It stays parked even after a good run in between.
        for _ in 0..2 {
            bench.wait(SECOND);
            bench.detect(vec![]);
        }
        bench.hint(down("db"));
        assert_eq!(bench.phase("db"), parked, "{gap} ms");
        assert_eq!(bench.alerts(), [AlertKind::Flapping]);
        bench.control(Control::Acknowledge { key: key("db") });
        assert_eq!(bench.running(), ["db"]);
        assert_eq!(bench.alerts(), []);
    }
}

#[test]
fn what_is_healed_again_and_again_raises_an_alert() {
    let mut often = policy();
    often.recurrence.heals = 3;
    often.recurrence.window = 100 * SECOND;
    let mut bench = Bench::new(often);
    for n in 1..=3 {
        bench.hint(down("db"));
        bench.heal();
        assert_eq!(bench.alerts().len(), usize::from(n == 3));
    }
    assert_eq!(bench.alerts(), [AlertKind::Recurring]);
    bench.wait(100 * SECOND);
    assert_eq!(bench.alerts(), [], "it has stopped");
}

#[test]
fn waits_grow_over_reopenings_until_lasting_health() {
    let mut slow = policy();
    slow.backoff.base = 64 * SECOND;
    slow.backoff.cap = 64 * SECOND;
    let mut bench = Bench::new(slow);
    bench.hint(down("db"));
    bench.heal();
    bench.hint(down("db"));
    let explained = bench.explain("db");
    assert_eq!(explained.phase, Phase::Backoff);
    assert!(explained.not_before > bench.now.at);
    bench.sleep();
    bench.heal();
    bench.wait(600 * SECOND);
    bench.hint(down("db"));
    assert_eq!(bench.running(), ["db"]);
}

#[test]
fn the_journal_down_lets_only_reversible_actions_start() {
    let mut bench = Bench::new(policy());
    bench.feed(Event::Journal { healthy: false });
    bench.hint(down("db"));
    assert_eq!(bench.running(), ["db"]);
    bench.plan = plan().risk(Risk::Disruptive).mode(Mode::Run);
    bench.hint(down("cache"));
    assert_eq!(bench.explain("cache").holds, [Hold::Journal]);
    assert_eq!(bench.alerts(), [AlertKind::Journal]);
    bench.feed(Event::Journal { healthy: true });
    assert_eq!(bench.running(), ["db", "cache"]);
    assert_eq!(bench.alerts(), []);
}

#[test]
fn rollback_comes_before_the_next_attempt_and_under_the_same_lock() {
    let mut bench = Bench::with(policy(), plan().with_rollback());
    bench.hint(down("db"));
    bench.hint(Observation::new("db", "slow").samples(30, 30));
    bench.end(AttemptResult::Ok);
    bench.judge(Verdict::Bad);
    let undo = bench.runs[0].clone();
    assert_eq!(undo.intent.work, crate::healing::core::Work::Rollback);
    assert_eq!(bench.runs.len(), 1, "the other issue waits for the lock");
    bench.end(AttemptResult::Ok);
    assert_eq!(bench.runs.len(), 1);
    assert_eq!(bench.runs[0].intent.work, crate::healing::core::Work::Heal);
    let snapshot = bench.state.snapshot();
    assert_eq!(snapshot.rollbacks_started, 1);
    assert_eq!(snapshot.attempts_started, 2);
}

#[test]
fn a_plan_that_cannot_be_followed_is_refused_by_field() {
    let mut bench = Bench::with(policy(), Plan::first("a").attempts(0));
    bench.hint(down("db"));
    let parked = Some((Phase::Parked, Some(ParkReason::BadPlan)));
    assert_eq!(bench.phase("db"), parked);
    assert_eq!(bench.alerts(), [AlertKind::BadPlan]);
    let refused = bench.refused().unwrap();
    assert!(refused.contains("steps[0].attempts"), "{refused}");
    bench.plan = plan();
    bench.detect(vec![down("db")]);
    assert_eq!(bench.phase("db"), parked, "a person has to see it");
    bench.log.clear();
    bench.wait(SECOND);
    bench.control(Control::Acknowledge { key: key("db") });
    let checks = |effect: &Effect| matches!(effect, Effect::Detect { .. });
    assert!(
        bench.log.iter().any(checks),
        "the next detection run brings a plan"
    );
    bench.detect(vec![down("db")]);
    assert_eq!(bench.running(), ["db"]);
}

#[test]
fn what_waits_for_its_rollback_is_shown_as_such_and_not_for_ever() {
    let mut bench = Bench::with(policy(), plan().with_rollback());
    bench.hint(down("db"));
    let outlook = |bench: &Bench| bench.explain("db").outlook(bench.now.at);
    assert_eq!(outlook(&bench), "restart, attempt 1 of 3; running");
    bench.control(Control::Pause);
    bench.end(AttemptResult::Failed);
    assert_eq!(
        outlook(&bench),
        "restart, attempt 1 of 3; awaiting rollback. Held back: the engine is paused"
    );
    let awaits = Some((Phase::AwaitingRollback, None));
    assert_eq!(bench.phase("db"), awaits);
    let moved = |what: &What| {
        matches!(
            what,
            What::Moved {
                to: Phase::AwaitingRollback,
                ..
            }
        )
    };
    assert_eq!(bench.recorded(moved), 1);
    let text = bench.explain("db").to_string();
    assert_eq!(
        text,
        "db/down is awaiting_rollback: restart (attempt 1 of 3), held back: the engine is paused"
    );
    let open = bench.state.snapshot().open;
    assert_eq!(
        (open.get(Phase::AwaitingRollback), open.get(Phase::Running)),
        (1, 0)
    );
    let patience = bench.state.policy().patience;
    bench.wait(patience.saturating_sub(SECOND));
    assert_eq!(bench.phase("db"), awaits);
    bench.wait(SECOND);
    assert_eq!(bench.phase("db"), Some((Phase::Pending, None)));
    assert!(bench.refused().unwrap().contains("rollback"));
    bench.control(Control::Resume);
    assert_eq!(bench.runs[0].intent.work, crate::healing::core::Work::Heal);
}
