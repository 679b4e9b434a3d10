//! The operators `</` and `>/`: the part of a histogram below or above a value.

use super::FloatHistogram;
use super::layout::Bucket;
use crate::promql::kahan;

/// The side of a value that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Below,
    Above,
}

/// No part of a bucket.
const NOTHING: (f64, f64) = (0.0, 0.0);

impl FloatHistogram {
    /// The observations on one side of a value. A bucket that contains the value is interpolated as
    /// for quantiles; the sum is computed from the midpoints of the buckets, unless all
    /// observations are kept.
    pub(crate) fn trimmed(&self, cut: f64, kept: Kept) -> Self {
        let mut trimmed = Self {
            zero_count: 0.0,
            count: 0.0,
            positive: Vec::new(),
            negative: Vec::new(),
            ..self.clone()
        };
        let mut sum = (0.0, 0.0);
        let mut is_whole = true;
        let mut keep = |bucket: &Bucket| {
            if bucket.count == 0.0 {
                return 0.0;
            }
            let (part, middle) = self.kept(bucket, cut, kept);
            is_whole &= part >= 1.0;
            let count = bucket.count * part;
            if count != 0.0 {
                trimmed.count += count;
                sum = kahan::add(count * middle, sum);
            }
            count
        };
        let negative = self.negative.iter().rev().zip(self.negative_buckets());
        for ((index, _), bucket) in negative {
            trimmed.negative.push((*index, keep(&bucket)));
        }
        trimmed.zero_count = keep(&Bucket {
            lower: -self.zero_threshold,
            upper: self.zero_threshold,
            includes_lower: true,
            includes_upper: true,
            count: self.zero_count,
        });
        for ((index, _), bucket) in self.positive.iter().zip(self.positive_buckets()) {
            trimmed.positive.push((*index, keep(&bucket)));
        }
        if is_whole {
            return self.clone();
        }
        trimmed.negative.reverse();
        trimmed.sum = sum.0 + sum.1;
        trimmed.compact();
        trimmed
    }

    /// The share of a bucket that is kept, and its midpoint.
    fn kept(&self, bucket: &Bucket, cut: f64, kept: Kept) -> (f64, f64) {
        let narrow = self.narrowed(*bucket);
        let (lower, upper) = (narrow.lower, narrow.upper);
        let middle = |lower: f64, upper: f64| {
            if lower.is_infinite() {
                upper
            } else if upper.is_infinite() {
                lower
            } else if self.is_linear(bucket) {
                f64::midpoint(lower, upper)
            } else {
                (lower * upper).sqrt().copysign(upper)
            }
        };
        let whole = (1.0, middle(lower, upper));
        match kept {
            Kept::Below if upper <= cut => whole,
            Kept::Below if upper.is_infinite() || lower >= cut || cut == f64::NEG_INFINITY => {
                NOTHING
            }
            // A bucket that begins at -Inf cannot be divided.
            Kept::Below if lower.is_infinite() => (1.0, cut),
            Kept::Below => (self.part(&narrow, cut), middle(lower, cut)),
            Kept::Above if bucket.lower >= cut => whole,
            Kept::Above if bucket.lower.is_infinite() => {
                if lower.is_infinite() || upper.is_infinite() || cut < 0.0 || upper <= cut {
                    NOTHING
                } else {
                    (1.0 - self.part(&narrow, cut), middle(cut, upper))
                }
            }
            Kept::Above if lower >= cut => whole,
            Kept::Above if upper <= cut || cut.is_nan() => NOTHING,
            Kept::Above if upper.is_infinite() => (1.0, cut),
            Kept::Above => (1.0 - self.part(&narrow, cut), middle(cut, upper)),
        }
    }
}
