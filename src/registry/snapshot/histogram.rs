use std::sync::Arc;

use super::{Exemplar, NativeBuckets};

/// The state of a histogram at one moment.
///
/// It has classic buckets, native ones or both; with both, each observation is in one of each.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HistogramSnapshot {
    /// The upper bounds of the classic buckets, without `+Inf`.
    pub bounds: Arc<[f64]>,
    /// Number of observations in each classic bucket, the one for `+Inf` last; not cumulative.
    /// Empty, even without `+Inf`, in a histogram that has only native buckets.
    pub counts: Vec<u64>,
    /// The sum of all observations.
    pub sum: f64,
    /// The native buckets.
    pub native: Option<NativeBuckets>,
    /// See [`HistogramRef::exemplars`].
    pub exemplars: Vec<Exemplar>,
}

impl HistogramSnapshot {
    /// A histogram with only classic buckets: the upper bounds, without `+Inf`, and the number of
    /// observations in each bucket, not cumulative, that for `+Inf` last.
    #[must_use]
    pub fn classic(bounds: impl Into<Arc<[f64]>>, counts: Vec<u64>, sum: f64) -> Self {
        Self {
            bounds: bounds.into(),
            counts,
            sum,
            native: None,
            exemplars: Vec::new(),
        }
    }

    /// A histogram with only native buckets.
    #[must_use]
    pub fn native(buckets: NativeBuckets, sum: f64) -> Self {
        Self {
            native: Some(buckets),
            ..Self::classic([], Vec::new(), sum)
        }
    }

    /// Borrows the snapshot.
    #[must_use]
    pub fn as_ref(&self) -> HistogramRef<'_> {
        HistogramRef {
            bounds: &self.bounds,
            counts: &self.counts,
            sum: self.sum,
            native: self.native.as_ref(),
            exemplars: &self.exemplars,
        }
    }

    /// Number of observations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.as_ref().count()
    }
}

/// The state of a histogram while it is read: a borrowed [`HistogramSnapshot`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct HistogramRef<'a> {
    /// The upper bounds of the classic buckets, without `+Inf`.
    pub bounds: &'a Arc<[f64]>,
    /// Number of observations in each classic bucket, the one for `+Inf` last; not cumulative.
    /// Empty, even without `+Inf`, in a histogram that has only native buckets.
    pub counts: &'a [u64],
    /// The sum of all observations.
    pub sum: f64,
    /// The native buckets. Their counts and those of the classic ones have the same sum.
    pub native: Option<&'a NativeBuckets>,
    /// Exemplars, by rising value: at most one for each classic bucket, and a few if there are only
    /// native buckets.
    pub exemplars: &'a [Exemplar],
}

impl HistogramRef<'_> {
    /// Whether there are classic buckets.
    #[must_use]
    pub fn is_classic(&self) -> bool {
        !self.counts.is_empty()
    }

    /// Number of observations.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self.native {
            Some(native) if !self.is_classic() => native.count(),
            _ => self
                .counts
                .iter()
                .fold(0, |sum: u64, n| sum.wrapping_add(*n)),
        }
    }

    /// An owned copy.
    #[must_use]
    pub fn to_snapshot(self) -> HistogramSnapshot {
        HistogramSnapshot {
            bounds: Arc::clone(self.bounds),
            counts: self.counts.to_vec(),
            sum: self.sum,
            native: self.native.cloned(),
            exemplars: self.exemplars.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_comes_from_the_buckets_that_there_are() {
        let mut both = HistogramSnapshot::classic([1.0], vec![2, 3], 9.0);
        assert_eq!((both.count(), both.as_ref().is_classic()), (5, true));
        let native = NativeBuckets {
            zero_count: 1,
            positive: vec![(0, 1), (3, 2)],
            negative: vec![(-1, 1)],
            ..NativeBuckets::new(3, 0.0)
        };
        both.native = Some(native.clone());
        assert_eq!(both.count(), 5);
        let alone = HistogramSnapshot::native(native, 9.0);
        assert_eq!((alone.count(), alone.as_ref().is_classic()), (5, false));
        assert_eq!(alone.as_ref().to_snapshot(), alone);
    }
}
