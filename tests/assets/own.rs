//! The dashboard of a group that the application declared.

use selfheal::Selfheal;
use selfheal::config::{FamilySettings, Metrics};
use selfheal::promql::Query;
use selfheal::util::Clock;
use serde_json::Value;

use super::shop;

selfheal::group! {
    /// Events at the tills.
    struct Tills: "tills" {
        /// Orders placed, by shop
        orders: Counter = "till_orders_total" ["shop"];
        /// Value of a basket
        basket: Histogram = "till_basket_usd" [] .buckets(&[5.0, 20.0, 100.0]);
        /// Tills that are open
        open: Gauge = "tills_open";
    }
}

const FILE: &str = "grafana/dashboards/own-tills.json";

/// The names that the panels of a dashboard read, and the titles.
fn read(dashboard: &str) -> Vec<(String, String, String)> {
    let dashboard: Value = serde_json::from_str(dashboard).unwrap();
    let mut read = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            // As Grafana replaces its variables.
            let expr = target["expr"].as_str().unwrap();
            let query = Query::parse(&expr.replace("$__rate_interval", "1m")).unwrap();
            for matchers in query.selectors() {
                let name = matchers.iter().find(|of| of.name() == "__name__").unwrap();
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let unit = &panel["fieldConfig"]["defaults"]["unit"];
                read.push((text(&panel["title"]), name.value().to_owned(), text(unit)));
            }
        }
    }
    read
}

#[test]
fn a_group_of_the_application_gets_a_dashboard_of_its_metrics_and_no_others() {
    let heal = Selfheal::with_clock(shop(), Clock::manual().0).unwrap();
    assert_eq!(
        heal.assets().unwrap().file(FILE),
        None,
        "nothing is declared yet"
    );
    let tills = heal.registry().group::<Tills>().unwrap();
    tills.open.set(3);
    tills.orders.inc(&("north",));
    tills.basket.observe(&(), 7.0);
    let stack = heal.assets().unwrap();
    let whole: Value = serde_json::from_str(stack.file(FILE).unwrap()).unwrap();
    assert_eq!(whole["title"], "shop: tills");
    let mut panels = read(stack.file(FILE).unwrap());
    panels.sort();
    let panel =
        |title: &str, name: &str, unit: &str| (title.to_owned(), name.to_owned(), unit.to_owned());
    assert_eq!(
        panels,
        [
            panel("Orders placed, by shop", "shop_till_orders_total", "cps"),
            panel("Tills that are open", "shop_tills_open", "none"),
            panel(
                "Value of a basket",
                "shop_till_basket_usd_bucket",
                "currencyUSD"
            ),
        ]
    );
    let others = stack
        .files()
        .filter(|(path, _)| path.starts_with("grafana/dashboards/") && *path != FILE);
    for (path, text) in others {
        assert!(!path.contains("own-"), "{path}");
        assert!(!text.contains("shop_till"), "{path}");
    }
}

#[test]
fn what_is_switched_off_of_it_has_no_panel() {
    let off = Metrics::new().family("tills_open", FamilySettings::new().enabled(false));
    let heal = Selfheal::with_clock(shop().metrics(off), Clock::manual().0).unwrap();
    heal.registry().group::<Tills>().unwrap();
    let stack = heal.assets().unwrap();
    let names = read(stack.file(FILE).unwrap())
        .into_iter()
        .map(|(_, name, _)| name);
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["shop_till_basket_usd_bucket", "shop_till_orders_total"]
    );
}
