//! A suspended scrape blocks no other thread.
//!
//! A scraping thread is suspended after each of its operations in turn, until the other thread has
//! done all of its work. If that thread ever waited for the scraper, by a lock or by spinning, it
//! would never finish.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, Runner, thread};

use super::scenarios::{Closed, Family, add, family, one_more, scrape, zero};
use super::storage::has_moved;

/// In the order in which the scenario starts them.
const SCRAPER: usize = 1;
const OTHER: usize = 2;

/// Gives the scraper this many turns, then all to the other thread, then the rest to the scraper.
struct Suspend {
    turns: usize,
    given: usize,
    other: Other,
    shared: Shared,
}

/// Whether the other thread is done.
type Other = Arc<AtomicBool>;

/// The results of all schedules.
type Shared = Arc<Mutex<Outcome>>;

#[derive(Default)]
struct Outcome {
    schedules: usize,
    /// The turns of the scraper after which the other thread waited for it.
    waits: Vec<usize>,
}

impl Scheduler for Suspend {
    fn new_execution(&mut self) -> Option<Schedule> {
        let mut shared = self.shared.lock().unwrap();
        // The previous schedule ran it for as many steps as it takes.
        if shared.schedules > 0 && self.given < self.turns {
            return None;
        }
        self.turns = shared.schedules;
        self.given = 0;
        shared.schedules += 1;
        self.other.store(false, Ordering::Relaxed);
        Some(Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
        let find = |wanted: usize| {
            let mut ids = runnable.iter().map(|task| task.id());
            ids.find(|id| usize::from(*id) == wanted)
        };
        // The first thread starts the others and then waits for them.
        let main = runnable.iter().map(|task| task.id());
        let mut main = main.filter(|id| ![SCRAPER, OTHER].contains(&usize::from(*id)));
        let scraper = find(SCRAPER);
        let next = main
            .next()
            .or(scraper.filter(|_| self.given < self.turns))
            .or_else(|| find(OTHER))
            .or(scraper)?;
        if Some(next) == scraper {
            if self.given >= self.turns && !self.other.load(Ordering::Relaxed) {
                let mut shared = self.shared.lock().unwrap();
                if shared.waits.last() != Some(&self.turns) {
                    shared.waits.push(self.turns);
                }
            }
            self.given += 1;
        }
        Some(next)
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}

/// Suspends a scrape of the family that `make` makes at every point while `work` runs, and returns
/// the turns at which `work` waited.
fn suspended(make: fn() -> Family, work: fn(&Family)) -> Vec<usize> {
    let (other, shared) = (Other::default(), Shared::default());
    let scheduler = Suspend {
        turns: 0,
        given: 0,
        other: Arc::clone(&other),
        shared: Arc::clone(&shared),
    };
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    config.max_steps = shuttle::MaxSteps::FailAfter(100_000);
    Runner::new(scheduler, config).run(move || {
        let family = make();
        let theirs = Arc::clone(&family);
        let scraper = thread::spawn(move || {
            scrape(&theirs);
        });
        let (recorded, other) = (Arc::clone(&family), Arc::clone(&other));
        let worker = thread::spawn(move || {
            work(&recorded);
            other.store(true, Ordering::Relaxed);
        });
        worker.join().unwrap();
        scraper.join().unwrap();
    });
    let shared = shared.lock().unwrap();
    assert!(shared.schedules > 20, "{} schedules", shared.schedules);
    shared.waits.clone()
}

#[track_caller]
fn never(waits: &[usize]) {
    assert!(
        waits.is_empty(),
        "it waited where the scraper had {waits:?} turns"
    );
}

fn few() -> Family {
    let family = family(100, true);
    for name in ["a", "b", "c"] {
        add(&family, name);
    }
    family.expire(0, 5);
    family
}

/// A family that has moved to a second table.
fn moved() -> Family {
    let family = family(1_000, false);
    for n in 0..160 {
        add(&family, &n.to_string());
    }
    for n in 10..160 {
        assert!(family.remove(&[n.to_string()]));
    }
    assert!(has_moved(&family));
    family
}

#[test]
fn who_records_does_not_wait_for_a_scrape() {
    let by_labels = |family: &Family| {
        // First looked up by content, then by this thread's hint.
        add(family, "a");
        add(family, "a");
        family.record(&(Closed(false),), zero, |cell, _| one_more(cell));
        family.record(&(Closed(false),), zero, |cell, _| one_more(cell));
        family.place(&["b"], zero).use_cell(one_more);
    };
    never(&suspended(few, by_labels));
    let after_a_move = |family: &Family| {
        for name in ["1", "9", "1"] {
            add(family, name);
        }
        family.place(&["2"], zero).use_cell(one_more);
    };
    never(&suspended(moved, after_a_move));
}

#[test]
fn who_creates_and_removes_does_not_wait_for_a_scrape() {
    let grow = |family: &Family| {
        for n in 0..40 {
            add(family, &n.to_string());
        }
    };
    never(&suspended(few, grow));
    never(&suspended(moved, grow));
    let shrink = |family: &Family| {
        assert!(family.remove(&["a"]));
        add(family, "a");
        family.retain(&mut |text, _, _| text != "n=\"b\"");
        assert_eq!((family.expire(10, 5), family.expire(20, 5)), (1, 1));
        add(family, "b");
    };
    never(&suspended(few, shrink));
}

#[test]
fn who_overflows_does_not_wait_for_a_scrape() {
    let full = || {
        let family = family(1, false);
        add(&family, "a");
        family
    };
    let over = |family: &Family| {
        add(family, "c");
        add(family, "c");
    };
    never(&suspended(full, over));
}

/// A waiting thread is detected: moving the family needs briefly the lock that a scrape holds while
/// it copies the pointer to the table.
#[test]
fn who_moves_a_family_again_waits_for_a_copied_pointer_at_the_most() {
    let move_again = |family: &Family| {
        for n in 200..345 {
            add(family, &n.to_string());
        }
        for n in 200..345 {
            assert!(family.remove(&[n.to_string()]));
        }
    };
    let waits = suspended(moved, move_again);
    assert!((1..=4).contains(&waits.len()), "{waits:?}");
}
