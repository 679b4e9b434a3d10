use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::lines::{self, Line, Stripe};
use super::stripes;
use crate::catalog::Kind;
use crate::registry::declare::Declare;
use crate::registry::family::{Family, Rejected};
use crate::registry::labels::{LabelKey, Labels};
use crate::registry::metric::common::{Born, Common};
use crate::registry::metric::histogram::bucket;
use crate::registry::metric::sealed::{Sealed, Shape};
use crate::registry::metric::{Histogram, Metric};
use crate::registry::snapshot::{HistogramRef, HistogramSnapshot, Sample, Scratch, ValueRef};
use crate::registry::storage::Place;

/// A [`Histogram`] with classic buckets whose threads do not wait for each other's cache lines;
/// declared by `striped` of [`Declare`].
///
/// It takes 128 bytes, or the next multiple for more than 13 buckets, for each thread that can
/// run at the same time, rounded up to a power of two and 32 at most. The count is the sum of the
/// buckets, computed when they are read, so `+Inf` always equals the count; and who reads it twice
/// never sees a bucket fall.
#[derive(Clone, Debug)]
pub struct StripedHistogram {
    place: Place<Cell>,
    rejected: Rejected,
    common: Arc<Common>,
}

impl StripedHistogram {
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
        cell.snapshot(&mut Scratch::of(&self.common)).to_snapshot()
    }
}

/// The state of one histogram series.
#[derive(Debug)]
pub struct Cell {
    bounds: Arc<[f64]>,
    /// The stripes one after the other, each on lines of its own.
    lines: Box<[Line]>,
    /// How many lines a stripe has.
    each: usize,
    /// The number of stripes, a power of two, less one.
    mask: usize,
    /// Where an observation goes that finds every stripe taken; made when it is first needed.
    aside: OnceLock<Box<[Line]>>,
    born: Born,
}

impl Cell {
    fn new(shape: &Shape) -> Self {
        let bounds = &shape.bounds;
        let each = lines::each(bounds.len());
        let stripes = stripes::count();
        Self {
            bounds: Arc::clone(bounds),
            lines: lines::empty(stripes * each),
            each,
            mask: stripes - 1,
            aside: OnceLock::new(),
            born: Born::now(&shape.common),
        }
    }

    #[inline]
    fn observe(&self, rejected: &Rejected, value: f64, n: u32) {
        let total = value * f64::from(n);
        if !total.is_finite() {
            rejected.count();
            return;
        }
        let bucket = bucket(&self.bounds, value);
        let mine = stripes::number();
        if !self.stripe(mine).add_alone(bucket, n, total) {
            self.add_elsewhere(mine, bucket, n, total);
        }
    }

    /// The stripe of the thread with this number.
    #[inline]
    fn stripe(&self, number: usize) -> Stripe<'_> {
        let first = (number & self.mask) * self.each;
        Stripe(self.lines.get(first..first + self.each).unwrap_or_default())
    }

    /// The own stripe is taken, by a thread that shares it and may have been interrupted: nobody
    /// waits for it.
    #[cold]
    fn add_elsewhere(&self, mine: usize, bucket: usize, n: u32, total: f64) {
        for other in 1..=self.mask {
            let stripe = self.stripe(mine.wrapping_add(other));
            if stripe.add_alone(bucket, n, total) {
                return;
            }
        }
        let aside = self.aside.get_or_init(|| lines::empty(self.each));
        Stripe(aside).add(bucket, n, total);
    }

    /// Reads the cell; the counts go to `scratch`.
    fn snapshot<'a>(&'a self, scratch: &'a mut Scratch) -> HistogramRef<'a> {
        let scratch = &mut scratch.counts;
        let buckets = self.bounds.len() + 1;
        scratch.clear();
        // The second half takes one stripe at a time.
        scratch.resize(2 * buckets, 0);
        let (counts, one) = scratch.split_at_mut(buckets);
        let mut sum = 0.0;
        let aside = self.aside.get().map(|lines| &**lines);
        let stripes = self.lines.chunks(self.each).chain(aside);
        for stripe in stripes.map(Stripe) {
            sum += stripe.read(one);
            for (count, one) in counts.iter_mut().zip(&*one) {
                *count = count.wrapping_add(*one);
            }
        }
        scratch.truncate(buckets);
        HistogramRef {
            bounds: &self.bounds,
            counts: scratch,
            sum,
            native: None,
            exemplars: &[],
        }
    }
}

impl Metric for StripedHistogram {}

