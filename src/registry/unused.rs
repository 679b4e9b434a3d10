//! Operator settings without effect.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::settings::Settings;
use super::{Inner, Registry};
use crate::catalog::{Kind, MetricDef};
use crate::config::{FamilySettings, Faults};
use crate::util::nearest;

impl Registry {
    /// The settings of single families without effect so far, each with its path in the
    /// configuration: for a name that no metric has, for a metric declared before them, or buckets
    /// for a metric that is no histogram.
    ///
    /// Metrics may be declared at any time, those of a group or a layer at its first use; so call
    /// this once the service is running.
    ///
    /// ```
    /// use selfheal::registry::{DeclareError, FamilySettings, Registry, Settings};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let mut settings = Settings::default();
    /// settings.metrics.family.insert("order_total".to_owned(), FamilySettings::default());
    /// let registry = Registry::with_settings(settings);
    /// registry.counter("orders_total", "Orders").build()?;
    /// assert_eq!(
    ///     registry.unused_settings().to_string(),
    ///     "metrics.family.order_total: no metric of this name is declared so far; \
    ///      did you mean `orders_total`?",
    /// );
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn unused_settings(&self) -> Faults {
        let settings = self.settings();
        let known = self.known(&settings);
        let mut faults = Faults::new();
        faults.within("metrics", |faults| {
            faults.within("family", |faults| {
                for (name, wanted) in &settings.metrics.family {
                    if !wanted.implied {
                        faults.within(name, |faults| match known.get(name) {
                            None => unknown(&settings, &known, name, faults),
                            Some(known) => known.check(wanted, faults),
                        });
                    }
                }
            });
        });
        faults
    }

    /// All metrics, by name.
    fn known(&self, settings: &Settings) -> BTreeMap<String, Known> {
        let mut known = BTreeMap::new();
        for family in self.about_itself(&[]) {
            // The settings apply to these at each read.
            let over = settings.metrics.of(&family.def.name).cloned();
            known.insert(family.def.name.to_string(), Known::of(&family.def, over));
        }
        for registered in self.inner.collectors.read().iter() {
            for def in registered.defs.iter() {
                let over = registered.settings.metrics.of(&def.name).cloned();
                let collected = Known {
                    collected: true,
                    ..Known::of(def, over)
                };
                known.insert(def.name.to_string(), collected);
            }
        }
        for entry in self.inner.families.read().values() {
            let declared = Known::of(&entry.asked, entry.over.clone());
            known.insert(entry.asked.name.to_string(), declared);
        }
        known
    }

    /// A handle that does not keep the registry alive.
    pub(crate) fn downgrade(&self) -> WeakRegistry {
        WeakRegistry(Arc::downgrade(&self.inner))
    }
}

/// Properties of a declared metric.
struct Known {
    kind: Kind,
    collected: bool,
    /// Whether it has no labels.
    bare: bool,
    /// The settings that applied to it.
    over: Option<FamilySettings>,
}

impl Known {
    fn of(def: &MetricDef, over: Option<FamilySettings>) -> Self {
        Self {
            kind: def.kind,
            collected: false,
            bare: def.labels.is_empty(),
            over,
        }
    }

    fn check(&self, wanted: &FamilySettings, faults: &mut Faults) {
        if self.over.as_ref() != Some(wanted) {
            let problem = "the metric was declared before these settings were made";
            faults.add("", problem, "configure first, then declare metrics");
            return;
        }
        if wanted.buckets.is_some() && (self.collected || self.kind != Kind::Histogram) {
            let problem = if self.collected {
                "the metric has the buckets that its collector yields".to_owned()
            } else {
                format!("the metric is a {}, which has no buckets", self.kind)
            };
            faults.add("buckets", problem, "leave them out");
        }
        if wanted.native.is_some() && (self.collected || self.kind != Kind::Histogram) {
            let problem = "the metric is not a histogram that can have native buckets";
            faults.add("native", problem, "leave them out");
        }
        for (field, set) in [
            ("max_label_value", wanted.max_label_value.is_some()),
            ("max_series", wanted.max_series.is_some()),
            ("expire_after", wanted.expire_after.is_some()),
        ] {
            if set && self.bare && !self.collected {
                faults.add(
                    field,
                    "the metric has no labels, and so a single series",
                    "leave it out",
                );
            }
        }
        if wanted.expire_after.is_some() && self.collected {
            let problem = "the series exist as long as their collector yields them";
            faults.add("expire_after", problem, "leave it out");
        }
    }
}

/// Adds the fault of an undeclared name.
fn unknown(settings: &Settings, known: &BTreeMap<String, Known>, name: &str, faults: &mut Faults) {
    let problem = "no metric of this name is declared so far";
    let bare = name.strip_prefix(&*settings.namespace);
    let bare = bare.and_then(|bare| bare.strip_prefix('_'));
    if let Some(bare) = bare.filter(|bare| known.contains_key(*bare)) {
        let hint = format!("leave the namespace off: `{bare}`");
        faults.add("", problem, hint);
        return;
    }
    let hint = match nearest(name, known.keys().map(String::as_str)) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "declare it, or leave this out".to_owned(),
    };
    faults.add("", problem, hint);
}

