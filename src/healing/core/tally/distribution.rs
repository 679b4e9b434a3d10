//! A distribution in fixed buckets.

/// Upper bounds of the durations of actions, in seconds: 1 ms to 5 min.
pub const DURATION_BUCKETS: [f64; 15] = [
    0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];

/// Upper bounds of the confidence, 0 to 1.
pub const CONFIDENCE_BUCKETS: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// The number of values in each bucket, and their sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    bounds: &'static [f64],
    /// One more than there are bounds: the last holds values beyond them.
    counts: Box<[u64]>,
    sum: f64,
}

impl Distribution {
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1].into_boxed_slice(),
            sum: 0.0,
        }
    }

    pub(super) fn observe(&mut self, value: f64) {
        let bucket = self.bounds.partition_point(|&bound| bound < value);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum += value;
    }

    /// The upper bounds, rising.
    #[must_use]
    pub const fn bounds(&self) -> &'static [f64] {
        self.bounds
    }

    /// The number of values in each bucket: at most its bound and above the one before. The last
    /// holds values beyond all bounds.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The number of values.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of the values.
    #[must_use]
    pub const fn sum(&self) -> f64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_bound_is_in_its_bucket() {
        let mut histogram = Distribution::new(&CONFIDENCE_BUCKETS);
        for value in [0.0, 0.1, 0.11, 1.0, 2.0] {
            histogram.observe(value);
        }
        assert_eq!(histogram.counts(), [2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(histogram.count(), 5);
        assert!((histogram.sum() - 3.21).abs() < 1e-9);
    }
}
