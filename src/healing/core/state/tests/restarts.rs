//! Invariant 11: a new run resumes from any prefix of the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::super::State;
use super::driver::Driver;
use super::histories::histories;
use super::ops::Op;
use crate::healing::core::{
    AttemptResult, Carried, Closed, Effect, Event, IssueKey, Moment, Record, Stamp, Wall, What,
    Work, identities,
};
use crate::util::Uptime;

/// The state that outlives a restart, in a comparable and printable form.
fn digest(state: &State) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for (_, entry) in &state.open {
        let issue = &entry.issue;
        all.push(format!(
            // With a plan, the end of a step is equal to the beginning of the next.
            "issue {} {:?} {:?} {} {:?}",
            issue.key,
            issue.severity,
            issue.generation,
            entry.attempts,
            entry.not_before.max(state.now.at),
        ));
    }
    for (_, memory) in state.memories.iter() {
        let mut memory = memory.kept.clone();
        // All waits that have ended are equal.
        memory.not_before = memory.not_before.max(state.now.at);
        all.push(format!("key {memory:?}"));
    }
    for (target, mute) in state.mutes.iter() {
        all.push(format!(
            "mute {target:?} {:?} {:?}",
            mute.until, mute.tolerate
        ));
    }
    for (labels, outcomes) in state.outcomes.iter() {
        all.push(format!("outcomes {labels:?} {outcomes:?}"));
    }
    let budget = &state.policy.budget;
    let longest = budget.component.window.max(budget.global.window);
    for component in state.components.iter() {
        for (draw, times) in component.spent.iter() {
            // Attempts that no longer count may be forgotten.
            let counts = times.iter().filter(|&&at| at + longest > state.now.at);
            let counts: Vec<_> = counts.collect();
            if !counts.is_empty() {
                all.push(format!("spent {} {draw:?} {counts:?}", component.name));
            }
        }
    }
    for alert in state.alerts() {
        all.push(format!(
            "alert {} {:?} {:?}",
            alert.id, alert.severity, alert.since.at
        ));
    }
    all.push(format!("exits {:?}", state.exits));
    all.push(format!(
        "{:?} {} {}",
        state.spent, state.paused, state.killed
    ));
    all.sort();
    all
}

fn restore(driver: &Driver, records: &[Record], now: Stamp) -> (State, Vec<Effect>) {
    State::restore(Arc::clone(&driver.state.policy), 7, now, records)
}

fn interrupted(effects: &[Effect]) -> usize {
    let is_one = |effect: &&Effect| {
        matches!(effect, Effect::Record(record) if matches!(record.what,
            What::AttemptFinished { result: AttemptResult::Interrupted, .. }))
    };
    effects.iter().filter(is_one).count()
}

/// The open issues and unfinished attempts after these records, counted in the simplest way.
fn expected(records: &[Record]) -> (BTreeSet<IssueKey>, usize) {
    let (mut open, mut unended) = (BTreeSet::new(), BTreeMap::new());
    for record in records {
        match &record.what {
            What::Opened { issue, .. } => {
                open.insert(issue.key.clone());
            }
            What::Closed { key, outcome, .. } if *outcome != Closed::Shutdown => {
                open.remove(key);
            }
            What::AttemptStarted(intent) => {
                unended.insert(intent.attempt, intent.work);
            }
            What::AttemptFinished { attempt, .. } => {
                unended.remove(attempt);
            }
            What::Carried(carried) => match &**carried {
                Carried::Issue(one) => {
                    open.insert(one.issue.key.clone());
                }
                Carried::Attempt { intent, .. } => {
                    unended.insert(intent.attempt, intent.work);
                }
                _ => {}
            },
            _ => {}
        }
    }
    (open, unended.len())
}

