#![allow(
    clippy::float_cmp,
    reason = "the value read is exactly the recorded one"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::catalog::{Kind, MetricDef};
use crate::registry::{
    Collector, Counter, Family, FamilySnapshot, Registry, SeriesSnapshot, Settings, Text, Value,
};

fn orders(registry: &Registry) -> Family<Counter, [Text; 2]> {
    let orders = registry.counter("orders_total", "Orders");
    orders.labels(["shop", "payment"]).unwrap()
}

fn message(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn labels_are_found_in_any_order_and_must_be_all() {
    let registry = Registry::new();
    orders(&registry).add(&["no\"rth", "card"], 3);
    let ask = |labels: &[(&str, &str)]| value(&registry, "orders_total", labels);
    assert_eq!(ask(&[("payment", "card"), ("shop", "no\"rth")]), Some(3.0));
    assert_eq!(ask(&[("shop", "no\"rth"), ("payment", "card")]), Some(3.0));
    assert_eq!(ask(&[("shop", "no\"rth")]), None);
    assert_eq!(ask(&[]), None);
}

#[test]
fn sums_are_over_what_is_not_said() {
    let registry = Registry::new();
    let orders = orders(&registry);
    orders.add(&["north", "card"], 1);
    orders.add(&["north", "cash"], 2);
    orders.add(&["south", "cash"], 4);
    let reading = Reading::of(&registry);
    let sum = |labels: &[(&str, &str)]| reading.sum("orders_total", labels);
    assert_eq!([sum(&[]), sum(&[("payment", "cash")])], [7.0, 6.0]);
    assert_eq!(sum(&[("payment", "none")]), 0.0);
}

#[test]
fn the_namespace_may_be_left_off() {
    let mut settings = Settings::default();
    settings.namespace.push_str("shop");
    let registry = Registry::with_settings(settings);
    let before = Reading::of(&registry);
    orders(&registry).inc(&["north", "card"]);
    let labels = [("shop", "north"), ("payment", "card")];
    let reading = Reading::of(&registry);
    for name in ["orders_total", "shop_orders_total"] {
        assert_eq!(reading.value(name, &labels), Some(1.0));
        assert_eq!(reading.sum(name, &[]), 1.0);
        assert_eq!(reading.since(&before).of(name, &labels), 1.0);
        assert!(!reading.since(&before).only(name).is_empty());
    }
    let line = r#"shop_orders_total{payment="card",shop="north"} 1"#;
    assert_eq!(reading.to_string().lines().collect::<Vec<_>>(), [line]);
}

#[test]
fn a_histogram_is_read_by_its_parts() {
    let registry = Registry::new();
    let took = registry.histogram("took_seconds", "").buckets(&[0.5, 2.0]);
    let took = took.build().unwrap();
    let before = Reading::of(&registry);
    took.observe(0.25);
    took.observe(8.0);
    let reading = Reading::of(&registry);
    for (name, labels, want) in [
        ("took_seconds_count", &[][..], 2.0),
        ("took_seconds_sum", &[], 8.25),
        ("took_seconds_bucket", &[("le", "0.5")], 1.0),
        ("took_seconds_bucket", &[("le", "2")], 1.0),
        ("took_seconds_bucket", &[("le", "+Inf")], 2.0),
    ] {
        assert_eq!(reading.value(name, labels), Some(want), "{name} {labels:?}");
    }
    reading
        .since(&before)
        .assert(&["took_seconds_count +2", "took_seconds_sum +8.25"]);
}

#[test]
fn a_summary_is_read_by_its_parts() {
    struct Summary;
    impl Collector for Summary {
        fn describe(&self) -> Vec<MetricDef> {
            vec![MetricDef::new(Kind::Summary, "wait_seconds", "Wait")]
        }
        fn collect(&self, out: &mut Vec<FamilySnapshot>) {
            let value = Value::Summary {
                quantiles: vec![(0.5, 1.25)],
                sum: 9.0,
                count: 4,
            };
            out.push(FamilySnapshot {
                def: self.describe().remove(0).into(),
                series: vec![SeriesSnapshot::new([("pool", "a")], value)],
            });
        }
    }
    let registry = Registry::new();
    registry.collect_from(std::sync::Arc::new(Summary)).unwrap();
    let pool = ("pool", "a");
    assert_value(
        &registry,
        "wait_seconds",
        &[pool, ("quantile", "0.5")],
        1.25,
    );
    assert_value(&registry, "wait_seconds_sum", &[pool], 9.0);
    assert_value(&registry, "wait_seconds_count", &[pool], 4.0);
}

#[test]
fn changes_are_what_was_added_and_what_is_gone() {
    let registry = Registry::new();
    let orders = orders(&registry);
    let depth = registry.gauge("queue_depth", "").build().unwrap();
    depth.set(5);
    orders.add(&["north", "card"], 4);
    orders.add(&["south", "card"], 9);
    let before = Reading::of(&registry);
    assert!(Reading::of(&registry).since(&before).is_empty());
    orders.add(&["north", "card"], 3);
    orders.inc(&["north", "cash"]);
    orders.remove(&["south", "card"]);
    depth.set(2);
    let changes = Reading::of(&registry).since(&before);
    let lines = [
        r#"orders_total{payment="card",shop="north"} +3"#,
        r#"orders_total{payment="card",shop="south"} -9 (gone)"#,
        r#"orders_total{payment="cash",shop="north"} +1"#,
        "queue_depth -3",
    ];
    changes.assert(&lines);
    assert_eq!(
        changes.to_string(),
        lines.map(|line| format!("{line}\n")).concat()
    );
    assert_eq!(changes.of("queue_depth", &[]), -3.0);
    changes.clone().only("queue").assert(&lines[3..]);
    let message = message(|| changes.only("queue").assert(&["queue_depth -2"]));
    assert_eq!(
        message,
        "the changes differ from the expected ones\nmissing:\n  queue_depth -2\nunexpected:\n  \
         queue_depth -3"
    );
}

#[test]
fn a_message_shows_the_nearest_series() {
    let registry = Registry::new();
    let orders = orders(&registry);
    orders.add(&["north", "card"], 3);
    orders.add(&["south", "card"], 5);
    registry.gauge("unlike", "").build().unwrap().set(7);
    let labels = [("shop", "north"), ("payment", "cash")];
    let absent = message(|| assert_value(&registry, "order_total", &labels, 1.0));
    assert_eq!(
        absent,
        "order_total{payment=\"cash\",shop=\"north\"} is not there, expected 1; nearest:\
         \n  orders_total{payment=\"card\",shop=\"north\"} 3\
         \n  orders_total{payment=\"card\",shop=\"south\"} 5\
         \n  unlike 7"
    );
    let other = message(|| assert_value(&registry, "unlike", &[], 8.0));
    assert!(
        other.starts_with("unlike is 7, expected 8; nearest:\n"),
        "{other}"
    );
    assert!(!other.contains("  unlike"), "{other}");
    let there = message(|| assert_absent(&registry, "unlike", &[]));
    assert!(
        there.starts_with("unlike is 7, but was expected to be absent"),
        "{there}"
    );
    assert_absent(&registry, "unlike", &labels);
    let empty = Registry::new();
    let nothing = message(move || assert_value(&empty, "a", &[], 1.0));
    assert_eq!(nothing, "a is not there, expected 1; there is nothing else");
}

#[test]
fn a_long_list_is_cut() {
    let registry = Registry::new();
    let orders = orders(&registry);
    for shop in 0..12 {
        orders.inc(&[shop.to_string(), "card".to_owned()]);
    }
    let message = message(|| assert_value(&registry, "orders_total", &[], 1.0));
    assert_eq!(message.lines().count(), 7, "{message}");
    assert!(message.ends_with("  and 7 more"), "{message}");
}

#[test]
fn fractions_may_lose_their_last_digits_and_counts_nothing() {
    assert!(assert::same(0.1 + 0.2, 0.3));
    assert!(assert::same(f64::NAN, f64::NAN) && assert::same(0.0, -0.0));
    assert!(assert::same(f64::INFINITY, f64::INFINITY));
    assert!(!assert::same(1_000_000.0, 1_000_001.0));
    assert!(!assert::same(f64::INFINITY, 1.0) && !assert::same(0.0, f64::NAN));
}
