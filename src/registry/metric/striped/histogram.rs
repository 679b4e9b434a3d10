use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use super::lines::{self, Line, Stripe};
use super::stripes;
use crate::registry::metric::Histogram;
use crate::registry::metric::histogram::{Found, Observation, Tally, add_alone};

/// A [`Histogram`] whose threads do not contend for cache lines; declared by `striped` of
/// [`Declare`](crate::registry::Declare).
///
/// It takes 128 bytes, or the next multiple for more than 13 buckets, for each thread that can run
/// in parallel, rounded up to a power of two, at most 32. Native buckets add 128 bytes for the
/// first 10 of them, 640 for up to 40, and 2.6 KiB for up to 160, their default limit. Their
/// resolution and exemplars are shared by all threads.
pub type StripedHistogram = Histogram<Striped>;

/// A set of counts for each thread that can run in parallel.
#[derive(Debug)]
pub struct Striped {
    /// The stripes one after the other, each on separate cache lines.
    lines: Box<[Line]>,
    /// Number of lines of a stripe.
    each: usize,
    /// The number of stripes, a power of two, minus one.
    mask: usize,
    /// Observations that find every stripe locked; allocated on first use.
    aside: OnceLock<Box<[Line]>>,
}

impl Striped {
    /// The stripe of the thread with this number.
    #[inline]
    fn stripe(&self, number: usize) -> Stripe<'_> {
        let first = (number & self.mask) * self.each;
        Stripe(self.lines.get(first..first + self.each).unwrap_or_default())
    }

    /// Adds to another stripe, as the own one is locked by a thread that shares it, without
    /// waiting. The native bucket is then incremented atomically, in the count that all stripes
    /// share.
    #[cold]
    fn add_elsewhere(&self, mine: usize, observation: Observation<'_>) {
        let Observation {
            bucket, n, total, ..
        } = observation;
        if let Some(count) = observation.native.and_then(Found::count) {
            count.fetch_add(u64::from(n), Ordering::Relaxed);
        }
        for other in 1..=self.mask {
            let stripe = self.stripe(mine.wrapping_add(other));
            if stripe.add_alone(bucket, n, total, || {}) {
                return;
            }
        }
        let aside = self.aside.get_or_init(|| lines::empty(self.each));
        Stripe(aside).add(bucket, n, total);
    }

    /// The stripes, and the counts aside.
    fn all(&self) -> impl Iterator<Item = Stripe<'_>> {
        let aside = self.aside.get().map(|lines| &**lines);
        self.lines.chunks(self.each).chain(aside).map(Stripe)
    }

    /// Takes all stripes and never returns them, like interrupted threads.
    #[cfg(test)]
    pub(in crate::registry::metric) fn take(&self) {
        self.all().for_each(Stripe::take);
    }
}

impl Tally for Striped {
    /// Each stripe retries its own reads.
    const ATTEMPTS: usize = 1;

    fn new(bounds: usize) -> Self {
        let each = lines::each(bounds);
        let stripes = stripes::count();
        Self {
            lines: lines::empty(stripes * each),
            each,
            mask: stripes - 1,
            aside: OnceLock::new(),
        }
    }

    /// A column for each stripe.
    fn columns() -> usize {
        stripes::count()
    }

    #[inline]
    fn add(&self, observation: Observation<'_>) {
        let Observation {
            bucket,
            native,
            n,
            total,
        } = observation;
        let mine = stripes::number();
        let first = || {
            if let Some(count) = native.and_then(|found| found.in_column(mine & self.mask)) {
                add_alone(count, n);
            }
        };
        if !self.stripe(mine).add_alone(bucket, n, total, first) {
            self.add_elsewhere(mine, observation);
        }
    }

    fn turn(&self) -> Option<u64> {
        // Turns only grow: if their sum is unchanged, so is each of them.
        let mut stripes = self.lines.chunks(self.each).map(Stripe);
        stripes.try_fold(0, |sum: u64, stripe| Some(sum.wrapping_add(stripe.turn()?)))
    }

