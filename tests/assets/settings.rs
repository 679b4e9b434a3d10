//! Each setting of the section alone changes what is generated.

use std::collections::{BTreeMap, BTreeSet};

use selfheal::Config;
use selfheal::config::Loader;

use super::generated;

/// A setting, a value that is not its default, and what has to stand beside it.
const ROWS: &[(&str, &str, &str)] = &[
    ("assets.alertmanager", "'alerts:9093'", ""),
    (
        "assets.email",
        "'ops@shop.test'",
        "assets.smarthost = 'mail:587'",
    ),
    ("assets.https", "true", ""),
    ("assets.image", "'shop:1'", ""),
    ("assets.kubernetes_namespace", "'watching'", ""),
    ("assets.native_histograms", "true", ""),
    ("assets.objective.NAME.percent", "99.5", ""),
    (
        "assets.objective.NAME.seconds",
        "0.25",
        "assets.objective.orders.percent = 99",
    ),
    (
        "assets.objective.NAME.selector",
        "'path=\"/orders\"'",
        "assets.objective.orders.percent = 99",
    ),
    ("assets.pagerduty", "true", ""),
    ("assets.remote_write", "'https://store.test/write'", ""),
    ("assets.retention", "'30d'", ""),
    ("assets.retention_size", "'50GB'", ""),
    ("assets.runbooks", "'https://wiki.test/'", ""),
    ("assets.scrape_interval", "'30s'", ""),
    ("assets.slack", "'#alerts'", ""),
    (
        "assets.smarthost",
        "'mail:25'",
        "assets.email = 'ops@shop.test'",
    ),
    ("assets.targets", "['shop:9898']", ""),
    ("assets.webhook", "'http://shop:9898/alerts'", ""),
    (
        "assets.webhook_alerts",
        "['HealingFailed']",
        "assets.webhook = 'http://shop:9898/alerts'",
    ),
    ("assets.window", "'10m'", ""),
];

fn files(text: &str) -> Vec<(String, String)> {
    let config = Loader::new().base(Config::new()).toml_str(text).load();
    let stack = generated(config.unwrap_or_else(|error| panic!("{text}: {error}")));
    let files = stack.files();
    files
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .collect()
}

#[test]
fn each_setting_changes_what_is_generated() {
    let keys = include_str!("../../src/config/keys.md").lines().skip(2);
    let keys = keys.filter_map(|line| line.split('`').nth(1));
    let keys: BTreeSet<&str> = keys.filter(|key| key.starts_with("assets.")).collect();
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.0).collect();
    assert_eq!(rows, keys);
    // Cached, since many are compared with the same files.
    let mut known = BTreeMap::new();
    for (key, value, beside) in ROWS {
        let key = key.replace("NAME", "orders");
        // An address requires a mail server, so that there can be no address without one.
        let without = match *beside {
            "assets.email = 'ops@shop.test'" => format!("{beside}\nassets.smarthost = 'other:25'"),
            beside => beside.to_owned(),
        };
        let with = files(&format!("{beside}\n{key} = {value}"));
        let without = known.entry(without).or_insert_with_key(|text| files(text));
        assert!(with != *without, "{key} changes nothing");
    }
}
