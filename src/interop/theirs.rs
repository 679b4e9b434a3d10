//! Probes a `prometheus` registry for the prefix and labels it adds, which it has no getters for.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{Metric, MetricFamily};

use super::convert::kind;
use super::gather;
use crate::catalog::Kind;
use crate::registry::Registry;

/// The labels that another registry adds, and its other metrics.
#[derive(Debug, Default)]
pub(super) struct Theirs {
    /// The labels that it adds to every series.
    pub(super) labels: Vec<String>,
    /// Its metrics with series, without its prefix.
    pub(super) metrics: BTreeMap<String, Kind>,
}

impl Theirs {
    /// Finds the labels that `theirs` adds to a metric without labels, and its other metrics.
    pub(super) fn of(theirs: &prometheus::Registry, ours: &Registry) -> Self {
        let Ok(probe) = Probe::new() else {
            return Self::default();
        };
        let (name, again) = (probe.desc.fq_name.clone(), probe.clone());
        if theirs.register(Box::new(probe)).is_err() {
            return Self::default();
        }
        let mut families = gather(theirs, ours);
        // It was registered, and nothing else has its name.
        let _ = theirs.unregister(Box::new(again));
        let Some(at) = families.iter().position(|f| f.name().ends_with(&name)) else {
            return Self::default();
        };
        let probed = families.swap_remove(at);
        let prefix = probed.name().strip_suffix(&*name).unwrap_or_default();
        let labels = probed
            .get_metric()
            .iter()
            .flat_map(prometheus::proto::Metric::get_label);
        let bare = |name: &str| name.strip_prefix(prefix).unwrap_or(name).to_owned();
        Self {
            labels: labels.map(|label| label.name().to_owned()).collect(),
            metrics: families
                .iter()
                .map(|family| (bare(family.name()), kind(family)))
                .collect(),
        }
    }
}

/// A gauge that only the thread that created it sees.
#[derive(Clone)]
struct Probe {
    desc: Desc,
    thread: ThreadId,
}

impl Probe {
    fn new() -> prometheus::Result<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("selfheal_probe_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        Ok(Self {
            desc: Desc::new(name, "Never exposed".to_owned(), Vec::new(), HashMap::new())?,
            thread: thread::current().id(),
        })
    }
}

impl Collector for Probe {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        if thread::current().id() != self.thread {
            return Vec::new();
        }
        let mut family = MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_metric(vec![Metric::default()]);
        vec![family]
    }
}
