//! The series loaded by a corpus file.

use std::collections::BTreeMap;

use crate::promql::{
    CUSTOM_BOUNDS, FloatHistogram, LabelSet, METRIC_NAME, PointValue, ResetHint, Sample, Series,
};

use super::notation::{self, Line};

/// Adds lines whose values are `step` milliseconds apart.
pub(super) fn load(
    store: &mut Vec<Series>,
    lines: &[String],
    step: i64,
    with_custom_bounds: bool,
) -> Result<(), String> {
    let lines = lines.iter().map(|line| notation::line(line));
    let lines: Vec<Line> = lines.collect::<Result<_, _>>()?;
    if with_custom_bounds {
        for line in native(&lines) {
            add(store, line, step);
        }
    }
    for line in lines {
        add(store, line, step);
    }
    Ok(())
}

fn add(store: &mut Vec<Series>, line: Line, step: i64) {
    let samples = (0..).zip(line.values).filter_map(|(at, value)| {
        Some(Sample {
            time: at * step,
            value: value?,
        })
    });
    let known = store.iter().position(|series| series.labels == line.labels);
    let place = known.unwrap_or_else(|| {
        let labels = line.labels;
        let samples = Vec::new();
        store.push(Series { labels, samples });
        store.len() - 1
    });
    let all = &mut store[place].samples;
    all.extend(samples);
    // A stable sort: of two values at one time, the last written is kept.
    all.sort_by_key(|sample| sample.time);
    all.reverse();
    all.dedup_by_key(|sample| sample.time);
    all.reverse();
    hint(all);
}

/// Sets reset hints as a server's storage does: not reset if a histogram continues the one before.
fn hint(samples: &mut [Sample]) {
    let mut before: Option<FloatHistogram> = None;
    for sample in samples {
        let PointValue::Histogram(histogram) = &sample.value else {
            before = None;
            continue;
        };
        let mut histogram = (**histogram).clone();
        if histogram.reset_hint != ResetHint::Gauge {
            histogram.reset_hint = ResetHint::Unknown;
            let goes_on = before.as_ref().is_some_and(|before| {
                before.reset_hint != ResetHint::Gauge && !histogram.is_reset_of(before)
            });
            if goes_on {
                histogram.reset_hint = ResetHint::NotReset;
            }
        }
        sample.value = histogram.clone().into();
        before = Some(histogram);
    }
}

/// Converts classic histograms to native ones with the same bounds.
fn native(lines: &[Line]) -> Vec<Line> {
    // Per histogram and step: the counts by bound, and the sum and count if given.
    #[derive(Default)]
    struct Classic {
        buckets: BTreeMap<u64, (f64, Vec<Option<f64>>)>,
        sum: Vec<Option<f64>>,
        count: Vec<Option<f64>>,
    }
    let mut classic: BTreeMap<LabelSet, Classic> = BTreeMap::new();
    for line in lines {
        let Some(name) = line.labels.name() else {
            continue;
        };
        let floats = line.values.iter();
        let floats = floats.map(|value| value.as_ref().and_then(PointValue::as_float));
        let floats: Vec<Option<f64>> = floats.collect();
        let bound = line.labels.get("le").and_then(notation::number);
        if let (Some(base), Some(bound)) = (name.strip_suffix("_bucket"), bound) {
            let labels = line.labels.with("le", "").with(METRIC_NAME, base);
            let entry = classic.entry(labels).or_default();
            entry.buckets.insert(order(bound), (bound, floats));
        } else if let Some(base) = name.strip_suffix("_sum") {
            classic
                .entry(line.labels.with(METRIC_NAME, base))
                .or_default()
                .sum = floats;
        } else if let Some(base) = name.strip_suffix("_count") {
            classic
                .entry(line.labels.with(METRIC_NAME, base))
                .or_default()
                .count = floats;
        }
    }
    let found = classic
        .into_iter()
        .filter(|(_, classic)| !classic.buckets.is_empty());
    let lines = found.map(|(labels, classic)| {
        let steps = classic
            .buckets
            .values()
            .map(|(_, counts)| counts.len())
            .max();
        let steps = steps
            .unwrap_or(0)
            .max(classic.sum.len())
            .max(classic.count.len());
        let at = |values: &[Option<f64>], step: usize| values.get(step).copied().flatten();
        let values = (0..steps).map(|step| {
            let finite = classic
                .buckets
                .values()
                .filter(|(bound, _)| bound.is_finite());
            let bounds: Vec<f64> = finite.map(|(bound, _)| *bound).collect();
            let counts = classic.buckets.values();
            let counts = counts.filter_map(|(bound, counts)| Some((*bound, at(counts, step)?)));
            let counts: Vec<(f64, f64)> = counts.collect();
            let last = counts.last()?.1;
            let count = at(&classic.count, step).unwrap_or(last);
            let mut below = 0.0;
            let mut positive = Vec::new();
            for (bound, count) in &counts {
                let place = bounds.iter().position(|other| other >= bound);
                let place = i32::try_from(place.unwrap_or(bounds.len())).ok()?;
                positive.push((place, count - below));
                below = *count;
            }
            if count > below {
                positive.push((i32::try_from(bounds.len()).ok()?, count - below));
            }
            Some(
                FloatHistogram {
                    schema: CUSTOM_BOUNDS,
                    count,
                    sum: at(&classic.sum, step).unwrap_or(0.0),
                    positive,
                    bounds: bounds.into(),
                    ..FloatHistogram::default()
                }
                .into(),
            )
        });
        Line {
            labels,
            values: values.collect(),
        }
    });
    lines.collect()
}

/// A number that sorts like the bound.
fn order(bound: f64) -> u64 {
    let bits = bound.to_bits();
    if bound.is_sign_negative() {
        !bits
    } else {
        bits | 1 << 63
    }
}