/// A registry that is kept alive elsewhere.
#[derive(Clone)]
pub(crate) struct WeakRegistry(Weak<Inner>);

impl WeakRegistry {
    pub(crate) fn upgrade(&self) -> Option<Registry> {
        let inner = self.0.upgrade()?;
        Some(Registry { inner })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalog::Native;
    use crate::registry::{Collector, FamilySnapshot};

    fn settings(families: &[(&str, FamilySettings)]) -> Settings {
        let mut settings = Settings::default();
        for (name, over) in families {
            let family = &mut settings.metrics.family;
            family.insert((*name).to_owned(), over.clone());
        }
        settings
    }

    fn off() -> FamilySettings {
        FamilySettings {
            enabled: false,
            ..FamilySettings::default()
        }
    }

    fn buckets() -> FamilySettings {
        FamilySettings {
            buckets: Some(vec![1.0]),
            ..FamilySettings::default()
        }
    }

    fn unused(registry: &Registry) -> Vec<String> {
        let faults = registry.unused_settings();
        faults.iter().map(ToString::to_string).collect()
    }

    struct Load;

    impl Collector for Load {
        fn describe(&self) -> Vec<MetricDef> {
            vec![
                MetricDef::new(Kind::Gauge, "load_ratio", "Load"),
                MetricDef::new(Kind::Counter, "stalls_total", "Stalls"),
            ]
        }

        fn collect(&self, _: &mut Vec<FamilySnapshot>) {}
    }

    #[test]
    fn names_that_no_one_declares_are_reported_with_the_nearest() {
        let mut settings = settings(&[
            ("order_total", off()),
            ("shop_orders_total", off()),
            ("colour", off()),
            ("load_rato", off()),
            ("orders_total", off()),
            ("selfheal_values_rejected_total", off()),
        ]);
        settings.namespace.push_str("shop");
        let registry = Registry::with_settings(settings);
        assert_eq!(unused(&registry).len(), 5, "before anything is declared");
        registry.counter("orders_total", "").build().unwrap();
        registry.collect_from(Arc::new(Load)).unwrap();
        let none = "no metric of this name is declared so far";
        assert_eq!(
            unused(&registry),
            [
                format!("metrics.family.colour: {none}; declare it, or leave this out"),
                format!("metrics.family.load_rato: {none}; did you mean `load_ratio`?"),
                format!("metrics.family.order_total: {none}; did you mean `orders_total`?"),
                format!(
                    "metrics.family.shop_orders_total: {none}; leave the namespace off: \
                     `orders_total`"
                ),
            ]
        );
    }

    #[test]
    fn what_no_one_wrote_is_not_reported() {
        let implied = FamilySettings {
            implied: true,
            ..buckets()
        };
        let registry = Registry::with_settings(settings(&[("a", implied), ("b", off())]));
        assert_eq!(unused(&registry).len(), 1, "{:?}", unused(&registry));
    }

    #[test]
    fn buckets_of_what_is_no_histogram_are_reported() {
        let names = ["a_total", "b_seconds", "load_ratio"];
        let mut settings = settings(&names.map(|name| (name, buckets())));
        let load = settings.metrics.family.get_mut("load_ratio").unwrap();
        load.expire_after = Some(Duration::from_secs(60));
        let registry = Registry::with_settings(settings);
        registry.counter("a_total", "").build().unwrap();
        registry.histogram("b_seconds", "").build().unwrap();
        registry.collect_from(Arc::new(Load)).unwrap();
        assert_eq!(
            unused(&registry),
            [
                "metrics.family.a_total.buckets: the metric is a counter, which has no buckets; \
                 leave them out",
                "metrics.family.load_ratio.buckets: the metric has the buckets that its collector \
                 yields; leave them out",
                "metrics.family.load_ratio.expire_after: the series exist as long as their \
                 collector yields them; leave it out",
            ]
        );
    }

    #[test]
    fn native_buckets_where_there_can_be_none_are_reported() {
        let native = FamilySettings {
            native: Some(Native::new().classic(false)),
            ..FamilySettings::default()
        };
        let names = ["a_total", "b", "c", "load_ratio"];
        let registry = Registry::with_settings(settings(&names.map(|name| (name, native.clone()))));
        registry.counter("a_total", "").build().unwrap();
        registry.histogram("b", "").build().unwrap();
        registry.histogram("c", "").striped().build().unwrap();
        registry.collect_from(Arc::new(Load)).unwrap();
        let problem = "the metric is not a histogram that can have native buckets; leave them out";
        assert_eq!(
            unused(&registry),
            ["a_total", "load_ratio"]
                .map(|name| format!("metrics.family.{name}.native: {problem}"))
        );
    }

    #[test]
    fn what_was_declared_before_is_reported() {
        let registry = Registry::new();
        registry.counter("a_total", "").build().unwrap();
        registry.collect_from(Arc::new(Load)).unwrap();
        registry.configure(settings(&[("a_total", off()), ("stalls_total", off())]));
        let unused = unused(&registry);
        assert_eq!(unused.len(), 2);
        assert!(
            unused
                .iter()
                .all(|text| text.contains("was declared before")),
            "{unused:?}"
        );
    }
}
