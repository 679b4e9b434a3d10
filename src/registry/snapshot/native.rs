use crate::registry::exponential;

/// The buckets of a native histogram, as specified by Prometheus
/// (<https://prometheus.io/docs/specs/native_histograms/>).
///
/// With the base `b = 2^(2^-schema)`, the positive bucket `i` holds values above `b^(i-1)` and at
/// most `b^i`. A negative bucket holds the same values negated: from `-b^i` to below `-b^(i-1)`.
/// Values between `-zero_threshold` and `zero_threshold`, both included, are in the zero bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeBuckets {
    /// The resolution: from [`COARSEST_SCHEMA`](crate::registry::COARSEST_SCHEMA) (-4) to
    /// [`FINEST_SCHEMA`](crate::registry::FINEST_SCHEMA) (8). The bounds grow by the factor
    /// `2^(2^-schema)` from one bucket to the next.
    pub schema: i8,
    /// The inclusive bound of the zero bucket.
    pub zero_threshold: f64,
    /// Number of observations in the zero bucket.
    pub zero_count: u64,
    /// The non-empty buckets of positive values: index and number of observations, by rising index,
    /// each index once, not cumulative.
    pub positive: Vec<(i32, u64)>,
    /// The buckets of negative values, in the same way.
    pub negative: Vec<(i32, u64)>,
}

impl NativeBuckets {
    /// Buckets without observations.
    #[must_use]
    pub fn new(schema: i8, zero_threshold: f64) -> Self {
        Self {
            schema,
            zero_threshold,
            zero_count: 0,
            positive: Vec::new(),
            negative: Vec::new(),
        }
    }

    /// The inclusive upper bound of the positive bucket of an index; that of the bucket before is
    /// its exclusive lower bound. Bounds beyond the range of an f64 are the largest finite number
    /// or 0.
    #[must_use]
    pub fn upper_bound(&self, index: i32) -> f64 {
        exponential::upper_bound(index, self.schema)
    }

    /// Number of observations.
    #[must_use]
    pub fn count(&self) -> u64 {
        [&self.positive, &self.negative]
            .into_iter()
            .flatten()
            .fold(self.zero_count, |sum, (_, n)| sum.wrapping_add(*n))
    }
}

impl Default for NativeBuckets {
    /// Schema 0 and a zero bucket for only zero.
    fn default() -> Self {
        Self::new(0, 0.0)
    }
}
