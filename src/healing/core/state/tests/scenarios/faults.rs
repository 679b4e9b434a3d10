//! Scenarios of faults around the engine.

use super::*;
use crate::config::Limits;
use crate::healing::core::{Closed, Dropped, Hold, Notice};

#[test]
fn a_hundred_thousand_duplicates_are_one_issue() {
    let mut bench = Bench::new(policy());
    let mut effects = Vec::new();
    for n in 0..100_000 {
        bench.now.at = Moment::from_nanos(n);
        let observation = down("db");
        let engine = Name::new("e");
        let event = Event::Observed {
            engine,
            observation,
            plan: None,
        };
        bench.state.step_into(bench.now, event, &mut effects);
    }
    let snapshot = bench.state.snapshot();
    assert_eq!(snapshot.observations.coalesced, 99_999);
    assert_eq!(snapshot.open.sum(), 1);
    let records = effects.iter().filter(|e| matches!(e, Effect::Record(_)));
    assert_eq!(records.count(), 1, "only the first is worth a record");
    assert_eq!(bench.state.issue(&key("db")).unwrap().0.count, 100_000);
}

#[test]
fn a_critical_one_finds_space_among_the_mild() {
    let mut small = policy();
    small.limits = Limits {
        open: 3,
        ..Limits::default()
    };
    let mut bench = Bench::new(small);
    bench.control(Control::Pause);
    for component in ["a", "b", "c"] {
        bench.wait(SECOND);
        bench.hint(down(component).severity(Severity::Info));
    }
    bench.hint(down("d").severity(Severity::Info));
    assert_eq!(bench.phase("d"), None, "an equal gives no way");
    bench.hint(critical("e"));
    assert!(bench.phase("e").is_some());
    assert_eq!(bench.phase("c"), None, "the newest of the mildest gave way");
    let snapshot = bench.state.snapshot();
    assert_eq!(snapshot.observations.dropped.get(Dropped::Full), 1);
    assert_eq!(snapshot.closed.get(Closed::Superseded), 1);
    assert_eq!(snapshot.evicted, 1);
    assert_eq!(bench.alerts(), [AlertKind::Overflow]);
}

#[test]
fn an_engine_that_invents_keys_leaves_space_for_the_rest() {
    let mut small = policy();
    small.limits.open_per_engine = 100;
    small.limits.series = 10;
    small.limits.components = 50;
    let mut bench = Bench::new(small);
    let wild = Name::new("wild");
    let mut effects = Vec::new();
    for n in 0..200_000 {
        bench.now.at = Moment::from_nanos(n * 10_000);
        let event = Event::Observed {
            engine: wild.clone(),
            observation: Observation::new(n.to_string().as_str(), "down"),
            plan: None,
        };
        bench.state.step_into(bench.now, event, &mut effects);
    }
    let reported: Vec<u64> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Notice(Notice::Dropped { count, .. }) => Some(*count),
            _ => None,
        })
        .collect();
    assert_eq!(reported.len(), 2, "once a second");
    let snapshot = bench.state.snapshot();
    assert_eq!(snapshot.open.sum(), 100);
    assert_eq!(snapshot.observations.dropped.get(Dropped::Full), 199_900);
    assert_eq!(snapshot.detected.len(), 11);
    assert_eq!(snapshot.components_known, 100, "as many as have an issue");
    bench.hint(down("db"));
    assert_eq!(bench.running(), ["db"]);
    bench.state.audit();
}

