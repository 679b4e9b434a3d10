use super::*;
use crate::catalog::Native;
use crate::registry::snapshot::{Exemplar, HistogramSnapshot};

/// What each of three threads adds, and what a fourth sees meanwhile.
fn between_threads(shape: &Shape) -> HistogramSnapshot {
    const EACH: u32 = 20_000;
    let cell = Cell::new(shape);
    let count = |scratch: &mut Scratch| cell.snapshot(scratch).count();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for n in 0..EACH {
                    cell.observe(&shape.rejected, f64::from(n % 4), 1);
                }
            });
        }
        scope.spawn(|| {
            let mut before = vec![0];
            while before.last() < Some(&(3 * u64::from(EACH))) {
                let mut scratch = Scratch::of(&shape.common);
                let now = cell.snapshot(&mut scratch);
                let mut sum = 0;
                let mut sums: Vec<u64> = now
                    .counts
                    .iter()
                    .map(|n| {
                        sum += n;
                        sum
                    })
                    .collect();
                if let Some(native) = now.native {
                    assert!(!now.is_classic() || native.count() == sum);
                    sums.push(native.count());
                }
                assert!(before.iter().zip(&sums).all(|(before, now)| before <= now));
                before = sums;
            }
        });
    });
    let mut scratch = Scratch::of(&shape.common);
    assert_eq!(count(&mut scratch), 60_000);
    cell.snapshot(&mut scratch).to_snapshot()
}

#[test]
fn nothing_is_lost_between_threads_and_counts_never_fall() {
    let seen = between_threads(&Shape::of(&[1.0, 2.0], None));
    assert_eq!(seen.counts, [30_000, 15_000, 15_000]);
    assert!((seen.sum - 90_000.0).abs() < 1e-6, "{}", seen.sum);
}

#[test]
fn classic_and_native_buckets_always_come_to_the_same() {
    let seen = between_threads(&Shape::of(&[1.0, 2.0], Some(Native::schema(0))));
    assert_eq!(seen.counts, [30_000, 15_000, 15_000]);
    let native = seen.native.unwrap();
    assert_eq!(native.zero_count, 15_000);
    assert_eq!(native.positive, [(0, 15_000), (1, 15_000), (2, 15_000)]);
}

#[test]
fn native_buckets_alone() {
    let seen = between_threads(&Shape::of(&[], Some(Native::schema(0))));
    assert!(seen.counts.is_empty());
    assert!((seen.sum - 90_000.0).abs() < 1e-6, "{}", seen.sum);
}

#[test]
fn who_finds_the_cell_taken_does_not_wait() {
    let shape = Shape::of(&[1.0], Some(Native::schema(0)));
    let cell = Cell::new(&shape);
    cell.taken.store(true, Ordering::Relaxed);
    cell.observe(&shape.rejected, 0.5, 2);
    let mut scratch = Scratch::of(&shape.common);
    let seen = cell.snapshot(&mut scratch);
    assert_eq!(seen.counts, [2, 0]);
    assert!((seen.sum - 1.0).abs() < 1e-9);
    assert_eq!(seen.native.unwrap().positive, [(-1, 2)]);
}

/// Offers an exemplar whose label is its value.
fn offer(cell: &Cell, shape: &Shape, value: f64) {
    let text = value.to_string();
    cell.exemplar(&shape.common, value, |labels| labels.push("v", &text));
}

fn exemplars(cell: &Cell, shape: &Shape) -> Vec<f64> {
    let mut scratch = Scratch::of(&shape.common);
    let seen = cell.snapshot(&mut scratch);
    let read = |exemplar: &Exemplar| {
        assert_eq!(exemplar.labels(), format!("v=\"{}\"", exemplar.value));
        exemplar.value
    };
    seen.exemplars.iter().map(read).collect()
}

#[test]
fn each_bucket_has_an_exemplar_until_it_is_read() {
    let shape = Shape::of(&[1.0, 2.0], None);
    let cell = Cell::new(&shape);
    assert!(exemplars(&cell, &shape).is_empty());
    for value in [9.0, 0.5, 0.7, 2.0, f64::NAN, f64::INFINITY] {
        offer(&cell, &shape, value);
    }
    assert_eq!(exemplars(&cell, &shape), [0.5, 2.0, 9.0]);
    offer(&cell, &shape, 0.7);
    offer(&cell, &shape, 0.8);
    assert_eq!(exemplars(&cell, &shape), [0.7, 2.0, 9.0]);
}

#[test]
fn without_classic_buckets_unlike_values_have_exemplars() {
    let shape = Shape::of(&[], Some(Native::schema(0)));
    let cell = Cell::new(&shape);
    for value in [-3.0, 0.1, 0.11, 1.0, 100.0] {
        offer(&cell, &shape, value);
    }
    assert_eq!(exemplars(&cell, &shape), [-3.0, 0.1, 1.0, 100.0]);
}
