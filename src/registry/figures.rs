use std::fmt;
use std::sync::Arc;

use super::Registry;
use super::collector::Collector;
use super::error::DeclareError;
use super::snapshot::{FamilySnapshot, Number, SeriesSnapshot};
use crate::catalog::{Alias, Kind, MetricDef};

/// A table of metrics that are computed together at each scrape: the definition of each, and how to
/// read it from a `T`, the values of one moment. Most [`Collector`]s need no more than that.
///
/// ```
/// use selfheal::catalog::{Kind, MetricDef};
/// use selfheal::registry::{DeclareError, Figures, Number, Registry, SeriesSnapshot};
///
/// struct Pool { idle: u64, by_state: [(&'static str, u64); 2] }
///
/// # fn main() -> Result<(), DeclareError> {
/// let figures = Figures::<Pool>::new("pool")
///     .gauge("pool_idle", "Idle connections", |pool| Number::U64(pool.idle))
///     .metric(
///         MetricDef::new(Kind::Gauge, "pool_connections", "Connections").with_labels(["state"]),
///         |pool| {
///             let states = pool.by_state.iter();
///             let series = |&(state, n)| SeriesSnapshot::new([("state", state)], Number::U64(n));
///             states.map(series).collect()
///         },
///     );
/// let registry = Registry::new();
/// let read = || Some(Pool { idle: 3, by_state: [("idle", 3), ("busy", 1)] });
/// registry.collect_figures(figures, read)?;
/// selfheal::testing::assert_value(&registry, "pool_connections", &[("state", "busy")], 1.0);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Figures<T> {
    group: &'static str,
    namespaced: bool,
    metrics: Vec<(Arc<MetricDef>, Read<T>)>,
}

type Read<T> = Box<dyn Fn(&T) -> Vec<SeriesSnapshot> + Send + Sync>;

impl<T> Figures<T> {
    /// An empty table; `group` is the name of its metrics' group in the catalogue.
    pub fn new(group: &'static str) -> Self {
        Self {
            group,
            namespaced: true,
            metrics: Vec::new(),
        }
    }

    /// Omits the namespace from the names that follow. Default: the namespace is prepended.
    pub fn standard_names(mut self) -> Self {
        self.namespaced = false;
        self
    }

    /// Adds a gauge without labels. It has no series while `read` returns `None`.
    pub fn gauge<N: Into<Option<Number>>>(
        self,
        name: &'static str,
        help: &'static str,
        read: impl Fn(&T) -> N + Send + Sync + 'static,
    ) -> Self {
        self.single(Kind::Gauge, name, help, read)
    }

    /// Adds a counter without labels. It has no series while `read` returns `None`.
    pub fn counter<N: Into<Option<Number>>>(
        self,
        name: &'static str,
        help: &'static str,
        read: impl Fn(&T) -> N + Send + Sync + 'static,
    ) -> Self {
        self.single(Kind::Counter, name, help, read)
    }

    fn single<N: Into<Option<Number>>>(
        self,
        kind: Kind,
        name: &'static str,
        help: &'static str,
        read: impl Fn(&T) -> N + Send + Sync + 'static,
    ) -> Self {
        self.metric(MetricDef::new(kind, name, help), move |from| {
            let number = read(from).into();
            let series = number.map(|number| SeriesSnapshot::new([], number));
            series.into_iter().collect()
        })
    }

    /// Adds a metric of any kind, with all its series.
    pub fn metric(
        mut self,
        mut def: MetricDef,
        read: impl Fn(&T) -> Vec<SeriesSnapshot> + Send + Sync + 'static,
    ) -> Self {
        def.group = self.group;
        def.namespaced &= self.namespaced;
        self.metrics.push((Arc::new(def), Box::new(read)));
        self
    }

    /// Adds another name to the metric added last, which a profile enables. Default: none.
    pub fn alias(mut self, alias: Alias) -> Self {
        if let Some((def, _)) = self.metrics.last_mut() {
            Arc::make_mut(def).aliases.push(alias);
        }
        self
    }

    /// The definitions of all metrics.
    #[must_use]
    pub fn describe(&self) -> Vec<MetricDef> {
        let defs = self.metrics.iter();
        defs.map(|(def, _)| (**def).clone()).collect()
    }
}

impl<T> fmt::Debug for Figures<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let defs = self.metrics.iter().map(|(def, _)| def);
        f.debug_list().entries(defs).finish()
    }
}

impl Registry {
    /// Exposes `figures`, from the value that `read` returns once a scrape; while that is `None`,
    /// they have no series. It is called like [`Collector::collect`]: it must not block, and a
    /// panic leaves the figures out of that scrape.
    ///
    /// # Errors
    /// A definition breaks a rule, or clashes with a registered one.
    pub fn collect_figures<T: 'static>(
        &self,
        figures: Figures<T>,
        read: impl Fn() -> Option<T> + Send + Sync + 'static,
    ) -> Result<(), DeclareError> {
        self.collect_from(Arc::new(Collected { figures, read }))
    }
}

struct Collected<T, F> {
    figures: Figures<T>,
    read: F,
}

impl<T: 'static, F: Fn() -> Option<T> + Send + Sync + 'static> Collector for Collected<T, F> {
    fn describe(&self) -> Vec<MetricDef> {
        self.figures.describe()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let Some(from) = (self.read)() else {
            return;
        };
        let metrics = self.figures.metrics.iter();
        out.extend(metrics.map(|(def, read)| FamilySnapshot {
            def: Arc::clone(def),
            series: read(&from),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_value_has_no_series() {
        let figures = Figures::<[Option<u64>; 2]>::new("pool")
            .gauge("pool_idle", "", |read| read[0].map(Number::U64))
            .counter("pool_waits_total", "", |read| read[1].map(Number::U64))
            .alias(Alias::new("old", "pool_waits"));
        let defs = figures.describe();
        assert!(defs.iter().all(|def| def.group == "pool"), "{defs:?}");
        assert_eq!([0, 1].map(|at| defs[at].aliases.len()), [0, 1]);
        let registry = Registry::new();
        let reads = std::sync::Mutex::new(vec![None, Some([None, Some(2)])]);
        let next = move || reads.lock().unwrap().pop()?;
        registry.collect_figures(figures, next).unwrap();
        let names = || -> Vec<String> {
            let families = registry.gather();
            let ours = families.iter().filter(|family| family.def.group == "pool");
            ours.map(|family| format!("{} {}", family.def.name, family.series.len()))
                .collect()
        };
        assert_eq!(names(), ["pool_waits_total 1"]);
        assert_eq!(names(), [""; 0], "nothing was read");
    }
}
