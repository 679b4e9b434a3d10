//! Sums and means of many histograms.

use super::merge::{Incompatible, Merged, align, zip};
use super::{FloatHistogram, ResetHint};
use crate::promql::eval::Notes;
use crate::promql::kahan;

/// A sum of histograms that does not lose what is small.
#[derive(Debug, Default)]
pub(crate) struct HistogramSum {
    count: f64,
    sum: Option<FloatHistogram>,
    /// What the numbers of `sum` lack; of the same buckets.
    lost: FloatHistogram,
    was_reset: bool,
    was_not_reset: bool,
    reconciled: bool,
    /// One that could not be added.
    failed: Option<Incompatible>,
}

impl HistogramSum {
    pub(crate) fn add(&mut self, histogram: &FloatHistogram) {
        self.count += 1.0;
        self.was_reset |= histogram.reset_hint == ResetHint::Reset;
        self.was_not_reset |= histogram.reset_hint == ResetHint::NotReset;
        match &mut self.sum {
            None => {
                self.sum = Some(histogram.clone());
                self.lost = empty_like(histogram);
            }
            Some(sum) => match add(sum, &mut self.lost, histogram) {
                Ok(merged) => self.reconciled |= merged.reconciled,
                Err(incompatible) => self.failed = Some(incompatible),
            },
        }
    }

    /// The sum or the mean, if all could be added.
    pub(crate) fn finish(
        self,
        averages: bool,
        at: usize,
        notes: &mut Notes<'_>,
    ) -> Option<FloatHistogram> {
        if self.failed.is_some() {
            notes.warn(
                at,
                "vector contains a mix of histograms with exponential and custom buckets schemas \
                 for metric name \"\"",
            );
            return None;
        }
        let merged = Merged {
            collision: self.was_reset && self.was_not_reset,
            reconciled: self.reconciled,
        };
        merged.remark("aggregation", at, notes);
        let mut sum = self.sum?;
        let hint = sum.reset_hint;
        sum.add(&self.lost, 1.0).ok()?;
        sum.reset_hint = hint;
        if averages {
            sum = sum.divided(self.count);
        }
        sum.compact();
        Some(sum)
    }
}

fn empty_like(histogram: &FloatHistogram) -> FloatHistogram {
    FloatHistogram {
        schema: histogram.schema,
        zero_threshold: histogram.zero_threshold,
        bounds: histogram.bounds.clone(),
        ..FloatHistogram::default()
    }
}

fn add(
    sum: &mut FloatHistogram,
    lost: &mut FloatHistogram,
    other: &FloatHistogram,
) -> Result<Merged, Incompatible> {
    let mut other = other.clone();
    let merged = align(sum, &mut other)?;
    align(lost, &mut other)?;
    (sum.reset_hint, _) = sum.reset_hint.joined(other.reset_hint);
    for ((sum, lost), value) in [
        ((&mut sum.count, &mut lost.count), other.count),
        ((&mut sum.sum, &mut lost.sum), other.sum),
        (
            (&mut sum.zero_count, &mut lost.zero_count),
            other.zero_count,
        ),
    ] {
        (*sum, *lost) = kahan::add(value, (*sum, *lost));
    }
    for ((sum, lost), others) in [
        ((&mut sum.positive, &mut lost.positive), &other.positive),
        ((&mut sum.negative, &mut lost.negative), &other.negative),
    ] {
        let mut totals = Vec::with_capacity(sum.len() + others.len());
        let mut losses = Vec::new();
        zip(sum, others, |index, a, b| {
            let (sum, rest) = kahan::add(b, (a, 0.0));
            totals.push((index, sum));
            if rest != 0.0 {
                losses.push((index, rest));
            }
        });
        if !losses.is_empty() {
            let mut all = Vec::with_capacity(lost.len() + losses.len());
            zip(lost, &losses, |index, a, b| all.push((index, a + b)));
            *lost = all;
        }
        *sum = totals;
    }
    Ok(merged)
}
