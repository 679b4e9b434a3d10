//! `sum` and `avg` of numbers and histograms.

use super::groups::Groups;
use crate::promql::eval::Notes;
use crate::promql::histogram::HistogramSum;
use crate::promql::kahan::Mean;
use crate::promql::value::{InstantSample, PointValue};

#[derive(Default)]
struct Sum {
    floats: Mean,
    float_seen: bool,
    histograms: Option<HistogramSum>,
}

pub(super) fn sums(
    groups: &Groups,
    vector: &[InstantSample],
    averages: bool,
    at: usize,
    notes: &mut Notes<'_>,
) -> Vec<InstantSample> {
    let mut sums: Vec<Sum> = Vec::new();
    sums.resize_with(groups.len(), Sum::default);
    for (sample, group) in vector.iter().zip(&groups.of) {
        let sum = &mut sums[*group];
        match &sample.value {
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
        None if averages => Some(PointValue::Float(sum.floats.mean())),
        None => Some(PointValue::Float(sum.floats.sum())),
    });
    groups.with(values.collect::<Vec<_>>())
}
