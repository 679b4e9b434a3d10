//! Random histories against the invariants of the contract.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;

use super::driver::Driver;
use super::ops::{Op, Seen, Wish, ops, seen, severities};
use crate::healing::core::{AttemptResult, Event, Moment, Name, Observation, Phase, Verdict};

/// The number of cases of a property: one of `share` equal parts of a run's histories, 10,000
/// unless `TEST_HISTORIES` says otherwise. `PROPTEST_RNG_SEED` gives other histories.
pub(super) fn config(share: u32) -> ProptestConfig {
    let cases = std::env::var("TEST_HISTORIES").ok();
    let cases = cases.and_then(|n| n.parse().ok()).unwrap_or(10_000);
    ProptestConfig {
        cases: (cases / share).max(32),
        max_shrink_iters: 4_000,
        failure_persistence: None,
        // Each choice in a history forks the generator, which is slow with the default one.
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    }
}

/// Most faults show in short histories; some need long ones.
pub(super) fn histories() -> impl Strategy<Value = Vec<Op>> {
    prop_oneof![
        6 => prop::collection::vec(ops(), 1..60),
        1 => prop::collection::vec(ops(), 60..200),
    ]
}

/// Invariants 1 to 9 hold at every step; 10 holds at the end, with or without answers.
fn keeps_its_promises(policy: usize, seed: u64, history: &[Op]) {
    let mut driver = Driver::new(policy, seed);
    for op in history {
        driver.run(op);
    }
    driver.state.audit_bounds(&driver.most);
    everything_ends_though_no_one_answers(driver.clone());
    everything_closes_once_all_is_well(driver.clone());
    shuts_down_in_time(driver);
}

// One property under four policies, so that they run side by side.
proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn no_history_breaks_a_promise_when_all_is_tight(seed in any::<u64>(), history in histories()) {
        keeps_its_promises(0, seed, &history);
    }

    #[test]
    fn no_history_breaks_a_promise_when_all_is_wide(seed in any::<u64>(), history in histories()) {
        keeps_its_promises(1, seed, &history);
    }

    #[test]
    fn no_history_breaks_a_promise_in_a_dry_run(seed in any::<u64>(), history in histories()) {
        keeps_its_promises(2, seed, &history);
    }

    #[test]
    fn no_history_breaks_a_promise_when_people_are_asked(
        seed in any::<u64>(), history in histories(),
    ) {
        keeps_its_promises(3, seed, &history);
    }
}

/// 10: without any answer every issue ends parked, and only retries of reversible steps remain.
fn everything_ends_though_no_one_answers(mut driver: Driver) {
    for _ in 0..20_000 {
        if driver.wake == Moment::NEVER || driver.state.only_tries_again() {
            return;
        }
        driver.run(&Op::Sleep);
    }
    panic!("it never comes to rest");
}

/// Once detectors find nothing and actions work, nothing stays open.
fn everything_closes_once_all_is_well(mut driver: Driver) {
    driver.run(&Op::Control(Wish::Resume));
    driver.run(&Op::Control(Wish::Revive));
    for _ in 0..400 {
        while !driver.is_answered() {
            driver.end(0, AttemptResult::Ok);
            driver.judge(0, Verdict::Good, Duration::ZERO);
        }
        if driver.state.snapshot().open.sum() == 0 {
            return;
        }
        for engine in 0..2 {
            driver.run(&Op::Engine(engine, true));
            driver.run(&Op::Run {
                engine,
                age: Duration::ZERO,
                seen: Vec::new(),
                left_out: false,
                unknown: Vec::new(),
            });
        }
        driver.run(&Op::Wait(Duration::from_secs(1)));
    }
    let open: Vec<_> = driver.state.issues().collect();
    panic!("{open:?} stay open");
}

fn shuts_down_in_time(mut driver: Driver) {
    let grace = driver.state.policy().grace;
    driver.run(&Op::Shutdown);
    driver.run(&Op::Wait(grace));
    let snapshot = driver.state.snapshot();
    assert_eq!((snapshot.open.sum(), snapshot.attempts_running), (0, 0));
    let dropped = snapshot.observations.dropped.sum();
    driver.feed(Event::Observed {
        engine: Name::new("red"),
        observation: Observation::new("late", "down"),
        plan: None,
    });
    assert_eq!(
        driver.state.snapshot().observations.dropped.sum(),
        dropped + 1
    );
}

/// The outcome of each key: everything but identifiers of requests.
fn outcome(driver: &Driver) -> Vec<String> {
    let mut all: Vec<String> = driver
        .state
        .issues()
        .map(|(issue, phase, reason)| {
            let (key, severity, evidence) = (&issue.key, issue.severity, &issue.evidence);
            let explained = driver.state.explain(key).unwrap();
            format!(
                "{key} {severity:?} {phase:?} {reason:?} {evidence:?} {:?} {:?} {:?}",
                issue.confidence, explained.not_before, explained.next
            )
        })
        .collect();
    all.sort();
    let snapshot = driver.state.snapshot();
    let closed: Vec<_> = snapshot.closed.iter().collect();
    let finished: Vec<_> = snapshot.attempts_finished.iter().collect();
    all.push(format!(
        "{closed:?} {finished:?} {}",
        snapshot.attempts_started
    ));
    all
}

/// Answers everything immediately, depending only on the key.
fn settle_down(driver: &mut Driver) {
    while !driver.is_answered() {
        driver.end(0, AttemptResult::Ok);
        driver.judge(0, Verdict::Good, Duration::ZERO);
    }
}

