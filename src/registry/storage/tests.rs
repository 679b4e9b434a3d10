mod closed;
mod gone;

use crate::registry::allowed::Bounds;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::life::GROUP;
use super::*;
use crate::registry::labels::{Labels, MAX_LABEL_VALUE, cut};
use crate::registry::snapshot::render_pairs;
use crate::registry::tests::held::comes_to_an_end;

fn storage(labels: &[&str], limit: usize) -> Storage<AtomicU64> {
    let total = Arc::new(Total {
        series: AtomicUsize::new(0),
        limit: AtomicUsize::new(1_000_000),
    });
    Storage::new(labels, rules(limit), Bounds::default(), total)
}

fn rules(limit: usize) -> Rules {
    Rules {
        enabled: true,
        limit,
        max_label_value: MAX_LABEL_VALUE,
        expire_after: None,
    }
}

fn add(storage: &Storage<AtomicU64>, labels: &impl Labels) {
    storage.record(labels, zero, |cell, _| {
        cell.fetch_add(1, Ordering::Relaxed);
    });
}

fn zero(_: Notes<'_>) -> AtomicU64 {
    AtomicU64::new(0)
}

fn add_to(place: &Place<AtomicU64>) {
    place.use_cell(|cell| {
        cell.fetch_add(1, Ordering::Relaxed);
    });
}

fn all(storage: &Storage<AtomicU64>) -> Vec<(String, u64)> {
    let mut out = Vec::new();
    let mut next = Some(0);
    let view = storage.view();
    while let Some(from) = next {
        next = view.each_from(from, |text, cell, _| {
            out.push((text.to_owned(), cell.load(Ordering::Relaxed)));
            ControlFlow::Continue(())
        });
    }
    out
}

