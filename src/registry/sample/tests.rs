use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::SeriesId;
use crate::catalog::{MetricDef, Native};
use crate::registry::{
    Collector, Counter, Family, FamilySnapshot, Gauge, LabelValue, Registry, Settings, StateSet,
    Text, Value, ValueRef,
};

#[derive(Clone, Copy)]
enum Phase {
    Up,
    Down,
}

impl LabelValue for Phase {
    type Key = Self;
    const VALUES: &'static [&'static str] = &["up", "down"];
    fn index(&self) -> usize {
        *self as usize
    }
}

/// Every series with its value, as `name{labels}`.
fn sampled(registry: &Registry) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    registry.sample(|id, value| {
        assert!(values.insert(id, value.to_value()).is_none(), "{id:?}");
    });
    let mut named = BTreeMap::new();
    registry.identify(|id, name, _, labels| {
        if let Some(value) = values.remove(&id) {
            named.insert(format!("{name}{{{labels}}}"), value);
        }
    });
    assert!(values.is_empty(), "no name for {values:?}");
    named
}

/// Every series with its value, by a scrape.
fn scraped(registry: &Registry) -> BTreeMap<String, Value> {
    let mut named = BTreeMap::new();
    for family in registry.scrape().families() {
        family.each(&mut |labels, sample| {
            let mut value = sample.value.to_value();
            if let Value::Histogram(histogram) = &mut value {
                histogram.exemplars.clear();
            }
            named.insert(format!("{}{{{labels}}}", family.name()), value);
        });
    }
    named
}

fn ids(registry: &Registry) -> BTreeSet<SeriesId> {
    let mut ids = BTreeSet::new();
    registry.sample(|id, _| {
        ids.insert(id);
    });
    ids
}

#[test]
fn a_sample_has_the_series_and_values_of_a_scrape() {
    let registry = Registry::with_settings(Settings {
        namespace: "shop".to_owned(),
        metrics: crate::config::Metrics::new().max_series_per_family(2),
        ..Settings::default()
    });
    let labels: Family<Counter, [Text; 1]> = registry
        .counter("jobs_total", "Jobs")
        .labels(["kind"])
        .unwrap();
    for (kind, n) in [("a", 1), ("b", 2), ("c", 4)] {
        labels.with(&[kind]).add(n);
    }
    let float = registry.float_gauge("heat_celsius", "Heat");
    float.build().unwrap().set(21.5);
    let striped = registry.counter("hits_total", "Hits").striped();
    striped.build().unwrap().add(7);
    let took = registry.histogram("took_seconds", "Time");
    let took = took.native(Native::growth(1.1)).build().unwrap();
    took.observe_with_exemplar(0.2, |labels| labels.push("trace_id", "1"));
    let striped = registry.histogram("wait_seconds", "Time").striped();
    striped.build().unwrap().observe(0.3);
    let phase: StateSet<Phase> = registry.state_set("phase", "Phase").build().unwrap();
    phase.set(Phase::Up);
    phase.set(Phase::Down);
    registry
        .info("app_info", "App")
        .pairs([("a", "b")])
        .unwrap();
    registry.gauge_fn("depth", "Depth", || 5.0).unwrap();
    let gone = registry.gauge_fn("gone", "Gone", || 5.0).unwrap();
    gone.clear();

    let sampled = sampled(&registry);
    let mut scraped = scraped(&registry);
    // The registry's own metrics are counted during a scrape and differ.
    scraped.retain(|name, _| !name.contains("selfheal_"));
    assert_eq!(sampled, scraped);
    assert_eq!(sampled.len(), 11, "{sampled:#?}");
    let exemplars = took.snapshot().exemplars;
    assert_eq!(exemplars.len(), 1, "an exemplar stays for a scrape");
}

#[test]
fn an_exemplar_is_not_used_up_by_a_sample() {
    let registry = Registry::new();
    let took = registry.histogram("took_seconds", "Time").build().unwrap();
    let offer = |id: &str| took.observe_with_exemplar(0.2, |labels| labels.push("id", id));
    offer("1");
    registry.sample(|_, _| ());
    offer("2");
    assert_eq!(took.snapshot().exemplars[0].labels(), "id=\"1\"");
}

#[test]
fn an_id_stays_with_its_series_and_is_never_given_again() {
    let registry = Registry::new();
    let series: Family<Gauge, [Text; 1]> = registry
        .gauge("sessions", "Sessions")
        .labels(["name"])
        .unwrap();
    let name = |n: usize| n.to_string();
    for n in 0..2_000 {
        series.set(&[name(n)], 1);
    }
    let find = |wanted: &str| {
        let mut found = None;
        registry.identify(|id, _, _, labels| {
            if labels == wanted {
                found = Some(id);
            }
        });
        found.unwrap()
    };
    let kept = find("name=\"1999\"");
    let before = ids(&registry);
    assert_eq!(before.len(), 2_000);
    // Enough for the family to move to another table.
    series.remove_matching(|labels| labels.get("name").is_some_and(|name| &*name != "1999"));
    assert_eq!(ids(&registry), [kept].into());
    for n in 0..2_000 {
        series.set(&[name(n)], 1);
    }
    let after = ids(&registry);
    assert_eq!(after.len(), 2_000);
    assert_eq!(after.intersection(&before).count(), 1);
    assert_eq!(find("name=\"1999\""), kept);
}

#[test]
fn visitors_may_declare_and_record_and_collectors_rest() {
    struct Loud;
    impl Collector for Loud {
        fn describe(&self) -> Vec<MetricDef> {
            Vec::new()
        }
        fn collect(&self, _: &mut Vec<FamilySnapshot>) {
            panic!("a sample calls no collector");
        }
    }
    let registry = Registry::new();
    registry.collect_from(Arc::new(Loud)).unwrap();
    let jobs = registry.counter("jobs_total", "Jobs").build().unwrap();
    let mut seen = 0;
    registry.sample(|_, value| {
        jobs.inc();
        let more = registry.counter("more_total", "More").build().unwrap();
        more.inc();
        assert!(matches!(value, ValueRef::Number(_)));
        seen += 1;
    });
    assert_eq!((seen, ids(&registry).len()), (1, 2));
}
