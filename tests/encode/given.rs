//! A collector of families that a test has made.

use std::sync::Arc;

use selfheal::catalog::{Kind, MetricDef};
use selfheal::encode::{Format, Written, append};
use selfheal::registry::{Collector, FamilySnapshot, Registry, SeriesSnapshot, Settings, Value};

struct Given(Vec<FamilySnapshot>);

impl Collector for Given {
    fn describe(&self) -> Vec<MetricDef> {
        Vec::new()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        out.extend(self.0.iter().cloned());
    }
}

/// A family without help.
pub(crate) fn family(
    kind: Kind,
    name: &'static str,
    series: impl IntoIterator<Item = SeriesSnapshot>,
) -> FamilySnapshot {
    FamilySnapshot {
        def: Arc::new(MetricDef::new(kind, name, "")),
        series: series.into_iter().collect(),
    }
}

/// A series whose labels are as given between the braces.
pub(crate) fn series(labels: &str, value: Value) -> SeriesSnapshot {
    let mut series = SeriesSnapshot::new([], value);
    series.labels = labels.into();
    series
}

/// A registry that has them, with the global label `env="prod"`.
pub(crate) fn registry(families: Vec<FamilySnapshot>) -> Registry {
    let mut settings = Settings::default();
    settings.global_labels.insert("env".into(), "prod".into());
    let registry = Registry::with_settings(settings);
    registry.collect_from(Arc::new(Given(families))).unwrap();
    registry
}

pub(crate) fn page(families: Vec<FamilySnapshot>, format: Format) -> (Vec<u8>, Written) {
    let mut page = Vec::new();
    let written = append(&registry(families).scrape(), format, &mut page);
    (page, written)
}

pub(crate) fn text(families: Vec<FamilySnapshot>, format: Format) -> String {
    String::from_utf8(page(families, format).0).unwrap()
}
