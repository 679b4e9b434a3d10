//! Scenarios of what follows after healing has given up.

use super::*;
use crate::config::{Budget, Mode};
use crate::healing::core::Closed;

#[test]
fn what_is_reversible_is_tried_again_slowly_and_heals_by_itself() {
    let every = policy().retry_every;
    let steps = plan().attempts(3).then("wipe").step_risk(Risk::Destructive);
    let mut bench = Bench::with(policy(), steps);
    bench.detect(vec![down("db")]);
    for _ in 0..3 {
        bench.end(AttemptResult::Failed);
    }
    bench.control(Control::Approve {
        key: key("db"),
        generation: None,
    });
    bench.end(AttemptResult::Failed);
    bench.control(Control::Approve {
        key: key("db"),
        generation: None,
    });
    bench.end(AttemptResult::Failed);
    bench.control(Control::Approve {
        key: key("db"),
        generation: None,
    });
    bench.end(AttemptResult::Failed);
    let parked = Some((Phase::Parked, Some(ParkReason::Exhausted)));
    assert_eq!(bench.phase("db"), parked);
    let said = bench.state.alerts().next().unwrap().summary.to_string();
    assert!(
        said.contains("`restart` is tried again every 15m"),
        "{said}"
    );
    assert!(said.contains("a person acknowledges it"), "{said}");
    let explained = bench.explain("db").to_string();
    assert!(
        explained.contains("next is restart (attempt 7, beyond the 3 of its plan)"),
        "{explained}"
    );
    // For longer than the confidence in the action lasts; destructive actions never run.
    for _ in 0..30 {
        bench.wait(every.saturating_sub(Duration::from_nanos(1)));
        assert!(bench.runs.is_empty());
        bench.wait(Duration::from_nanos(1));
        assert_eq!(bench.runs[0].intent.action.as_str(), "restart");
        assert_eq!(bench.alerts(), [AlertKind::Exhausted]);
        bench.end(AttemptResult::Ok);
        bench.judge(Verdict::Bad);
        assert_eq!(bench.phase("db"), parked);
    }
    // The fault is gone.
    bench.wait(every);
    bench.heal();
    assert_eq!((bench.phase("db"), bench.alerts()), (None, vec![]));
    let snapshot = bench.state.snapshot();
    assert_eq!(
        (snapshot.opened, snapshot.closed.get(Closed::Healed)),
        (1, 1)
    );
    bench.hint(down("db"));
    assert_eq!(bench.running(), ["db"], "nothing is held against it");
}

#[test]
fn what_is_disruptive_waits_for_a_person_and_the_alert_says_so() {
    let steps = plan().attempts(1).risk(Risk::Disruptive).mode(Mode::Run);
    let mut bench = Bench::with(policy(), steps);
    bench.hint(down("db"));
    bench.end(AttemptResult::Failed);
    bench.wait(100_000 * SECOND);
    assert!(bench.runs.is_empty());
    let said = bench.state.alerts().next().unwrap().summary.to_string();
    assert!(said.contains("until a person acknowledges it"), "{said}");
    assert_eq!(bench.explain("db").next, None);
}

#[test]
fn a_fault_that_comes_back_over_and_over_is_still_healed_if_that_is_reversible() {
    let every = policy().retry_every;
    let mut bench = Bench::new(HealingPolicy {
        flap: crate::config::Flap::default(),
        ..policy()
    });
    for nth in 1..=6 {
        bench.detect(vec![down("db")]);
        if nth > 3 {
            let parked = Some((Phase::Parked, Some(ParkReason::Flapping)));
            assert_eq!(bench.phase("db"), parked);
            assert_eq!(bench.alerts(), [AlertKind::Flapping]);
            bench.wait(every);
        }
        bench.heal();
        assert_eq!(bench.phase("db"), None, "{nth}");
        bench.wait(SECOND);
    }
    assert_eq!(bench.state.snapshot().closed.get(Closed::Healed), 6);
    bench.wait(bench.state.policy().flap.window);
    assert_eq!(bench.alerts(), [], "it has stayed away for long enough");
    bench.detect(vec![down("db")]);
    assert_eq!(bench.running(), ["db"]);
}

#[test]
fn a_retry_keeps_to_the_intensity_and_to_what_a_person_says() {
    let steps = plan().attempts(100).budget(Budget::new(2, 86_400 * SECOND));
    let mut bench = Bench::with(policy(), steps);
    bench.hint(down("db"));
    bench.end(AttemptResult::Failed);
    bench.end(AttemptResult::Failed);
    bench.wait(86_399 * SECOND);
    assert!(bench.runs.is_empty(), "two in a day");
    bench.wait(SECOND);
    assert_eq!(bench.running(), ["db"]);
    // An acknowledgement during the retry renews all attempts.
    bench.control(Control::Acknowledge { key: key("db") });
    assert_eq!(bench.alerts(), []);
    bench.end(AttemptResult::Failed);
    assert_eq!(bench.running(), ["db"]);
}

#[test]
fn a_plan_that_changes_while_a_retry_waits_does_not_start_without_a_person() {
    let mut policy = policy();
    policy.modes.disruptive = Mode::Run;
    let every = policy.retry_every;
    let mut bench = Bench::with(policy, plan().attempts(1));
    bench.hint(down("db"));
    bench.end(AttemptResult::Failed);
    bench.control(Control::Pause);
    bench.wait(every);
    assert_eq!(bench.phase("db"), Some((Phase::Pending, None)));
    bench.plan = Plan::first("reboot").risk(Risk::Disruptive);
    bench.hint(down("db").severity(Severity::Error));
    bench.control(Control::Resume);
    assert_eq!(bench.running(), [] as [&str; 0]);
    let parked = Some((Phase::Parked, Some(ParkReason::Exhausted)));
    assert_eq!(bench.phase("db"), parked);
    // A reversible step of the new plan is retried, though it is not the first.
    bench.plan = bench
        .plan
        .clone()
        .then("restart")
        .step_risk(Risk::Reversible);
    bench.hint(down("db").severity(Severity::Critical));
    bench.wait(every);
    assert_eq!(bench.runs[0].intent.action.as_str(), "restart");
}