#[test]
fn series_are_distinguished_by_value() {
    let storage = storage(&["a", "b"], 100);
    add(&storage, &["ab", "c"]);
    add(&storage, &["a", "bc"]);
    add(&storage, &["a", "bc"]);
    assert_eq!(
        all(&storage),
        [
            (r#"a="ab",b="c""#.to_owned(), 1),
            (r#"a="a",b="bc""#.to_owned(), 2)
        ]
    );
}

#[test]
fn a_value_that_looks_like_rendered_text_is_another_series() {
    let storage = storage(&["a", "b"], 100);
    let values = [
        ["x", "y"],
        ["x\",b=\"y", ""],
        ["x\\", "y"],
        ["x\\\"", "y"],
        ["x\n", "y"],
        ["x\\n", "y"],
    ];
    for value in &values {
        add(&storage, value);
    }
    for value in &values {
        add(&storage, value);
    }
    let counts: Vec<u64> = all(&storage).into_iter().map(|(_, n)| n).collect();
    assert_eq!(counts, [2; 6]);
}

#[test]
fn the_index_survives_growth() {
    let storage = storage(&["n"], 100_000);
    for round in 0..2 {
        for n in 0..5_000 {
            add(&storage, &[format!("{n}\"")]);
        }
        assert_eq!(storage.len(), 5_000, "round {round}");
    }
    assert!(all(&storage).iter().all(|(_, n)| *n == 2));
}

#[test]
fn beyond_the_limit_one_series_takes_the_rest() {
    let storage = storage(&["n"], 2);
    for n in 0..10 {
        add(&storage, &[format!("{n}")]);
    }
    assert_eq!(
        all(&storage).last().map(|(text, n)| (text.clone(), *n)),
        Some((r#"n="__overflow__""#.to_owned(), 8))
    );
    assert_eq!((storage.len(), storage.overflowed()), (2, 8));
}

#[test]
fn who_says_overflow_is_in_the_overflow_series() {
    let storage = storage(&["a", "b"], 2);
    let said = [OVERFLOW, OVERFLOW];
    add(&storage, &said);
    for n in 0..3 {
        add(&storage, &["x", &*n.to_string()]);
    }
    add(&storage, &said);
    // One reserved value alone is an ordinary value.
    assert!(storage.remove(&["x", "1"]));
    add(&storage, &[OVERFLOW, "y"]);
    let want = [
        (r#"a="x",b="0""#, 1),
        (r#"a="__overflow__",b="y""#, 1),
        (r#"a="__overflow__",b="__overflow__""#, 3),
    ];
    assert_eq!(all(&storage), want.map(|(text, n)| (text.to_owned(), n)));
    assert!(
        !storage.remove(&said),
        "as for whatever is beyond the limit"
    );
}

#[test]
fn the_total_bound_holds_across_threads() {
    let total = Arc::new(Total {
        series: AtomicUsize::new(0),
        limit: AtomicUsize::new(50),
    });
    let families: Vec<Storage<AtomicU64>> = (0..2)
        .map(|_| Storage::new(&["n"], rules(1_000), Bounds::default(), Arc::clone(&total)))
        .collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let families = &families;
            scope.spawn(move || {
                for n in 0..100 {
                    add(&families[n % 2], &[format!("{thread}-{n}")]);
                }
            });
        }
    });
    let counted: u64 = families.iter().flat_map(all).map(|(_, n)| n).sum();
    assert_eq!(counted, 400, "nothing recorded is lost");
    assert_eq!(families.iter().map(Storage::len).sum::<usize>(), 50);
}

#[test]
fn a_removed_series_makes_space_and_its_handle_goes_on() {
    let storage = storage(&["n"], 1);
    let handle = storage.place(&["a"], zero);
    assert!(storage.remove(&["a"]));
    assert!(!storage.remove(&["a"]));
    add_to(&handle);
    add(&storage, &["b"]);
    assert_eq!(all(&storage), [(r#"n="b""#.to_owned(), 1)]);
    assert!(storage.get(&["a"]).is_none());
}

#[test]
fn a_reader_that_breaks_off_goes_on_where_it_was() {
    let storage = storage(&["n"], 1000);
    let names: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    for name in &names {
        add(&storage, &[name]);
    }
    storage.remove(&[&names[7]]);
    let (mut seen, mut calls, mut next) = (Vec::new(), 0, Some(0));
    let view = storage.view();
    while let Some(from) = next {
        calls += 1;
        next = view.each_from(from, |text, _, _| {
            seen.push(text.to_owned());
            if seen.len() % 50 == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
    }
    let want: Vec<String> = (0..300)
        .filter(|n| *n != 7)
        .map(|n| format!("n=\"{n}\""))
        .collect();
    assert_eq!(seen, want);
    assert!(
        calls > 6,
        "{calls}: five times broken off, and a few at a time"
    );
}

#[test]
fn a_family_that_lost_many_moves_and_loses_nothing_more() {
    let storage = storage(&["n"], 10_000);
    let names: Vec<String> = (0..1000).map(|n| format!("{n}\\")).collect();
    let stays = |n: usize| n % 100 == 7;
    let handles: Vec<_> = names
        .iter()
        .map(|name| storage.place(&[name], zero))
        .collect();
    let reader = storage.view();
    for (n, name) in names.iter().enumerate() {
        if !stays(n) {
            assert!(storage.remove(&[name]));
        }
    }
    assert!(storage.later.get().is_some(), "it moved");
    for (name, handle) in names.iter().zip(&handles) {
        add_to(handle);
        assert_eq!(
            storage.get(&[name]).is_some(),
            stays(name.trim_end_matches('\\').parse().unwrap())
        );
    }
    let left: Vec<&String> = names
        .iter()
        .enumerate()
        .filter(|(n, _)| stays(*n))
        .map(|(_, name)| name)
        .collect();
    for name in &left {
        add(&storage, &[name]);
    }
    let want: Vec<_> = left
        .iter()
        .map(|name| (format!("n=\"{name}\\\""), 2))
        .collect();
    assert_eq!(
        all(&storage),
        want,
        "by age, each with what came by handle and by label"
    );
    assert_eq!(storage.len(), 10);

    add(&storage, &["new"]);
    assert_eq!(all(&storage).last(), Some(&("n=\"new\"".to_owned(), 1)));
    let mut seen = 0;
    let more = reader.each_from(0, |_, _, _| {
        seen += 1;
        ControlFlow::Continue(())
    });
    assert!(
        seen > 0 && more.is_some(),
        "a reader from before reads on in the old table"
    );
}

#[test]
fn churn_does_not_pile_up() {
    let storage = storage(&["n"], 10_000);
    for n in 0..100_000 {
        add(&storage, &[n.to_string()]);
        if n >= 100 && n % 50 != 0 {
            assert!(storage.remove(&[(n - 100).to_string()]) || (n - 100) % 50 == 0);
        }
    }
    let table = storage.table().unwrap();
    assert!(
        table.end() < 2 * GROUP * u32::try_from(storage.len()).unwrap(),
        "{} positions for {} series",
        table.end(),
        storage.len()
    );
}

#[test]
fn nothing_is_lost_while_series_come_and_are_read() {
    let storage = storage(&["n"], 100_000);
    let names: Vec<String> = (0..2_000).map(|n| n.to_string()).collect();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| names.iter().for_each(|name| add(&storage, &[name])));
        }
        scope.spawn(|| {
            let mut before = Vec::new();
            while before.len() < names.len() {
                let now = all(&storage);
                for ((name, old), (same, new)) in before.iter().zip(&now) {
                    assert_eq!(name, same, "the order is stable");
                    assert!(new >= old, "counters never fall");
                }
                before = now;
            }
        });
    });
    assert_eq!(storage.len(), 2_000);
    assert!(all(&storage).iter().all(|(_, n)| *n == 3));
}

#[test]
fn a_text_at_a_known_address_is_read_before_it_is_believed() {
    let storage = storage(&["a", "b"], 100);
    let mut text = String::from("the first text");
    for _ in 0..3 {
        add(&storage, &["x", &text]);
        add(&storage, &["y", &text]);
    }
    text.replace_range(..9, "the other");
    add(&storage, &["x", &text]);
    text.replace_range(..9, "the \"last");
    add(&storage, &["x", &text]);
    let counts: Vec<_> = all(&storage).into_iter().map(|(_, n)| n).collect();
    assert_eq!(counts, [3, 3, 1, 1]);

    storage.remove(&["x", &text]);
    add(&storage, &["x", &text]);
    let counts: Vec<_> = all(&storage).into_iter().map(|(_, n)| n).collect();
    assert_eq!(counts, [3, 3, 1, 1], "a removed series starts again");
}

#[test]
fn what_no_hint_has_space_for_is_distinguished_each_time() {
    // Only one lookup in several stores a hint.
    const ROUNDS: u64 = 12;
    let counts = |storage: &_| -> Vec<_> { all(storage).into_iter().map(|(_, n)| n).collect() };
    let five = storage(&["a", "b", "c", "d", "e"], 100);
    let empty = storage(&["a", "b", "c", "d", "e"], 100);
    for _ in 0..ROUNDS {
        for last in ["", "x", "", "x", ""] {
            add(&five, &["a", "b", "c", "the fourth value", last]);
            add(&empty, &["", "", "", "", last]);
        }
    }
    let want = vec![3 * ROUNDS, 2 * ROUNDS];
    assert_eq!((counts(&five), counts(&empty)), (want.clone(), want));

    // The second value begins like the first and continues like the text between them.
    let cut = storage(&["a", "b"], 100);
    let longer = format!("{}\",b=\"", "x".repeat(MAX_LABEL_VALUE));
    let wrapped = "x".repeat(65_536 + 5);
    for _ in 0..ROUNDS {
        for a in [
            &longer[..MAX_LABEL_VALUE],
            &longer[..=MAX_LABEL_VALUE],
            &longer,
        ] {
            add(&cut, &[a, "a value to compare"]);
        }
        add(&cut, &["a", "12345"]);
        add(&cut, &["", &wrapped]);
        add(&cut, &[&wrapped, "12345"]);
    }
    assert_eq!(counts(&cut), [3 * ROUNDS, ROUNDS, ROUNDS, ROUNDS]);
}

#[test]
fn what_a_hint_remembers_is_compared_before_it_is_believed() {
    const ROUNDS: u64 = 40;
    // Reuses one buffer for each length, so that every address occurs again.
    for length in [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 254, 255, MAX_LABEL_VALUE] {
        let storage = storage(&["a", "b", "c"], 100);
        let mut buffers = [const { String::new() }; 3];
        for _ in 0..ROUNDS {
            for differs in 0..4 {
                for (at, buffer) in buffers.iter_mut().enumerate() {
                    buffer.clear();
                    buffer.reserve_exact(length);
                    let last = if at == differs { 'y' } else { 'x' };
                    buffer.extend(std::iter::repeat_n('x', length.saturating_sub(1)));
                    buffer.extend((length > 0).then_some(last));
                }
                add(&storage, &[&buffers[0], &buffers[1], &buffers[2]]);
            }
        }
        let counts: Vec<_> = all(&storage).into_iter().map(|(_, n)| n).collect();
        let want = if length == 0 {
            vec![4 * ROUNDS]
        } else {
            vec![ROUNDS; 4]
        };
        assert_eq!(counts, want, "{length} bytes");
    }
}

#[test]
fn a_family_without_labels_records_without_its_lock() {
    let storage = Arc::new(storage(&[], 1));
    add(&storage, &());
    let writer = storage.writer.lock();
    let shared = Arc::clone(&storage);
    comes_to_an_end(move || add(&shared, &()));
    drop(writer);
    assert_eq!(all(&storage), [(String::new(), 2)]);
}

#[test]
fn a_hint_to_a_series_with_escapes_is_not_trusted() {
    let storage = storage(&["a", "b"], 100);
    let escaped = ["x\"ab\"y", "z"];
    add(&storage, &escaped);
    add(&storage, &["x", "z"]);
    let table = storage.table().unwrap();
    // Compared as if it had none, its text would be that of other values.
    let other = ["x\\", "y\",b=\"z"];
    let guess = hint::Guess::new(table.number, &other);
    let text = table.to_use(0).unwrap().text;
    assert!(storage.frame.is_of(text, &other, &guess));
    assert!(table.plain_to_use(0).is_none());
    assert!(table.plain_to_use(1).is_some());
}

#[test]
fn a_series_takes_32_bytes_beside_its_text_and_the_index() {
    assert_eq!(size_of::<group::Slot<AtomicU64>>(), 32);
}

/// An operation on a family.
#[derive(Clone, Debug)]
enum Step {
    Add([String; 3]),
    Remove([String; 3]),
    /// Removes everything, so that the family moves.
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Few and awkward values, so that they collide.
    let value = prop_oneof![
        4 => "[ab\"\\\\,=\n]{0,3}",
        2 => "[ab]{7,9}",
        1 => "(ä|\"){15,17}",
        1 => Just("x".repeat(300)),
    ];
    let labels = [value.clone(), value.clone(), value];
    let step = prop_oneof![
        20 => labels.clone().prop_map(Step::Add),
        4 => labels.prop_map(Step::Remove),
        1 => Just(Step::Clear),
    ];
    prop::collection::vec(step, 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_family_is_a_map_from_values_to_counts(steps in steps()) {
        let storage = storage(&["a", "b", "c"], 10_000);
        let mut model: Vec<([String; 3], u64)> = Vec::new();
        let known = |labels: &[String; 3]| labels.clone().map(|value| cut(&value, MAX_LABEL_VALUE).to_owned());
        for step in steps {
            match step {
                Step::Add(labels) => {
                    add(&storage, &labels);
                    let labels = known(&labels);
                    match model.iter_mut().find(|(there, _)| *there == labels) {
                        Some((_, n)) => *n += 1,
                        None => model.push((labels, 1)),
                    }
                }
                Step::Remove(labels) => {
                    let gone = known(&labels);
                    let before = model.len();
                    model.retain(|(there, _)| *there != gone);
                    prop_assert_eq!(storage.remove(&labels), model.len() < before);
                }
                Step::Clear => {
                    for (labels, _) in model.drain(..) {
                        prop_assert!(storage.remove(&labels));
                    }
                }
            }
            prop_assert_eq!(storage.len(), model.len());
        }
        let want: Vec<_> = model
            .iter()
            .map(|(labels, n)| {
                let pairs = ["a", "b", "c"].into_iter().zip(labels.iter().map(String::as_str));
                (render_pairs(pairs, MAX_LABEL_VALUE), *n)
            })
            .collect();
        prop_assert_eq!(all(&storage), want);
    }
}
