//! Scenarios of reports about inaction.

use super::*;
use crate::config::{Mode, Override};

fn said(bench: &Bench) -> String {
    let all: Vec<_> = bench
        .state
        .alerts()
        .map(|a| a.summary.to_string())
        .collect();
    all.join(" | ")
}

fn running_whatever(mut policy: HealingPolicy) -> HealingPolicy {
    policy
        .overrides
        .push(Override::new(Mode::Run).component("db"));
    policy
}

#[test]
fn a_plan_that_only_reports_does_so_whatever_anybody_says() {
    let mut bench = Bench::with(running_whatever(policy()), Plan::report());
    bench.detect(vec![down("db")]);
    let parked = Some((Phase::Parked, Some(ParkReason::ReportOnly)));
    assert_eq!(bench.phase("db"), parked);
    assert_eq!(bench.alerts(), [AlertKind::ReportOnly]);
    let by_people = [
        Control::Approve {
            key: key("db"),
            generation: None,
        },
        Control::Trigger { key: key("db") },
        Control::Acknowledge { key: key("db") },
    ];
    for control in by_people {
        bench.control(control);
        bench.wait(3600 * SECOND);
        bench.detect(vec![down("db")]);
        assert_eq!(bench.phase("db"), parked);
        assert!(bench.runs.is_empty());
    }
    assert_eq!(bench.alerts(), [], "it is known");
    bench.wait(SECOND);
    bench.detect(vec![critical("db")]);
    assert_eq!(bench.alerts(), [AlertKind::ReportOnly], "it got worse");
    for _ in 0..2 {
        bench.wait(SECOND);
        bench.detect(vec![]);
    }
    assert_eq!((bench.phase("db"), bench.alerts()), (None, vec![]));
}

#[test]
fn the_alert_of_a_plan_that_only_reports_has_the_summary_of_the_fault() {
    let mut bench = Bench::with(policy(), Plan::report());
    bench.detect(vec![
        down("db")
            .evidence("value", "3")
            .evidence("summary", "3 replicas do not answer"),
        down("web"),
    ]);
    let all = said(&bench);
    let with = "db/down: 3 replicas do not answer; its plan only reports it";
    assert!(all.contains(with), "{all}");
    assert!(all.contains("web/down: its plan only reports it"), "{all}");
}

#[test]
fn what_is_not_done_is_said_once_with_the_setting_that_would_change_it() {
    let risky = || plan().risk(Risk::Disruptive);
    let by_override = |mode: Mode| {
        let mut policy = policy();
        policy.overrides.push(Override::new(mode).component("db"));
        policy
    };
    let mut dry = policy();
    dry.dry_run = true;
    for (policy, plan, setting) in [
        (policy(), risky(), "`healing.modes.disruptive = \"run\"`"),
        (
            policy(),
            plan().mode(Mode::DryRun),
            "another `mode` in its plan",
        ),
        (by_override(Mode::DryRun), plan(), "`healing.overrides`"),
        (dry, plan(), "`healing.dry_run = false`"),
    ] {
        let mut bench = Bench::with(policy.clone(), plan);
        bench.detect(vec![down("db")]);
        assert!(
            said(&bench).contains("`restart` would run"),
            "{}",
            said(&bench)
        );
        assert!(said(&bench).contains(setting), "{}", said(&bench));
        bench.wait(SECOND);
        bench.detect(vec![down("db")]);
        bench.feed(Event::Reload(Arc::new(policy)));
        let raised = bench.recorded(|what| matches!(what, What::Raised(_)));
        assert_eq!(raised, 1, "once");
        for _ in 0..2 {
            bench.wait(SECOND);
            bench.detect(vec![]);
        }
        assert_eq!(bench.alerts(), []);
    }
}