    fn read(&self, counts: &mut Vec<u64>) -> f64 {
        let buckets = counts.len();
        // The second half holds the counts of one stripe at a time.
        counts.fill(0);
        counts.resize(2 * buckets, 0);
        let (all, one) = counts.split_at_mut(buckets);
        let mut sum = 0.0;
        for stripe in self.all() {
            sum += stripe.read(one);
            for (count, one) in all.iter_mut().zip(&*one) {
                *count = count.wrapping_add(*one);
            }
        }
        counts.truncate(buckets);
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Native;
    use crate::registry::metric::histogram::{Buckets, Plan};

    fn read(striped: &Striped, buckets: usize) -> (Vec<u64>, f64) {
        let mut counts = vec![0; buckets];
        let sum = striped.read(&mut counts);
        (counts, sum)
    }

    fn add(striped: &Striped, bucket: usize, n: u32) {
        striped.add(Observation {
            bucket,
            native: None,
            n,
            total: f64::from(n) * bucket as f64,
        });
    }

    #[test]
    fn who_finds_a_stripe_taken_goes_to_the_next_and_then_aside() {
        let striped = Striped::new(1);
        for stripe in 0..=stripes::count() {
            assert!(striped.aside.get().is_none());
            add(&striped, 1, 2);
            let mine = stripes::number().wrapping_add(stripe);
            striped.stripe(mine).take();
        }
        assert!(striped.aside.get().is_some());
        assert_eq!(striped.turn(), None);
        let all = 2 * (stripes::count() as u64 + 1);
        assert_eq!(read(&striped, 2), (vec![0, all], all as f64));
    }

    #[test]
    fn a_native_bucket_is_added_to_before_its_classic_one_and_while_others_keep_out() {
        let striped = Striped::new(1);
        let stripe = striped.stripe(0);
        let added = stripe.add_alone(1, 1, 1.0, || {
            assert_eq!(read(&striped, 2), (vec![0, 0], 0.0));
            assert!(!stripe.add_alone(1, 1, 1.0, || unreachable!("it is taken")));
            assert_eq!(striped.turn(), None);
        });
        assert!(added);
        assert_eq!(read(&striped, 2), (vec![0, 1], 1.0));
    }

    #[test]
    fn each_stripe_has_a_column_of_native_counts() {
        let plan = Plan::new(&Native::schema(0));
        let native = Buckets::new(&plan, Striped::columns());
        let found = native.find(3.0).unwrap();
        let striped = Striped::new(0);
        let observation = Observation {
            bucket: 0,
            native: Some(found),
            n: 1,
            total: 3.0,
        };
        let of_stripe = |stripe| {
            let mut counts = [0];
            striped.stripe(stripe).read(&mut counts);
            counts[0]
        };
        let all = 0..stripes::count();
        // Other tests may have taken thread numbers in between.
        while all.clone().any(|stripe| of_stripe(stripe) == 0) {
            std::thread::scope(|scope| scope.spawn(|| striped.add(observation)).join()).unwrap();
        }
        for stripe in all {
            let native = found.in_column(stripe).unwrap();
            assert_eq!(native.load(Ordering::Relaxed), of_stripe(stripe));
        }
        assert_eq!(found.count().unwrap().load(Ordering::Relaxed), 0);
        striped.take();
        striped.add(observation);
        assert_eq!(found.count().unwrap().load(Ordering::Relaxed), 1);
    }

    #[test]
    fn many_buckets_take_several_lines() {
        let striped = Striped::new(100);
        let before = striped.turn();
        for bucket in 0..=100 {
            add(&striped, bucket, 1);
        }
        assert_eq!(read(&striped, 101), (vec![1; 101], 5050.0));
        assert!(before.is_some() && before < striped.turn());
    }
}
