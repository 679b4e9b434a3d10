//! Functions of classic and native histograms.

use std::sync::Arc;

use hashbrown::HashMap;

use super::classic::{self, Bucket, Repair};
use crate::promql::error::QueryError;
use crate::promql::eval::{Args, Value};
use crate::promql::format::{bound_text, go_float};
use crate::promql::histogram::{FloatHistogram, NanEffect};
use crate::promql::labels::LabelSet;
use crate::promql::value::{InstantSample, PointValue};

const BOUND: &str = "le";

macro_rules! numbers {
    ($($name:ident: |$histogram:ident| $value:expr;)*) => {
        $(pub(super) fn $name(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
            number(args, |$histogram| $value)
        })*
    };
}

numbers! {
    histogram_count: |histogram| histogram.count;
    histogram_sum: |histogram| histogram.sum;
    histogram_avg: |histogram| histogram.sum / histogram.count;
    histogram_stdvar: |histogram| histogram.variance();
    histogram_stddev: |histogram| histogram.variance().sqrt();
}

/// Maps each native histogram to a number; numbers are dropped.
fn number(
    args: &mut Args<'_, '_>,
    number: impl Fn(&FloatHistogram) -> f64,
) -> Result<Value, QueryError> {
    let mut vector = args.vector(0)?;
    vector.retain_mut(|sample| {
        let Some(value) = sample.value.as_histogram().map(&number) else {
            return false;
        };
        sample.value = PointValue::Float(value);
        true
    });
    args.eval
        .drop_names(args.node.at, vector)
        .map(Value::Vector)
}

/// The histograms of a vector.
struct Histograms {
    classic: Vec<Classic>,
    native: Vec<(LabelSet, Arc<FloatHistogram>)>,
}

struct Classic {
    /// The labels without the bound.
    labels: LabelSet,
    buckets: Vec<Bucket>,
}

fn collect(args: &mut Args<'_, '_>, place: usize) -> Result<Histograms, QueryError> {
    let vector = args.vector(place)?;
    let at = args.node(place).at;
    let notes = &mut args.eval.notes;
    let mut places: HashMap<LabelSet, usize, foldhash::fast::RandomState> = HashMap::default();
    let mut found = Histograms {
        classic: Vec::new(),
        native: Vec::new(),
    };
    for sample in vector {
        let value = match sample.value {
            PointValue::Float(value) => value,
            PointValue::Histogram(histogram) => {
                found.native.push((sample.labels, histogram));
                continue;
            }
        };
        let text = sample.labels.get(BOUND).unwrap_or_default();
        let name = sample.labels.name();
        let Some(bound) = bound(text) else {
            let name = name.unwrap_or_default();
            notes.warn(
                at,
                format!(
                    "bucket label \"le\" is missing or has a malformed value of {text:?} for \
                     metric name {name:?}"
                ),
            );
            continue;
        };
        let labels = sample.labels.with(BOUND, "");
        let place = *places.entry(labels.clone()).or_insert_with(|| {
            found.classic.push(Classic {
                labels,
                buckets: Vec::new(),
            });
            found.classic.len() - 1
        });
        found.classic[place].buckets.push((bound, value));
    }
    // A series that is a classic and a native histogram at once is dropped.
    let classic = &mut found.classic;
    let mut places: HashMap<LabelSet, Vec<usize>, foldhash::fast::RandomState> = HashMap::default();
    if !found.native.is_empty() {
        for (place, classic) in classic.iter().enumerate() {
            places
                .entry(classic.labels.without_name())
                .or_default()
                .push(place);
        }
    }
    found.native.retain(|(labels, _)| {
        let same = places.get(&labels.without_name().with(BOUND, ""));
        if let Some(same) = same {
            for place in same {
                classic[*place].buckets.clear();
            }
            let name = labels.name().unwrap_or_default();
            notes.warn(
                at,
                format!(
                    "vector contains a mix of classic and native histograms for metric name \
                     {name:?}"
                ),
            );
        }
        same.is_none()
    });
    found.classic.retain(|classic| !classic.buckets.is_empty());
    Ok(found)
}

