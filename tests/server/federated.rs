//! A real Prometheus federates an application: it asks for some series, and gets their newest
//! samples with labels, names and time as they are there.

use std::time::Duration;

use selfheal::config::Server;
use selfheal::registry::{Counter, Family, Gauge, Text};
use selfheal::{Config, Selfheal};

use crate::ANY;
use crate::support::eventually;
use crate::support::prometheus::Prometheus;

#[test]
#[ignore = "needs a real Prometheus server: run `tests/all.sh prometheus`"]
fn a_real_prometheus_gets_the_series_that_it_asks_for() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let server = Server::new().listen(ANY);
    let config = Config::new().namespace("shop").global_label("env", "test");
    let heal = Selfheal::new(config.server(server)).unwrap();
    heal.healing().unwrap();
    let registry = heal.registry();
    let orders: Family<Counter, [Text; 1]> = registry
        .counter("orders_total", "Orders")
        .labels(["zone"])
        .unwrap();
    orders.add(&["a \"b\"\\\n"], 3);
    orders.add(&["c"], 4);
    let lives: Family<Gauge, [Text; 1]> = registry
        .gauge("9.lives", "A name that a text cannot have")
        .utf8_names()
        .labels(["instance"])
        .unwrap();
    lives.set(&["cat"], 7);
    registry.gauge("depth", "Depth").build().unwrap().set(5);
    let listener = heal.listen().unwrap();
    let asked = "params: {'match[]': ['{__name__=~\"shop_orders_total|.*lives\"}']}";
    let prometheus = Prometheus::builder()
        .job_with(
            "federate",
            listener.address(),
            &["metrics_path: /federate", "honor_labels: true", asked],
        )
        .start();
    prometheus.wait_until_up("federate");
    let value = |of: &str| prometheus.value(of);
    eventually(Duration::from_secs(30), "all that was asked for", || {
        let found = [
            value("shop_orders_total{zone=\"a \\\"b\\\"\\\\\\n\",env=\"test\"}"),
            value("sum(shop_orders_total{instance=\"\"})"),
            value("{__name__=~\".*lives\",instance=\"cat\"}"),
        ];
        if found == [Some(3.0), Some(7.0), Some(7.0)] {
            Ok(())
        } else {
            Err(format!("{found:?}, {:?}", prometheus.targets()))
        }
    });
    assert_eq!(value("shop_depth"), None, "it was not asked for");
    // With the same age as here: a series that ends here ends there as late.
    let age = value("time() - max(timestamp(shop_orders_total))").unwrap();
    assert!((0.0..30.0).contains(&age), "{age}");
}
