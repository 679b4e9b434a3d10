use std::collections::{HashMap, HashSet};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType, Quantile,
    Summary,
};

use super::gather;
use crate::catalog::{Kind, MetricDef};
use crate::registry::{HistogramRef, Registry, ScrapeFamily, ValueRef, parse_labels};

/// Adds a whole registry of ours to one of the `prometheus` crate, so that whatever gathers
/// that one exposes or pushes our metrics too: with their namespace and global labels, read
/// at every gathering.
///
/// What `from` itself has from the `prometheus` crate (see
/// [`from_prometheus`](super::from_prometheus)) is not handed on, so both directions may be on
/// for the same two registries. Info metrics become gauges, as in the text format 0.0.4.
///
/// # Errors
/// [`ExportError`] if `into` has this registry already, or a metric of a name that is declared
/// in `from`: the `prometheus` crate would expose both, and a scraper would take neither.
/// The names declared so far are then taken in `into`. It cannot be told what `from` declares
/// later; keep those names apart.
pub fn to_prometheus(from: &Registry, into: &prometheus::Registry) -> Result<(), ExportError> {
    let bridge = Bridge::new(from);
    let ours: HashSet<String> = bridge.descs.iter().map(|d| d.fq_name.clone()).collect();
    into.register(Box::new(bridge)).map_err(|source| {
        let theirs = gather(into, from);
        let shared = theirs.iter().map(MetricFamily::name);
        ExportError {
            names: shared
                .filter(|name| ours.contains(*name))
                .map(str::to_owned)
                .collect(),
            source,
        }
    })
}

/// Why [`to_prometheus`] failed.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.explain())]
#[non_exhaustive]
pub struct ExportError {
    /// The metrics that both registries have. Empty if this registry was added before, or if
    /// theirs has the names without a series or under a prefix.
    pub names: Vec<String>,
    /// What the other registry says.
    pub source: prometheus::Error,
}

impl ExportError {
    fn explain(&self) -> String {
        if self.names.is_empty() {
            "the prometheus registry refuses this one: add it only once, and rename metrics that \
             both have"
                .to_owned()
        } else {
            format!(
                "the prometheus registry already has {}; rename them in one of the two or add \
                 only one of them",
                self.names.join(", ")
            )
        }
    }
}

struct Bridge {
    from: Registry,
    /// One of its own, so that a registry in which nothing is declared has an identity, and
    /// one for each name. They must not change while the bridge is registered.
    descs: Vec<Desc>,
}

impl Bridge {
    fn new(from: &Registry) -> Self {
        let identity = HashMap::from([("registry".to_owned(), format!("{:x}", from.identity()))]);
        let own = Desc::new(
            "selfheal_registry".to_owned(),
            "Metrics of the selfheal crate".to_owned(),
            Vec::new(),
            identity,
        );
        let declared = from
            .own_names()
            .into_iter()
            .map(|(name, def)| desc(name, &def));
        Self {
            from: from.clone(),
            // None fails: what we let be declared is valid in the other crate as well.
            descs: std::iter::once(own).chain(declared).flatten().collect(),
        }
    }
}

fn desc(name: String, def: &MetricDef) -> prometheus::Result<Desc> {
    // The other crate refuses an empty help text.
    let help = if def.help.is_empty() {
        &def.name
    } else {
        &def.help
    };
    let labels = def.labels.iter().map(ToString::to_string).collect();
    Desc::new(name, help.to_string(), labels, HashMap::new())
}

impl Collector for Bridge {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        // Asked for in the middle of a scrape of the same registry, which has it all already.
        if self.from.is_collecting() {
            return Vec::new();
        }
        let scrape = self.from.scrape_own();
        let global = parse_labels(scrape.global_labels());
        let families = scrape.families().iter();
        families.map(|family| convert(family, &global)).collect()
    }
}

fn convert(family: &ScrapeFamily, global: &[(String, String)]) -> MetricFamily {
    let mut metrics = Vec::new();
    let kind = family.def().kind;
    // As our own formats do: the label that an encoder writes is nobody else's.
    let reserved = match kind {
        Kind::Histogram => "le",
        Kind::Summary => "quantile",
        _ => "",
    };
    let global: Vec<_> = global.iter().filter(|(name, _)| name != reserved).collect();
    family.each(&mut |labels, sample| {
        let mut metric = Metric::from_label(pairs(labels, &global));
        if fill(&mut metric, kind, sample.value) {
            metrics.push(metric);
        }
    });
    let mut out = MetricFamily::default();
    out.set_name(family.name().to_owned());
    out.set_help(family.def().help.to_string());
    out.set_field_type(match kind {
        Kind::Counter => MetricType::COUNTER,
        Kind::Histogram => MetricType::HISTOGRAM,
        Kind::Summary => MetricType::SUMMARY,
        // Their text encoder panics on an untyped family.
        Kind::Gauge | Kind::Info | Kind::StateSet | Kind::Unknown => MetricType::GAUGE,
    });
    out.set_metric(metrics);
    out
}

/// All labels by name, as the other crate sorts them. The label of a series goes before a
/// global one of the same name.
fn pairs(labels: &str, global: &[&(String, String)]) -> Vec<LabelPair> {
    let mut all = parse_labels(labels);
    for (name, value) in global {
        if !all.iter().any(|(known, _)| known == name) {
            all.push((name.clone(), value.clone()));
        }
    }
    all.sort_unstable();
    let pair = |(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name(name);
        pair.set_value(value);
        pair
    };
    all.into_iter().map(pair).collect()
}

/// Sets the value; false where a collector yielded one that is not of the kind it declared.
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
