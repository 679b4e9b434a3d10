//! Converts messages of the `prometheus` crate to our snapshots.

use std::collections::HashSet;
use std::sync::Arc;

use prometheus::proto::{Metric, MetricFamily, MetricType, Summary};

use super::{GROUP, proto};
use crate::catalog::{Kind, MetricDef, names};
use crate::registry::{FamilySnapshot, HistogramSnapshot, Number, SeriesSnapshot, Value};

/// A family while its series are added.
pub(super) struct Family {
    def: MetricDef,
    bounds: Arc<[f64]>,
    seen: HashSet<Box<str>>,
    series: Vec<SeriesSnapshot>,
}

impl Family {
    /// `None` if the name cannot be exposed.
    pub(super) fn new(kind: Kind, name: &str, help: &str) -> Option<Self> {
        // A colon is reserved for recording rules, but scrapers accept it.
        names::metric(&name.replace(':', "_")).ok()?;
        let mut def = MetricDef::new(kind, name.to_owned(), help.to_owned());
        def.namespaced = false;
        def.group = GROUP;
        Some(Self {
            def,
            bounds: Arc::default(),
            seen: HashSet::new(),
            series: Vec::new(),
        })
    }

    pub(super) fn kind(&self) -> Kind {
        self.def.kind
    }

    /// Adds a series, whose labels are sorted by name so that equal sets are equal texts; returns
    /// whether it can be exposed. The bounds of the previous series are reused if they are equal.
    pub(super) fn add(
        &mut self,
        labels: &[(&str, &str)],
        value: impl FnOnce(&mut Arc<[f64]>) -> Option<Value>,
    ) -> bool {
        let kind = self.def.kind;
        let known = |name: &str| match name {
            "le" => kind != Kind::Histogram,
            "quantile" => kind != Kind::Summary,
            name => names::label(name).is_ok(),
        };
        let once = labels.windows(2).all(|pair| pair[0].0 != pair[1].0);
        if !once || !labels.iter().all(|(name, _)| known(name)) {
            return false;
        }
        let Some(value) = value(&mut self.bounds) else {
            return false;
        };
        let series = SeriesSnapshot::new(labels.iter().copied(), value);
        if !self.seen.insert(series.labels.clone()) {
            return false;
        }
        for (name, _) in labels {
            if !self.def.labels.iter().any(|known| known == name) {
                self.def.labels.push((*name).to_owned().into());
            }
        }
        self.series.push(series);
        true
    }

    pub(super) fn finish(mut self) -> FamilySnapshot {
        self.def.buckets = self.bounds.to_vec();
        FamilySnapshot {
            def: Arc::new(self.def),
            series: self.series,
        }
    }
}

/// A family with all series that can be exposed; the others are added to `skipped`.
pub(super) fn snapshot(family: &MetricFamily, skipped: &mut u64) -> Option<FamilySnapshot> {
    let kind = kind(family);
    let Some(mut found) = Family::new(kind, family.name(), family.help()) else {
        *skipped += family.get_metric().len() as u64;
        return None;
    };
    for metric in family.get_metric() {
        let pairs = metric.get_label().iter();
        let mut labels: Vec<_> = pairs.map(|pair| (pair.name(), pair.value())).collect();
        labels.sort_unstable();
        let is_taken = found.add(&labels, |bounds| value(kind, metric, bounds));
        *skipped += u64::from(!is_taken);
    }
    Some(found.finish())
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

fn value(kind: Kind, metric: &Metric, bounds: &mut Arc<[f64]>) -> Option<Value> {
    let number = |n| Some(Value::Number(Number::F64(n)));
    match kind {
        Kind::Counter => number(proto::counter(metric)),
        Kind::Histogram => {
            let from = metric.get_histogram();
            let buckets = from.get_bucket().iter();
            let buckets = buckets.map(|one| (one.upper_bound(), one.cumulative_count()));
            histogram(
                buckets,
                from.get_sample_count(),
                from.get_sample_sum(),
                bounds,
            )
            .map(Value::Histogram)
        }
        Kind::Summary => Some(summary(metric.get_summary())),
        Kind::Unknown => number(proto::untyped(metric)),
        Kind::Gauge | Kind::Info | Kind::StateSet => number(proto::gauge(metric)),
    }
}

/// Their buckets are cumulative and may lack `+Inf`; ours are not cumulative, and the last is
/// `+Inf`. `buckets` are pairs of upper bound and cumulative count.
pub(super) fn histogram(
    buckets: impl IntoIterator<Item = (f64, u64)>,
    count: u64,
    sum: f64,
    known: &mut Arc<[f64]>,
) -> Option<HistogramSnapshot> {
    let (mut bounds, mut counts): (Vec<f64>, Vec<u64>) = (Vec::new(), Vec::new());
    let mut below = 0;
    for (bound, cumulative) in buckets {
        if bound == f64::INFINITY {
            break;
        }
        if !bound.is_finite() || bounds.last().is_some_and(|last| *last >= bound) {
            return None;
        }
        counts.push(cumulative.checked_sub(below)?);
        below = cumulative;
        bounds.push(bound);
    }
    counts.push(count.checked_sub(below)?);
    if **known != *bounds {
        *known = bounds.into();
    }
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
