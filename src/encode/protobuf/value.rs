//! Values as messages.

use super::exemplar::{exemplar, timestamp};
use super::{native, wire};
use crate::catalog::Kind;
use crate::encode::exemplars::{latest, up_to};
use crate::registry::{HistogramRef, NativeBuckets, Sample, ValueRef};

/// The number of a kind in the enum `MetricType`, which has no info.
pub(super) fn metric_type(kind: Kind) -> u64 {
    match kind {
        Kind::Counter => 0,
        Kind::Gauge | Kind::Info | Kind::StateSet => 1,
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
    let classic = histogram.counts.len() == bounds.len() + 1
        && bounds.iter().all(|bound| bound.is_finite())
        && bounds.windows(2).all(|pair| pair[0] < pair[1]);
    let none = histogram.counts.is_empty() && bounds.is_empty();
    match histogram.native {
        None => classic,
        Some(buckets) => (classic || none) && native::is_valid(buckets),
    }
}

/// Writes the field of a `Metric` that holds its value.
pub(super) fn write(buf: &mut Vec<u8>, kind: Kind, sample: &Sample<'_>) {
    match (sample.value, kind) {
        (ValueRef::Number(number), Kind::Counter) => wire::message(buf, 3, |buf| {
            wire::double(buf, 1, number.as_f64());
            if let Some(one) = sample.exemplar {
                exemplar(buf, 2, one);
            }
            created(buf, 3, sample);
        }),
        (ValueRef::Number(number), _) => {
            let field = if metric_type(kind) == 1 { 2 } else { 5 };
            wire::message(buf, field, |buf| wire::double(buf, 1, number.as_f64()));
        }
        (ValueRef::Histogram(value), _) => wire::message(buf, 7, |buf| {
            histogram(buf, value);
            created(buf, 15, sample);
        }),
        (
            ValueRef::Summary {
                quantiles,
                sum,
                count,
            },
            _,
        ) => wire::message(buf, 4, |buf| {
            wire::uint(buf, 1, count);
            wire::double(buf, 2, sum);
            for (quantile, value) in quantiles {
                wire::message(buf, 3, |buf| {
                    wire::double(buf, 1, *quantile);
                    wire::double(buf, 2, *value);
                });
            }
            created(buf, 4, sample);
        }),
    }
}

fn created(buf: &mut Vec<u8>, field: u8, sample: &Sample<'_>) {
    if let Some(at) = sample.created {
        timestamp(buf, field, at);
    }
}

/// A histogram with its buckets: classic ones, native ones or both.
fn histogram(buf: &mut Vec<u8>, histogram: HistogramRef<'_>) {
    // Prometheus requires that the count of a native histogram is the sum of its buckets.
    let count = histogram
        .native
        .map_or_else(|| histogram.count(), NativeBuckets::count);
    wire::uint(buf, 1, count);
    wire::double(buf, 2, histogram.sum);
    if histogram.is_classic() {
        classic(buf, histogram);
    }
    if let Some(buckets) = histogram.native {
        native::write(buf, buckets);
        // The classic buckets have the exemplars already.
        if !histogram.is_classic() {
            let exemplars = histogram.exemplars.iter();
            exemplars
                .filter(|one| one.at.is_finite())
                .for_each(|one| exemplar(buf, 16, one));
        }
    }
}

/// The classic buckets, with `+Inf`.
fn classic(buf: &mut Vec<u8>, histogram: HistogramRef<'_>) {
    let mut exemplars = histogram.exemplars;
    let bounds = histogram.bounds.iter().chain([&f64::INFINITY]);
    let mut cumulative = 0_u64;
    for (bound, count) in bounds.zip(histogram.counts) {
        cumulative = cumulative.wrapping_add(*count);
        wire::message(buf, 3, |buf| {
            wire::uint(buf, 1, cumulative);
            wire::double(buf, 2, *bound);
            if !exemplars.is_empty()
                && let Some(one) = latest(up_to(&mut exemplars, *bound))
            {
                exemplar(buf, 3, one);
            }
        });
    }
}
