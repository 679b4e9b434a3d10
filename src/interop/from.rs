use std::sync::Arc;

use super::{GROUP, convert, gather};
use crate::catalog::MetricDef;
use crate::registry::{Collector, Counter, DeclareError, FamilySnapshot, Group, Registry};

/// Exposes what is in a registry of the `prometheus` crate along with what is in `into`.
///
/// What the other registry holds is read at every scrape, so metrics that are registered
/// there later come out too. Names, labels and values are taken as they are: no namespace
/// goes before the names, and a counter need not end in `_total`. The global labels of `into`
/// apply. A label value longer than
/// [`Metrics::max_label_value`](crate::config::Metrics::max_label_value) is cut; time stamps are left out.
///
/// A name that `into` has as well is one family: of a series that both have, that of `into`
/// is exposed. What cannot be exposed (a name that is none, a label or a series that is there
/// twice, buckets that do not rise) is left out and counted, at every scrape, in
/// `selfheal_prometheus_skipped_total`.
///
/// # Errors
/// [`DeclareError::Clash`] if both registries have a metric of one name with different kinds.
/// A clash that arises later is an error where the metric is declared in `into`; where it is
/// registered in `from`, the metric of `from` is left out and counted in
/// `selfheal_collectors_skipped_total`.
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

/// Like [`from_prometheus`] for the registry of the process, `prometheus::default_registry()`.
/// Calling it again changes nothing.
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
    /// What there was when the bridge was made; what comes later is collected all the same.
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
