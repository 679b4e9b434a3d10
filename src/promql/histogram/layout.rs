//! The bucket layout of a histogram.

use super::FloatHistogram;

/// A bucket of a native histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The lower bound.
    pub lower: f64,
    /// The upper bound.
    pub upper: f64,
    /// Whether the lower bound is inclusive.
    pub includes_lower: bool,
    /// Whether the upper bound is inclusive.
    pub includes_upper: bool,
    /// The number of observations, not cumulative.
    pub count: f64,
}

/// The upper bound of a bucket of an exponential schema.
fn exponential_bound(schema: i32, index: i32) -> f64 {
    let (index, exponent) = (i64::from(index), schema.clamp(-8, 30));
    let bound = if exponent <= 0 {
        power_of_two(index << -exponent)
    } else {
        let size = 1_i64 << exponent;
        let whole = index.div_euclid(size);
        let part = index.rem_euclid(size) as f64 / size as f64;
        part.exp2() * power_of_two(whole)
    };
    bound.min(f64::MAX)
}

fn power_of_two(exponent: i64) -> f64 {
    i32::try_from(exponent).map_or(f64::INFINITY, |exponent| f64::from(exponent).exp2())
}

/// The index of a bucket in a schema coarser by this many steps.
pub(super) fn coarser(index: i32, steps: u32) -> i32 {
    (index.wrapping_sub(1) >> steps.min(31)).wrapping_add(1)
}

impl FloatHistogram {
    /// The bounds of a positive bucket.
    pub(super) fn positive_bounds(&self, index: i32) -> (f64, f64) {
        if self.has_custom_bounds() {
            let place = usize::try_from(index).unwrap_or(usize::MAX);
            let bound = |place: usize| self.bounds.get(place).copied();
            let lower = place.checked_sub(1).and_then(bound);
            let lower = lower.unwrap_or(f64::NEG_INFINITY);
            return (lower, bound(place).unwrap_or(f64::INFINITY));
        }
        let bound = |index| exponential_bound(self.schema, index);
        (bound(index.saturating_sub(1)), bound(index))
    }

    pub(super) fn positive_buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> {
        self.positive.iter().map(|(index, count)| {
            let (lower, upper) = self.positive_bounds(*index);
            Bucket {
                lower,
                upper,
                // With custom bounds, the first bucket may begin below zero.
                includes_lower: lower.is_infinite() && lower < 0.0,
                includes_upper: true,
                count: *count,
            }
        })
    }

    pub(super) fn negative_buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> {
        self.negative.iter().rev().map(|(index, count)| {
            let (lower, upper) = self.positive_bounds(*index);
            Bucket {
                lower: -upper,
                upper: -lower,
                includes_lower: true,
                includes_upper: false,
                count: *count,
            }
        })
    }

    /// Iterates over the buckets in ascending order.
    #[must_use]
    pub fn buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> {
        // As in Prometheus, a negative zero bucket is skipped, for the same quantiles.
        let zero = (self.zero_count > 0.0).then_some(Bucket {
            lower: -self.zero_threshold,
            upper: self.zero_threshold,
            includes_lower: true,
            includes_upper: true,
            count: self.zero_count,
        });
        self.negative_buckets()
            .chain(zero)
            .chain(self.positive_buckets())
    }

    /// Converts to a coarser schema.
    pub(super) fn reduce_to(&mut self, schema: i32) {
        let steps = u32::try_from(self.schema - schema).unwrap_or(0);
        if steps == 0 || self.has_custom_bounds() {
            return;
        }
        for buckets in [&mut self.positive, &mut self.negative] {
            let mut reduced: Vec<(i32, f64)> = Vec::with_capacity(buckets.len());
            for (index, count) in buckets.iter() {
                let index = coarser(*index, steps);
                match reduced.last_mut().filter(|(last, _)| *last == index) {
                    Some((_, sum)) => *sum += count,
                    None => reduced.push((index, *count)),
                }
            }
            *buckets = reduced;
        }
        self.schema = schema;
    }

    /// The count and width of the zero bucket if it were widened to the threshold: a bucket that
    /// contains the threshold is merged completely.
    pub(super) fn wider_zero(&self, mut threshold: f64) -> (f64, f64) {
        'again: loop {
            let mut count = self.zero_count;
            let negative = self.negative_buckets().rev().map(|bucket| Bucket {
                lower: -bucket.upper,
                upper: -bucket.lower,
                ..bucket
            });
            let positive: &mut dyn Iterator<Item = Bucket> = &mut self.positive_buckets();
            let negative: &mut dyn Iterator<Item = Bucket> = &mut { negative };
            for buckets in [positive, negative] {
                for bucket in buckets.take_while(|bucket| bucket.lower < threshold) {
                    count += bucket.count;
                    if bucket.upper > threshold {
                        if bucket.count != 0.0 {
                            threshold = bucket.upper;
                            continue 'again;
                        }
                        break;
                    }
                }
            }
            return (count, threshold);
        }
    }

    /// Widens the zero bucket.
    pub(super) fn widen_zero(&mut self, threshold: f64) {
        if self.zero_threshold >= threshold {
            return;
        }
        let (count, threshold) = self.wider_zero(threshold);
        let schema = self.schema;
        let outside = |(index, _): &(i32, f64)| {
            exponential_bound(schema, index.saturating_sub(1)) >= threshold
        };
        self.positive.retain(outside);
        self.negative.retain(outside);
        (self.zero_count, self.zero_threshold) = (count, threshold);
    }
}