proptest! {
    #![proptest_config(super::histories::config(16))]

    #[test]
    fn any_prefix_restores_to_a_valid_state(
        policy in 0usize..4, seed in any::<u64>(), history in histories(),
        cut in any::<prop::sample::Index>(), away in 0u64..100_000,
    ) {
        let mut driver = Driver::new(policy, seed);
        let mut records = Vec::new();
        for op in &history {
            // A restart from the file before the rotation must give the same.
            if matches!(op, Op::Rotate) && cut.index(2) == 0 {
                break;
            }
            driver.run(op);
        }
        records.extend(driver.records.iter().cloned());
        let records = &records[..cut.index(records.len() + 1)];
        let last = records.last().map_or(driver.now.wall, |record| record.stamp.wall);
        let now = Stamp::new(Moment::START, Wall::from_millis(last.as_millis() + away));
        let (state, effects) = restore(&driver, records, now);
        state.audit();
        let (open, unended) = expected(records);
        let found: BTreeSet<_> = state.issues().map(|(issue, ..)| issue.key.clone()).collect();
        let snapshot = state.snapshot();
        prop_assert_eq!(snapshot.restored, open.len() as u64);
        prop_assert!(found.is_subset(&open));
        let closed = snapshot.closed.get(Closed::Superseded);
        prop_assert_eq!(found.len() as u64 + closed, open.len() as u64);
        prop_assert_eq!(interrupted(&effects), unended);

        // A run that crashes at once leaves the same state to the next, with nothing unfinished.
        let mut longer = records.to_vec();
        longer.extend(effects.iter().filter_map(|effect| match effect {
            Effect::Record(record) => Some((**record).clone()),
            _ => None,
        }));
        prop_assert!(longer.windows(2).all(|two| two[1].seq == two[0].seq + 1));
        let (again, effects) = restore(&driver, &longer, now);
        prop_assert_eq!(interrupted(&effects), 0);
        prop_assert_eq!(digest(&again), digest(&state));
    }

    /// A new journal file restores to the same state as the one before it.
    #[test]
    fn what_is_carried_over_is_complete(
        seed in any::<u64>(), history in histories(),
        away in 0u64..100_000, spoken in any::<bool>(),
    ) {
        let mut driver = Driver::new(4, seed);
        for op in &history {
            // Another policy may keep more than the previous one did.
            if !matches!(op, Op::Reload(_) | Op::Rotate) {
                driver.run(op);
            }
        }
        let mut carrier = driver.state.clone();
        let carried = carrier.carry(driver.now);
        let carried = if spoken {
            // As it is written to the file.
            let text = serde_json::to_string(&carried).unwrap();
            serde_json::from_str(&text).unwrap()
        } else {
            carried
        };
        let mut records = driver.records.clone();
        // Ends the old journal at the same time.
        records.push(Record { seq: carried[0].seq, stamp: driver.now, what: What::Reloaded });
        let wall = driver.now.wall.as_millis() + away;
        let now = Stamp::new(Moment::START, Wall::from_millis(wall));
        let (old, _) = restore(&driver, &records, now);
        let (new, _) = restore(&driver, &carried, now);
        prop_assert_eq!(digest(&old), digest(&new));
    }
}

/// A budget that was spent before the crash is spent after it, to the millisecond.
#[test]
fn budgets_outlive_a_crash() {
    let mut driver = Driver::new(1, 1);
    let budget = driver.state.policy().budget.component;
    for n in 0..budget.max {
        driver.run(&Op::Hint(hint()));
        assert_eq!(driver.watch.started, u64::from(n) + 1);
        driver.end(0, AttemptResult::Ok);
        driver.judge(0, crate::healing::core::Verdict::Good, Duration::ZERO);
        driver.run(&Op::Sleep);
        driver.run(&Op::Wait(Duration::from_millis(500)));
    }
    let before = driver.state.snapshot().component_budget_left;
    driver.run(&Op::Restart(Duration::from_secs(1)));
    assert_eq!(driver.state.snapshot().component_budget_left[0], before[0]);
    let snapshot = driver.state.snapshot();
    assert!(identities::check(&snapshot).is_ok());
    driver.run(&Op::Restart(budget.window + Duration::from_millis(1)));
    let left = driver.state.snapshot().component_budget_left;
    assert_eq!(left[0].1, u64::from(budget.max));
}

fn hint() -> super::ops::Seen {
    super::ops::Seen {
        engine: 0,
        key: 0,
        severity: crate::healing::core::Severity::Error,
        samples: (30, 30),
        parent: None,
        plan: 0,
    }
}

/// The step of a plan outlives a crash: an interrupted attempt counts.
#[test]
fn steps_outlive_a_crash() {
    let hint = || super::ops::Seen { plan: 8, ..hint() };
    let mut driver = Driver::new(4, 1);
    driver.run(&Op::Hint(hint()));
    driver.end(0, AttemptResult::Failed);
    driver.run(&Op::Sleep);
    let key = super::ops::key(0);
    for rotate in [false, true] {
        let mut driver = driver.clone();
        if rotate {
            driver.run(&Op::Rotate);
        }
        driver.run(&Op::Restart(Duration::from_secs(1)));
        let (_, phase, _) = driver.state.issue(&key).unwrap();
        assert_eq!(phase, crate::healing::core::Phase::Confirming);
        driver.run(&Op::Hint(hint()));
        driver.run(&Op::Run {
            engine: 0,
            age: Duration::ZERO,
            seen: vec![hint()],
            left_out: false,
            unknown: Vec::new(),
        });
        driver.run(&Op::Sleep);
        let next = driver.state.explain(&key).unwrap().next.unwrap();
        assert_eq!((next.action.as_str(), next.step, next.nth), ("b", 1, 1));
    }
}

