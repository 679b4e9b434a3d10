//! Changes of counters and gauges over a range.

use crate::promql::eval::{Notes, Window};
use crate::promql::histogram::{self, FloatHistogram};
use crate::promql::value::{PointValue, Sample};

/// Gaps at the edges of up to this many mean intervals are extrapolated.
const FILLED_GAP: f64 = 1.1;

pub(super) fn rate(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    extrapolated(window, notes, true, true)
}

pub(super) fn increase(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    extrapolated(window, notes, true, false)
}

pub(super) fn delta(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    extrapolated(window, notes, false, false)
}

/// The samples of a window by kind.
pub(super) enum Content<'a> {
    Floats,
    Histograms(Vec<&'a FloatHistogram>),
    Mixed,
}

pub(super) fn content(samples: &[Sample]) -> Content<'_> {
    let histograms = samples
        .iter()
        .filter_map(|sample| sample.value.as_histogram());
    let histograms: Vec<&FloatHistogram> = histograms.collect();
    if histograms.is_empty() {
        Content::Floats
    } else if histograms.len() == samples.len() {
        Content::Histograms(histograms)
    } else {
        Content::Mixed
    }
}

/// The number of a sample; NaN for a histogram.
pub(super) fn float(sample: &Sample) -> f64 {
    sample.value.as_float().unwrap_or(f64::NAN)
}

pub(super) fn mixed(window: &Window<'_>, notes: &mut Notes<'_>) {
    let name = window.labels.name().unwrap_or_default();
    notes.warn(
        window.at,
        format!("encountered a mix of histograms and floats for metric name {name:?}"),
    );
}

fn seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}

fn extrapolated(
    window: &Window<'_>,
    notes: &mut Notes<'_>,
    is_counter: bool,
    per_second: bool,
) -> Option<PointValue> {
    let floats = float_change(window.samples, is_counter);
    let content = match floats {
        Some(_) => Content::Floats,
        None => content(window.samples),
    };
    if is_counter && !matches!(content, Content::Histograms(_)) {
        warn_of_name(window, notes);
    }
    let [first, .., last] = window.samples else {
        return None;
    };
    let intervals = (window.samples.len() - 1) as f64;
    let sampled = seconds(last.time - first.time);
    let (change, start_value, size) = match &content {
        Content::Mixed => {
            mixed(window, notes);
            return None;
        }
        Content::Floats => {
            let change = floats?;
            (PointValue::Float(change), float(first), change)
        }
        Content::Histograms(histograms) => {
            let change = histogram::change(histograms, is_counter, window, notes)?;
            let size = change.count;
            (change.into(), histograms.first()?.count, size)
        }
    };
    let mut to_start = seconds(first.time - window.after);
    let mut to_end = seconds(window.until - last.time);
    let mean = sampled / intervals;
    let threshold = mean * FILLED_GAP;
    if to_start >= threshold {
        to_start = mean / 2.0;
    }
    if is_counter {
        // A counter is not negative: it is extrapolated back to zero at most.
        let to_zero = if size > 0.0 && start_value >= 0.0 {
            sampled * (start_value / size)
        } else {
            to_start
        };
        to_start = to_start.min(to_zero);
    }
    if to_end >= threshold {
        to_end = mean / 2.0;
    }
    let mut factor = (sampled + to_start + to_end) / sampled;
    if per_second {
        factor /= seconds(window.until - window.after);
    }
    Some(match change {
        PointValue::Float(change) => PointValue::Float(change * factor),
        PointValue::Histogram(change) => change.scaled(factor).into(),
    })
}

/// The change from the first to the last sample; for a counter it goes on through resets. `None` if
/// there are no samples, or some are no numbers.
fn float_change(samples: &[Sample], is_counter: bool) -> Option<f64> {
    let mut before = samples.first()?.value.as_float()?;
    let mut change = samples.last()?.value.as_float()? - before;
    for sample in samples {
        let value = sample.value.as_float()?;
        if is_counter && value < before {
            change += before;
        }
        before = value;
    }
    Some(change)
}

fn warn_of_name(window: &Window<'_>, notes: &mut Notes<'_>) {
    let suffixes = ["_total", "_sum", "_count", "_bucket"];
    let Some(name) = window.labels.name() else {
        return;
    };
    if suffixes.iter().any(|suffix| name.ends_with(suffix)) {
        return;
    }
    let message = format!(
        "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {name:?}"
    );
    notes.info(window.at, message);
}

pub(super) fn irate(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    instant(window, notes, true)
}

pub(super) fn idelta(window: &Window<'_>, notes: &mut Notes<'_>) -> Option<PointValue> {
    instant(window, notes, false)
}

/// The change between the last two samples.
fn instant(window: &Window<'_>, notes: &mut Notes<'_>, is_rate: bool) -> Option<PointValue> {
    let [.., before, last] = window.samples else {
        return None;
    };
    let interval = seconds(last.time - before.time);
    match (&before.value, &last.value) {
        (PointValue::Float(before), PointValue::Float(last)) => {
            let change = if is_rate && last < before {
                *last
            } else {
                last - before
            };
            let change = if is_rate { change / interval } else { change };
            Some(PointValue::Float(change))
        }
        (PointValue::Histogram(before), PointValue::Histogram(last)) => {
            let change = histogram::instant_change(before, last, is_rate, window, notes)?;
            let change = if is_rate {
                change.divided(interval)
            } else {
                change
            };
            Some(change.into())
        }
        _ => {
            mixed(window, notes);
            None
        }
    }
}

pub(super) fn changes(window: &Window<'_>, _: &mut Notes<'_>) -> Option<PointValue> {
    #[expect(clippy::float_cmp, reason = "any difference is a change")]
    let changed = |pair: &&[Sample]| match (&pair[0].value, &pair[1].value) {
        (PointValue::Float(before), PointValue::Float(after)) => {
            before != after && !(before.is_nan() && after.is_nan())
        }
        (PointValue::Histogram(before), PointValue::Histogram(after)) => !before.equals(after),
        _ => true,
    };
    Some(PointValue::Float(
        window.samples.windows(2).filter(changed).count() as f64,
    ))
}

pub(super) fn resets(window: &Window<'_>, _: &mut Notes<'_>) -> Option<PointValue> {
    let reset = |pair: &&[Sample]| match (&pair[0].value, &pair[1].value) {
        (PointValue::Float(before), PointValue::Float(after)) => after < before,
        (PointValue::Histogram(before), PointValue::Histogram(after)) => after.is_reset_of(before),
        _ => true,
    };
    Some(PointValue::Float(
        window.samples.windows(2).filter(reset).count() as f64,
    ))
}
