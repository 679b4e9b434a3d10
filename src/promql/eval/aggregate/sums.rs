//! `sum` and `avg` of numbers and histograms.

use crate::promql::eval::Notes;
use crate::promql::histogram::HistogramSum;
use crate::promql::kahan::Mean;
use crate::promql::value::PointValue;

#[derive(Default)]
struct Sum {
    floats: Mean,
    float_seen: bool,
    histograms: Option<HistogramSum>,
}

/// The result of each group, if it has a value.
pub(super) fn sums<'v>(
    groups: usize,
    values: impl Iterator<Item = (usize, &'v PointValue)>,
    averages: bool,
    at: usize,
    notes: &mut Notes<'_>,
) -> Vec<Option<PointValue>> {
    let mut sums: Vec<Sum> = Vec::new();
    sums.resize_with(groups, Sum::default);
    for (group, value) in values {
        let sum = &mut sums[group];
        match value {
            PointValue::Float(value) => {
                sum.float_seen = true;
                if averages {
                    sum.floats.add(*value);
                } else {
                    sum.floats.add_to_sum(*value);
                }
            }
            PointValue::Histogram(histogram) => {
                let sum = sum
                    .histograms
                    .get_or_insert_with(|| HistogramSum::new(averages));
                sum.add(histogram);
            }
        }
    }
    let values = sums.into_iter().map(|sum| match sum.histograms {
        Some(_) if sum.float_seen => {
            notes.warn(
                at,
                "encountered a mix of histograms and floats for aggregation",
            );
            None
        }
        Some(histograms) => histograms.finish(at, notes).map(Into::into),
        None if !sum.float_seen => None,
        None if averages => Some(PointValue::Float(sum.floats.mean())),
        None => Some(PointValue::Float(sum.floats.sum())),
    });
    values.collect()
}
