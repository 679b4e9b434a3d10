//! Sums and means of many histograms.

use super::merge::{Incompatible, Merged, align, zip};
use super::{FloatHistogram, ResetHint};
use crate::promql::eval::Notes;
use crate::promql::kahan;

/// The content of a [`HistogramSum`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The sum, which is the result.
    Sum,
    /// The sum, from which the mean is computed.
    SumOfMean,
    /// The mean, since the sum would overflow.
    Mean,
}

/// A compensated sum or mean of histograms.
#[derive(Debug)]
pub(crate) struct HistogramSum {
    kind: Kind,
    count: f64,
    sum: Option<FloatHistogram>,
    /// The compensation of the numbers in `sum`, with the same buckets.
    lost: FloatHistogram,
    was_reset: bool,
    was_not_reset: bool,
    reconciled: bool,
    /// Set if one could not be added.
    failed: Option<Incompatible>,
}

impl HistogramSum {
    /// Creates an empty mean or sum.
    pub(crate) fn new(averages: bool) -> Self {
        Self {
            kind: if averages { Kind::SumOfMean } else { Kind::Sum },
            count: 0.0,
            sum: None,
            lost: FloatHistogram::default(),
            was_reset: false,
            was_not_reset: false,
            reconciled: false,
            failed: None,
        }
    }

    pub(crate) fn add(&mut self, histogram: &FloatHistogram) {
        self.count += 1.0;
        self.was_reset |= histogram.reset_hint == ResetHint::Reset;
        self.was_not_reset |= histogram.reset_hint == ResetHint::NotReset;
        match &mut self.sum {
            None => {
                self.sum = Some(histogram.clone());
                self.lost = empty_like(histogram);
            }
            Some(_) => match self.step(histogram) {
                Ok(merged) => self.reconciled |= merged.reconciled,
                Err(incompatible) => self.failed = Some(incompatible),
            },
        }
    }

    fn step(&mut self, histogram: &FloatHistogram) -> Result<Merged, Incompatible> {
        let Some(sum) = &mut self.sum else {
            return Ok(Merged::default());
        };
        if self.kind == Kind::Sum {
            return add(sum, &mut self.lost, histogram);
        }
        if self.kind == Kind::SumOfMean {
            let (mut next, mut lost) = (sum.clone(), self.lost.clone());
            let merged = add(&mut next, &mut lost, histogram)?;
            if !overflows(&next) {
                (*sum, self.lost) = (next, lost);
                return Ok(merged);
            }
            self.kind = Kind::Mean;
            let before = self.count - 1.0;
            (*sum, self.lost) = (sum.divided(before), self.lost.divided(before));
        }
        let kept = (self.count - 1.0) / self.count;
        (*sum, self.lost) = (sum.scaled(kept), self.lost.scaled(kept));
        add(sum, &mut self.lost, &histogram.divided(self.count))
    }

    /// The sum or the mean, if all could be added.
    pub(crate) fn finish(self, at: usize, notes: &mut Notes<'_>) -> Option<FloatHistogram> {
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
        if self.kind == Kind::SumOfMean {
            sum = sum.divided(self.count);
        }
        sum.compact();
        Some(sum)
    }
}

fn overflows(histogram: &FloatHistogram) -> bool {
    let buckets = histogram.positive.iter().chain(&histogram.negative);
    let numbers = [histogram.count, histogram.sum, histogram.zero_count];
    let mut all = numbers.into_iter().chain(buckets.map(|(_, count)| *count));
    all.any(f64::is_infinite)
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
