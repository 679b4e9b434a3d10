//! Scenarios of budgets, concurrency and order.

use super::*;
use crate::config::Budget;
use crate::healing::core::{Hold, Target};

#[test]
fn budgets_hold_for_each_component_and_for_all() {
    let mut tight = policy();
    tight.budget.component = Budget::new(2, 10 * SECOND);
    tight.budget.global = Budget::new(3, 10 * SECOND);
    tight.budget.kept_per_severity = 0.0;
    tight.budget.kept_for_unspent = 0.0;
    let mut bench = Bench::with(tight, plan().attempts(100));
    bench.hint(down("db"));
    bench.end(AttemptResult::Failed);
    bench.wait(SECOND);
    bench.end(AttemptResult::Failed);
    assert!(bench.runs.is_empty(), "both started at once");
    let until = Moment::after_start(10 * SECOND);
    assert_eq!(
        bench.explain("db").holds,
        [Hold::ComponentBudget { until, kept: 0 }]
    );
    bench.hint(down("cache"));
    bench.end(AttemptResult::Failed);
    assert_eq!(
        bench.explain("cache").holds,
        [Hold::GlobalBudget { until, kept: 0 }]
    );
    assert_eq!(bench.state.snapshot().budget_left, 0);
    bench.wait(Duration::from_nanos(8_999_999_999));
    assert!(bench.runs.is_empty());
    bench.wait(Duration::from_nanos(1));
    assert_eq!(bench.runs.len(), 2, "the first two no longer count");
}

/// Seven components of 28 flap constantly; then an unrelated fault occurs.
#[test]
fn noisy_neighbours_leave_a_share_for_worse_faults_and_for_other_components() {
    for (noise, fault) in [
        (Severity::Warning, Severity::Critical),
        (Severity::Error, Severity::Critical),
        (Severity::Critical, Severity::Critical),
        (Severity::Critical, Severity::Info),
    ] {
        let mut noisy = policy();
        noisy.budget.global = Budget::new(60, 600 * SECOND);
        noisy.settle = Duration::ZERO;
        let mut bench = Bench::new(noisy);
        bench.feed(Event::EngineAdded {
            engine: Name::new("e"),
            components: (0..28).map(|n| Name::from(format!("c{n}"))).collect(),
        });
        let held = (0..40).any(|_| {
            for n in 0..7 {
                bench.hint(down(&format!("c{n}")).severity(noise));
                bench.heal_all();
            }
            bench.wait(SECOND);
            bench
                .explain_all()
                .iter()
                .any(|explained| matches!(explained.holds.first(), Some(Hold::GlobalBudget { .. })))
        });
        assert!(held, "they spend all that is theirs");
        let held = bench.explain_all();
        let held: Vec<String> = held.iter().map(ToString::to_string).collect();
        let kept = |text: &String| text.contains("kept for worse faults");
        assert!(held.iter().any(kept), "{held:#?}");
        let before = bench.runs.len();
        bench.hint(down("c27").severity(fault));
        assert_eq!(bench.runs.len(), before + 1, "{noise:?} and {fault:?}");
        assert!(bench.running().contains(&"c27"));
        // A noisy component that gets worse than the others has a share, too.
        if noise < Severity::Critical {
            bench.hint(critical("c0"));
            assert!(bench.running().contains(&"c0"), "{noise:?}");
        }
    }
}

/// An issue that waits for budget continues once its component's attempts no longer count.
#[test]
fn a_component_whose_attempts_are_long_over_has_spent_nothing() {
    let mut tight = policy();
    tight.budget.global = Budget::new(10, 100 * SECOND);
    tight.budget.kept_per_severity = 0.0;
    tight.budget.kept_for_unspent = 0.5;
    let mut bench = Bench::with(tight, plan().attempts(1_000));
    bench.hint(down("db"));
    bench.heal();
    bench.wait(40 * SECOND);
    bench.hint(down("noisy"));
    while !bench.runs.is_empty() {
        bench.end(AttemptResult::Failed);
    }
    bench.wait(SECOND);
    bench.hint(down("db"));
    assert!(bench.runs.is_empty(), "five by those who have spent before");
    let until = Moment::after_start(100 * SECOND);
    assert_eq!(
        bench.explain("db").holds,
        [Hold::GlobalBudget { until, kept: 3 }]
    );
    bench.wait(until.back(Duration::from_nanos(1)) - bench.now.at);
    assert!(bench.runs.is_empty());
    bench.wait(Duration::from_nanos(1));
    assert_eq!(bench.running(), ["db"]);
}

#[test]
fn one_key_may_not_take_too_many_attempts() {
    let plan = plan().attempts(100).budget(Budget::new(3, 60 * SECOND));
    let mut bench = Bench::with(policy(), plan);
    bench.hint(down("db"));
    for _ in 0..3 {
        bench.end(AttemptResult::Failed);
    }
    let parked = Some((Phase::Parked, Some(ParkReason::Intensity)));
    assert_eq!(bench.phase("db"), parked);
    assert_eq!(bench.alerts(), [AlertKind::Intensity]);
}

#[test]
fn a_lock_that_the_first_in_line_cannot_use_goes_to_the_next() {
    // Whichever of the two is first in line.
    for (muted, other) in [("b", "c"), ("c", "b")] {
        let mut bench = Bench::with(policy(), plan().lock("shared"));
        for component in ["a", "b", "c"] {
            bench.hint(down(component));
        }
        bench.control(Control::Mute {
            target: Target::Component(Name::new(muted)),
            lasting: 60 * SECOND,
            tolerate: None,
        });
        bench.heal();
        assert_eq!(bench.running(), [other]);
    }
}

#[test]
fn the_severe_go_first_and_the_mild_are_not_forgotten() {
    let mut narrow = policy();
    narrow.max_running = 1;
    narrow.ageing = 10 * SECOND;
    narrow.settle = Duration::ZERO;
    let mut bench = Bench::new(narrow);
    bench.hint(down("first"));
    bench.hint(down("mild").severity(Severity::Info));
    for n in 0..5 {
        bench.wait(7 * SECOND);
        bench.hint(critical(&format!("critical{n}")));
        bench.heal();
    }
    // It was overtaken for 30 s: three levels, 10 s each.
    let started: Vec<_> = bench
        .log
        .iter()
        .filter_map(|effect| match effect {
            Effect::Start(start) => Some(start.issue.key.component.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(
        started,
        [
            "first",
            "critical0",
            "critical1",
            "critical2",
            "critical3",
            "mild"
        ]
    );
}

#[test]
fn what_was_held_back_does_not_come_all_at_once() {
    let mut slow = policy();
    slow.ramp = 30 * SECOND;
    slow.max_running = 4;
    let mut bench = Bench::new(slow);
    bench.control(Control::Pause);
    for component in ["a", "b", "c", "d"] {
        bench.hint(down(component));
    }
    bench.control(Control::Resume);
    for running in 1..=4 {
        assert_eq!(bench.runs.len(), running);
        let hold = Hold::Concurrency {
            running,
            limit: u32::try_from(running).unwrap(),
        };
        if running < 4 {
            assert!(
                bench.state.issues().any(|(issue, ..)| {
                    bench.state.explain(&issue.key).unwrap().holds[0] == hold
                })
            );
            bench.wait(10 * SECOND);
        }
    }
}
