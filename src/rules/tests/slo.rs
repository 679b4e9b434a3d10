//! Objectives, from their text to their alerts.

use crate::promql::{LabelSet, Sample, Series};
use crate::rules::*;

/// A counter with a growth per minute, and another one in the last minutes.
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

/// An action ends after 60 minutes of errors; then there are none, or as many as before.
#[test]
fn an_objective_is_verified_on_samples_of_after_the_action() {
    let slo = Slo::availability("checkout", 99.9);
    let file = RuleFile::parse("slo.yml", &slo.to_rules()).unwrap();
    let rules = file.groups[0].rules.clone();
    let series = |name: &str, status: &str, each: &dyn Fn(i64) -> f64| {
        let mut value = 0.0;
        let samples = (0..=80_i64).map(|minute| {
            value += each(minute);
            Sample {
                time: minute * 60_000,
                value: value.into(),
            }
        });
        Series {
            labels: LabelSet::new([("__name__", name), ("status", status)]),
            samples: samples.collect(),
        }
    };
    let at = |after: f64| {
        let errors = move |minute: i64| if minute > 60 { after } else { 60.0 };
        let measured = [
            series("http_requests_total", "200", &|_| 600.0),
            series("http_requests_total", "500", &errors),
        ];
        let mut evaluator = Evaluator::new(RulesOptions::default());
        evaluator.load(std::slice::from_ref(&file), 0);
        for minute in 0..=64 {
            evaluator.evaluate(0, minute * 60_000, &measured[..]);
        }
        let made = evaluator.series();
        let source = made.beside(&measured[..]);
        let status = evaluator.status();
        let fires = |rule: &RuleStatus| {
            let mut alerts = rule.alerts.iter();
            alerts.any(|alert| alert.state == AlertState::Firing)
        };
        let firing = rules.iter().zip(&status[0].rules);
        let firing: Vec<&FileRule> = firing
            .filter(|(_, status)| fires(status))
            .map(|(rule, _)| rule)
            .collect();
        // On the recorded series it still fires, because of windows of an hour and more.
        assert!(!firing.is_empty());
        let options = RulesOptions::default();
        let checked = firing.iter().map(|rule| {
            let times = (60 * 60_000, 64 * 60_000);
            recheck(rule, &rules, &source, times, &options)
        });
        checked.collect::<Vec<_>>()
    };
    for checked in at(0.0) {
        assert_eq!(checked, Recheck::Gives(Vec::new()));
    }
    for checked in at(60.0) {
        let Recheck::Gives(alerts) = checked else {
            panic!("there are samples enough");
        };
        assert_eq!(alerts.len(), 1, "{alerts:?}");
    }
}
