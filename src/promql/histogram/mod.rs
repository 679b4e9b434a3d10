//! Native histograms.

mod change;
mod layout;
mod merge;
mod statistics;
mod sum;
mod trim;

use std::fmt;
use std::sync::Arc;

pub(crate) use change::{change, find_resets, instant_change};
pub use layout::Bucket;
pub(crate) use statistics::NanEffect;
pub(crate) use sum::HistogramSum;
pub(crate) use trim::Kept;

/// The schema of histograms with custom bounds.
pub const CUSTOM_BOUNDS: i32 = -53;

/// The relation of a histogram to the previous one in its series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResetHint {
    /// Unknown.
    #[default]
    Unknown,
    /// The counters were reset.
    Reset,
    /// The counters were not reset.
    NotReset,
    /// It is a gauge.
    Gauge,
}

/// A native histogram with fractional counts, as in query results.
///
/// Buckets are sorted by index, with non-cumulative counts; empty ones may be missing. With an
/// exponential schema `s`, the bucket `i` has the upper bound 2^(i × 2^−s).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FloatHistogram {
    /// −4 to 8, or [`CUSTOM_BOUNDS`].
    pub schema: i32,
    /// The width of the zero bucket on either side.
    pub zero_threshold: f64,
    /// The number of observations in the zero bucket.
    pub zero_count: f64,
    /// The number of all observations.
    pub count: f64,
    /// The sum of all observations.
    pub sum: f64,
    /// The positive buckets.
    pub positive: Vec<(i32, f64)>,
    /// The negative buckets.
    pub negative: Vec<(i32, f64)>,
    /// The upper bounds for [`CUSTOM_BOUNDS`], without `+Inf`.
    pub bounds: Arc<[f64]>,
    /// The relation to the previous histogram.
    pub reset_hint: ResetHint,
}

impl FloatHistogram {
    /// Whether it has custom bounds.
    #[must_use]
    pub fn has_custom_bounds(&self) -> bool {
        self.schema == CUSTOM_BOUNDS
    }

    /// Whether two are equal, with NaN equal to NaN and empty buckets ignored.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        #[expect(clippy::float_cmp, reason = "exact equality is intended")]
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || a == b;
        let same_buckets = |a: &[(i32, f64)], b: &[(i32, f64)]| filled(a).eq(filled(b));
        self.schema == other.schema
            && same(self.zero_threshold, other.zero_threshold)
            && same(self.zero_count, other.zero_count)
            && same(self.count, other.count)
            && same(self.sum, other.sum)
            && self.bounds == other.bounds
            && same_buckets(&self.positive, &other.positive)
            && same_buckets(&self.negative, &other.negative)
    }

    /// Multiplies all counts and the sum. With a negative factor the result is a gauge.
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        self.mapped(factor < 0.0, |count| count * factor)
    }

    /// Divides all counts and the sum. Division by zero removes all buckets.
    pub(crate) fn divided(&self, divisor: f64) -> Self {
        let mut divided = self.mapped(divisor < 0.0, |count| count / divisor);
        if divisor == 0.0 {
            divided.positive.clear();
            divided.negative.clear();
        }
        divided
    }

    fn mapped(&self, is_gauge: bool, function: impl Fn(f64) -> f64) -> Self {
        let mut mapped = self.clone();
        if is_gauge {
            mapped.reset_hint = ResetHint::Gauge;
        }
        let numbers = [&mut mapped.count, &mut mapped.sum, &mut mapped.zero_count];
        let buckets = mapped.positive.iter_mut().chain(&mut mapped.negative);
        for number in numbers.into_iter().chain(buckets.map(|(_, count)| count)) {
            *number = function(*number);
        }
        mapped
    }

    /// Removes empty buckets.
    pub(crate) fn compact(&mut self) {
        self.positive.retain(|(_, count)| *count != 0.0);
        self.negative.retain(|(_, count)| *count != 0.0);
    }
}

fn filled(buckets: &[(i32, f64)]) -> impl Iterator<Item = (i32, f64)> {
    buckets.iter().copied().filter(|(_, count)| *count != 0.0)
}

impl fmt::Display for FloatHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use super::format::go_float;
        write!(
            f,
            "{{count:{}, sum:{}",
            go_float(self.count),
            go_float(self.sum)
        )?;
        for bucket in self.buckets().filter(|bucket| bucket.count != 0.0) {
            let open = if bucket.includes_lower { '[' } else { '(' };
            let close = if bucket.includes_upper { ']' } else { ')' };
            let (lower, upper) = (go_float(bucket.lower), go_float(bucket.upper));
            write!(
                f,
                ", {open}{lower},{upper}{close}:{}",
                go_float(bucket.count)
            )?;
        }
        f.write_str("}")
    }
}
