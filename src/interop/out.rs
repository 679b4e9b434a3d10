//! Converts our scrape to messages of the `prometheus` crate.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType, Quantile,
    Summary,
};

use crate::catalog::Kind;
use crate::registry::{HistogramRef, ScrapeFamily, ValueRef, parse_labels};
use crate::util::escape::{NameOf, is_plain, underscores};

/// The labels of every series.
pub(super) struct Labels<'a> {
    /// Our global labels.
    global: Vec<(String, String)>,
    /// The names of the labels that the other registry adds.
    theirs: &'a [String],
}

impl<'a> Labels<'a> {
    pub(super) fn new(global: &str, theirs: &'a [String]) -> Self {
        let mut global = parse_labels(global);
        global.retain(|(name, _)| may_be_exposed(name) && !theirs.contains(name));
        Self { global, theirs }
    }

    /// Converts a family under its name in the other crate; also returns how many series were
    /// dropped because a collector made them invalid.
    pub(super) fn convert(&self, family: &ScrapeFamily, name: String) -> (MetricFamily, u64) {
        let kind = family.def().kind;
        let mut metrics = Vec::new();
        let mut skipped = 0;
        family.each(&mut |labels, sample| {
            let metric = self.pairs(kind, labels).and_then(|pairs| {
                let mut metric = Metric::from_label(pairs);
                fill(&mut metric, kind, sample.value).then_some(metric)
            });
            match metric {
                Some(metric) => metrics.push(metric),
                None => skipped += 1,
            }
        });
        let mut out = MetricFamily::default();
        out.set_name(name);
        out.set_help(family.def().help.to_string());
        out.set_field_type(match kind {
            Kind::Counter => MetricType::COUNTER,
            Kind::Histogram => MetricType::HISTOGRAM,
            Kind::Summary => MetricType::SUMMARY,
            // Their text encoder panics on an untyped family.
            Kind::Gauge | Kind::Info | Kind::StateSet | Kind::Unknown => MetricType::GAUGE,
        });
        out.set_metric(metrics);
        (out, skipped)
    }

    /// All labels sorted by name, as in the other crate; `None` for a duplicate or invalid name. A
    /// label of a series overrides a global one of the same name.
    fn pairs(&self, kind: Kind, labels: &str) -> Option<Vec<LabelPair>> {
        // As in our own formats, the label that an encoder writes is reserved.
        let reserved = match kind {
            Kind::Histogram => "le",
            Kind::Summary => "quantile",
            _ => "",
        };
        let mut all = parse_labels(labels);
        for (name, _) in &mut all {
            *name = underscores(name, NameOf::Label).into_owned();
        }
        for (name, value) in &self.global {
            if name != reserved && !all.iter().any(|(known, _)| known == name) {
                all.push((name.clone(), value.clone()));
            }
        }
        all.sort_unstable();
        let once = all.windows(2).all(|pair| pair[0].0 != pair[1].0);
        let known =
            |name: &String| may_be_exposed(name) && name != reserved && !self.theirs.contains(name);
        let pair = |(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name);
            pair.set_value(value);
            pair
        };
        let fine = once && all.iter().all(|(name, _)| known(name));
        fine.then(|| all.into_iter().map(pair).collect())
    }
}

fn may_be_exposed(label: &str) -> bool {
    is_plain(label, NameOf::Label) && label != "__name__"
}

/// Sets the value; false if a collector yielded one of another kind than declared.
fn fill(metric: &mut Metric, kind: Kind, value: ValueRef<'_>) -> bool {
    match (kind, value) {
        (Kind::Counter, ValueRef::Number(number)) => {
            let mut counter = Counter::default();
            counter.set_value(number.as_f64());
            metric.set_counter(counter);
        }
        (Kind::Gauge | Kind::Info | Kind::StateSet | Kind::Unknown, ValueRef::Number(number)) => {
            let mut gauge = Gauge::default();
            gauge.set_value(number.as_f64());
            metric.set_gauge(gauge);
        }
        (Kind::Histogram, ValueRef::Histogram(from)) => metric.set_histogram(histogram(from)),
        (
            Kind::Summary,
            ValueRef::Summary {
                quantiles,
                sum,
                count,
            },
        ) => {
            let quantile = |&(at, value): &(f64, f64)| {
                let mut quantile = Quantile::default();
                quantile.set_quantile(at);
                quantile.set_value(value);
                quantile
            };
            let mut summary = Summary::default();
            summary.set_quantile(quantiles.iter().map(quantile).collect());
            summary.set_sample_sum(sum);
            summary.set_sample_count(count);
            metric.set_summary(summary);
        }
        _ => return false,
    }
    true
}

/// Their buckets are cumulative, and their encoders add `+Inf`.
fn histogram(from: HistogramRef<'_>) -> Histogram {
    let mut below = 0;
    let bucket = |(bound, count): (&f64, &u64)| {
        below += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(below);
        bucket
    };
    let buckets = from.bounds.iter().zip(from.counts).map(bucket).collect();
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets);
    histogram.set_sample_count(from.count());
    histogram.set_sample_sum(from.sum);
    histogram
}
