use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
use std::time::Duration;

use super::sealed::{Sealed, Shape};
use super::{Metric, add_f64};
use crate::catalog::Kind;
use crate::registry::family::Rejected;
use crate::registry::snapshot::{HistogramRef, HistogramSnapshot, Sample, Scratch, ValueRef};
use crate::registry::storage::Place;

/// Observations counted by classic buckets, with their sum.
///
/// The count is the sum of the buckets, computed when they are read, so `+Inf` always equals
/// the count.
#[derive(Clone, Debug)]
pub struct Histogram {
    place: Place<Cell>,
    rejected: Rejected,
}

impl Histogram {
    /// Counts one observation. NaN and infinities are left out and counted as rejected under
    /// the name of the metric: either would make the sum useless for ever.
    #[inline]
    pub fn observe(&self, value: f64) {
        self.observe_n(value, 1);
    }

    /// Counts `n` observations of one value at once: what a sample of one in `n` stands for.
    /// As for [`observe`](Self::observe), a value that is not finite is counted as rejected.
    #[inline]
    pub fn observe_n(&self, value: f64, n: u32) {
        self.place
            .use_cell(|cell| cell.observe(&self.rejected, value, n));
    }

    /// Counts a duration, in seconds.
    #[inline]
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    /// The counts and the sum now.
    #[must_use]
    pub fn snapshot(&self) -> HistogramSnapshot {
        let Some(cell) = self.place.cell() else {
            return HistogramSnapshot::classic([], vec![0], 0.0);
        };
        cell.snapshot(&mut Scratch::default()).to_snapshot()
    }
}

/// The state of one histogram series.
///
/// An observation moves a count and the sum. Two atomic additions would take twice the time of
/// one; so a thread takes the cell for itself with one atomic operation and then writes plainly.
/// Who finds it taken does not wait: there is a second set of numbers, made when it is first
/// needed, to which atomic additions are made.
#[derive(Debug)]
pub struct Cell {
    bounds: Arc<[f64]>,
    taken: AtomicBool,
    /// How often the cell was taken, for readers to see that nobody wrote while they read.
    turn: AtomicU32,
    numbers: Numbers,
    aside: OnceLock<Numbers>,
}

/// The bits of the sum, then one count for each bound and one for `+Inf`, not cumulative.
#[derive(Debug)]
struct Numbers(Box<[AtomicU64]>);

impl Cell {
    fn new(bounds: &Arc<[f64]>) -> Self {
        Self {
            bounds: Arc::clone(bounds),
            taken: AtomicBool::new(false),
            turn: AtomicU32::new(0),
            numbers: Numbers::new(bounds.len()),
            aside: OnceLock::new(),
        }
    }

    #[inline]
    pub(crate) fn observe(&self, rejected: &Rejected, value: f64, n: u32) {
        let total = value * f64::from(n);
        if !total.is_finite() {
            rejected.count();
            return;
        }
        let bucket = bucket(&self.bounds, value);
        if self.taken.swap(true, Ordering::Acquire) {
            let aside = self.aside.get_or_init(|| self.numbers.empty_copy());
            aside.add(bucket, n, total);
            return;
        }
        let turn = self.turn.load(Ordering::Relaxed);
        self.turn.store(turn.wrapping_add(1), Ordering::Relaxed);
        // No reader sees what is written below without the new turn.
        fence(Ordering::Release);
        self.numbers.add_alone(bucket, n, total);
        self.taken.store(false, Ordering::Release);
    }

    /// Reads the cell into `scratch`.
    fn snapshot<'a>(&'a self, scratch: &'a mut Scratch) -> HistogramRef<'a> {
        scratch.counts.resize(self.bounds.len() + 1, 0);
        let sum = self.read(&mut scratch.counts);
        HistogramRef {
            bounds: &self.bounds,
            counts: &scratch.counts,
            sum,
            native: None,
            exemplars: &[],
        }
    }

    /// Copies the counts and returns the sum.
    fn read(&self, counts: &mut [u64]) -> f64 {
        /// A writer is done within nanoseconds. One that was interrupted is not waited for:
        /// sum and counts may then differ by its observation.
        const ATTEMPTS: usize = 64;
        let mut sum = 0.0;
        for _ in 0..ATTEMPTS {
            let turn = self.turn.load(Ordering::Acquire);
            let taken = self.taken.load(Ordering::Acquire);
            sum = self.numbers.read(counts);
            fence(Ordering::Acquire);
            if !taken && self.turn.load(Ordering::Relaxed) == turn {
                break;
            }
            std::hint::spin_loop();
        }
        if let Some(aside) = self.aside.get() {
            sum += aside.add_to(counts);
        }
        sum
    }
}

impl Numbers {
    fn new(bounds: usize) -> Self {
        Self((0..bounds + 2).map(|_| AtomicU64::new(0)).collect())
    }

