//! Aggregations of each series' samples in a range.

use super::rate::{Content, content, mixed};
use crate::promql::eval::{Notes, Window};
use crate::promql::format::go_float;
use crate::promql::histogram::HistogramSum;
use crate::promql::kahan::{self, Mean};
use crate::promql::quantile;
use crate::promql::value::{PointValue, Sample};

/// The numbers of a window and their times, if there are at least `least`; adds an annotation if
/// there are histograms as well.
pub(super) fn floats(
    window: &Window<'_>,
    notes: &mut Notes<'_>,
    least: usize,
) -> Option<Vec<(i64, f64)>> {
    let floats: Vec<_> = window.samples.iter().filter_map(float).collect();
    remark_on_histograms(window, notes, floats.len());
    (floats.len() >= least).then_some(floats)
}

fn float(sample: &Sample) -> Option<(i64, f64)> {
    Some((sample.time, sample.value.as_float()?))
}

fn remark_on_histograms(window: &Window<'_>, notes: &mut Notes<'_>, floats: usize) {
    if floats > 0 && floats < window.samples.len() {
        let name = window.labels.name().unwrap_or_default();
        notes.info(
            window.at,
            format!(
                "ignored histograms in a range containing both floats and histograms for metric \
                 name {name:?}"
            ),
        );
    }
}

fn values(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<Vec<f64>> {
    let floats = floats(window, notes, 1)?;
    Some(floats.into_iter().map(|(_, value)| value).collect())
}

pub(super) fn count(window: &Window<'_>, _: &mut Notes<'_>) -> Option<PointValue> {
    Some(PointValue::Float(window.samples.len() as f64))
}

pub(super) fn present(_: &Window<'_>, _: &mut Notes<'_>) -> Option<PointValue> {
    Some(PointValue::Float(1.0))
}

pub(super) fn first(window: &Window<'_>, _: &mut Notes<'_>) -> Option<PointValue> {
    window.samples.first().map(|sample| sample.value.clone())
}

pub(super) fn last(window: &Window<'_>, _: &mut Notes<'_>) -> Option<PointValue> {
    window.samples.last().map(|sample| sample.value.clone())
}

fn total(window: &Window<'_>, notes: &mut Notes<'_>, averages: bool) -> Option<PointValue> {
    match content(window.samples) {
        Content::Mixed => {
            mixed(window, notes);
            None
        }
        Content::Floats => {
            let mut mean = Mean::default();
            for sample in window.samples {
                let value = sample.value.as_float().unwrap_or(f64::NAN);
                if averages {
                    mean.add(value);
                } else {
                    mean.add_to_sum(value);
                }
            }
            let value = if averages { mean.mean() } else { mean.sum() };
            Some(PointValue::Float(value))
        }
        Content::Histograms(histograms) => {
            let mut sum = HistogramSum::new(averages);
            for histogram in histograms {
                sum.add(histogram);
            }
            sum.finish(window.at, notes).map(Into::into)
        }
    }
}

pub(super) fn sum(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    total(window, notes, false)
}

pub(super) fn avg(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    total(window, notes, true)
}

/// The sample that `is_before` orders first; NaN comes last.
fn extreme(
    window: &Window<'_>,
    notes: &mut Notes<'_>,
    is_before: impl Fn(f64, f64) -> bool,
) -> Option<(i64, f64)> {
    let mut floats = 0;
    let found = window.samples.iter().filter_map(float);
    let found = found.inspect(|_| floats += 1).reduce(|best, next| {
        if is_before(next.1, best.1) || best.1.is_nan() {
            next
        } else {
            best
        }
    });
    remark_on_histograms(window, notes, floats);
    found
}

pub(super) fn max(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    let (_, value) = extreme(window, notes, |a, b| a > b)?;
    Some(PointValue::Float(value))
}

pub(super) fn min(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    let (_, value) = extreme(window, notes, |a, b| a < b)?;
    Some(PointValue::Float(value))
}

fn at_time(time: i64) -> PointValue {
    PointValue::Float(time as f64 / 1_000.0)
}

pub(super) fn ts_of_first(window: &Window<'_>, _: &mut Notes<'_>) -> Option<PointValue> {
    window.samples.first().map(|sample| at_time(sample.time))
}

pub(super) fn ts_of_last(window: &Window<'_>, _: &mut Notes<'_>) -> Option<PointValue> {
    window.samples.last().map(|sample| at_time(sample.time))
}

/// The last one of equal values.
pub(super) fn ts_of_max(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    let (time, _) = extreme(window, notes, |a, b| a >= b)?;
    Some(at_time(time))
}

pub(super) fn ts_of_min(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    let (time, _) = extreme(window, notes, |a, b| a <= b)?;
    Some(at_time(time))
}

fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut sum) = ((0.0, 0.0), (0.0, 0.0));
    let mut count = 0.0;
    for value in values {
        count += 1.0;
        let delta = value - (mean.0 + mean.1);
        mean = kahan::add(delta / count, mean);
        sum = kahan::add(delta * (value - (mean.0 + mean.1)), sum);
    }
    (sum.0 + sum.1) / count
}

pub(super) fn stdvar(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    Some(PointValue::Float(variance(&values(window, notes)?)))
}

pub(super) fn stddev(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    Some(PointValue::Float(variance(&values(window, notes)?).sqrt()))
}

pub(super) fn quantile(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    let q = *window.scalars.first()?;
    let mut values = values(window, notes)?;
    if q.is_nan() || !(0.0..=1.0).contains(&q) {
        let q = go_float(q);
        let message = format!("quantile value should be between 0 and 1, got {q}");
        notes.warn(window.scalar_at, message);
    }
    Some(PointValue::Float(quantile::quantile(q, &mut values)))
}

/// The median of the distances from the median.
pub(super) fn mad(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    let mut values = values(window, notes)?;
    if values.iter().any(|value| value.is_nan()) {
        return Some(PointValue::Float(f64::NAN));
    }
    let median = quantile::quantile(0.5, &mut values);
    for value in &mut values {
        *value = (*value - median).abs();
    }
    Some(PointValue::Float(quantile::quantile(0.5, &mut values)))
}
