//! Aliases, bounds of label values, and metrics declared at run time.

use crate::catalog::{Alias, Allowed, Kind, MetricDef};
use crate::registry::{
    Counter, DeclareError, Family, Gauge, Histogram, Profile, Registry, Settings, Text,
};
use crate::testing::{assert_absent, assert_value};

fn with(profiles: &[&str]) -> Registry {
    Registry::with_settings(Settings {
        profiles: profiles.iter().map(|name| Profile::new(*name)).collect(),
        instance: "pod-7".to_owned(),
        ..Settings::default()
    })
}

#[test]
fn an_alias_has_the_values_of_its_metric_while_its_profile_is_on() {
    for on in [false, true] {
        let registry = with(if on { &["old"] } else { &["other"] });
        let jobs: Family<Counter, [Text; 2]> = registry
            .counter("jobs_total", "Jobs")
            .alias(
                Alias::new("old", "tasks")
                    .rename("queue", "name")
                    .with("kind", "job"),
            )
            .alias(
                Alias::new("old", "all_jobs_total")
                    .without("queue")
                    .with_instance("pod"),
            )
            .labels(["queue", "status"])
            .unwrap();
        jobs.add(&["mail", "ok"], 2);
        jobs.add(&["sms", "ok"], 3);
        let mail = [("name", "mail"), ("status", "ok"), ("kind", "job")];
        let all = [("status", "ok"), ("pod", "pod-7")];
        if on {
            assert_value(&registry, "tasks", &mail, 2.0);
            assert_value(&registry, "all_jobs_total", &all, 5.0);
        } else {
            assert_absent(&registry, "tasks", &mail);
            assert_absent(&registry, "all_jobs_total", &all);
        }
        let own = [("queue", "mail"), ("status", "ok")];
        assert_value(&registry, "jobs_total", &own, 2.0);
    }
}

#[test]
fn an_alias_in_milliseconds_has_exact_buckets_of_its_own() {
    let registry = with(&["old"]);
    let took: Family<Histogram, [Text; 1]> = registry
        .histogram("took_seconds", "Time")
        .buckets(&[0.1, 1.0])
        .alias(
            Alias::new("old", "took")
                .scaled(1000.0)
                .buckets(&[50.0, 200.0]),
        )
        .labels(["path"])
        .unwrap();
    for seconds in [0.04, 0.15, 0.2, 0.5, 2.0] {
        took.observe(&["/"], seconds);
    }
    for (le, n) in [("50", 1.0), ("200", 3.0), ("+Inf", 5.0)] {
        assert_value(&registry, "took_bucket", &[("path", "/"), ("le", le)], n);
    }
    assert_value(&registry, "took_sum", &[("path", "/")], 2_890.0);
    assert_value(
        &registry,
        "took_seconds_bucket",
        &[("path", "/"), ("le", "0.2")],
        3.0,
    );
}

#[test]
fn two_metrics_may_share_an_alias_and_no_other_name() {
    let registry = with(&["old"]);
    let alias = |status: &'static str| Alias::new("old", "done_total").with("status", status);
    for (name, status, n) in [("good_total", "ok", 1), ("bad_total", "failed", 2)] {
        let counter = registry
            .counter(name, "")
            .alias(alias(status))
            .build()
            .unwrap();
        counter.add(n);
    }
    assert_value(&registry, "done_total", &[("status", "ok")], 1.0);
    assert_value(&registry, "done_total", &[("status", "failed")], 2.0);
    // A metric cannot have the name of an alias, nor an alias that of a metric.
    let taken = registry.counter("done_total", "").build().unwrap_err();
    assert!(matches!(taken, DeclareError::Alias { .. }), "{taken}");
    let other = registry
        .gauge("depth", "")
        .alias(Alias::new("old", "bad_total"))
        .build();
    assert!(
        matches!(other, Err(DeclareError::Alias { .. })),
        "{other:?}"
    );
    let part: Result<Histogram, _> = registry.histogram("done", "").build();
    assert!(part.is_ok(), "its samples have other names");
    let off = registry
        .gauge("depth", "")
        .alias(Alias::new("off", "bad_total"))
        .build();
    assert!(off.is_ok(), "its profile is off");
}

#[test]
fn an_alias_that_breaks_a_rule_is_refused_with_its_name() {
    let registry = Registry::new();
    let declare = |alias: Alias| {
        let gauge = registry.gauge("depth", "").alias(alias);
        gauge.labels::<[Text; 1]>(["queue"]).map(drop)
    };
    for (alias, culprit) in [
        (Alias::new("p", "a b"), "\"a b\""),
        (Alias::new("p", "a").rename("no", "x"), "\"no\""),
        (Alias::new("p", "a").rename("queue", "le"), "\"le\""),
        (Alias::new("p", "a").scaled(0.0), "\"a\""),
        (Alias::new("p", "a").buckets(&[2.0, 1.0]), "\"a\""),
    ] {
        let reported = declare(alias).unwrap_err().to_string();
        assert!(reported.contains(culprit), "{reported}");
    }
    let bounded = registry.gauge("depth", "").only("no", &["x"]).build();
    assert!(bounded.unwrap_err().to_string().contains("\"no\""));
    assert_eq!(declare(Alias::new("p", "a")), Ok(()));
}

