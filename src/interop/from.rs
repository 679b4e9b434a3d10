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
    let skipped = into
        .counter(
            "selfheal_prometheus_skipped_total",
            "Series of the prometheus crate that cannot be exposed, left out of a scrape",
        )
        .build()?;
    let defs = gather(from, into)
        .iter()
        .filter_map(|family| convert::snapshot(family, &mut 0))
        .map(|family| (*family.def).clone())
        .collect();
    into.collect_from(Arc::new(Bridge {
        from: from.clone(),
        defs,
        skipped,
    }))
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

struct Bridge {
    from: prometheus::Registry,
    /// The metrics present when the bridge was created; later ones are collected too.
    defs: Vec<MetricDef>,
    skipped: Counter,
}

impl Collector for Bridge {
    fn describe(&self) -> Vec<MetricDef> {
        self.defs.clone()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let mut skipped = 0;
        out.extend(
            self.from
                .gather()
                .iter()
                .filter_map(|family| convert::snapshot(family, &mut skipped)),
        );
        self.skipped.add(skipped);
    }

    fn foreign(&self) -> bool {
        true
    }
}
