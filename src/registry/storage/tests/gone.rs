//! Removal of matching and of idle series.

use super::*;

fn expiring() -> Storage<AtomicU64> {
    let total = Arc::new(Total {
        series: AtomicUsize::new(0),
        limit: AtomicUsize::new(1_000_000),
    });
    let rules = Rules {
        expire_after: Some(Duration::from_nanos(10)),
        ..rules(1_000_000)
    };
    Storage::new(&["n"], rules, Bounds::default(), total)
}

fn names(storage: &Storage<AtomicU64>) -> Vec<String> {
    all(storage).into_iter().map(|(text, _)| text).collect()
}

#[test]
fn those_that_match_go_however_many() {
    let storage = storage(&["n"], 10_000);
    let stays = |n: usize| n % 1000 == 3;
    for n in 0..5_000 {
        add(&storage, &[n.to_string()]);
    }
    let seen = storage.view();
    let mut asked = 0;
    let gone = storage.retain(&mut |text, cell, _| {
        asked += 1;
        // User code may use the family: no lock is held.
        add(&storage, &["3"]);
        cell.load(Ordering::Relaxed) > 1 || stays(text[3..text.len() - 1].parse().unwrap())
    });
    assert_eq!((gone, asked), (4_995, 5_000));
    let want: Vec<_> = (0..5_000)
        .filter(|n| stays(*n))
        .map(|n| format!("n=\"{n}\""))
        .collect();
    assert_eq!(names(&storage), want);
    assert_eq!(
        (storage.len(), storage.total.series.load(Ordering::Relaxed)),
        (5, 5)
    );
    assert!(storage.later.get().is_some(), "it moved, once it was done");
    assert!(
        seen.each_from(0, |_, _, _| ControlFlow::Continue(()))
            .is_some()
    );
    for n in 0..5_000 {
        assert_eq!(storage.get(&[n.to_string()]).is_some(), stays(n));
    }
}

#[test]
fn a_handle_taken_before_the_check_keeps_its_series_and_one_dropped_does_not() {
    let storage = expiring();
    let held = storage.place(&["held"], zero);
    let second = held.clone();
    add(&storage, &["idle"]);
    let mut gone = 0;
    for now in 0..20 {
        gone += storage.expire(now, 10);
    }
    assert_eq!((gone, storage.expired()), (1, 1));
    drop(held);
    for now in 20..40 {
        assert_eq!(storage.expire(now, 10), 0, "the copy holds it too");
    }
    add_to(&second);
    assert_eq!(all(&storage), [(r#"n="held""#.to_owned(), 1)]);
    drop(second);
    let gone: Vec<u64> = (40..60)
        .filter(|now| storage.expire(*now, 10) == 1)
        .collect();
    assert_eq!(gone, [50]);
}

#[test]
fn what_is_recorded_by_labels_stays_whichever_way_it_is_found() {
    let storage = expiring();
    add(&storage, &["idle"]);
    for now in 0..50 {
        add(&storage, &["text"]);
        add(&storage, &["\"escaped\""]);
        add(&storage, &(true,));
        let looked_up = storage.get(&["looked up"]);
        assert_eq!(looked_up.is_some(), now > 0);
        storage.place(&["looked up"], zero);
        assert_eq!(storage.expire(now, 10), usize::from(now == 10));
    }
    let counts: Vec<u64> = all(&storage).into_iter().map(|(_, n)| n).collect();
    assert_eq!(counts, [50, 50, 50, 0]);
}

#[test]
fn what_comes_back_after_a_move_expires_again() {
    let storage = expiring();
    for round in 0..5 {
        for n in 0..1_000 {
            add(&storage, &[n.to_string()]);
        }
        assert_eq!(storage.len(), 1_000);
        let start = round * 100;
        assert_eq!(storage.expire(start, 10), 0);
        assert_eq!(storage.expire(start + 10, 10), 1_000, "round {round}");
        assert!(names(&storage).is_empty());
    }
    assert_eq!(
        storage.table().unwrap().end(),
        0,
        "and nothing of it is kept"
    );
}

#[test]
fn what_comes_after_all_have_gone_is_found() {
    // Whichever part of the last group is in use.
    for many in 130..150 {
        for few in 0..3 {
            let storage = storage(&["n"], 10_000);
            for n in 0..many {
                add(&storage, &[n.to_string()]);
            }
            let gone =
                storage.retain(&mut |text, _, _| text.len() == 5 && text < &*format!("n=\"{few}"));
            assert_eq!(gone, many - few);
            for n in 0..100 {
                for _ in 0..3 {
                    add(&storage, &[n.to_string()]);
                    assert!(
                        storage.get(&[n.to_string()]).is_some(),
                        "{few} of {many}, {n}"
                    );
                }
            }
            assert_eq!(storage.len(), 100);
            let found = all(&storage);
            assert!(
                found
                    .iter()
                    .enumerate()
                    .all(|(n, series)| series.1 == if n < few { 4 } else { 3 })
            );
            assert!((0..100).all(|n: usize| storage.remove(&[n.to_string()])));
        }
    }
}

#[test]
fn no_series_goes_that_someone_has_a_handle_to() {
    let storage = expiring();
    let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    std::thread::scope(|scope| {
        let holders = [(); 2].map(|()| {
            scope.spawn(|| {
                for _ in 0..300 {
                    for name in &names {
                        let place = storage.place(&[name], zero);
                        add_to(&place);
                        let same = storage.get(&[name]).unwrap();
                        assert!(!place.is_removed());
                        assert!(std::ptr::eq(place.cell().unwrap(), same.cell().unwrap()));
                    }
                    std::thread::yield_now();
                }
            })
        });
        let mut now = 0;
        while !holders
            .iter()
            .all(std::thread::ScopedJoinHandle::is_finished)
        {
            now += 1;
            storage.expire(now, 0);
        }
    });
    for now in [u64::MAX - 1, u64::MAX] {
        storage.expire(now, 0);
    }
    assert!(storage.len() == 0 && storage.expired() >= 20);
}

#[test]
fn a_series_that_goes_and_comes_back_is_read_once_in_a_scrape() {
    let storage = storage(&["n"], 10);
    for name in ["a", "b", "c"] {
        add(&storage, &[name]);
    }
    let view = storage.view();
    let mut seen = Vec::new();
    let mut next = Some(0);
    while let Some(from) = next {
        next = view.each_from(from, |text, _, _| {
            seen.push(text.to_owned());
            storage.remove(&["a"]);
            add(&storage, &["a"]);
            ControlFlow::Break(())
        });
    }
    assert_eq!(seen, [r#"n="a""#, r#"n="b""#, r#"n="c""#]);
}
