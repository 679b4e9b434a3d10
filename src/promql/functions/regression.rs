//! Regression and smoothing of the samples in a range.

use super::over_time::floats;
use crate::promql::eval::{Notes, Window};
use crate::promql::kahan;
use crate::promql::value::PointValue;

/// The slope per second and the value at `zero` of the regression line.
fn line(samples: &[(i64, f64)], zero: i64) -> (f64, f64) {
    let first = samples.first().map_or(f64::NAN, |(_, value)| *value);
    #[expect(clippy::float_cmp, reason = "a constant has exactly one value")]
    if samples.iter().all(|(_, value)| *value == first) {
        if first.is_infinite() {
            return (f64::NAN, f64::NAN);
        }
        return (0.0, first);
    }
    let mut sums = [(0.0, 0.0); 4];
    for (time, value) in samples {
        let x = (time - zero) as f64 / 1_000.0;
        for (sum, value) in sums.iter_mut().zip([x, *value, x * value, x * x]) {
            *sum = kahan::add(value, *sum);
        }
    }
    let count = samples.len() as f64;
    let [x, y, xy, xx] = sums.map(|(sum, compensation)| sum + compensation);
    let covariance = xy - x * y / count;
    let variance = xx - x * x / count;
    let slope = covariance / variance;
    (slope, y / count - slope * x / count)
}

pub(super) fn deriv(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    let samples = floats(window, notes, 2)?;
    let (slope, _) = line(&samples, samples.first()?.0);
    Some(PointValue::Float(slope))
}

pub(super) fn predict_linear(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    let ahead = window.scalars.first()?;
    let samples = floats(window, notes, 2)?;
    let (slope, value) = line(&samples, window.time);
    Some(PointValue::Float(slope * ahead + value))
}

pub(super) fn double_exponential_smoothing(
    window: &Window<'_>,
    notes: &mut Notes<'_>,
) -> Option<PointValue> {
    let [smoothing, trend] = window.scalars else {
        return None;
    };
    let samples = floats(window, notes, 2)?;
    let mut before = 0.0;
    let mut level = samples.first()?.1;
    let mut slope = samples.get(1)?.1 - level;
    for (at, (_, value)) in samples.iter().enumerate().skip(1) {
        if at > 1 {
            slope = trend * (level - before) + (1.0 - trend) * slope;
        }
        let next = smoothing * value + (1.0 - smoothing) * (level + slope);
        (before, level) = (level, next);
    }
    Some(PointValue::Float(level))
}
