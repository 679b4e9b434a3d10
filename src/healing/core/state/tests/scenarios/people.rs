//! Scenarios of people's decisions.

use super::*;
use crate::config::{Mode, Override};
use crate::healing::core::{Closed, Dropped, Generation, Hold, Target};

fn mute(target: Target, lasting: Duration) -> Control {
    Control::Mute {
        target,
        lasting,
        tolerate: None,
    }
}

#[test]
fn pausing_stops_what_has_not_started_and_nothing_else() {
    let mut bench = Bench::new(policy());
    bench.hint(down("db"));
    bench.control(Control::Pause);
    bench.hint(down("cache"));
    assert_eq!(bench.explain("cache").holds, [Hold::Paused]);
    bench.heal();
    assert_eq!(bench.phase("db"), None, "what ran went on to its end");
    bench.control(Control::Resume);
    assert_eq!(bench.running(), ["cache"]);
}

#[test]
fn what_waited_too_long_in_a_pause_goes_on_after_it() {
    let (pause, kill) = (Control::Pause, Control::Kill);
    for (stop, go) in [(pause, Control::Resume), (kill, Control::Revive)] {
        let mut bench = Bench::new(policy());
        bench.control(stop);
        bench.hint(down("db"));
        bench.wait(3600 * SECOND);
        let parked = Some((Phase::Parked, Some(ParkReason::Waited)));
        assert_eq!(bench.phase("db"), parked);
        assert_eq!(bench.alerts(), [], "whoever paused it knows");
        bench.control(go);
        assert_eq!(bench.running(), ["db"]);
    }
}

#[test]
fn the_kill_switch_also_calls_off_what_runs() {
    let mut bench = Bench::new(policy());
    bench.hint(down("db"));
    bench.control(Control::Kill);
    let attempt = bench.runs[0].intent.attempt;
    assert!(bench.log.contains(&Effect::Cancel { attempt }));
    bench.end(AttemptResult::Cancelled);
    assert_eq!(bench.explain("db").holds[0], Hold::Killed);
    let next = bench.explain("db").next.unwrap();
    assert_eq!(next.nth, 1, "what was called off does not count");
    bench.control(Control::Revive);
    assert_eq!(bench.running(), ["db"]);
}

#[test]
fn a_mute_ends_by_time_or_when_the_fault_gets_worse() {
    let mut bench = Bench::new(policy());
    let target = Target::Component(Name::new("db"));
    bench.control(mute(target.clone(), 60 * SECOND));
    bench.hint(critical("db"));
    assert_eq!(bench.phase("db"), None);
    assert_eq!(bench.state.snapshot().observations.muted, 1);
    bench.wait(60 * SECOND);
    bench.hint(down("db"));
    assert_eq!(bench.running(), ["db"]);
    bench.end(AttemptResult::Failed);
    bench.end(AttemptResult::Failed);
    // Now muted up to the severity of the open issue, until it gets worse.
    bench.control(mute(Target::Key(key("db")), 60 * SECOND));
    bench.end(AttemptResult::Cancelled);
    assert!(matches!(bench.explain("db").holds[0], Hold::Muted { .. }));
    bench.hint(down("db"));
    assert!(bench.runs.is_empty());
    bench.hint(down("db").severity(Severity::Error));
    assert_eq!(bench.running(), ["db"]);
    assert_eq!(bench.state.snapshot().mutes, 0);
}

#[test]
fn destructive_actions_wait_for_approval() {
    let mut bench = Bench::with(policy(), plan().risk(Risk::Destructive));
    bench.hint(down("db"));
    assert_eq!(bench.phase("db"), Some((Phase::Approval, None)));
    assert_eq!(bench.alerts(), [AlertKind::Approval]);
    let approve = |generation| Control::Approve {
        key: key("db"),
        generation,
    };
    let seen = bench.explain("db").generation;
    bench.hint(critical("db"));
    bench.control(approve(Some(seen)));
    assert!(bench.refused().unwrap().contains("read it again"));
    assert!(bench.runs.is_empty(), "it got worse since");
    let now = bench.explain("db").generation;
    assert_ne!(now, seen);
    bench.control(approve(Some(now)));
    assert_eq!((bench.running(), bench.alerts()), (vec!["db"], vec![]));
    let by_ann =
        |what: &What| matches!(what, What::AttemptStarted(intent) if intent.by != By::Policy);
    assert_eq!(bench.recorded(by_ann), 1);
    bench.control(approve(Some(Generation(0))));
    assert!(bench.refused().unwrap().contains("does not wait"));
}

