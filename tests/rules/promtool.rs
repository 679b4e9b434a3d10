use std::time::Duration;

use super::Served;
use super::support::eventually;
use super::support::promtool::run;

const SOON: Duration = Duration::from_secs(20);

#[test]
#[ignore = "needs promtool; run tests/all.sh prometheus"]
fn promtool_asks_the_process_as_it_asks_a_server() {
    let served = Served::start(|config| config.namespace("shop"));
    let orders = served
        .heal
        .registry()
        .counter("orders_total", "")
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alerts.yml");
    let rules = "groups: [{name: g, interval: 1s, rules: [
        {record: 'job:orders:sum', expr: 'sum by (job) (shop_orders_total)'},
        {alert: Always, expr: 'vector(1)', labels: {severity: none}}]}]";
    std::fs::write(&file, rules).unwrap();
    let loaded = served.heal.rules(&file).target("job", "shop");
    loaded.target("instance", "here").install().unwrap();
    orders.add(7);
    let url = served.url("");
    // The output of promtool, once it is the expected one.
    let says = |arguments: &[&str], wanted: &str| {
        eventually(SOON, &format!("{arguments:?} gives {wanted}"), || {
            let verdict = run(arguments, "");
            if verdict.passed() && verdict.output.contains(wanted) {
                Ok(verdict.output)
            } else {
                Err(format!("{verdict:?}"))
            }
        })
    };
    let instant =
        |expression: &str, wanted: &str| says(&["query", "instant", &url, expression], wanted);
    instant("up", "up{instance=\"here\", job=\"shop\"} => 1 @[");
    instant(
        "shop_orders_total",
        "shop_orders_total{instance=\"here\", job=\"shop\"} => 7 @[",
    );
    instant("job:orders:sum / 2", "{job=\"shop\"} => 3.5 @[");
    instant("ALERTS", "alertstate=\"firing\"");
    instant("scalar(vector(1)) + 1", "scalar: 2 @[");
    let ranged = says(
        &["query", "range", "--step=1s", &url, "shop_orders_total"],
        "shop_orders_total{instance=\"here\", job=\"shop\"} =>",
    );
    assert!(ranged.contains("7 @["), "{ranged}");
    says(&["query", "labels", &url, "job"], "shop");
    says(
        &["query", "series", "--match=up", &url],
        "{__name__=\"up\", instance=\"here\", job=\"shop\"}",
    );
    let fault = run(&["query", "instant", &url, "sum("], "");
    assert!(!fault.passed());
    assert!(fault.output.contains("bad_data"), "{fault:?}");
}

#[test]
#[ignore = "needs promtool; run tests/all.sh prometheus"]
fn promtool_finds_no_fault_in_the_rules_of_the_storefront() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/storefront/alerts.yml"
    );
    let verdict = run(&["check", "rules", file], "");
    assert!(verdict.passed(), "{}", verdict.output);
    assert!(
        verdict.output.contains("3 rules found"),
        "{}",
        verdict.output
    );
}
