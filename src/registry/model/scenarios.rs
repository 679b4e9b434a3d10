use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, thread};

use super::storage::{Notes, Place, Rules, Storage, Total, has_moved};
use super::sync::{Arc, AtomicU64, AtomicUsize, Ordering};
use crate::registry::allowed::Bounds;
use crate::registry::labels::LabelValue;

/// Half of the schedules are random, half have few thread switches at unlikely points, which find
/// faults that random ones miss.
fn check(schedules: usize, scenario: fn()) {
    let config = || {
        let mut config = Config::new();
        // Debug builds keep whole tables on the stack.
        config.stack_size = 1 << 20;
        config.max_steps = shuttle::MaxSteps::FailAfter(10_000_000);
        config
    };
    let seed = 0x5EED;
    let random = RandomScheduler::new_from_seed(seed, schedules / 2);
    Runner::new(random, config()).run(scenario);
    let few_changes = PctScheduler::new_from_seed(seed, 3, schedules / 2);
    Runner::new(few_changes, config()).run(scenario);
}

pub(super) type Family = Arc<Storage<AtomicU64>>;

pub(super) fn family(limit: usize, expires: bool) -> Family {
    let total = Total {
        series: AtomicUsize::new(0),
        limit: AtomicUsize::new(1_000),
    };
    let rules = Rules {
        enabled: true,
        limit,
        max_label_value: 100,
        expire_after: expires.then_some(Duration::from_nanos(1)),
    };
    Arc::new(Storage::new(
        &["n"],
        rules,
        Bounds::default(),
        Arc::new(total),
    ))
}

pub(super) fn zero(_: Notes<'_>) -> AtomicU64 {
    AtomicU64::new(0)
}

pub(super) fn one_more(cell: &AtomicU64) {
    cell.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn add(family: &Family, name: &str) {
    family.record(&[name], zero, |cell, _| one_more(cell));
}

fn value(place: &Place<AtomicU64>) -> u64 {
    place.cell().map_or(0, |cell| cell.load(Ordering::Relaxed))
}

/// Scrapes once. No scrape reads a series twice.
pub(super) fn scrape(family: &Family) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    let view = family.view();
    let mut next = Some(0);
    while let Some(from) = next {
        next = view.each_from(from, |text, cell, _| {
            let value = cell.load(Ordering::Relaxed);
            assert_eq!(seen.insert(text.to_owned(), value), None, "{text} twice");
            ControlFlow::Continue(())
        });
    }
    seen
}

