use std::collections::{BTreeMap, HashMap, HashSet};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

use super::out::Labels;
use super::theirs::Theirs;
use crate::catalog::{MetricDef, names};
use crate::registry::Registry;
use crate::util::escape::{NameOf, underscores};

/// Registers one of our registries in a `prometheus` registry, so that whatever gathers it also
/// exposes or pushes our metrics, with their namespace and global labels, read at every gathering.
///
/// Metrics that `from` has from the `prometheus` crate (see
/// [`from_prometheus`](super::from_prometheus)) are omitted, so both directions may be active for
/// the same two registries. Info metrics become gauges, as in the text format 0.0.4. In UTF-8
/// names, which the other crate does not support, each unsupported character becomes `_`, as in
/// that format. If `into` adds a global label of `from` to every series (see
/// `prometheus::Registry::new_custom`), its value from `into` applies.
///
/// # Errors
/// [`ExportError`] if `into` has this registry already; if it has a metric with a name declared in
/// `from` or that of one of its samples, since the `prometheus` crate would expose both, which
/// scrapers reject; or if `into` adds a label to every series that one of them has.
///
/// The names declared so far, and those of their samples, are then taken in `into`. A metric
/// declared in `from` later that clashes with one of `into` is omitted and counted by name, see
/// [the registry](crate::registry#one-owner-for-each-name). Clashes of metrics added to both later
/// cannot be detected: keep those names apart.
pub fn to_prometheus(from: &Registry, into: &prometheus::Registry) -> Result<(), ExportError> {
    let bridge = Bridge::new(from, Theirs::of(into, from));
    let mut error = ExportError {
        names: Vec::new(),
        labels: Vec::new(),
        source: prometheus::Error::AlreadyReg,
    };
    for (name, def) in &bridge.declared {
        if bridge.owner(name, def).is_some() {
            error.names.push(name.clone());
        }
        let labels = bridge.shared_labels(def);
        let series = labels.map(|label| format!("{name}{{{label}}}"));
        error.labels.extend(series);
    }
    if error.names.is_empty() && error.labels.is_empty() {
        let registered = into.register(Box::new(bridge));
        return registered.map_err(|source| ExportError { source, ..error });
    }
    Err(error)
}

/// The error of [`to_prometheus`].
#[derive(Debug, thiserror::Error)]
#[error("{}", self.explain())]
#[non_exhaustive]
pub struct ExportError {
    /// Our metrics whose name, or that of a sample, exists in the other registry. Empty if this
    /// registry was added before, or if theirs has the names without a series.
    pub names: Vec<String>,
    /// Our labels, as `metric{label}`, that the other registry adds to every series.
    pub labels: Vec<String>,
    /// The error of the other registry.
    pub source: prometheus::Error,
}

impl ExportError {
    fn explain(&self) -> String {
        let mut parts = Vec::new();
        if !self.names.is_empty() {
            let names = self.names.join(", ");
            parts.push(format!(
                "the prometheus registry already has {names}, or a sample of one name; rename \
                 them in one of the two or add only one of them"
            ));
        }
        if !self.labels.is_empty() {
            let labels = self.labels.join(", ");
            parts.push(format!(
                "the prometheus registry adds a label to every series that they have already: \
                 {labels}; rename it in one of the two"
            ));
        }
        if parts.is_empty() {
            return "the prometheus registry refuses this collector: add it only once, and rename \
                    metrics that both have"
                .to_owned();
        }
        parts.join("; ")
    }
}

struct Bridge {
    from: Registry,
    /// One for the bridge, so that a registry without declarations has an identity, and one for
    /// each name. They must not change while the bridge is registered.
    descs: Vec<Desc>,
    /// The declarations at creation, by their names in the other crate.
    declared: Vec<(String, MetricDef)>,
    theirs: Theirs,
}

impl Bridge {
    fn new(from: &Registry, theirs: Theirs) -> Self {
        let identity = HashMap::from([("registry".to_owned(), format!("{:x}", from.identity()))]);
        let own = Desc::new(
            "selfheal_registry".to_owned(),
            "Metrics of the selfheal crate".to_owned(),
            Vec::new(),
            identity,
        );
        let names = from.own_names().into_iter();
        let declared: Vec<_> = names.map(|(name, def)| (shown(&name), def)).collect();
        let mut known = HashSet::new();
        let mut descs = vec![own];
        for (name, def) in &declared {
            let samples = names::samples(name, def.kind);
            for name in std::iter::once(name.clone()).chain(samples) {
                if known.insert(name.clone()) {
                    descs.push(desc(name, def));
                }
            }
        }
        Self {
            from: from.clone(),
            // None fails: names valid here are valid in the other crate once escaped.
            descs: descs.into_iter().flatten().collect(),
            declared,
            theirs,
        }
    }

    /// Their metric that has this name or that of a sample.
    fn owner(&self, name: &str, def: &MetricDef) -> Option<String> {
        let theirs = |name: &str| self.theirs.metrics.get(name).copied();
        names::owner(name, def.kind, theirs).map(Into::into)
    }

    /// The labels of a metric that they add to every series themselves.
    fn shared_labels(&self, def: &MetricDef) -> impl Iterator<Item = String> {
        let labels = def.labels.iter();
        let shown = labels.map(|label| underscores(label, NameOf::Label).into_owned());
        shown.filter(|label| self.theirs.labels.contains(label))
    }
}

/// A name as the other crate supports it.
fn shown(name: &str) -> String {
    underscores(name, NameOf::Metric).into_owned()
}

fn desc(name: String, def: &MetricDef) -> prometheus::Result<Desc> {
    // The other crate rejects an empty help text.
    let help = if def.help.is_empty() {
        &def.name
    } else {
        &def.help
    };
    let label = |label| underscores(label, NameOf::Label).into_owned();
    let labels = def.labels.iter().map(|name| label(name)).collect();
    Desc::new(name, help.to_string(), labels, HashMap::new())
}

impl Collector for Bridge {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        // Called during a scrape of the same registry, which has these metrics already.
        if self.from.is_collecting() {
            return Vec::new();
        }
        let scrape = self.from.scrape_own();
        let labels = Labels::new(scrape.global_labels(), &self.theirs.labels);
        let mut given = BTreeMap::new();
        let mut out = Vec::new();
        for family in scrape.families() {
            let (name, def) = (shown(family.name()), family.def());
            // Two names may become one when they are escaped.
            let ours = names::owner(&name, def.kind, |name| given.get(name).copied());
            let owner = ours.map(Into::into).or_else(|| self.owner(&name, def));
            let owner = owner.or_else(|| self.shared_labels(def).next());
            if let Some(owner) = owner {
                self.from.left_out(name, owner);
                continue;
            }
            let (family, skipped) = labels.convert(family, name.clone());
            given.insert(name, def.kind);
            (0..skipped).for_each(|_| self.from.count_skipped());
            out.push(family);
        }
        out
    }
}