#[test]
fn the_metrics_of_a_profile_are_exposed_by_its_namespace_too() {
    let registry = Registry::with_settings(Settings {
        namespace: "shop".to_owned(),
        profiles: vec![Profile::new("old").namespace("legacy").group("tills")],
        ..Settings::default()
    });
    crate::group! {
        /// Tills.
        struct Tills: "tills" {
            /// Orders
            orders: Counter = "orders_total";
            /// Open
            open: Gauge = "open" .alias(Alias::new("old", "tills_now"));
        }
    }
    let tills = registry.group::<Tills>().unwrap();
    tills.orders.add(4);
    tills.open.set(2);
    for (name, value) in [
        ("shop_orders_total", 4.0),
        ("legacy_orders_total", 4.0),
        ("legacy_open", 2.0),
        ("legacy_tills_now", 2.0),
    ] {
        assert_value(&registry, name, &[], value);
    }
    let scrape = registry.scrape_only(|name, _| name == "legacy_tills_now");
    assert_eq!(scrape.families().len(), 1);
}

#[test]
fn label_values_beyond_their_bounds_are_other_and_counted() {
    crate::group! {
        /// Calls.
        struct Calls: "calls" {
            /// Calls
            calls: Counter = "calls_total" ["model", "kind"] .at_most("model", 2) .only("kind", &["chat"]);
            /// Tokens
            tokens: Counter = "tokens_total" ["model"] .at_most("model", 2);
        }
    }
    let registry = Registry::new();
    let group = registry.group::<Calls>().unwrap();
    group.tokens.inc(&("c",));
    for model in ["a", "b", "c", "b"] {
        group.calls.inc(&(model, "chat"));
    }
    group.calls.inc(&("a", "sing"));
    group.calls.inc(&("x".repeat(10_000_000), "chat"));
    let calls = |model, kind| [("model", model), ("kind", kind)];
    assert_value(&registry, "calls_total", &calls("a", "chat"), 1.0);
    assert_value(&registry, "calls_total", &calls("c", "chat"), 1.0);
    assert_value(&registry, "calls_total", &calls("other", "chat"), 3.0);
    assert_value(&registry, "calls_total", &calls("a", "other"), 1.0);
    let counted = |label| [("metric", "calls_total"), ("label", label)];
    let name = "selfheal_label_values_overflowed_total";
    assert_value(&registry, name, &counted("model"), 3.0);
    assert_value(&registry, name, &counted("kind"), 1.0);
    group.calls.inc(&("other", "other"));
    assert_value(&registry, name, &counted("model"), 3.0);
    assert_eq!(group.calls.get(&("b", "chat")).map(|b| b.get()), None);
}

fn plugin(kind: Kind, name: &str) -> MetricDef {
    MetricDef::new(kind, name.to_owned(), "Of a plug-in").with_labels(["result"])
}

#[test]
fn what_is_declared_at_runtime_is_recorded_shared_and_unloaded() {
    let registry = Registry::new();
    let def = plugin(Kind::Counter, "plugin_jobs_total");
    let def = def.allow("result", Allowed::these(["ok"]));
    let one = registry.declare(def.clone()).unwrap();
    let two = registry.declare(def.clone()).unwrap();
    one.record(&["ok"], 1.5);
    two.record(&["ok"], 1.5);
    two.record(&["odd"], 1.0);
    one.record(&["ok"], -1.0);
    one.record(&["ok"], f64::NAN);
    one.record(&["ok", "and more"], 1.0);
    one.record(&[], 1.0);
    assert_eq!(one.get(&["ok"]), Some(3.0));
    assert_eq!(one.get(&["other"]), Some(1.0));
    let rejected = [("metric", "plugin_jobs_total")];
    assert_value(&registry, "selfheal_values_rejected_total", &rejected, 4.0);

    one.unload();
    assert_eq!(
        two.get(&["ok"]),
        Some(3.0),
        "the other plug-in has it still"
    );
    assert!(
        registry
            .gather()
            .iter()
            .any(|family| family.def.name == def.name)
    );
    two.clone().unload();
    assert_eq!(registry.series(), 0);
    assert!(
        registry
            .gather()
            .iter()
            .all(|family| family.def.name != def.name)
    );
    // The name is free, and dropping the old handle does not remove the new metric.
    let gauge = registry
        .declare(plugin(Kind::Gauge, "plugin_jobs"))
        .unwrap();
    gauge.record(&["ok"], -2.0);
    let new = registry.declare(def.with_labels(["other"])).unwrap_err();
    assert!(new.to_string().contains("result"), "{new}");
    let new = MetricDef::new(Kind::Counter, "plugin_jobs_total", "New");
    let new = registry.declare(new).unwrap();
    two.unload();
    new.record(&[], 1.0);
    assert_value(&registry, "plugin_jobs_total", &[], 1.0);
    assert_value(&registry, "plugin_jobs", &[("result", "ok")], -2.0);
}

#[test]
fn what_code_declares_as_well_is_not_unloaded() {
    let registry = Registry::new();
    let def = MetricDef::new(Kind::Histogram, "took_seconds", "").with_buckets([1.0]);
    let loaded = registry.declare(def.clone()).unwrap();
    let declared: Histogram = registry
        .histogram("took_seconds", "")
        .buckets(&[1.0])
        .build()
        .unwrap();
    declared.observe(0.5);
    loaded.unload();
    registry.declare(def).unwrap().unload();
    assert_value(&registry, "took_seconds_count", &[], 1.0);
}

#[test]
fn what_cannot_be_declared_at_runtime_is_an_error_that_names_it() {
    let registry = Registry::new();
    let _depth: Gauge = registry.gauge("depth", "").build().unwrap();
    for def in [
        MetricDef::new(Kind::Counter, "depth", ""),
        MetricDef::new(Kind::Gauge, "depth", ""),
        MetricDef::new(Kind::Info, "depth_info", ""),
        MetricDef::new(Kind::Histogram, "depth_seconds", ""),
        plugin(Kind::Gauge, "depth of it"),
    ] {
        let reported = registry.declare(def).unwrap_err().to_string();
        assert!(reported.contains("depth"), "{reported}");
    }
}
