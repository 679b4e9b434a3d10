use super::*;
use crate::catalog::Native;
use crate::registry::metric::Plan;
use crate::registry::snapshot::HistogramSnapshot;

fn shape(bounds: &[f64], native: Option<Native>) -> Shape {
    Shape {
        bounds: Arc::from(bounds),
        native: native.as_ref().map(Plan::new),
        rejected: Rejected::default(),
    }
}

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
                before = sums;
            }
        });
    });
    let mut scratch = Scratch::default();
    assert_eq!(count(&mut scratch), 60_000);
    cell.snapshot(&mut scratch).to_snapshot()
}

#[test]
fn nothing_is_lost_between_threads_and_counts_never_fall() {
    let seen = between_threads(&shape(&[1.0, 2.0], None));
    assert_eq!(seen.counts, [30_000, 15_000, 15_000]);
    assert!((seen.sum - 90_000.0).abs() < 1e-6, "{}", seen.sum);
}

#[test]
fn classic_and_native_buckets_always_come_to_the_same() {
    let seen = between_threads(&shape(&[1.0, 2.0], Some(Native::schema(0))));
    assert_eq!(seen.counts, [30_000, 15_000, 15_000]);
    let native = seen.native.unwrap();
    assert_eq!(native.zero_count, 15_000);
    assert_eq!(native.positive, [(0, 15_000), (1, 15_000), (2, 15_000)]);
}

#[test]
fn native_buckets_alone() {
    let seen = between_threads(&shape(&[], Some(Native::schema(0))));
    assert!(seen.counts.is_empty());
    assert!((seen.sum - 90_000.0).abs() < 1e-6, "{}", seen.sum);
}

#[test]
fn who_finds_the_cell_taken_does_not_wait() {
    let shape = shape(&[1.0], Some(Native::schema(0)));
    let cell = Cell::new(&shape);
    cell.turn.store(TAKEN, Ordering::Relaxed);
    cell.observe(&shape.rejected, 0.5, 2);
    let mut scratch = Scratch::default();
    let seen = cell.snapshot(&mut scratch);
    assert_eq!(seen.counts, [2, 0]);
    assert!((seen.sum - 1.0).abs() < 1e-9);
    assert_eq!(seen.native.unwrap().positive, [(-1, 2)]);
}

#[test]
fn the_turn_goes_round() {
    let shape = shape(&[1.0], None);
    let cell = Cell::new(&shape);
    cell.turn.store(TAKEN - 1, Ordering::Relaxed);
    cell.observe(&shape.rejected, 0.5, 1);
    assert_eq!(cell.turn.load(Ordering::Relaxed), 0);
}
