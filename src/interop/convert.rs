//! Converts messages of the `prometheus` crate to our snapshots.

use std::collections::HashSet;
use std::sync::Arc;

use prometheus::proto::{Histogram, Metric, MetricFamily, MetricType, Summary};

use super::{GROUP, proto};
use crate::catalog::{Kind, MetricDef, names};
use crate::registry::{FamilySnapshot, HistogramSnapshot, Number, SeriesSnapshot, Value};

/// A family with all series that can be exposed; the others are added to `skipped`.
pub(super) fn snapshot(family: &MetricFamily, skipped: &mut u64) -> Option<FamilySnapshot> {
    let kind = kind(family);
    // A colon is reserved for recording rules, but scrapers accept it.
    if names::metric(&family.name().replace(':', "_")).is_err() {
        *skipped += family.get_metric().len() as u64;
        return None;
    }
    let mut def = MetricDef::new(kind, family.name().to_owned(), family.help().to_owned());
    def.namespaced = false;
    def.group = GROUP;
    let mut bounds = Arc::default();
    let mut seen = HashSet::new();
    let mut series = Vec::with_capacity(family.get_metric().len());
    for metric in family.get_metric() {
        let one = labels(kind, metric).and_then(|labels| {
            let value = value(kind, metric, &mut bounds)?;
            Some((SeriesSnapshot::new(labels.iter().copied(), value), labels))
        });
        match one {
            Some((one, labels)) if seen.insert(one.labels.clone()) => {
                for (name, _) in labels {
                    if !def.labels.iter().any(|known| known == name) {
                        def.labels.push(name.to_owned().into());
                    }
                }
                series.push(one);
            }
            _ => *skipped += 1,
        }
    }
    def.buckets = bounds.to_vec();
    Some(FamilySnapshot {
        def: Arc::new(def),
        series,
    })
}

pub(super) fn kind(family: &MetricFamily) -> Kind {
    match family.get_field_type() {
        MetricType::COUNTER => Kind::Counter,
        MetricType::GAUGE => Kind::Gauge,
        MetricType::HISTOGRAM => Kind::Histogram,
        MetricType::SUMMARY => Kind::Summary,
        MetricType::UNTYPED => Kind::Unknown,
    }
}

/// The labels sorted by name, so that equal sets are equal texts; `None` for a duplicate or invalid
/// label.
fn labels(kind: Kind, metric: &Metric) -> Option<Vec<(&str, &str)>> {
    let mut labels: Vec<(&str, &str)> = metric
        .get_label()
        .iter()
        .map(|pair| (pair.name(), pair.value()))
        .collect();
    labels.sort_unstable();
    let known = |name: &str| match name {
        "le" => kind != Kind::Histogram,
        "quantile" => kind != Kind::Summary,
        name => names::label(name).is_ok(),
    };
    let once = labels.windows(2).all(|pair| pair[0].0 != pair[1].0);
    (once && labels.iter().all(|(name, _)| known(name))).then_some(labels)
}

fn value(kind: Kind, metric: &Metric, bounds: &mut Arc<[f64]>) -> Option<Value> {
    let number = |n| Some(Value::Number(Number::F64(n)));
    match kind {
        Kind::Counter => number(proto::counter(metric)),
        Kind::Histogram => histogram(metric.get_histogram(), bounds).map(Value::Histogram),
        Kind::Summary => Some(summary(metric.get_summary())),
        Kind::Unknown => number(proto::untyped(metric)),
        Kind::Gauge | Kind::Info | Kind::StateSet => number(proto::gauge(metric)),
    }
}

/// Their buckets are cumulative and usually without `+Inf`; ours are not cumulative, and the last
/// is `+Inf`. The bounds of the previous series are reused if they are equal.
fn histogram(from: &Histogram, known: &mut Arc<[f64]>) -> Option<HistogramSnapshot> {
    let mut bounds: Vec<f64> = Vec::with_capacity(from.get_bucket().len());
    let mut counts = Vec::with_capacity(from.get_bucket().len() + 1);
    let mut below = 0;
    for bucket in from.get_bucket() {
        let bound = bucket.upper_bound();
        if bound == f64::INFINITY {
            break;
        }
        if !bound.is_finite() || bounds.last().is_some_and(|last| *last >= bound) {
            return None;
        }
        counts.push(bucket.cumulative_count().checked_sub(below)?);
        below = bucket.cumulative_count();
        bounds.push(bound);
    }
    counts.push(from.get_sample_count().checked_sub(below)?);
    if **known != *bounds {
        *known = bounds.into();
    }
    let sum = from.get_sample_sum();
    Some(HistogramSnapshot::classic(Arc::clone(known), counts, sum))
}

fn summary(from: &Summary) -> Value {
    Value::Summary {
        quantiles: from
            .get_quantile()
            .iter()
            .map(|quantile| (quantile.quantile(), quantile.value()))
            .collect(),
        sum: from.sample_sum(),
        count: from.sample_count(),
    }
}