#[test]
fn a_hung_action_keeps_its_lock_until_it_ends() {
    let mut bench = Bench::new(policy());
    bench.hint(down("db"));
    let attempt = bench.runs[0].intent.attempt;
    bench.wait(30 * SECOND);
    assert!(bench.log.contains(&Effect::Cancel { attempt }));
    assert_eq!(bench.state.snapshot().zombies, 0, "it has some grace");
    bench.wait(5 * SECOND);
    let snapshot = bench.state.snapshot();
    assert_eq!(snapshot.zombies, 1);
    assert_eq!(
        snapshot.attempts_finished.get(AttemptResult::Timeout),
        1,
        "it is finished, though it has not ended"
    );
    let hold = bench.explain("db").holds.remove(0);
    assert!(matches!(hold, Hold::Lock { holder, .. } if holder == attempt));
    bench.log.clear();
    bench.wait(SECOND);
    // A late success is no second result, but triggers a detection run.
    bench.end(AttemptResult::Ok);
    let engine = Name::new("e");
    assert!(bench.log.contains(&Effect::Detect { engine }));
    assert_eq!(bench.running(), ["db"]);
    let snapshot = bench.state.snapshot();
    assert_eq!((snapshot.zombies, snapshot.attempts_started), (0, 2));
    assert_eq!(snapshot.attempts_finished.sum(), 1);
}

#[test]
fn too_many_zombies_stop_everything() {
    let mut bench = Bench::new(policy());
    for component in ["a", "b", "c"] {
        bench.hint(down(component));
    }
    bench.wait(30 * SECOND);
    bench.wait(5 * SECOND);
    assert_eq!(bench.state.snapshot().zombies, 3);
    bench.hint(down("d"));
    assert!(matches!(
        bench.explain("d").holds[0],
        Hold::Zombies { count: 3, limit: 3 }
    ));
    assert_eq!(bench.alerts(), [AlertKind::Zombies]);
    bench.end(AttemptResult::Panicked);
    assert_eq!(bench.alerts(), []);
    assert!(bench.running().contains(&"d"));
}

#[test]
fn reports_that_come_twice_change_nothing() {
    let mut bench = Bench::new(policy());
    bench.hint(down("db"));
    let attempt = bench.end(AttemptResult::Ok);
    let before = bench.state.snapshot();
    bench.feed(Event::Ended {
        attempt,
        result: AttemptResult::Failed,
        message: ShortText::new(""),
        hopeless: false,
    });
    bench.feed(Event::Ended {
        attempt: AttemptId(99),
        result: AttemptResult::Ok,
        message: ShortText::new(""),
        hopeless: false,
    });
    bench.feed(Event::Judged {
        ticket: Ticket::default(),
        data_from: bench.now.at,
        verdict: Verdict::Good,
    });
    let mut after = bench.state.snapshot();
    assert_eq!(after.late, 3);
    after.late = before.late;
    assert_eq!(after, before);
}

#[test]
fn an_invalid_policy_leaves_the_old_one_in_force() {
    let mut bench = Bench::new(policy());
    bench.hint(down("db"));
    let mut bad = policy();
    bad.max_running = 0;
    bad.storm.share = 2.0;
    bench.feed(Event::Reload(Arc::new(bad)));
    let why = bench.refused().unwrap();
    assert!(why.contains("max_running"), "{why}");
    assert_eq!(*bench.state.policy(), policy());
    bench.heal();
    assert_eq!(bench.state.snapshot().closed.get(Closed::Healed), 1);
}

#[test]
fn what_runs_keeps_the_policy_it_started_with() {
    let mut bench = Bench::new(policy());
    bench.hint(down("db"));
    let mut hasty = policy();
    hasty.timeout = SECOND;
    hasty.settle = 500 * SECOND;
    bench.feed(Event::Reload(Arc::new(hasty)));
    bench.wait(29 * SECOND);
    bench.end(AttemptResult::Ok);
    bench.judge(Verdict::Good);
    bench.wait(10 * SECOND);
    bench.judge(Verdict::Good);
    assert_eq!(bench.state.snapshot().closed.get(Closed::Healed), 1);
}

#[test]
fn a_wall_clock_that_jumps_changes_no_decision() {
    let run = |jumps: [i64; 3]| {
        let mut bench = Bench::new(policy());
        let mut at = 0;
        let mut jump = |bench: &mut Bench| {
            let wall = bench.now.wall.as_millis().saturating_add_signed(jumps[at]);
            bench.now.wall = Wall::from_millis(wall);
            at += 1;
        };
        bench.hint(down("db"));
        jump(&mut bench);
        bench.end(AttemptResult::Ok);
        jump(&mut bench);
        bench.judge(Verdict::Good);
        jump(&mut bench);
        bench.wait(10 * SECOND);
        bench.judge(Verdict::Good);
        let records = bench.log.into_iter().filter_map(|effect| match effect {
            Effect::Record(record) => Some((record.stamp.at, std::mem::discriminant(&record.what))),
            _ => None,
        });
        (records.collect::<Vec<_>>(), bench.state.snapshot().closed)
    };
    let day = 86_400_000;
    assert_eq!(run([0, 0, 0]), run([day, -2 * day, day]));
}

