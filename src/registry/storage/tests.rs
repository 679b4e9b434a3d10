use super::*;

fn storage(labels: &[&str], limit: usize) -> Storage<AtomicU64> {
    let total = Arc::new(Total {
        series: AtomicUsize::new(0),
        limit: AtomicUsize::new(1_000_000),
    });
    Storage::new(labels, limit, total)
}

fn add(storage: &Storage<AtomicU64>, labels: &impl Labels) {
    storage.record(
        labels,
        || AtomicU64::new(0),
        |cell| cell.fetch_add(1, Ordering::Relaxed),
    );
}

fn all(storage: &Storage<AtomicU64>) -> Vec<(String, u64)> {
    let mut out = Vec::new();
    let mut next = Some(0);
    while let Some(from) = next {
        next = storage.each_from(from, &mut |text, cell| {
            out.push((text.to_owned(), cell.load(Ordering::Relaxed)));
            ControlFlow::Continue(())
        });
    }
    out
}

#[test]
fn series_are_told_apart_by_value() {
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
fn the_total_bound_holds_across_threads() {
    let total = Arc::new(Total {
        series: AtomicUsize::new(0),
        limit: AtomicUsize::new(50),
    });
    let families: Vec<Storage<AtomicU64>> = (0..2)
        .map(|_| Storage::new(&["n"], 1_000, Arc::clone(&total)))
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
fn a_removed_series_makes_room_and_its_handle_goes_on() {
    let storage = storage(&["n"], 1);
    let handle = storage.record(&["a"], || AtomicU64::new(0), Arc::clone);
    assert!(storage.remove(&["a"]));
    assert!(!storage.remove(&["a"]));
    handle.fetch_add(1, Ordering::Relaxed);
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
    while let Some(from) = next {
        calls += 1;
        next = storage.each_from(from, &mut |text, _| {
            seen.push(text.to_owned());
            if seen.len() % 50 == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert!(
            storage.table.try_write().is_some(),
            "no lock is held between two calls"
        );
    }
    let want: Vec<String> = (0..300)
        .filter(|n| *n != 7)
        .map(|n| format!("n=\"{n}\""))
        .collect();
    assert_eq!(seen, want);
    assert_eq!(calls, 6, "five times broken off, then the rest");
}
