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
        by_fours(bounds, value)
    } else {
        bounds.partition_point(|bound| *bound < value)
    }
}

/// The number of bounds below `value`, counted four at a time, as vector instructions do.
#[inline]
fn by_fours(bounds: &[f64], value: f64) -> usize {
    let add = |lanes: &mut [usize; 4], four: &[f64; 4]| {
        for (lane, bound) in lanes.iter_mut().zip(four) {
            *lane += usize::from(*bound < value);
        }
    };
    let (fours, rest) = bounds.as_chunks::<4>();
    let mut lanes = [0; 4];
    for four in fours {
        add(&mut lanes, four);
    }
    let below: usize = lanes.iter().sum();
    match bounds.last_chunk::<4>() {
        _ if rest.is_empty() => below,
        None => rest.iter().map(|bound| usize::from(*bound < value)).sum(),
        // They rise: if any of the last ones is below, so are those counted already.
        Some(last) => {
            let mut lanes = [0; 4];
            add(&mut lanes, last);
            below + lanes.iter().sum::<usize>().saturating_sub(4 - rest.len())
        }
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