#[test]
fn a_shutdown_in_every_phase_closes_everything() {
    let mut all = policy();
    all.storm.min_components = 100;
    all.backoff.base = 64 * SECOND;
    all.backoff.cap = 64 * SECOND;
    let mut bench = Bench::new(all);
    for component in ["running", "verifying", "settling", "backoff"] {
        bench.plan = plan().lock(component);
        bench.hint(down(component));
    }
    bench.runs.rotate_left(1);
    bench.end(AttemptResult::Ok);
    bench.end(AttemptResult::Ok);
    bench.checks.rotate_left(1);
    bench.judge(Verdict::Good);
    bench.end(AttemptResult::Failed);
    bench.plan = plan().confirm(Confirm::of(2, 2));
    bench.hint(down("confirming"));
    bench.plan = plan().lock("running");
    bench.hint(down("pending"));
    bench.plan = plan().risk(Risk::Destructive);
    bench.hint(down("approval"));
    bench.plan = Plan::default();
    bench.hint(down("parked"));
    bench.plan = plan().lock("awaits").with_rollback();
    bench.hint(down("awaits"));
    bench.control(Control::Pause);
    bench.runs.rotate_left(1);
    bench.end(AttemptResult::Failed);
    let snapshot = bench.state.snapshot();
    for (phase, count) in snapshot.open.iter() {
        assert_eq!(count, 1, "{phase:?}");
    }
    bench.feed(Event::Shutdown);
    assert_eq!(bench.state.snapshot().open.sum(), 1, "one runs");
    assert!(!bench.log.contains(&Effect::Stopped));
    bench.end(AttemptResult::Cancelled);
    let snapshot = bench.state.snapshot();
    assert_eq!(snapshot.closed.get(Closed::Shutdown), 9);
    assert!(bench.log.contains(&Effect::Stopped));
    bench.hint(down("late"));
    let dropped = bench.state.snapshot().observations.dropped;
    assert_eq!(dropped.get(Dropped::Shutdown), 1);
    // The next process takes up the open issue.
    let records: Vec<_> = bench
        .log
        .iter()
        .filter_map(|effect| match effect {
            Effect::Record(record) => Some((**record).clone()),
            _ => None,
        })
        .collect();
    let policy = Arc::new(policy());
    let (next, _) = State::restore(policy, 1, bench.now, &records);
    assert_eq!(next.snapshot().restored, 9);
}

#[test]
fn no_one_who_answers_leaves_nothing_waiting_for_ever() {
    let mut bench = Bench::new(HealingPolicy {
        confirm: Confirm::of(2, 2),
        ..policy()
    });
    bench.hint(down("db"));
    bench.wait(3600 * SECOND);
    let parked = Some((Phase::Parked, Some(ParkReason::Waited)));
    assert_eq!(bench.phase("db"), parked);
    assert_eq!(bench.alerts(), [AlertKind::Waited]);
}

#[test]
fn what_a_long_run_leaves_out_is_counted_and_not_good() {
    let mut bench = Bench::new(policy());
    bench.control(Control::Pause);
    bench.detect(vec![down("mild"), critical("worse")]);
    for left_out in [5, 5, 0, 0] {
        assert!(bench.phase("mild").is_some(), "it may be among the rest");
        bench.wait(SECOND);
        bench.feed(Event::Detected {
            engine: Name::new("e"),
            began: bench.now.at,
            observations: vec![(critical("worse"), None)],
            left_out: (left_out > 0).then(|| (key("mild"), left_out)),
            unknown: Unknown::default(),
        });
    }
    assert_eq!(bench.phase("mild"), None, "two whole runs did not find it");
    let seen = bench.state.snapshot().observations;
    assert_eq!((seen.total, seen.dropped.get(Dropped::Full)), (16, 10));
    let named = |effect: &Effect| matches!(effect, Effect::Notice(Notice::Dropped { key: one, count: 5, .. }) if *one == key("mild"));
    assert!(bench.log.iter().any(named));
}

