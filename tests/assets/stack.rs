//! The stack without containers: the storefront, a real Prometheus with the configuration and rules
//! that it wrote, and a real Alertmanager with the routes, which delivers to the storefront.

use std::time::Duration;

use serde_json::Value;

use super::served::{JOB, Served};
use super::support::alertmanager::Alertmanager;
use super::support::eventually;
use super::support::http::Request;

/// For the waits of the routes, ten seconds each, on a slow machine.
const DELIVERY: Duration = Duration::from_secs(90);

const ROUTES: &str = "alertmanager/alertmanager.yml";
/// Where secrets are for an Alertmanager in a container.
const SECRETS: &str = "/etc/alertmanager/secrets";
const ALERT: &str = "CriticalIncident";

/// The sum of the series of the storefront's page whose lines have all of these in them.
fn counted(served: &Served, parts: &[&str]) -> f64 {
    let page = Request::get(&served.shop.url("/metrics")).send().unwrap();
    let lines = page.text().lines().filter(|line| !line.starts_with('#'));
    let lines = lines.filter(|line| parts.iter().all(|part| line.contains(part)));
    let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    // Not `sum()`, which is -0 without series.
    values.fold(0.0, |sum, value| sum + value)
}

fn order(served: &Served) -> u16 {
    let order = r#"{"sku":"apple","pieces":1}"#;
    let request = Request::post(&served.shop.url("/orders"), order);
    let request = request.header("content-type", "application/json");
    request.send().unwrap().status
}

#[test]
#[ignore = "needs a real Prometheus and Alertmanager; run tests/all.sh assets"]
fn an_alert_of_the_stack_makes_the_storefront_heal_and_resolves() {
    let served = Served::start(&["--jam"]);
    assert_eq!(order(&served), 503, "the till is jammed");
    let secrets = served.path().join("alertmanager/secrets");
    served.edit(ROUTES, SECRETS, &secrets.display().to_string());
    let manager = Alertmanager::with_config(&served.path().join(ROUTES));
    served.edit(
        "prometheus/prometheus.yml",
        "alertmanager:9093",
        &manager.address.to_string(),
    );
    let prometheus = served.prometheus();

    let firing = eventually(DELIVERY, "the alert is at the Alertmanager", || {
        let alerts = manager.alerts();
        let found = alerts.iter().find(|of| of["labels"]["alertname"] == ALERT);
        found.cloned().ok_or_else(|| format!("{alerts:?}"))
    });
    assert_eq!(firing["labels"]["severity"], "critical");
    assert_eq!(firing["labels"]["job"], JOB);
    let annotations = &firing["annotations"];
    assert_eq!(
        annotations["summary"],
        "1 critical incident(s) in storefront"
    );
    assert_eq!(annotations["runbook_url"], "runbooks/CriticalIncident.md");

    let healed = ["shop_healing_success_total", "action=\"free_till\""];
    eventually(DELIVERY, "the engine has healed by the alert", || {
        let resolved = counted(&served, &["alerts_delivered_total", "result=\"resolved\""]);
        match counted(&served, &healed) {
            1.0 if resolved >= 1.0 => Ok(()),
            other => Err(format!(
                "{other} heals, {resolved} resolved\n{}\n{}",
                served.shop.process.text(),
                manager.text()
            )),
        }
    });
    let attempts = ["shop_healing_attempts_total", "action=\"free_till\""];
    assert!(
        (counted(&served, &attempts) - 1.0).abs() < f64::EPSILON,
        "acted on once"
    );
    assert_eq!(
        counted(&served, &["alerts_delivered_total", "result=\"refused\""]).to_bits(),
        0
    );
    assert_eq!(order(&served), 201, "the till is free");
    let is_ours = |alert: &&Value| alert["labels"]["alertname"] == ALERT;
    assert!(!manager.alerts().iter().any(|alert| is_ours(&alert)));
    assert_eq!(
        prometheus.value(&format!("ALERTS{{alertname=\"{ALERT}\"}}")),
        None
    );
}