proptest! {
    #![proptest_config(config(24))]

    /// 12: the order and the number of the observations of one tick change no outcome.
    #[test]
    fn order_and_repetition_within_a_tick_change_nothing(
        seed in any::<u64>(),
        ticks in prop::collection::vec(
            (prop::collection::vec((seen(), any::<prop::sample::Index>(), 1usize..3), 0..6),
             1u64..8), 1..30),
        hints in any::<bool>(),
    ) {
        // A run's observations are sorted, so that they may compete. Hints arrive one by one: the
        // first of two that compete has started before the second is known.
        let policy = if hints { 4 } else { 0 };
        let (mut plain, mut shuffled) = (Driver::new(policy, seed), Driver::new(policy, seed));
        for (tick, seconds) in ticks {
            let tick: Vec<_> = tick
                .into_iter()
                .map(|(one, place, times)| {
                    let key = if hints { one.key % 5 } else { one.key };
                    (Seen { engine: 0, parent: None, plan: 0, key, ..one }, place, times)
                })
                .collect();
            let straight: Vec<Seen> = tick.iter().map(|(one, ..)| one.clone()).collect();
            let mut mixed = Vec::new();
            for (one, place, times) in &tick {
                for _ in 0..*times {
                    mixed.insert(place.index(mixed.len() + 1), one.clone());
                }
            }
            for (driver, seen) in [(&mut plain, straight), (&mut shuffled, mixed)] {
                if hints {
                    for one in seen {
                        driver.run(&Op::Hint(one));
                    }
                } else {
                    driver.run(&Op::Run {
                        engine: 0, age: Duration::ZERO, seen, left_out: false,
                        unknown: Vec::new(),
                    });
                }
                settle_down(driver);
                driver.run(&Op::Wait(Duration::from_secs(seconds)));
                settle_down(driver);
            }
            prop_assert_eq!(outcome(&plain), outcome(&shuffled));
        }
    }

    /// The same events and the same seed give the same effects, to the last.
    #[test]
    fn a_history_can_be_replayed(
        policy in 0usize..4, seed in any::<u64>(), history in histories(),
    ) {
        let (mut one, mut two) = (Driver::new(policy, seed), Driver::new(policy, seed));
        for op in &history {
            one.run(op);
            two.run(op);
        }
        prop_assert_eq!(one.records, two.records);
        prop_assert_eq!(one.state.snapshot(), two.state.snapshot());
    }

    /// Explanations are true: an issue without holds has started, one with holds has not.
    #[test]
    fn what_is_explained_is_what_happens(
        policy in 0usize..4, seed in any::<u64>(), history in histories(),
        severity in severities(),
    ) {
        let mut driver = Driver::new(policy, seed);
        driver.run(&Op::Hint(Seen { engine: 0, key: 0, severity, samples: (30, 30), parent: None, plan: 0 }));
        for op in &history {
            driver.run(op);
            let issues: Vec<_> = driver.state.issues().map(|(i, p, _)| (i.key.clone(), p)).collect();
            for (key, phase) in issues {
                let explained = driver.state.explain(&key).unwrap();
                prop_assert_eq!(explained.phase, phase);
                if phase == Phase::Pending {
                    prop_assert!(!explained.holds.is_empty(), "{} waits for nothing", key);
                }
                if let Some(until) = explained.until {
                    prop_assert!(until > driver.now.at);
                }
                prop_assert!(!explained.to_string().is_empty());
            }
        }
    }
}

/// The histories cover every phase and result.
#[test]
fn histories_reach_every_corner() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{TestRng, TestRunner};

    let dice = TestRng::deterministic_rng(RngAlgorithm::XorShift);
    let mut runner = TestRunner::new_with_rng(config(1), dice);
    let (mut closed, mut finished) = ([0u64; 8], [0u64; 8]);
    let mut escalations = [0u64; 2];
    let (mut phases, mut rollbacks, mut zombies, mut storms) = ([0u64; 9], 0, 0, 0);
    let mut evicted = 0;
    for case in 0..300 {
        let history = prop::collection::vec(ops(), 100..160);
        let history = history.new_tree(&mut runner).unwrap().current();
        let mut driver = Driver::new(case % 4, case as u64);
        for op in &history {
            driver.run(op);
            let snapshot = driver.state.snapshot();
            zombies += snapshot.zombies;
            storms += u64::from(snapshot.storm);
            for (phase, count) in snapshot.open.iter() {
                phases[phase as usize] += count;
            }
        }
        driver.run(&Op::Shutdown);
        let snapshot = driver.state.snapshot();
        for (outcome, count) in snapshot.closed.iter() {
            closed[outcome as usize] += count;
        }
        for (result, count) in snapshot.attempts_finished.iter() {
            finished[result as usize] += count;
        }
        for (level, count) in snapshot.escalations.iter() {
            escalations[level as usize] += count;
        }
        rollbacks += snapshot.rollbacks_started;
        evicted += snapshot.evicted;
    }
    println!("closed {closed:?} finished {finished:?} phases {phases:?}");
    println!("rollbacks {rollbacks} zombies {zombies} storms {storms} evicted {evicted}");
    assert!(closed[..5].iter().all(|&n| n >= 5), "{closed:?}");
    assert!(finished[..7].iter().all(|&n| n >= 10), "{finished:?}");
    assert!(escalations.iter().all(|&n| n >= 5), "{escalations:?}");
    assert!(phases.iter().all(|&n| n >= 100), "{phases:?}");
    assert!(rollbacks >= 20 && zombies >= 20 && storms >= 20 && evicted >= 20);
}