impl Sealed for StripedHistogram {
    type Cell = Cell;
    const KIND: Kind = Kind::Histogram;

    fn cell(shape: &Shape) -> Cell {
        Cell::new(shape)
    }

    fn handle(place: Place<Cell>, shape: &Shape) -> Self {
        Self {
            place,
            rejected: shape.rejected.clone(),
            common: Arc::clone(&shape.common),
        }
    }

    fn read<'a>(cell: &'a Cell, scratch: &'a mut Scratch) -> Sample<'a> {
        let created = cell.born.at(&scratch.common);
        Sample {
            created,
            ..Sample::new(ValueRef::Histogram(cell.snapshot(scratch)))
        }
    }
}

impl<'r> Declare<'r, Histogram> {
    /// Gives every thread that can run at the same time buckets of its own in each series, so
    /// that none waits for another: 128 bytes each, or the next multiple for more than 13 buckets.
    /// For what many threads observe all the time. Bounds are set before it.
    ///
    /// ```
    /// use selfheal::registry::{DeclareError, Registry, StripedHistogram};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let registry = Registry::new();
    /// let took: StripedHistogram = registry
    ///     .histogram("step_duration_seconds", "How long a step takes")
    ///     .buckets(&[0.001, 0.01, 0.1])
    ///     .striped()
    ///     .build()?;
    /// took.observe(0.02);
    /// assert_eq!(took.snapshot().counts, [0, 0, 1, 0]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn striped(self) -> Declare<'r, StripedHistogram> {
        self.of_type()
    }
}

impl<K: LabelKey> Family<StripedHistogram, K> {
    /// Counts one observation in the series with these label values; see
    /// [`StripedHistogram::observe`].
    #[inline]
    pub fn observe<L: Labels<Key = K>>(&self, labels: &L, value: f64) {
        let rejected = &self.core.shape.rejected;
        self.core
            .record(labels, |cell| cell.observe(rejected, value, 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    fn read(cell: &Cell) -> (Vec<u64>, f64) {
        let common = Shape::of(&[], None).common;
        let mut scratch = Scratch::of(&common);
        let read = cell.snapshot(&mut scratch);
        (read.counts.to_vec(), read.sum)
    }

    #[test]
    fn nothing_is_lost_between_threads_and_counts_never_fall() {
        const EACH: u32 = 20_000;
        let registry = Registry::new();
        let declared = registry.histogram("a_seconds", "").buckets(&[1.0, 2.0]);
        let histogram = declared.striped().build().unwrap();
        // More threads than stripes have to share.
        let threads = 2 * u64::try_from(stripes::count()).unwrap();
        let all = threads * u64::from(EACH);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for n in 0..EACH {
                        histogram.observe(f64::from(n % 4));
                    }
                });
            }
            scope.spawn(|| {
                let mut before = histogram.snapshot();
                while before.count() < all {
                    let now = histogram.snapshot();
                    let mut pairs = before.counts.iter().zip(&now.counts);
                    assert!(pairs.all(|(before, now)| before <= now));
                    assert!(before.sum <= now.sum);
                    before = now;
                }
            });
        });
        let end = histogram.snapshot();
        assert_eq!(end.counts, [all / 2, all / 4, all / 4]);
        assert!((end.sum - all as f64 * 1.5).abs() < 1e-6, "{}", end.sum);
    }

    #[test]
    fn who_finds_a_stripe_taken_goes_to_the_next_and_then_aside() {
        let cell = Cell::new(&Shape::of(&[1.0], None));
        let rejected = Rejected::default();
        for stripe in 0..=stripes::count() {
            cell.observe(&rejected, 0.5, 2);
            let mine = stripes::number().wrapping_add(stripe);
            cell.stripe(mine).take();
        }
        assert!(cell.aside.get().is_some());
        let all = 2 * (stripes::count() as u64 + 1);
        assert_eq!(read(&cell), (vec![all, 0], all as f64 / 2.0));
    }

    #[test]
    fn many_buckets_take_several_lines() {
        let bounds: Vec<f64> = (0..100).map(f64::from).collect();
        let cell = Cell::new(&Shape::of(&bounds, None));
        let rejected = Rejected::default();
        for value in 0..=100 {
            cell.observe(&rejected, f64::from(value), 1);
        }
        cell.observe(&rejected, f64::NAN, 1);
        assert_eq!(read(&cell), (vec![1; 101], 5050.0));
        assert_eq!(rejected.get(), 1);
    }
}
