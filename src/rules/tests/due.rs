//! When groups are evaluated, and how long alerts last by that.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use super::alerts::{file, series};
use crate::promql::{Queryable, Selection, Series, Sink};
use crate::rules::*;
use crate::util::{Clock, ManualClock};

/// An alert that fires after two of its intervals.
fn gone_for_two_seconds() -> RuleFile {
    file("  interval: 1s\n  rules: [{alert: Gone, expr: absent(x), for: 2s}]\n")
}

#[test]
fn groups_are_due_by_their_interval_and_late_ones_once() {
    let mut evaluator = Evaluator::new(RulesOptions::default());
    let text = "groups: [{name: a, interval: 10s, rules: [{record: x, expr: 1}]}, {name: b, rules: [{record: y, expr: 1}]}]";
    evaluator.load(&[RuleFile::parse("a.yml", text).unwrap()], 0);
    let none: [Series; 0] = [];
    let (mut now, mut times) = (1_000_000, [Vec::new(), Vec::new()]);
    while now < 1_240_000 {
        evaluator.evaluate_due(now, &none[..]);
        for (status, times) in evaluator.status().iter().zip(&mut times) {
            if times.last() != status.evaluated_at.as_ref() {
                times.extend(status.evaluated_at);
            }
        }
        now = evaluator.next_due(now).unwrap();
    }
    let gaps = |times: &[i64]| -> Vec<i64> {
        times
            .windows(2)
            .skip(1)
            .map(|pair| pair[1] - pair[0])
            .collect()
    };
    assert!(
        gaps(&times[0]).iter().all(|gap| *gap == 10_000),
        "{times:?}"
    );
    assert!(
        gaps(&times[1]).iter().all(|gap| *gap == 60_000),
        "{times:?}"
    );
    assert_eq!(evaluator.status()[1].interval, Duration::from_secs(60));
    // An hour without evaluations is caught up by one, not sixty.
    evaluator.evaluate_due(now + 3_600_000, &none[..]);
    assert_eq!(evaluator.status()[0].evaluated_at, Some(now + 3_600_000));
    assert!(evaluator.next_due(now + 3_600_000).unwrap() > now + 3_600_000);
}

#[test]
fn late_evaluations_make_no_alert_wait_for_another() {
    let rules = gone_for_two_seconds();
    let (there, gone) = ([series("x", &[], 990, &[1.0])], []);
    // By how many milliseconds the evaluations are late, of which the first finds the fault.
    for late in [[0, 0, 0], [40, 0, 0], [999, 500, 1], [0, 700, 999]] {
        let mut evaluator = Evaluator::new(RulesOptions::default());
        evaluator.load(std::slice::from_ref(&rules), 0);
        let first = evaluator.next_due(1_000_000).unwrap();
        assert!(evaluator.evaluate_due(first, &there[..]).is_empty());
        let states = (1_000..).step_by(1_000).zip(late).map(|(after, late)| {
            let changes = evaluator.evaluate_due(first + after + late, &gone[..]);
            changes.iter().find_map(|change| change.now)
        });
        let expected = [Some(AlertState::Pending), None, Some(AlertState::Firing)];
        assert_eq!(states.collect::<Vec<_>>(), expected, "late by {late:?}");
    }
}

#[test]
fn what_the_first_evaluation_finds_is_as_old_as_that_evaluation() {
    let rules = gone_for_two_seconds();
    let gone: [Series; 0] = [];
    let mut evaluator = Evaluator::new(RulesOptions::default());
    evaluator.load(&[rules], 0);
    let due = evaluator.next_due(1_000_000).unwrap();
    evaluator.evaluate_due(due + 500, &gone[..]);
    let fired = (1..9).find(|second| {
        let changes = evaluator.evaluate_due(due + second * 1_000, &gone[..]);
        changes
            .iter()
            .any(|change| change.now == Some(AlertState::Firing))
    });
    assert_eq!(fired, Some(3), "2.5 s after, not 1.5 s");
}

/// A source whose every selection takes so long, and then fails.
struct Slow {
    clock: ManualClock,
    takes: Cell<Duration>,
    fails: Cell<bool>,
}

impl Queryable for Slow {
    fn select(&self, _: &Selection, _: Sink<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.clock.advance(self.takes.get());
        if self.fails.get() {
            return Err("gone".into());
        }
        Ok(())
    }
}

#[test]
fn the_duration_of_a_failed_evaluation_is_reported() {
    let (clock, hands) = Clock::manual();
    let mut options = RulesOptions::default();
    options.query.clock = clock;
    let mut evaluator = Evaluator::new(options);
    evaluator.load(&[file("  rules: [{record: x, expr: y}]\n")], 0);
    let slow = Slow {
        clock: hands,
        takes: Cell::default(),
        fails: Cell::default(),
    };
    for (second, millis, fails) in [(1, 20, false), (2, 700, true), (3, 5, false)] {
        let takes = Duration::from_millis(millis);
        slow.takes.set(takes);
        slow.fails.set(fails);
        evaluator.evaluate(0, second * 1_000, &slow);
        let status = evaluator.status();
        let rule = &status[0].rules[0];
        assert_eq!(matches!(rule.health, RuleHealth::Failed(_)), fails);
        assert_eq!(rule.evaluated_at, Some(second * 1_000));
        assert_eq!((rule.took, status[0].took), (takes, takes));
    }
}
