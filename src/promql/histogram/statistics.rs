//! Statistics of a native histogram's observations.

use super::FloatHistogram;
use super::layout::Bucket;
use crate::promql::kahan;

/// The effect of NaN observations on a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NanEffect {
    None,
    /// The result is NaN.
    Nan,
    /// The result is too high.
    Skewed,
}

impl FloatHistogram {
    /// The variance, with each bucket represented by its midpoint.
    pub(crate) fn variance(&self) -> f64 {
        let mean = self.sum / self.count;
        let mut sum = (0.0, 0.0);
        for bucket in self.buckets().filter(|bucket| bucket.count != 0.0) {
            let middle = if self.has_custom_bounds() {
                f64::midpoint(bucket.lower, bucket.upper)
            } else if bucket.lower <= 0.0 && bucket.upper >= 0.0 {
                0.0
            } else {
                (bucket.lower * bucket.upper).sqrt().copysign(bucket.upper)
            };
            let distance = middle - mean;
            sum = kahan::add(bucket.count * distance * distance, sum);
        }
        (sum.0 + sum.1) / self.count
    }

    /// The number of observations in buckets, which excludes NaN.
    fn in_buckets(&self) -> f64 {
        self.buckets().map(|bucket| bucket.count).sum()
    }

    fn has_nan(&self) -> bool {
        self.sum.is_nan() && self.count > self.in_buckets()
    }

    /// The bounds of a bucket for interpolation: the zero bucket is limited to the side that has
    /// observations, and the lowest custom bucket starts at 0.
    pub(super) fn narrowed(&self, mut bucket: Bucket) -> Bucket {
        if self.has_custom_bounds() {
            if bucket.lower == f64::NEG_INFINITY && bucket.upper > 0.0 {
                bucket.lower = 0.0;
            }
        } else if bucket.lower < 0.0 && bucket.upper > 0.0 {
            match (self.negative.is_empty(), self.positive.is_empty()) {
                (true, false) => bucket.lower = 0.0,
                (false, true) => bucket.upper = 0.0,
                _ => {}
            }
        }
        bucket
    }

    /// Whether values are assumed to be spread evenly in a bucket, not exponentially.
    pub(super) fn is_linear(&self, bucket: &Bucket) -> bool {
        self.has_custom_bounds() || (bucket.lower <= 0.0 && bucket.upper >= 0.0)
    }

    pub(crate) fn quantile(&self, q: f64) -> (f64, NanEffect) {
        if q < 0.0 {
            return (f64::NEG_INFINITY, NanEffect::None);
        }
        if q > 1.0 {
            return (f64::INFINITY, NanEffect::None);
        }
        if self.count == 0.0 || q.is_nan() {
            return (f64::NAN, NanEffect::None);
        }
        // From the nearer side, so that fewer counts are added. NaN sorts above everything.
        let forward = self.sum.is_nan() || q < 0.5;
        let rank = if forward {
            q * self.count
        } else {
            (1.0 - q) * self.count
        };
        let (found, count) = if forward {
            reach(self.buckets(), rank)
        } else {
            reach(self.buckets().rev(), rank)
        };
        let effect = match (self.has_nan(), count < rank) {
            (false, _) => NanEffect::None,
            (true, true) => NanEffect::Nan,
            (true, false) => NanEffect::Skewed,
        };
        let Some(bucket) = found.filter(|_| effect != NanEffect::Nan) else {
            return (f64::NAN, effect);
        };
        let bucket = self.narrowed(bucket);
        if self.has_custom_bounds() {
            if bucket.lower == f64::NEG_INFINITY {
                return (bucket.upper, effect);
            }
            if bucket.upper == f64::INFINITY {
                return (bucket.lower, effect);
            }
        }
        let count = count.min(self.count);
        let inside = if forward {
            rank - (count - bucket.count)
        } else {
            count - rank
        };
        let part = inside / bucket.count;
        if self.is_linear(&bucket) {
            return (bucket.lower + (bucket.upper - bucket.lower) * part, effect);
        }
        let (lower, upper) = (bucket.lower.abs().log2(), bucket.upper.abs().log2());
        let value = (lower + (upper - lower) * part).exp2();
        (value.copysign(bucket.lower), effect)
    }

    /// The share of observations between two values, and whether some were NaN, which count in no
    /// share.
    pub(crate) fn fraction(&self, lower: f64, upper: f64) -> (f64, NanEffect) {
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return (f64::NAN, NanEffect::None);
        }
        let effect = if self.has_nan() {
            NanEffect::Skewed
        } else {
            NanEffect::None
        };
        if lower >= upper {
            return (0.0, effect);
        }
        let part = self.rank(upper) - self.rank(lower);
        (part / self.count, effect)
    }

    /// The number of observations below a value.
    fn rank(&self, value: f64) -> f64 {
        let mut below = 0.0;
        for bucket in self.buckets() {
            if bucket.lower >= value {
                break;
            }
            if bucket.upper > value {
                let bucket = self.narrowed(bucket);
                if bucket.lower >= value {
                    break;
                }
                if bucket.upper > value {
                    below += bucket.count * self.part(&bucket, value);
                    break;
                }
            }
            below += bucket.count;
        }
        below.min(self.count)
    }

    /// The share of a bucket below a value in it.
    pub(super) fn part(&self, bucket: &Bucket, value: f64) -> f64 {
        if bucket.lower.is_infinite() {
            // The lowest bucket of custom bounds cannot be divided.
            return 1.0;
        }
        let (lower, upper, value) = if self.is_linear(bucket) {
            (bucket.lower, bucket.upper, value)
        } else {
            let log = |value: f64| value.abs().log2();
            (log(bucket.lower), log(bucket.upper), log(value))
        };
        (value - lower) / (upper - lower)
    }
}

/// The bucket at which the cumulative count reaches a rank, or else the last one, and that count.
fn reach(buckets: impl Iterator<Item = Bucket>, rank: f64) -> (Option<Bucket>, f64) {
    let (mut found, mut count) = (None, 0.0);
    for bucket in buckets.filter(|bucket| bucket.count != 0.0) {
        count += bucket.count;
        found = Some(bucket);
        if count >= rank {
            break;
        }
    }
    (found, count)
}
