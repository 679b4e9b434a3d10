//! Metrics with names known only at run time.

use std::fmt;
use std::sync::Arc;

use super::Registry;
use super::error::DeclareError;
use super::family::{AnyFamily, Core};
use super::labels::Labels;
use super::metric::{FloatCounter, FloatGauge, Histogram, Metric};
use crate::catalog::{Kind, MetricDef};

/// A metric declared at run time, by [`Registry::declare`]. Cloning is cheap and gives the same
/// metric.
#[derive(Clone)]
pub struct Declared {
    registry: Registry,
    metric: AnyMetric,
}

#[derive(Clone)]
enum AnyMetric {
    Counter(Arc<Core<FloatCounter>>),
    Gauge(Arc<Core<FloatGauge>>),
    Histogram(Arc<Core<Histogram>>),
}

impl Registry {
    /// Declares a counter, gauge or histogram whose name is known only at run time: of a plug-in,
    /// or from a configuration. Labels, their bounds and aliases work as in other declarations.
    /// Declaring the same again gives the same metric.
    ///
    /// ```
    /// use selfheal::catalog::{Allowed, Kind, MetricDef};
    /// use selfheal::registry::{DeclareError, Registry};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let registry = Registry::new();
    /// let name = format!("plugin_{}_jobs_total", "mail"); // known at run time
    /// let def = MetricDef::new(Kind::Counter, name, "Jobs done")
    ///     .with_labels(["result"])
    ///     .allow("result", Allowed::these(["ok", "failed"]));
    /// let jobs = registry.declare(def)?;
    /// jobs.record(&["ok"], 1.0);
    /// assert_eq!(jobs.get(&["ok"]), Some(1.0));
    /// jobs.unload();
    /// assert!(registry.gather().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A name, unit, label or bucket breaks a rule, the name is taken by a different metric, or the
    /// kind is not one of the three.
    pub fn declare(&self, mut def: MetricDef) -> Result<Declared, DeclareError> {
        if def.group.is_empty() {
            def.group = super::group::declaring();
        }
        let metric = match def.kind {
            Kind::Counter => AnyMetric::Counter(self.register(def, None, true)?),
            Kind::Gauge => AnyMetric::Gauge(self.register(def, None, true)?),
            Kind::Histogram => AnyMetric::Histogram(self.register(def, None, true)?),
            _ => {
                return Err(DeclareError::Metric {
                    name: def.name.to_string(),
                    problem: "is declared at runtime but is neither a counter, a gauge nor a \
                     histogram",
                });
            }
        };
        Ok(Declared {
            registry: self.clone(),
            metric,
        })
    }
}

impl Declared {
    /// Records a value in the series with these label values, in the order of their names: adds it
    /// to a counter, sets a gauge, observes it in a histogram. As for any metric, a value that is
    /// not finite or would decrease a counter is refused and counted in
    /// `selfheal_values_rejected_total`; so is a wrong number of label values.
    pub fn record(&self, labels: &[&str], value: f64) {
        match &self.metric {
            AnyMetric::Counter(core) => at(core, labels, |counter| counter.add(value)),
            AnyMetric::Gauge(core) => at(core, labels, |gauge| gauge.set(value)),
            AnyMetric::Histogram(core) => at(core, labels, |histogram| histogram.observe(value)),
        }
    }

    /// The value of the series with these label values, for a histogram its number of observations;
    /// `None` if there is no such series.
    #[must_use]
    pub fn get(&self, labels: &[&str]) -> Option<f64> {
        let labels = &Values(labels);
        match &self.metric {
            AnyMetric::Counter(core) => core.get(labels).map(|counter| counter.get()),
            AnyMetric::Gauge(core) => core.get(labels).map(|gauge| gauge.get()),
            AnyMetric::Histogram(core) => {
                let count = |histogram: Histogram| histogram.snapshot().count() as f64;
                core.get(labels).map(count)
            }
        }
    }

    /// The declaration.
    #[must_use]
    pub fn def(&self) -> &MetricDef {
        self.family().def()
    }

    /// Withdraws the declaration: with the last one, the metric and its series are no longer
    /// exposed, and its name is free. The metric stays if it is also declared in code, or once more
    /// at run time. Values recorded by remaining handles are lost.
    pub fn unload(self) {
        let def = Arc::clone(self.family().def());
        let mut families = self.registry.inner.families.write();
        let Some(entry) = families.get_mut(&def.name) else {
            return;
        };
        // Another family may have taken the name meanwhile.
        let (Some(loads), true) = (entry.loads, Arc::ptr_eq(entry.family.def(), &def)) else {
            return;
        };
        entry.loads = Some(loads.saturating_sub(1));
        if loads <= 1 {
            let entry = families.remove(&def.name);
            drop(families);
            if let Some(entry) = entry {
                entry.family.clear();
            }
        }
    }

    fn family(&self) -> &dyn AnyFamily {
        match &self.metric {
            AnyMetric::Counter(core) => &**core,
            AnyMetric::Gauge(core) => &**core,
            AnyMetric::Histogram(core) => &**core,
        }
    }
}

fn at<M: Metric>(core: &Core<M>, labels: &[&str], record: impl FnOnce(M)) {
    if labels.len() == core.def.labels.len() {
        record(core.with(&Values(labels)));
    } else {
        core.shape.rejected.count();
    }
}

impl fmt::Debug for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Declared({})", self.def())
    }
}

/// Label values, as many as the family has labels, for a number known only at run time.
pub(super) struct Values<'a>(pub(super) &'a [&'a str]);

impl Labels for Values<'_> {
    type Key = ();

    fn visit(&self, visit: &mut impl FnMut(&str)) {
        self.0.iter().for_each(|value| visit(value));
    }
}
