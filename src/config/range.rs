//! Checks shared by the sections.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::duration;
use super::faults::Faults;

/// More buckets cost more memory per series than their resolution is worth.
const MAX_BUCKETS: usize = 256;

/// Adds a fault if `value` is outside `range`.
pub(super) fn check_range<T: PartialOrd + Display>(
    field: &str,
    value: &T,
    range: &RangeInclusive<T>,
    hint: &str,
    faults: &mut Faults,
) {
    if !range.contains(value) {
        let (least, most) = (range.start(), range.end());
        faults.add(field, format!("{value} is outside {least}..={most}"), hint);
    }
}

/// Adds a fault if `value` is outside `range`.
pub(super) fn check_duration(
    field: &str,
    value: Duration,
    range: &RangeInclusive<Duration>,
    hint: &str,
    faults: &mut Faults,
) {
    if !range.contains(&value) {
        let [value, least, most] = [value, *range.start(), *range.end()].map(duration::format);
        faults.add(field, format!("{value} is outside {least}..={most}"), hint);
    }
}

/// Checks the bucket bounds of a histogram.
pub(super) fn check_buckets(field: &str, bounds: &[f64], faults: &mut Faults) {
    if bounds.is_empty() {
        faults.add(field, "there is no bucket", "give at least one upper bound");
    }
    if bounds.len() > MAX_BUCKETS {
        faults.add(
            field,
            format!("{} buckets are more than {MAX_BUCKETS}", bounds.len()),
            "keep the bounds that your objectives and graphs need",
        );
    }
    faults.within_each(field, bounds, |faults, index, bound| {
        let before = index.checked_sub(1).map(|last| bounds[last]);
        if !bound.is_finite() {
            faults.add(
                "",
                format!("{bound} is not a finite number"),
                "leave it out; the bucket for all larger values always exists",
            );
        } else if before.is_some_and(|before| before >= *bound) {
            faults.add(
                "",
                format!("{bound} is not above the previous bound"),
                "sort the bounds, and give each of them once",
            );
        }
    });
}
