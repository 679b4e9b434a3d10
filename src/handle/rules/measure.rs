//! The series that a registry can have, for the report on rules.

use std::sync::Arc;

use crate::catalog::{Allowed, Kind, MetricDef, OTHER};
use crate::promql::LabelSet;
use crate::registry::Registry;
use crate::rules::{Measured, MeasuredLabels};

/// The suffixes of a histogram's or summary's series, and the label that only the first has.
const HISTOGRAM: [(&str, Option<&str>); 3] = [("_bucket", Some("le")), SUM, COUNT];
const SUMMARY: [(&str, Option<&str>); 3] = [("", Some("quantile")), SUM, COUNT];
const ONE: [(&str, Option<&str>); 1] = [("", None)];
const SUM: (&str, Option<&str>) = ("_sum", None);
const COUNT: (&str, Option<&str>) = ("_count", None);

/// The series that are declared, exposed or `kept` in the history.
///
/// The labels of metrics that are declared with some are known. A collector may describe a metric
/// without them, and another library's metrics and older names are not in the catalogue: those
/// have any.
pub(super) fn measure(registry: &Registry, kept: Vec<Arc<str>>, target: LabelSet) -> Measured {
    let mut names = kept;
    let scrape = registry.scrape();
    for family in scrape.families() {
        let def = family.def();
        names.extend(series(family.name(), def).map(|(name, _)| name));
    }
    let settings = registry.settings();
    let catalog = registry.catalog();
    let declared: Vec<_> = catalog
        .iter()
        .map(|def| (def.name_in(&settings.namespace).into_owned(), def))
        .collect();
    for (name, def) in &declared {
        names.extend(series(name, def).map(|(name, _)| name));
    }
    let mut measured = Measured::new(names, target);
    for (name, def) in declared {
        // The label of the state comes beside the declared ones.
        if def.labels.is_empty() || def.kind == Kind::StateSet {
            continue;
        }
        let global = settings.global_labels.keys();
        let global = global.map(|label| (Arc::from(label.as_str()), None));
        let labels: MeasuredLabels = labels(def).chain(global).collect();
        let common = Arc::new(labels);
        for (name, own) in series(&name, def) {
            let labels = match own {
                None => Arc::clone(&common),
                Some(own) => {
                    let mut labels = MeasuredLabels::clone(&common);
                    labels.insert(own.into(), None);
                    Arc::new(labels)
                }
            };
            measured = measured.with_labels(name, &labels);
        }
    }
    measured
}

/// The names of a metric's series, and the label that only those of one name have.
fn series<'a>(
    name: &'a str,
    def: &MetricDef,
) -> impl Iterator<Item = (Arc<str>, Option<&'static str>)> + 'a {
    let suffixes: &[_] = match def.kind {
        Kind::Histogram => &HISTOGRAM,
        Kind::Summary => &SUMMARY,
        _ => &ONE,
    };
    // A native histogram is a series of the metric's own name.
    let native = def.native.is_some().then_some(&ONE);
    let all = suffixes.iter().chain(native.into_iter().flatten());
    all.map(move |(suffix, own)| (format!("{name}{suffix}").into(), *own))
}

fn labels(def: &MetricDef) -> impl Iterator<Item = (Arc<str>, Option<Vec<Arc<str>>>)> + '_ {
    def.labels.iter().map(|label| {
        let values = match def.allowed.get(label) {
            Some(Allowed::These(values)) => {
                let values = values.iter().map(|value| Arc::from(&**value));
                let other = Arc::from(OTHER);
                let mut values: Vec<Arc<str>> = values.collect();
                if !values.contains(&other) {
                    values.push(other);
                }
                Some(values)
            }
            _ => None,
        };
        (Arc::from(&**label), values)
    })
}
