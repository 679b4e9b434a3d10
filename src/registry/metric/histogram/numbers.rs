use std::sync::atomic::{AtomicU64, Ordering};

use crate::registry::metric::add_f64;

/// The bits of the sum, then one count for each bound and one for `+Inf`, not cumulative.
///
/// The counts are written last in an observation, with release ordering: a reader of these counts
/// then also sees the native buckets.
#[derive(Debug)]
pub(super) struct Numbers(Box<[AtomicU64]>);

impl Numbers {
    pub(super) fn new(bounds: usize) -> Self {
        Self((0..bounds + 2).map(|_| AtomicU64::new(0)).collect())
    }

    pub(super) fn empty_copy(&self) -> Self {
        Self(self.0.iter().map(|_| AtomicU64::new(0)).collect())
    }

    /// Adds without other writers.
    #[inline]
    pub(super) fn add_alone(&self, bucket: usize, n: u32, total: f64) {
        if let [sum, counts @ ..] = &*self.0
            && let Some(count) = counts.get(bucket)
        {
            let now = f64::from_bits(sum.load(Ordering::Relaxed));
            sum.store((now + total).to_bits(), Ordering::Relaxed);
            let now = count.load(Ordering::Relaxed);
            count.store(now.wrapping_add(u64::from(n)), Ordering::Release);
        }
    }

    #[cold]
    pub(super) fn add(&self, bucket: usize, n: u32, total: f64) {
        if let [sum, counts @ ..] = &*self.0
            && let Some(count) = counts.get(bucket)
        {
            add_f64(sum, total);
            count.fetch_add(u64::from(n), Ordering::Release);
        }
    }

    /// Copies the counts and returns the sum.
    pub(super) fn read(&self, out: &mut [u64]) -> f64 {
        out.fill(0);
        self.add_to(out)
    }

    /// Adds the counts to those in `out` and returns the sum.
    pub(super) fn add_to(&self, out: &mut [u64]) -> f64 {
        let [sum, counts @ ..] = &*self.0 else {
            return 0.0;
        };
        for (out, count) in out.iter_mut().zip(counts) {
            *out = out.wrapping_add(count.load(Ordering::Acquire));
        }
        f64::from_bits(sum.load(Ordering::Relaxed))
    }
}

/// The first bucket whose bound is at least `value`.
#[inline]
pub(in crate::registry::metric) fn bucket(bounds: &[f64], value: f64) -> usize {
    /// Up to this many bounds, comparing all is faster than a binary search.
    const FEW: usize = 24;
    if bounds.len() <= FEW {
        bounds.iter().map(|bound| usize::from(*bound < value)).sum()
    } else {
        bounds.partition_point(|bound| *bound < value)
    }
}

#[cfg(test)]
mod tests {
    use super::bucket;

    #[test]
    fn a_value_on_a_bound_is_in_its_bucket() {
        for bounds in (0..30).chain([100]) {
            let bounds: Vec<f64> = (0..bounds).map(f64::from).collect();
            for (at, bound) in bounds.iter().enumerate() {
                assert_eq!(bucket(&bounds, *bound), at);
                assert_eq!(bucket(&bounds, bound + 0.5), at + 1);
            }
            assert_eq!(bucket(&bounds, -1.0), 0);
        }
    }
}