#[test]
fn an_approval_of_a_later_step_is_void_when_all_steps_begin_again() {
    let steps = plan().attempts(1).then("failover");
    let steps = steps.step_risk(Risk::Destructive);
    let mut bench = Bench::with(policy(), steps);
    bench.hint(down("db"));
    bench.end(AttemptResult::Failed);
    assert_eq!(bench.phase("db"), Some((Phase::Approval, None)));
    bench.control(Control::Pause);
    bench.control(Control::Approve {
        key: key("db"),
        generation: None,
    });
    bench.wait(3600 * SECOND);
    let parked = Some((Phase::Parked, Some(ParkReason::Waited)));
    assert_eq!(bench.phase("db"), parked);
    bench.control(Control::Acknowledge { key: key("db") });
    bench.control(Control::Resume);
    assert_eq!(bench.runs[0].intent.action.as_str(), "restart");
    let by_ann =
        |what: &What| matches!(what, What::AttemptStarted(intent) if intent.by != By::Policy);
    assert_eq!(
        bench.recorded(by_ann),
        0,
        "what ann let run was the failover"
    );
}

#[test]
fn an_approval_is_for_the_plan_that_was_seen() {
    let mut bench = Bench::with(policy(), plan().attempts(1).then("failover"));
    bench.hint(down("db"));
    bench.end(AttemptResult::Ok);
    // Another engine reports it as worse: the plan for that comes with its own engine's report.
    bench.hint_of("other", critical("db"));
    bench.judge(Verdict::Bad);
    bench.control(Control::Trigger { key: key("db") });
    let next = bench.explain("db").next.unwrap();
    assert_eq!(next.action.as_str(), "failover");
    bench.plan = Plan::first("wipe").risk(Risk::Destructive);
    bench.hint(critical("db"));
    assert!(bench.runs.is_empty(), "ann let `failover` run, not `wipe`");
    assert_eq!(bench.phase("db"), Some((Phase::Approval, None)));
}

#[test]
fn what_is_denied_or_not_answered_stays_parked() {
    let mut bench = Bench::with(policy(), plan().risk(Risk::Destructive));
    bench.hint(down("db"));
    bench.hint(down("cache"));
    bench.control(Control::Deny { key: key("db") });
    let parked = |reason| Some((Phase::Parked, Some(reason)));
    assert_eq!(bench.phase("db"), parked(ParkReason::Denied));
    bench.wait(Duration::from_secs(86_400));
    assert_eq!(bench.phase("cache"), parked(ParkReason::ApprovalExpired));
    assert_eq!(bench.alerts(), [AlertKind::Approval], "of cache");
    let said = bench.state.alerts().next().unwrap().summary.to_string();
    assert!(said.contains("`healing.approval.expires`"), "{said}");
    // A person can still change the decision.
    bench.control(Control::Approve {
        key: key("db"),
        generation: None,
    });
    assert_eq!(bench.running(), ["db"]);
}

#[test]
fn a_dry_run_says_what_it_would_do_until_the_policy_lets_it() {
    let mut bench = Bench::with(policy(), plan().risk(Risk::Disruptive));
    bench.hint(down("db"));
    let parked = Some((Phase::Parked, Some(ParkReason::DryRun)));
    assert_eq!(bench.phase("db"), parked);
    let would =
        |what: &What| matches!(what, What::WouldRun { action, .. } if action.as_str() == "restart");
    assert_eq!(bench.recorded(would), 1);
    assert_eq!(bench.explain("db").next.unwrap().mode, Mode::DryRun);
    assert_eq!(bench.alerts(), [AlertKind::DryRun]);
    let mut braver = policy();
    braver.overrides.push(Override {
        component: Some("db".to_owned()),
        issue_type: None,
        mode: Mode::Run,
    });
    bench.feed(Event::Reload(Arc::new(braver.clone())));
    assert_eq!((bench.running(), bench.alerts()), (vec!["db"], vec![]));
    // The global switch overrides the modes of single ones.
    braver.dry_run = true;
    bench.feed(Event::Reload(Arc::new(braver)));
    bench.end(AttemptResult::Failed);
    assert_eq!(bench.phase("db"), parked);
}