/// A detection run that could not determine the state of some keys.
fn run_without(bench: &mut Bench, found: Vec<Observation>, keys: &[&str]) {
    bench.wait(SECOND);
    let mut unknown = Unknown::default();
    for component in keys {
        unknown.add(key(component), "no answer", bench.now);
    }
    let offer = |one: Observation| {
        let plan = bench.offer("e", &one);
        (one, plan)
    };
    bench.feed(Event::Detected {
        engine: Name::new("e"),
        began: bench.now.at,
        observations: found.into_iter().map(offer).collect(),
        left_out: None,
        unknown,
    });
}

#[test]
fn what_a_run_could_not_determine_stays_as_it_is() {
    let mut bench = Bench::new(policy());
    bench.control(Control::Pause);
    bench.detect(vec![down("db"), down("web")]);
    for _ in 0..5 {
        run_without(&mut bench, Vec::new(), &["db"]);
    }
    assert_eq!(bench.phase("web"), None, "two runs did not find it");
    assert_eq!(bench.phase("db"), Some((Phase::Pending, None)));
    let explained = bench.explain("db").to_string();
    assert!(
        explained.contains("not known now: no answer"),
        "{explained}"
    );
    let outlook = bench.explain("db").outlook(bench.now.at);
    assert!(
        outlook.contains(". Not known now: no answer. Held back: the engine is paused"),
        "{outlook}"
    );
    // A count that began is neither continued nor ended.
    run_without(&mut bench, Vec::new(), &[]);
    assert_eq!(bench.explain("db").unknown, None);
    run_without(&mut bench, Vec::new(), &["db"]);
    assert!(bench.phase("db").is_some());
    // An observation counts instead.
    run_without(&mut bench, vec![down("db")], &["db"]);
    assert_eq!(bench.explain("db").unknown, None);
    for _ in 0..2 {
        assert!(bench.phase("db").is_some());
        run_without(&mut bench, Vec::new(), &[]);
    }
    assert_eq!(bench.phase("db"), None);
    assert_eq!(bench.alerts(), [], "each run was good");
    // Without an issue it is listed, until its engine is removed.
    run_without(&mut bench, Vec::new(), &["new"]);
    let since = bench.now;
    run_without(&mut bench, Vec::new(), &["new"]);
    let listed = |bench: &Bench| {
        bench
            .state
            .unknown()
            .map(|(key, one)| (key.clone(), one.since))
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(&bench), [(key("new"), since)]);
    let engine = Name::new("e");
    bench.feed(Event::EngineRemoved { engine });
    assert_eq!(listed(&bench), []);
}

