//! Classic histograms: counters by upper bound.

use std::cmp::Ordering;

/// The relative difference up to which counts are equal, since they come from sums of fractions.
const SMALL_DIFFERENCE: f64 = 1e-12;

/// An upper bound and the cumulative count.
pub(super) type Bucket = (f64, f64);

/// A correction of counts, for its annotation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Repair {
    /// The first and last bound whose count was below that of a smaller bound.
    pub(super) from: f64,
    pub(super) to: f64,
    /// The largest difference.
    pub(super) difference: f64,
}

/// Sorts the buckets and merges equal bounds. False if there is no +Inf bucket.
fn sort(buckets: &mut Vec<Bucket>) -> bool {
    buckets.sort_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    #[expect(clippy::float_cmp, reason = "bounds are compared exactly")]
    buckets.dedup_by(|(next, count), (bound, sum)| {
        let same = next == bound;
        if same {
            *sum += *count;
        }
        same
    });
    buckets
        .last()
        .is_some_and(|(bound, _)| *bound == f64::INFINITY)
}

/// Makes counts increase with their bounds.
fn repair(buckets: &mut [Bucket]) -> Option<Repair> {
    let mut repaired: Option<Repair> = None;
    let mut before = buckets.first()?.1;
    for (bound, count) in &mut buckets[1..] {
        let difference = before - *count;
        let size = before.abs() + count.abs();
        if difference == 0.0 {
            continue;
        }
        if difference.abs() / size < SMALL_DIFFERENCE {
            *count = before;
        } else if difference > 0.0 {
            *count = before;
            let repair = repaired.get_or_insert(Repair {
                from: *bound,
                to: *bound,
                difference,
            });
            repair.to = *bound;
            repair.difference = repair.difference.max(difference);
        } else {
            before = *count;
        }
    }
    repaired
}

/// The quantile, linear within a bucket; the first bucket starts at 0 if its bound is positive.
pub(super) fn quantile(q: f64, buckets: &mut Vec<Bucket>) -> (f64, Option<Repair>) {
    if q.is_nan() {
        return (f64::NAN, None);
    }
    if q < 0.0 {
        return (f64::NEG_INFINITY, None);
    }
    if q > 1.0 {
        return (f64::INFINITY, None);
    }
    if !sort(buckets) {
        return (f64::NAN, None);
    }
    let repaired = repair(buckets);
    let [finite @ .., (_, observations)] = &buckets[..] else {
        return (f64::NAN, repaired);
    };
    let Some((highest, _)) = finite.last().filter(|_| *observations != 0.0) else {
        return (f64::NAN, repaired);
    };
    let mut rank = q * observations;
    let place = finite.partition_point(|(_, count)| *count < rank);
    let Some((end, count)) = finite.get(place) else {
        return (*highest, repaired);
    };
    let (mut start, mut count) = (0.0, *count);
    if place == 0 {
        if *end <= 0.0 {
            return (*end, repaired);
        }
    } else if let Some((bound, below)) = finite.get(place - 1) {
        start = *bound;
        count -= below;
        rank -= below;
    }
    (start + (end - start) * (rank / count), repaired)
}

/// The share of observations between two values.
pub(super) fn fraction(lower: f64, upper: f64, mut buckets: Vec<Bucket>) -> f64 {
    if !sort(&mut buckets) {
        return f64::NAN;
    }
    let count = buckets.last().map_or(0.0, |(_, count)| *count);
    if count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let rank = |value: f64| {
        let (mut start, mut below) = (f64::NEG_INFINITY, 0.0);
        for (end, count) in &buckets {
            if start >= value {
                return below;
            }
            if *end > value {
                // A bucket that begins at -Inf cannot be divided, unless its bound is positive:
                // then it is assumed to begin at 0.
                if start.is_infinite() && *end <= 0.0 {
                    return *count;
                }
                let start = if start.is_infinite() { 0.0 } else { start };
                if start >= value {
                    return below;
                }
                return below + (count - below) * (value - start) / (end - start);
            }
            (start, below) = (*end, *count);
        }
        count
    };
    (rank(upper).min(count) - rank(lower).min(count)) / count
}
