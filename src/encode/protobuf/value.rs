//! Values as messages.

use super::wire;
use crate::catalog::Kind;
use crate::registry::{HistogramRef, ValueRef};

/// The number of a kind in the enum `MetricType`, which has no info.
pub(super) fn metric_type(kind: Kind) -> u64 {
    match kind {
        Kind::Counter => 0,
        Kind::Gauge | Kind::Info => 1,
        Kind::Summary => 2,
        Kind::Unknown => 3,
        Kind::Histogram => 4,
    }
}

/// Whether a family of `kind` may have this value.
pub(super) fn is_of(value: ValueRef<'_>, kind: Kind) -> bool {
    match (kind, value) {
        (Kind::Histogram, ValueRef::Histogram(histogram)) => has_buckets(histogram),
        (Kind::Summary, ValueRef::Summary { .. }) => true,
        (Kind::Histogram | Kind::Summary, _) => false,
        (_, value) => matches!(value, ValueRef::Number(_)),
    }
}

fn has_buckets(histogram: HistogramRef<'_>) -> bool {
    let bounds = &histogram.bounds;
    histogram.counts.len() == bounds.len() + 1
        && bounds.iter().all(|bound| bound.is_finite())
        && bounds.windows(2).all(|pair| pair[0] < pair[1])
}

/// Writes the field of a `Metric` that holds its value.
pub(super) fn write(buf: &mut Vec<u8>, kind: Kind, value: ValueRef<'_>) {
    match value {
        ValueRef::Number(number) => {
            let field = match kind {
                Kind::Counter => 3,
                Kind::Gauge | Kind::Info => 2,
                _ => 5,
            };
            wire::message(buf, field, |buf| wire::double(buf, 1, number.as_f64()));
        }
        ValueRef::Histogram(histogram) => wire::message(buf, 7, |buf| classic(buf, histogram)),
        ValueRef::Summary {
            quantiles,
            sum,
            count,
        } => wire::message(buf, 4, |buf| {
            wire::uint(buf, 1, count);
            wire::double(buf, 2, sum);
            for (quantile, value) in quantiles {
                wire::message(buf, 3, |buf| {
                    wire::double(buf, 1, *quantile);
                    wire::double(buf, 2, *value);
                });
            }
        }),
    }
}

/// A histogram with classic buckets, `+Inf` among them.
fn classic(buf: &mut Vec<u8>, histogram: HistogramRef<'_>) {
    let total = histogram
        .counts
        .iter()
        .fold(0, |sum: u64, n| sum.wrapping_add(*n));
    wire::uint(buf, 1, total);
    wire::double(buf, 2, histogram.sum);
    let bounds = histogram.bounds.iter().chain([&f64::INFINITY]);
    let mut cumulative = 0_u64;
    for (bound, count) in bounds.zip(histogram.counts) {
        cumulative = cumulative.wrapping_add(*count);
        wire::message(buf, 3, |buf| {
            wire::uint(buf, 1, cumulative);
            wire::double(buf, 2, *bound);
        });
    }
}
