use std::sync::Arc;

use super::{GROUP, convert, gather};
use crate::catalog::MetricDef;
use crate::registry::{Collector, Counter, DeclareError, FamilySnapshot, Group, Registry};

/// Exposes the metrics of a `prometheus` registry together with those of `into`.
///
/// The other registry is read at every scrape, so metrics registered there later are exposed too.
/// Names, labels and values are unchanged: names get no namespace, and a counter need not end in
/// `_total`. The global labels of `into` apply. Label values longer than
/// [`Metrics::max_label_value`](crate::config::Metrics::max_label_value) are truncated; time stamps
/// are dropped.
///
/// A name that `into` has as well is one family: of a series in both, that of `into` is exposed.
/// What cannot be exposed (an invalid name, a duplicate label or series, buckets that do not
/// ascend) is dropped and counted, at every scrape, in `selfheal_prometheus_skipped_total`.
///
/// # Errors
/// [`DeclareError::Clash`] if both registries have a metric of one name with different kinds. A
/// later clash is an error of the declaration in `into`; a metric registered in `from` is dropped
/// and counted in `selfheal_collectors_skipped_total`.
pub fn from_prometheus(into: &Registry, from: &prometheus::Registry) -> Result<(), DeclareError> {
    let skipped = skipped(into)?;
    let families = gather(from, into);
    let families = families.iter();
    let first = families.filter_map(|family| convert::snapshot(family, &mut 0));
    let first = first.collect();
    let from = from.clone();
    let read = move |skipped: &mut u64| {
        let families = from.gather();
        let families = families.iter();
        let families = families.filter_map(|family| convert::snapshot(family, skipped));
        families.collect()
    };
    into.collect_from(Bridge::shared(first, read, skipped))
}

/// The counter of what a bridge leaves out.
pub(super) fn skipped(into: &Registry) -> Result<Counter, DeclareError> {
    into.counter(
        "selfheal_prometheus_skipped_total",
        "Series and lines of other metrics libraries that cannot be exposed, left out of a scrape",
    )
    .build()
}

/// Like [`from_prometheus`] for the global registry, `prometheus::default_registry()`. Calling it
/// again has no effect.
///
/// # Errors
/// See [`from_prometheus`].
pub fn from_default(into: &Registry) -> Result<(), DeclareError> {
    into.group::<DefaultRegistry>().map(drop)
}

struct DefaultRegistry;

impl Group for DefaultRegistry {
    const NAME: &'static str = GROUP;

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        from_prometheus(registry, prometheus::default_registry())?;
        Ok(Self)
    }
}

/// Reads all metrics of another library, and adds what it leaves out to its argument.
type Read = dyn Fn(&mut u64) -> Vec<FamilySnapshot> + Send + Sync;

pub(super) struct Bridge {
    read: Box<Read>,
    /// The metrics present when the bridge was created; later ones are collected too.
    defs: Vec<MetricDef>,
    skipped: Counter,
}

impl Bridge {
    pub(super) fn shared(
        first: Vec<FamilySnapshot>,
        read: impl Fn(&mut u64) -> Vec<FamilySnapshot> + Send + Sync + 'static,
        skipped: Counter,
    ) -> Arc<Self> {
        Arc::new(Self {
            read: Box::new(read),
            defs: first
                .into_iter()
                .map(|family| (*family.def).clone())
                .collect(),
            skipped,
        })
    }
}

impl Collector for Bridge {
    fn describe(&self) -> Vec<MetricDef> {
        self.defs.clone()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let mut skipped = 0;
        out.append(&mut (self.read)(&mut skipped));
        self.skipped.add(skipped);
    }

    fn foreign(&self) -> bool {
        true
    }
}