fn bound(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// The quantile that an argument asks for.
fn share(args: &mut Args<'_, '_>, place: usize) -> Result<f64, QueryError> {
    let q = args.scalar(place)?;
    if q.is_nan() || !(0.0..=1.0).contains(&q) {
        let message = format!(
            "quantile value should be between 0 and 1, got {}",
            go_float(q)
        );
        args.eval.notes.warn(args.node(place).at, message);
    }
    Ok(q)
}

/// The quantile of each histogram, without the metric's name.
fn quantiles(
    args: &mut Args<'_, '_>,
    place: usize,
    histograms: &Histograms,
    q: f64,
) -> Vec<InstantSample> {
    let at = args.node(place).at;
    let notes = &mut args.eval.notes;
    let mut found = Vec::new();
    for histogram in &histograms.classic {
        let (value, repair) = classic::quantile(q, &mut histogram.buckets.clone());
        if let Some(repair) = repair {
            let name = histogram.labels.name().unwrap_or_default();
            notes.info(at, repaired(&repair, name));
        }
        found.push(InstantSample {
            labels: histogram.labels.without_name(),
            value: value.into(),
        });
    }
    for (labels, histogram) in &histograms.native {
        let (value, effect) = histogram.quantile(q);
        let result = match effect {
            NanEffect::None => None,
            NanEffect::Nan => Some("result is NaN"),
            NanEffect::Skewed => Some("result is skewed higher"),
        };
        if let Some(result) = result {
            let name = labels.name().unwrap_or_default();
            notes.info(
                at,
                format!(
                    "input to histogram_quantile has NaN observations, {result} for metric name \
                     {name:?}"
                ),
            );
        }
        found.push(InstantSample {
            labels: labels.without_name(),
            value: value.into(),
        });
    }
    found
}

fn repaired(repair: &Repair, name: &str) -> String {
    let (from, to) = (go_float(repair.from), go_float(repair.to));
    let difference = go_float(repair.difference);
    format!(
        "input to histogram_quantile needed to be fixed for monotonicity (buckets {from} to {to}, \
         by up to {difference}) for metric name {name:?}"
    )
}

pub(super) fn histogram_quantile(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let q = share(args, 0)?;
    let histograms = collect(args, 1)?;
    let found = quantiles(args, 1, &histograms, q);
    args.eval.check_unique(args.node.at, &found)?;
    Ok(Value::Vector(found))
}

/// `histogram_quantiles(vector, label, q…)`: the quantile becomes a label.
pub(super) fn histogram_quantiles(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let label = args.string(1)?;
    let histograms = collect(args, 0)?;
    let mut found = Vec::new();
    for place in 2..args.call.arguments.len() {
        let q = share(args, place)?;
        let text: Arc<str> = bound_text(q).into();
        let samples = quantiles(args, 0, &histograms, q).into_iter();
        found.extend(samples.map(|sample| InstantSample {
            labels: sample.labels.with(&label, Arc::clone(&text)),
            value: sample.value,
        }));
    }
    args.eval.check_unique(args.node.at, &found)?;
    Ok(Value::Vector(found))
}

/// `histogram_fraction(lower, upper, vector)`
pub(super) fn histogram_fraction(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let lower = args.scalar(0)?;
    let upper = args.scalar(1)?;
    let histograms = collect(args, 2)?;
    let classic = histograms
        .classic
        .into_iter()
        .map(|histogram| InstantSample {
            value: classic::fraction(lower, upper, histogram.buckets).into(),
            labels: histogram.labels.without_name(),
        });
    let mut found: Vec<InstantSample> = classic.collect();
    for (labels, histogram) in histograms.native {
        let (value, effect) = histogram.fraction(lower, upper);
        if effect != NanEffect::None {
            let name = labels.name().unwrap_or_default();
            args.eval.notes.info(
                args.node(2).at,
                format!(
                    "input to histogram_fraction has NaN observations, which are excluded from \
                     all fractions for metric name {name:?}"
                ),
            );
        }
        found.push(InstantSample {
            labels: labels.without_name(),
            value: value.into(),
        });
    }
    args.eval.check_unique(args.node.at, &found)?;
    Ok(Value::Vector(found))
}