/// An attempt that was being verified when a new journal file began counts once.
#[test]
fn a_verification_across_two_files_counts_once() {
    let used = |state: &State| {
        let open = state.open.values();
        open.map(|entry| entry.used).collect::<Vec<_>>()
    };
    let mut driver = Driver::new(4, 1);
    driver.run(&Op::Hint(hint()));
    driver.end(0, AttemptResult::Ok);
    driver.run(&Op::Rotate);
    driver.judge(0, crate::healing::core::Verdict::Bad, Duration::ZERO);
    assert_eq!(used(&driver.state), [1]);
    let (restored, _) = restore(&driver, &driver.records, driver.now);
    assert_eq!(used(&restored), [1]);
}

/// After a reboot with the wall clock set back no time has passed, and waits still end.
#[test]
fn after_a_reboot_waits_run_off_in_any_case() {
    let mut driver = Driver::new(1, 1);
    driver.run(&Op::Restart(Duration::ZERO));
    driver.run(&Op::Hint(hint()));
    let left = driver.state.snapshot().budget_left;
    let day_back = Wall::from_millis(driver.now.wall.as_millis() - 86_400_000);
    let other_boot = Uptime::new(2, Duration::from_secs(90 * 86_400));
    let now = Stamp::new(Moment::START, day_back).with_uptime(Some(other_boot));
    let (mut state, _) = restore(&driver, &driver.records, now);
    assert_eq!(state.snapshot().budget_left, left);
    let window = state.policy().budget.global.window;
    let later = Stamp::new(Moment::START + window, day_back);
    let _ = state.step(later, Event::Tick);
    assert_eq!(state.snapshot().budget_left, left + 1);
}

/// A wall clock that once was centuries ahead, twice, puts nothing into the future.
#[test]
fn a_clock_that_was_centuries_ahead() {
    let mut driver = Driver::new(1, 1);
    driver.run(&Op::Hint(hint()));
    let left = driver.state.snapshot().budget_left;
    let today = driver.now.wall;
    let ahead = Wall::from_millis(today.as_millis() + 250 * 366 * 86_400_000);
    let walls = [today, ahead, today, ahead, today].into_iter();
    let runs = walls.map(|wall| (Stamp::new(Moment::START, wall), What::Started));
    let work = driver.records.iter();
    let all = runs.chain(work.map(|record| (record.stamp, record.what.clone())));
    let records: Vec<_> = (1..)
        .zip(all)
        .map(|(seq, (stamp, what))| Record { seq, stamp, what })
        .collect();
    let (mut state, _) = restore(&driver, &records, driver.now);
    assert_eq!(state.snapshot().budget_left, left);
    let window = state.policy().budget.global.window;
    let later = Stamp::new(driver.now.at + window + window, today);
    let _ = state.step(later, Event::Tick);
    assert_eq!(state.snapshot().budget_left, left + 1);
}

/// If the wall clock was set back in the downtime, no time has passed: budgets stay spent.
#[test]
fn a_wall_clock_set_back_frees_no_budget() {
    let mut driver = Driver::new(1, 1);
    driver.run(&Op::Hint(hint()));
    let left = driver.state.snapshot().budget_left;
    let day = 86_400_000;
    for (wall, expected) in [
        (driver.now.wall.as_millis() - day, left),
        (driver.now.wall.as_millis(), left),
        (driver.now.wall.as_millis() + day, left + 1),
    ] {
        let now = Stamp::new(Moment::START, Wall::from_millis(wall));
        let (state, effects) = restore(&driver, &driver.records, now);
        assert_eq!(state.snapshot().budget_left, expected, "{wall}");
        assert_eq!(interrupted(&effects), 1);
        let Some(What::AttemptFinished { work, .. }) = effects.iter().find_map(|e| match e {
            Effect::Record(r) if matches!(r.what, What::AttemptFinished { .. }) => Some(&r.what),
            _ => None,
        }) else {
            panic!("it is recorded");
        };
        assert_eq!(*work, Work::Heal);
    }
}
