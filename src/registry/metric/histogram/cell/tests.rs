use super::*;
use crate::catalog::Native;
use crate::registry::metric::histogram::single::Single;
use crate::registry::metric::striped::Striped;
use crate::registry::snapshot::{Exemplar, HistogramSnapshot};

/// The state that a further thread sees while more threads than stripes add: the counts, by number
/// of threads.
fn between_threads<T: Tally>(shape: &Shape) -> HistogramSnapshot {
    const EACH: u32 = 20_000;
    let cell = Cell::<T>::new(shape);
    let threads = 2 * T::columns() as u64 + 1;
    let all = threads * u64::from(EACH);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for n in 0..EACH {
                    cell.observe(&shape.rejected, f64::from(n % 4), 1);
                }
            });
        }
        scope.spawn(|| {
            let (mut before, mut sum_before) = (vec![0], 0.0);
            while before.last() < Some(&all) {
                let mut scratch = Scratch::default();
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
                assert!(sum_before <= now.sum);
                (before, sum_before) = (sums, now.sum);
            }
        });
    });
    let mut scratch = Scratch::default();
    let mut seen = cell.snapshot(&mut scratch).to_snapshot();
    assert_eq!(seen.count(), all);
    // The sum that one thread would have recorded.
    seen.sum /= threads as f64;
    let native = seen.native.iter_mut().flat_map(|native| {
        let indexed = native.positive.iter_mut().map(|(_, count)| count);
        indexed.chain([&mut native.zero_count])
    });
    for count in seen.counts.iter_mut().chain(native) {
        assert_eq!(*count % threads, 0);
        *count /= threads;
    }
    seen
}

/// The state, which is the same for both ways of counting.
fn either_way(shape: &Shape) -> HistogramSnapshot {
    let single = between_threads::<Single>(shape);
    assert_eq!(between_threads::<Striped>(shape), single);
    assert!((single.sum - 30_000.0).abs() < 1e-6, "{}", single.sum);
    single
}

#[test]
fn nothing_is_lost_between_threads_and_counts_never_fall() {
    let seen = either_way(&Shape::of(&[1.0, 2.0], None));
    assert_eq!(seen.counts, [10_000, 5_000, 5_000]);
}

#[test]
fn classic_and_native_buckets_always_come_to_the_same() {
    let seen = either_way(&Shape::of(&[1.0, 2.0], Some(Native::schema(0))));
    assert_eq!(seen.counts, [10_000, 5_000, 5_000]);
    let native = seen.native.unwrap();
    assert_eq!(native.zero_count, 5_000);
    assert_eq!(native.positive, [(0, 5_000), (1, 5_000), (2, 5_000)]);
}

#[test]
fn native_buckets_alone() {
    let seen = either_way(&Shape::of(&[], Some(Native::schema(0))));
    assert!(seen.counts.is_empty());
}

#[test]
fn who_finds_the_cell_taken_does_not_wait() {
    let single: fn(&Cell<Single>) = |cell| cell.tally.take();
    let striped: fn(&Cell<Striped>) = |cell| cell.tally.take();
    goes_aside(single);
    goes_aside(striped);
}

fn goes_aside<T: Tally>(take: fn(&Cell<T>)) {
    let shape = Shape::of(&[1.0], Some(Native::schema(0)));
    let cell = Cell::<T>::new(&shape);
    cell.observe(&shape.rejected, 0.5, 1);
    take(&cell);
    for _ in 0..2 {
        cell.observe(&shape.rejected, 0.5, 2);
    }
    let mut scratch = Scratch::default();
    let seen = cell.snapshot(&mut scratch);
    assert_eq!(seen.counts, [5, 0]);
    assert!((seen.sum - 2.5).abs() < 1e-9);
    assert_eq!(seen.native.unwrap().positive, [(-1, 5)]);
}

/// Offers an exemplar whose label is its value.
fn offer(cell: &Cell<Single>, shape: &Shape, value: f64) {
    let text = value.to_string();
    cell.exemplar(&shape.common, value, |labels| labels.push("v", &text));
}

fn exemplars(cell: &Cell<Single>) -> Vec<f64> {
    let mut scratch = Scratch::default();
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
    assert!(exemplars(&cell).is_empty());
    for value in [9.0, 0.5, 0.7, 2.0, f64::NAN, f64::INFINITY] {
        offer(&cell, &shape, value);
    }
    assert_eq!(exemplars(&cell), [0.5, 2.0, 9.0]);
    offer(&cell, &shape, 0.7);
    offer(&cell, &shape, 0.8);
    assert_eq!(exemplars(&cell), [0.7, 2.0, 9.0]);
}

#[test]
fn without_classic_buckets_unlike_values_have_exemplars() {
    let shape = Shape::of(&[], Some(Native::schema(0)));
    let cell = Cell::new(&shape);
    for value in [-3.0, 0.1, 0.11, 1.0, 100.0] {
        offer(&cell, &shape, value);
    }
    assert_eq!(exemplars(&cell), [-3.0, 0.1, 1.0, 100.0]);
}
