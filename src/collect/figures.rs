//! A table of metrics and how to read each, shared by the collectors of this module.

use std::sync::Arc;

use crate::catalog::{Alias, Kind, MetricDef};
use crate::registry::{FamilySnapshot, Number, SeriesSnapshot, Value};

/// Metrics read from a `T`; `None` if there is no value. They have no labels, or one common label
/// that distinguishes several `T`s.
pub(super) struct Figures<T> {
    group: &'static str,
    label: Option<&'static str>,
    namespaced: bool,
    metrics: Vec<(Arc<MetricDef>, Read<T>)>,
}

type Read<T> = fn(&T) -> Option<Number>;

impl<T> Figures<T> {
    pub(super) fn new(group: &'static str, label: Option<&'static str>) -> Self {
        Self {
            group,
            label,
            namespaced: true,
            metrics: Vec::new(),
        }
    }

    /// Omits the namespace from the names that follow.
    pub(super) fn standard_names(mut self) -> Self {
        self.namespaced = false;
        self
    }

    pub(super) fn gauge(self, name: &'static str, help: &'static str, read: Read<T>) -> Self {
        self.metric(MetricDef::new(Kind::Gauge, name, help), read)
    }

    pub(super) fn counter(self, name: &'static str, help: &'static str, read: Read<T>) -> Self {
        self.metric(MetricDef::new(Kind::Counter, name, help), read)
    }

    /// Adds another name to the metric declared last, for a profile.
    pub(super) fn alias(mut self, alias: Alias) -> Self {
        if let Some((def, _)) = self.metrics.last_mut() {
            Arc::make_mut(def).aliases.push(alias);
        }
        self
    }

    /// Declares that the common label of the metric declared last has these values alone.
    #[cfg(feature = "system")]
    pub(super) fn only(mut self, values: &[&'static str]) -> Self {
        if let (Some(label), Some((def, _))) = (self.label, self.metrics.last_mut()) {
            let these = crate::catalog::Allowed::these(values.iter().copied());
            Arc::make_mut(def).allowed.insert(label.into(), these);
        }
        self
    }

    fn metric(mut self, mut def: MetricDef, read: Read<T>) -> Self {
        def.namespaced = self.namespaced;
        let def = def.with_labels(self.label);
        self.metrics.push((grouped(self.group, def), read));
        self
    }

    pub(super) fn describe(&self) -> Vec<MetricDef> {
        let defs = self.metrics.iter();
        defs.map(|(def, _)| (**def).clone()).collect()
    }

    pub(super) fn collect(&self, from: &T, out: &mut Vec<FamilySnapshot>) {
        self.collect_each(&[("", from)], out);
    }

    /// Reads every metric from each of `all`, given with the value of the label.
    pub(super) fn collect_each(&self, all: &[(&str, &T)], out: &mut Vec<FamilySnapshot>) {
        out.extend(self.metrics.iter().map(|(def, read)| {
            let series = all.iter().filter_map(|&(value, from)| {
                let labels = self.label.map(|label| (label, value));
                Some(SeriesSnapshot::new(labels, Value::Number(read(from)?)))
            });
            family(def, series.collect())
        }));
    }
}

pub(super) fn grouped(group: &'static str, mut def: MetricDef) -> Arc<MetricDef> {
    def.group = group;
    Arc::new(def)
}

pub(super) fn family(def: &Arc<MetricDef>, series: Vec<SeriesSnapshot>) -> FamilySnapshot {
    FamilySnapshot {
        def: Arc::clone(def),
        series,
    }
}
