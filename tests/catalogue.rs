//! The catalogue: enumerated without being used, as the documentation has it, and held against
//! what is exposed.

#![cfg(all(
    feature = "http",
    feature = "http-client",
    feature = "grpc",
    feature = "server",
    feature = "files",
    feature = "system",
    feature = "prometheus"
))]

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Arc;

use selfheal::catalog::{Allowed, Kind, MetricDef, markdown};
use selfheal::registry::{
    Collector, FamilySnapshot, Number, Profile, Registry, SeriesSnapshot, Settings, Value,
};
use selfheal::testing::check_catalogue;

/// The names that systems ask for, without aliases.
const NAMES: &str = include_str!("catalogue.txt");

#[test]
fn every_metric_is_listed_and_none_costs_anything() {
    let defs = selfheal::catalogue().unwrap();
    let known: BTreeSet<&str> = defs.iter().map(|def| &*def.name).collect();
    let missing: Vec<&str> = NAMES
        .split_whitespace()
        .filter(|name| !known.contains(name))
        .collect();
    assert_eq!(missing, [""; 0]);
    let of = |name: &str| defs.iter().find(|def| def.name == name).unwrap();
    let tests = of("test_watcher_tests_run_total");
    assert_eq!(
        tests.allowed["status"],
        Allowed::these(["pass", "fail", "error"])
    );
    assert_eq!(of("selfheal_values_rejected_total").kind, Kind::Counter);
    assert_eq!(of("llm_cost_usd_total").aliases[0].name, "llm_cost_usd");
    assert_eq!(Registry::new().series(), 0);
}

#[test]
fn every_alias_is_in_a_profile_that_there_is() {
    let known = selfheal::config::PROFILES;
    let defs = selfheal::catalogue().unwrap();
    let aliases: Vec<_> = defs.iter().flat_map(|def| &def.aliases).collect();
    assert!(aliases.len() >= 20, "{}", aliases.len());
    assert!(aliases.iter().all(|alias| known.contains(&&*alias.profile)));
}

/// With `UPDATE_GOLDEN=1` the file is written anew.
#[test]
fn the_table_of_the_documentation_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/docs/catalogue.md");
    let text = markdown(&selfheal::catalogue().unwrap());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == text,
        "run this test with UPDATE_GOLDEN=1 and look at what changes"
    );
}

/// Yields what it does not describe.
struct Liar;

impl Collector for Liar {
    fn describe(&self) -> Vec<MetricDef> {
        let def = MetricDef::new(Kind::Gauge, "described", "").with_labels(["size"]);
        vec![def.allow("size", Allowed::these(["small", "large"]))]
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let one = |labels: &[(&str, &str)]| {
            SeriesSnapshot::new(labels.iter().copied(), Value::Number(Number::U64(1)))
        };
        let gauge = |name: &'static str| Arc::new(MetricDef::new(Kind::Gauge, name, ""));
        out.push(FamilySnapshot {
            def: gauge("described"),
            series: vec![
                one(&[("size", "small")]),
                one(&[("size", "other")]),
                one(&[("size", "huge")]),
                one(&[("colour", "red")]),
                one(&[("size", "large"), ("colour", "red")]),
            ],
        });
        out.push(FamilySnapshot {
            def: gauge("surprise"),
            series: vec![one(&[])],
        });
    }
}

#[test]
fn what_is_exposed_and_not_declared_fails_a_test_with_the_differences() {
    let registry = Registry::with_settings({
        let mut settings = Settings::default();
        settings.namespace = "shop".to_owned();
        settings.profiles.push(Profile::new("llm_incident_manager"));
        settings
    });
    selfheal::groups::LlmCall::start_in(&registry, "openai", "gpt-4", "chat").success(1, 2, 0.5);
    selfheal::testing::assert_value(
        &registry,
        "llm_cost_usd",
        &[("provider", "openai"), ("model", "gpt-4")],
        0.5,
    );
    check_catalogue(&registry);
    registry.collect_from(Arc::new(Liar)).unwrap();
    let told = catch_unwind(|| check_catalogue(&registry)).unwrap_err();
    let told = told.downcast_ref::<String>().unwrap();
    for part in [
        "4 place(s)",
        "shop_surprise: no metric of this name is declared",
        "\"size\" cannot be \"huge\"",
        "the label \"size\" is missing",
        "the label \"colour\" is not declared",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}