fn run(family: &Family, work: impl Fn(&Family) + Send + 'static) -> thread::JoinHandle<()> {
    let family = Arc::clone(family);
    thread::spawn(move || work(&family))
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn the_limit_holds_and_nothing_is_lost_when_all_create_at_once() {
    check(600, || {
        let family = family(2, false);
        join([["a", "b"], ["b", "c"], ["c", "a"]].map(|names| {
            run(&family, move |family| {
                for name in names {
                    add(family, name);
                }
                assert!(family.len() <= 2);
            })
        }));
        let seen = scrape(&family);
        let over = seen.get(r#"n="__overflow__""#).copied().unwrap_or(0);
        assert_eq!(seen.values().sum::<u64>(), 6, "{seen:?}");
        assert_eq!(over, family.overflowed());
        assert_eq!((family.len(), seen.len() - usize::from(over > 0)), (2, 2));
    });
}

#[test]
fn a_scrape_sees_no_series_twice_while_they_go_and_come() {
    check(600, || {
        let family = family(10, false);
        for name in ["a", "b"] {
            add(&family, name);
        }
        let goes = run(&family, |family| {
            assert!(family.remove(&["a"]));
            add(family, "a");
        });
        let comes = run(&family, |family| {
            add(family, "a");
            add(family, "b");
            add(family, "c");
        });
        let reads = run(&family, |family| {
            let first = scrape(family);
            let second = scrape(family);
            assert!(
                second[r#"n="b""#] >= first[r#"n="b""#],
                "counters never fall"
            );
        });
        join([goes, comes, reads]);
        let seen = scrape(&family);
        // A record that races with the removal may be counted in the removed series.
        assert!((1..=2).contains(&seen[r#"n="a""#]), "{seen:?}");
        assert_eq!((seen[r#"n="b""#], seen[r#"n="c""#]), (2, 1));
        assert_eq!(family.len(), 3);
    });
}

#[test]
fn what_was_idle_and_is_used_again_is_counted() {
    check(1_500, || {
        let family = family(10, true);
        for name in ["a", "b"] {
            add(&family, name);
        }
        family.expire(0, 5);
        // From here on both are idle for long enough to expire.
        let expires = run(&family, |family| {
            family.expire(10, 5);
        });
        let records = run(&family, |family| {
            add(family, "a");
            add(family, "a");
        });
        let holds = run(&family, |family| {
            let place = family.place(&["b"], zero);
            place.use_cell(one_more);
            assert!(!place.is_removed(), "a handle keeps its series");
            let there = family.get(&["b"]).unwrap();
            assert_eq!(value(&there), value(&place));
        });
        join([expires, records, holds]);
        let seen = scrape(&family);
        // One more if the series was not removed.
        assert!((2..=3).contains(&seen[r#"n="a""#]), "{seen:?}");
        assert!((1..=2).contains(&seen[r#"n="b""#]), "{seen:?}");
        let gone = [r#"n="a""#, r#"n="b""#].map(|text| seen[text]);
        assert_eq!(family.expired(), 5 - gone.iter().sum::<u64>());
    });
}

#[test]
fn a_family_moves_under_those_who_create_record_and_read() {
    const MANY: usize = 160;
    check(60, || {
        let family = family(1_000, false);
        let names: Vec<String> = (0..MANY).map(|n| n.to_string()).collect();
        for name in &names {
            add(&family, name);
        }
        let stays = |n: usize| n % 130 == 5;
        // Nearly as many as must be removed for the family to move.
        let left: Vec<String> = (0..MANY)
            .filter(|n| !stays(*n))
            .map(|n| n.to_string())
            .collect();
        let (now, then) = left.split_at(left.len() - 30);
        for name in now {
            assert!(family.remove(&[name]));
        }
        let then = then.to_vec();
        let moves = run(&family, move |family| {
            for name in &then {
                assert!(family.remove(&[name]));
            }
        });
        let records = run(&family, |family| {
            for name in ["5", "135", "new", "5"] {
                add(family, name);
            }
        });
        let reads = run(&family, |family| {
            let seen = scrape(family);
            assert!(seen.contains_key(r#"n="5""#) && seen.contains_key(r#"n="135""#));
        });
        join([moves, records, reads]);
        let want = [("5", 3), ("135", 2), ("new", 1)];
        let want: BTreeMap<String, u64> =
            want.map(|(n, count)| (format!("n=\"{n}\""), count)).into();
        assert_eq!(scrape(&family), want);
        assert!(has_moved(&family));
    });
}

pub(super) struct Closed(pub(super) bool);

impl LabelValue for Closed {
    type Key = Self;
    const VALUES: &'static [&'static str] = &["a", "b"];
    fn index(&self) -> usize {
        usize::from(self.0)
    }
}

#[test]
fn a_place_leads_to_no_other_series() {
    check(600, || {
        let family = family(10, false);
        let by_place = |family: &Family| {
            for closed in [true, false, true] {
                family.record(&(Closed(closed),), zero, |cell, _| one_more(cell));
            }
        };
        let first = run(&family, by_place);
        let second = run(&family, by_place);
        let goes = run(&family, |family| {
            family.remove(&["a"]);
        });
        join([first, second, goes]);
        let seen = scrape(&family);
        assert_eq!(seen[r#"n="b""#], 4);
        assert!(seen.get(r#"n="a""#).is_none_or(|n| (1..=2).contains(n)));
        assert_eq!(family.len(), seen.len());
    });
}

#[test]
fn notes_are_made_once_for_all_of_a_group() {
    check(300, || {
        let family = family(10, false);
        for name in ["a", "b"] {
            add(&family, name);
        }
        let notes = ["a", "b"].map(|name| {
            run(&family, move |family| {
                let place = family.get(&[name]).unwrap();
                let made = place.notes().make();
                assert!(std::ptr::eq(made, place.notes().get().unwrap()));
                place.use_cell(one_more);
            })
        });
        let reads = run(&family, |family| {
            scrape(family);
        });
        join(notes.into_iter().chain([reads]));
        let places = ["a", "b"].map(|name| family.get(&[name]).unwrap());
        let notes = places.each_ref().map(|place| place.notes().get().unwrap());
        let [a, b] = notes.map(|note| std::ptr::from_ref(note).addr());
        assert_eq!(b - a, 8, "they lie side by side");
        assert!(scrape(&family).values().all(|n| *n == 2));
    });
}
