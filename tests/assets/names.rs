//! Every expression names what the process exposes.

use selfheal::Config;
use selfheal::config::{FamilySettings, Metrics};

use super::{generated, shop};

#[test]
fn with_all_features_nothing_is_left_out() {
    for config in [Config::new(), shop(), Config::new().profile("luminous_nix")] {
        assert_eq!(generated(config).left_out(), [""; 0]);
    }
}

#[test]
fn what_is_switched_off_is_left_out_and_that_is_said() {
    let off = Metrics::new().family("system_health_score", FamilySettings::new().enabled(false));
    let assets = generated(shop().metrics(off));
    let all: String = assets.files().map(|(_, text)| text).collect();
    for read in [
        "shop_system_health_score <",
        "shop_system_health_score{",
        "shop_system_health_score[",
    ] {
        assert!(!all.contains(read), "{read}");
    }
    let said = assets.left_out().join("\n");
    let line = "alert HealthLow: no metric `system_health_score` is declared here";
    assert!(said.contains(line), "{said}");
}

#[test]
fn names_have_the_namespace_and_dashboards_the_labels_of_all_series() {
    let assets = generated(shop());
    let rules = assets.file("prometheus/rules/platform.yml").unwrap();
    assert!(
        rules.contains("\"shop_system_health_score < 30\""),
        "{rules}"
    );
    let overview = assets.file("grafana/dashboards/overview.json").unwrap();
    let narrowed = r#"min(shop_system_health_score{job=~\"$job\",instance=~\"$instance\",namespace=~\"$namespace\",env=~\"$env\"})"#;
    assert!(overview.contains(narrowed), "{overview}");
}
