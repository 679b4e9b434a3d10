use std::collections::BTreeMap;
use std::fmt;

use super::changes::Changes;
use super::series::Series;
use crate::registry::{HistogramRef, Registry, ValueRef, parse_labels};

/// A reading of every sample of a registry at one moment.
///
/// Displayed as one line per sample, sorted: `orders_total{payment="card"} 3`.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub(super) samples: BTreeMap<Series, f64>,
    namespace: String,
}

impl Reading {
    /// Reads everything that a scrape would read now, including collectors and gauge functions,
    /// without the global labels.
    #[must_use]
    pub fn of(registry: &impl AsRef<Registry>) -> Self {
        let scrape = registry.as_ref().scrape();
        let mut reading = Self {
            samples: BTreeMap::new(),
            namespace: scrape.settings().namespace.clone(),
        };
        for family in scrape.families() {
            family.each(&mut |labels, sample| {
                reading.add(family.name(), &parse_labels(labels), sample.value);
            });
        }
        reading
    }

    /// The value of the sample with this name and exactly these labels, in any order. The namespace
    /// may be omitted.
    #[must_use]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let known = |name: &str| self.samples.get(&Series::of(name, labels)).copied();
        known(name).or_else(|| known(&self.full(name)))
    }

    /// The sum of all samples with this name and at least these labels; 0 if there are none. The
    /// namespace may be omitted.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let full = self.full(name);
        let exact = self.samples.keys().any(|series| series.name == name);
        let name = if exact { name } else { &full };
        let wanted = |series: &&Series| series.name == name && series.has(labels);
        let wanted = self.samples.iter().filter(|(series, _)| wanted(series));
        wanted.map(|(_, value)| value).sum()
    }

    /// The changes since an earlier reading of the same registry.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Changes {
        Changes::between(earlier, self)
    }

    /// The name with the namespace prepended.
    pub(super) fn full(&self, name: &str) -> String {
        match &*self.namespace {
            "" => name.to_owned(),
            namespace => format!("{namespace}_{name}"),
        }
    }

    fn add(&mut self, name: &str, labels: &[(String, String)], value: ValueRef<'_>) {
        match value {
            ValueRef::Number(number) => self.put(name, labels, None, number.as_f64()),
            ValueRef::Histogram(histogram) => self.add_histogram(name, labels, histogram),
            ValueRef::Summary {
                quantiles,
                sum,
                count,
            } => {
                for (quantile, value) in quantiles {
                    let label = ("quantile", quantile.to_string());
                    self.put(name, labels, Some(label), *value);
                }
                self.put(&format!("{name}_sum"), labels, None, sum);
                self.put(&format!("{name}_count"), labels, None, count as f64);
            }
        }
    }

    fn add_histogram(
        &mut self,
        name: &str,
        labels: &[(String, String)],
        histogram: HistogramRef<'_>,
    ) {
        let bounds = histogram.bounds.iter().map(f64::to_string);
        let bounds = bounds.chain(["+Inf".to_owned()]);
        let mut below = 0_u64;
        for (bound, count) in bounds.zip(histogram.counts) {
            below = below.wrapping_add(*count);
            let name = format!("{name}{BUCKET}");
            self.put(&name, labels, Some(("le", bound)), below as f64);
        }
        self.put(&format!("{name}_sum"), labels, None, histogram.sum);
        let count = histogram.count() as f64;
        self.put(&format!("{name}_count"), labels, None, count);
    }

    fn put(
        &mut self,
        name: &str,
        labels: &[(String, String)],
        more: Option<(&str, String)>,
        value: f64,
    ) {
        let more = more.map(|(name, value)| (name.to_owned(), value));
        let labels = labels.iter().cloned().chain(more).collect();
        self.samples
            .insert(Series::new(name.to_owned(), labels), value);
    }
}

/// The suffix of bucket names.
pub(super) const BUCKET: &str = "_bucket";

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (series, value) in &self.samples {
            writeln!(f, "{series} {value}")?;
        }
        Ok(())
    }
}