#[test]
fn little_confidence_asks_a_person() {
    let mut careful = policy();
    careful.min_confidence.reversible = 0.3;
    let mut bench = Bench::with(careful, plan().attempts(2));
    bench.hint(Observation::new("a", "down"));
    assert_eq!(bench.phase("a"), Some((Phase::Approval, None)));
    let hold = bench.explain("a").holds.remove(0);
    assert_eq!(hold.to_string(), "the confidence is 0.21, 0.30 is needed");
    // An action that has failed in two of two runs for this kind of issue is not trusted either.
    bench.hint(down("b"));
    bench.end(AttemptResult::Failed);
    bench.end(AttemptResult::Failed);
    bench.hint(down("c"));
    assert_eq!(bench.phase("c"), Some((Phase::Approval, None)));
    let confidence = bench.explain("c").next.unwrap().confidence;
    assert!((confidence.action.value - 0.25).abs() < f64::EPSILON);
    assert_eq!(confidence.action.n, 2);
}

#[test]
fn each_detection_run_that_finds_the_fault_makes_it_surer() {
    let destructive = plan().risk(Risk::Destructive).mode(Mode::Run);
    let found = || vec![Observation::new("db", "down")];
    let mut bench = Bench::with(policy(), destructive.clone().confirm(Confirm::of(3, 3)));
    for nth in 1..=3 {
        bench.wait(SECOND);
        bench.detect(found());
        let (issue, ..) = bench.state.issue(&key("db")).unwrap();
        assert_eq!(issue.confidence.n, nth);
    }
    assert_eq!(bench.running(), ["db"], "three of three are enough: 0.44");
    // A fault that is seen intermittently has less confidence.
    let mut bench = Bench::with(policy(), destructive.confirm(Confirm::of(2, 5)));
    for seen in [true, false, false, false, true] {
        bench.wait(SECOND);
        bench.detect(if seen { found() } else { vec![] });
    }
    assert_eq!(bench.phase("db"), Some((Phase::Approval, None)));
    let hold = bench.explain("db").holds.remove(0);
    assert_eq!(hold.to_string(), "the confidence is 0.12, 0.40 is needed");
    // The confidence grows, and no approval is needed any more.
    for _ in 0..20 {
        assert_eq!(bench.phase("db"), Some((Phase::Approval, None)));
        bench.wait(SECOND);
        bench.detect(found());
        if !bench.runs.is_empty() {
            break;
        }
    }
    assert_eq!((bench.running(), bench.alerts()), (vec!["db"], vec![]));
}

#[test]
fn a_trigger_detects_now_and_lets_it_run() {
    let mut bench = Bench::with(policy(), plan().risk(Risk::Destructive));
    bench.control(Control::Trigger { key: key("db") });
    assert!(bench.refused().unwrap().contains("is unknown"));
    bench.hint(down("db"));
    bench.control(Control::Trigger { key: key("db") });
    assert_eq!(bench.running(), ["db"]);
    bench.control(Control::Pause);
    bench.end(AttemptResult::Failed);
    bench.control(Control::Trigger { key: key("db") });
    assert!(bench.runs.is_empty(), "every other guard stands");
}

#[test]
fn a_removed_engine_takes_its_issues_along() {
    let mut bench = Bench::new(policy());
    bench.hint(down("db"));
    bench.control(Control::Pause);
    bench.hint(down("cache"));
    bench.feed(Event::EngineRemoved {
        engine: Name::new("e"),
    });
    assert_eq!(bench.phase("cache"), None);
    assert_eq!(bench.phase("db"), Some((Phase::Running, None)));
    bench.end(AttemptResult::Cancelled);
    let closed = bench.state.snapshot().closed;
    assert_eq!(closed.get(Closed::Superseded), 2);
    // Its late report opens no issue.
    bench.detect(vec![down("db")]);
    let dropped = bench.state.snapshot().observations.dropped;
    assert_eq!(dropped.get(Dropped::Invalid), 1);
}