#[test]
fn with_too_many_unknown_keys_a_run_shows_no_fault_to_be_gone() {
    let mut bench = Bench::new(policy());
    bench.control(Control::Pause);
    bench.detect(vec![down("db")]);
    let many: Vec<_> = (0..=Unknown::MAX).map(|n| n.to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    for _ in 0..3 {
        run_without(&mut bench, Vec::new(), &many);
    }
    assert!(bench.phase("db").is_some(), "it may be among the rest");
    for _ in 0..2 {
        run_without(&mut bench, Vec::new(), &many[1..]);
    }
    assert_eq!(bench.phase("db"), None);
}

#[test]
fn a_blocked_key_that_is_not_known_stays_blocked() {
    let mut bench = Bench::with(policy(), plan().attempts(1));
    bench.hint(down("db"));
    bench.end(AttemptResult::Failed);
    assert_eq!(bench.alerts(), [AlertKind::Exhausted]);
    // Its engine is replaced: the issue closes, and the key stays blocked.
    let engine = || Name::new("e");
    bench.feed(Event::EngineRemoved { engine: engine() });
    bench.feed(Event::EngineAdded {
        engine: engine(),
        components: Vec::new(),
    });
    assert_eq!(bench.phase("db"), None);
    for _ in 0..3 {
        run_without(&mut bench, Vec::new(), &["db"]);
        assert_eq!(bench.alerts(), [AlertKind::Exhausted]);
    }
    for _ in 0..2 {
        run_without(&mut bench, Vec::new(), &[]);
    }
    assert_eq!(bench.alerts(), []);
}

/// Restored issues are confirmed again: a run that could not determine one does not refute it.
#[test]
fn a_restored_issue_that_is_not_known_stays_open() {
    let mut bench = Bench::new(policy());
    bench.control(Control::Pause);
    bench.detect(vec![down("db"), down("web")]);
    let records: Vec<_> = bench
        .log
        .drain(..)
        .filter_map(|effect| match effect {
            Effect::Record(record) => Some(*record),
            _ => None,
        })
        .collect();
    (bench.state, _) = State::restore(Arc::new(policy()), 1, bench.now, &records);
    bench.feed(Event::EngineAdded {
        engine: Name::new("e"),
        components: Vec::new(),
    });
    for _ in 0..5 {
        run_without(&mut bench, vec![down("new")], &["db"]);
    }
    assert_eq!(bench.phase("web"), None);
    assert_eq!(bench.phase("db"), Some((Phase::Confirming, None)));
    let outlook = bench.explain("db").outlook(bench.now.at);
    assert_eq!(
        outlook,
        "confirming. Not known now: no answer. Held back: the engine is paused"
    );
    run_without(&mut bench, vec![down("db")], &[]);
    assert_eq!(bench.phase("db"), Some((Phase::Pending, None)));
}

#[test]
fn of_the_observations_of_a_run_the_strongest_evidence_is_kept() {
    let mut bench = Bench::new(policy());
    bench.control(Control::Pause);
    bench.detect(vec![
        down("db").samples(1, 2).evidence("why", "slow"),
        down("db")
            .evidence("why", "refused")
            .severity(Severity::Error),
    ]);
    let (issue, ..) = bench.state.issue(&key("db")).unwrap();
    assert_eq!(issue.evidence.iter().next(), Some(("why", "refused")));
    assert_eq!(issue.confidence.n, 30);
}

#[test]
fn a_fault_that_supersedes_does_not_wait_for_what_settles() {
    let mut bench = Bench::with(policy(), plan().settle(10 * SECOND));
    let seen = |kind| Observation::new("file", kind).samples(30, 30).superseding();
    bench.detect(vec![seen("corrupt"), down("db")]);
    bench.runs.retain(|start| start.issue.key != key("db"));
    bench.end(AttemptResult::Ok);
    bench.judge(Verdict::Good);
    bench.wait(SECOND);
    bench.detect(vec![seen("missing"), down("db")]);
    assert_eq!(bench.running(), ["file"], "the lock was free at once");
    let issue_type = bench.runs[0].issue.key.issue_type.to_string();
    assert_eq!(issue_type, "missing");
    let snapshot = bench.state.snapshot();
    assert_eq!(snapshot.closed.get(Closed::Superseded), 1);
    assert!(bench.phase("db").is_some(), "another component");

    // A running attempt is not cancelled, and is closed when it ends.
    bench.wait(SECOND);
    bench.hint(seen("corrupt"));
    assert_eq!(bench.running(), ["file"]);
    let cancelled = |effect: &Effect| matches!(effect, Effect::Cancel { .. });
    assert!(!bench.log.iter().any(cancelled));
    bench.end(AttemptResult::Ok);
    assert_eq!(bench.running(), ["file"]);
    let snapshot = bench.state.snapshot();
    assert_eq!(snapshot.closed.get(Closed::Superseded), 2);
    assert_eq!(snapshot.closed.get(Closed::SelfResolved), 0);

    // A running attempt whose fault is reported again goes on.
    bench.hint(seen("missing"));
    bench.hint(seen("corrupt"));
    bench.heal();
    assert_eq!(bench.state.snapshot().closed.get(Closed::Healed), 1);
}