    fn empty_copy(&self) -> Self {
        Self(self.0.iter().map(|_| AtomicU64::new(0)).collect())
    }

    /// Adds as the only one who writes.
    #[inline]
    fn add_alone(&self, bucket: usize, n: u32, total: f64) {
        if let [sum, counts @ ..] = &*self.0
            && let Some(count) = counts.get(bucket)
        {
            let now = count.load(Ordering::Relaxed);
            count.store(now.wrapping_add(u64::from(n)), Ordering::Relaxed);
            let now = f64::from_bits(sum.load(Ordering::Relaxed));
            sum.store((now + total).to_bits(), Ordering::Relaxed);
        }
    }

    #[cold]
    fn add(&self, bucket: usize, n: u32, total: f64) {
        if let [sum, counts @ ..] = &*self.0
            && let Some(count) = counts.get(bucket)
        {
            count.fetch_add(u64::from(n), Ordering::Relaxed);
            add_f64(sum, total);
        }
    }

    fn read(&self, out: &mut [u64]) -> f64 {
        let [sum, counts @ ..] = &*self.0 else {
            return 0.0;
        };
        for (out, count) in out.iter_mut().zip(counts) {
            *out = count.load(Ordering::Relaxed);
        }
        f64::from_bits(sum.load(Ordering::Relaxed))
    }

    fn add_to(&self, out: &mut [u64]) -> f64 {
        let [sum, counts @ ..] = &*self.0 else {
            return 0.0;
        };
        for (out, count) in out.iter_mut().zip(counts) {
            *out = out.wrapping_add(count.load(Ordering::Relaxed));
        }
        f64::from_bits(sum.load(Ordering::Relaxed))
    }
}

/// The first bucket whose bound is not below `value`.
#[inline]
pub(super) fn bucket(bounds: &[f64], value: f64) -> usize {
    /// Up to here it is quicker to compare with all bounds at once than to halve.
    const FEW: usize = 24;
    if bounds.len() <= FEW {
        bounds.iter().map(|bound| usize::from(*bound < value)).sum()
    } else {
        bounds.partition_point(|bound| *bound < value)
    }
}

impl Metric for Histogram {}

impl Sealed for Histogram {
    type Cell = Cell;
    const KIND: Kind = Kind::Histogram;

    fn cell(shape: &Shape) -> Cell {
        Cell::new(&shape.bounds)
    }

    fn handle(place: Place<Cell>, shape: &Shape) -> Self {
        Self {
            place,
            rejected: shape.rejected.clone(),
        }
    }

    fn read<'a>(cell: &'a Cell, scratch: &'a mut Scratch) -> Sample<'a> {
        Sample::new(ValueRef::Histogram(cell.snapshot(scratch)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(bounds: &[f64]) -> Shape {
        Shape {
            bounds: Arc::from(bounds),
            rejected: Rejected::default(),
        }
    }

    #[test]
    fn a_value_on_a_bound_is_in_its_bucket() {
        let few: Vec<f64> = (0..10).map(f64::from).collect();
        let many: Vec<f64> = (0..100).map(f64::from).collect();
        for bounds in [few, many] {
            for (at, bound) in bounds.iter().enumerate() {
                assert_eq!(bucket(&bounds, *bound), at);
                assert_eq!(bucket(&bounds, bound + 0.5), at + 1);
            }
            assert_eq!(bucket(&bounds, -1.0), 0);
        }
    }

    #[test]
    fn nothing_is_lost_between_threads_and_counts_never_fall() {
        const EACH: u32 = 20_000;
        let shape = shape(&[1.0, 2.0]);
        let cell = Histogram::cell(&shape);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for n in 0..EACH {
                        cell.observe(&shape.rejected, f64::from(n % 4), 1);
                    }
                });
            }
            scope.spawn(|| {
                let mut before = vec![0; 3];
                while before.iter().sum::<u64>() < 3 * u64::from(EACH) {
                    let mut now = vec![0; 3];
                    cell.read(&mut now);
                    assert!(before.iter().zip(&now).all(|(before, now)| before <= now));
                    before = now;
                }
            });
        });
        let mut counts = vec![0; 3];
        let sum = cell.read(&mut counts);
        assert_eq!(counts, [30_000, 15_000, 15_000]);
        assert!((sum - 90_000.0).abs() < 1e-6, "{sum}");
    }

    #[test]
    fn who_finds_the_cell_taken_does_not_wait() {
        let shape = shape(&[1.0]);
        let cell = Histogram::cell(&shape);
        cell.taken.store(true, Ordering::Relaxed);
        cell.observe(&shape.rejected, 0.5, 2);
        let mut counts = vec![0; 2];
        assert!((cell.read(&mut counts) - 1.0).abs() < 1e-9);
        assert_eq!(counts, [2, 0]);
    }
}
