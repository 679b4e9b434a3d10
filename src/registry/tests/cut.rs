//! Label values longer than their limit: in families, in collectors' series, in global labels.

use std::sync::Arc;

use crate::catalog::{Kind, MetricDef};
use crate::registry::{
    Collector, Counter, Family, FamilySettings, FamilySnapshot, Number, Registry, SeriesSnapshot,
    Settings, Text, Value,
};

fn settings(own: usize) -> Settings {
    let mut settings = Settings {
        metrics: crate::config::Metrics::new().max_label_value(20),
        ..Settings::default()
    };
    let over = FamilySettings {
        max_label_value: Some(own),
        ..FamilySettings::default()
    };
    settings.metrics.family.insert("own_total".to_owned(), over);
    settings
}

/// The labels of every series of every family, by the name of the family.
fn labels(registry: &Registry, name: &str) -> Vec<String> {
    let families = registry.gather();
    let family = families.into_iter().find(|family| family.def.name == name);
    let series = family.map(|family| family.series).unwrap_or_default();
    series
        .iter()
        .map(|series| series.labels.to_string())
        .collect()
}

#[test]
fn a_family_has_the_limit_of_all_or_its_own() {
    let registry = Registry::with_settings(settings(600));
    let family = |name| -> Family<Counter, [Text; 2]> {
        registry.counter(name, "").labels(["a", "b"]).unwrap()
    };
    let (all, own) = (family("all_total"), family("own_total"));
    let long = "x".repeat(700);
    let other = format!("{}y", "x".repeat(500));
    for _ in 0..3 {
        for value in [&long, &other] {
            all.inc(&["ä", value]);
            own.inc(&["ä", value]);
        }
    }
    // The two values are equal once cut to 20 bytes.
    assert_eq!(
        labels(&registry, "all_total"),
        [format!("a=\"ä\",b=\"{}\"", &long[..20])]
    );
    assert_eq!(all.get(&["ä", &long]).map(|counter| counter.get()), Some(6));
    assert_eq!(
        labels(&registry, "own_total"),
        [&long[..600], &other].map(|value| format!("a=\"ä\",b=\"{value}\""))
    );
    assert_eq!(own.get(&["ä", &long]).map(|counter| counter.get()), Some(3));
    assert!(own.remove(&["ä", &long]) && !own.remove(&["ä", &long]));
}

#[test]
fn no_limit_is_so_low_that_a_value_becomes_that_of_the_overflow() {
    let registry = Registry::with_settings(settings(0));
    let own: Family<Counter, [Text; 1]> = registry.counter("own_total", "").labels(["a"]).unwrap();
    own.inc(&["__overflow__ and more"]);
    assert_eq!(labels(&registry, "own_total"), ["a=\"__overflow__ and\""]);
}

struct Paths;

impl Collector for Paths {
    fn describe(&self) -> Vec<MetricDef> {
        vec![MetricDef::new(Kind::Counter, "paths_total", "")]
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let long = "/".repeat(30);
        let other = format!("{long}other");
        let series =
            |path: &str| SeriesSnapshot::new([("path", path)], Value::Number(Number::U64(1)));
        out.push(FamilySnapshot {
            def: Arc::new(self.describe().remove(0)),
            series: ["/", &long, &other].map(series).to_vec(),
        });
    }
}

#[test]
fn what_is_collected_and_global_labels_are_cut_too() {
    let mut settings = settings(20);
    let global = ("region".to_owned(), "r".repeat(30));
    settings.global_labels.extend([global]);
    let registry = Registry::with_settings(settings);
    registry.collect_from(Arc::new(Paths)).unwrap();
    let cut = format!("path=\"{}\"", "/".repeat(20));
    assert_eq!(
        labels(&registry, "paths_total"),
        ["path=\"/\"".to_owned(), cut]
    );
    // Two series became one, and the lost one is counted.
    assert_eq!(
        registry
            .inner
            .skipped
            .load(std::sync::atomic::Ordering::Relaxed),
        1
    );
    let scrape = registry.scrape();
    assert_eq!(
        scrape.global_labels(),
        format!("region=\"{}\"", "r".repeat(20))
    );
}

#[test]
fn a_limit_without_effect_is_reported() {
    let registry = Registry::with_settings(settings(20));
    let _bare: Counter = registry.counter("own_total", "").build().unwrap();
    assert_eq!(
        registry.unused_settings().to_string(),
        "metrics.family.own_total.max_label_value: the metric has no labels, and so a single series; leave it out"
    );
}
