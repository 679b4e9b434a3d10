//! Objectives, from their text to their alerts.

use crate::promql::{LabelSet, Sample, Series};
use crate::rules::*;

/// A counter that grows by so much a minute, with more of it in the last minutes.
fn counter(name: &str, labels: &[(&str, &str)], (usual, last): (f64, f64)) -> Series {
    let mut value = 0.0;
    let samples = (0..=120_i64).map(|minute| {
        value += if minute > 50 { last } else { usual };
        Sample {
            time: minute * 60_000,
            value: value.into(),
        }
    });
    Series {
        labels: LabelSet::new(labels.iter().copied().chain([("__name__", name)])),
        samples: samples.collect(),
    }
}

fn firing(slo: &Slo, series: &[Series], minutes: i64) -> Vec<String> {
    let file = RuleFile::parse("slo.yml", &slo.to_rules());
    let file = file.unwrap_or_else(|error| panic!("{error}\n{}", slo.to_rules()));
    let mut evaluator = Evaluator::new(RulesOptions::default());
    evaluator.load(&[file], 0);
    for minute in 0..=minutes {
        evaluator.evaluate(0, minute * 60_000, series);
    }
    let status = evaluator.status();
    let rules = &status[0].rules;
    assert!(
        rules.iter().all(|rule| rule.health == RuleHealth::Ok),
        "{rules:?}"
    );
    let alerts = rules.iter().flat_map(|rule| &rule.alerts);
    let firing = alerts.filter(|alert| alert.state == AlertState::Firing);
    firing.map(|alert| alert.labels.to_string()).collect()
}

#[test]
fn a_budget_that_burns_fast_pages() {
    let slo = Slo::availability("checkout \"a\"", 99.9).selector("path=\"/\"");
    let all = |last| {
        vec![
            counter(
                "http_requests_total",
                &[("status", "200"), ("path", "/")],
                (600.0, 600.0),
            ),
            counter(
                "http_requests_total",
                &[("status", "500"), ("path", "/")],
                (0.0, last),
            ),
            counter(
                "http_requests_total",
                &[("status", "500"), ("path", "/x")],
                (600.0, 600.0),
            ),
        ]
    };
    assert_eq!(firing(&slo, &all(0.0), 60), [""; 0]);
    let pages = firing(&slo, &all(60.0), 60);
    let page = r#"{alertname="SloBudgetBurn", severity="page", slo="checkout \"a\"", window="1h"}"#;
    assert!(pages.iter().any(|alert| alert == page), "{pages:?}");
}

#[test]
fn slow_requests_burn_a_budget_too() {
    let slo = Slo::latency("fast", 99.0, 1.0).namespace("shop");
    let all = |slow: f64| {
        let name = "shop_http_request_duration_seconds";
        vec![
            counter(
                &format!("{name}_bucket"),
                &[("le", "1.0")],
                (600.0, 600.0 - slow),
            ),
            counter(&format!("{name}_bucket"), &[("le", "+Inf")], (600.0, 600.0)),
            counter(&format!("{name}_count"), &[], (600.0, 600.0)),
        ]
    };
    assert_eq!(firing(&slo, &all(0.0), 70), [""; 0]);
    assert!(!firing(&slo, &all(600.0), 70).is_empty());
}
