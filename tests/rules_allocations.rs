//! A tick of rules in which no alert changes allocates nothing.
#![cfg(feature = "rules")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use selfheal::config::HistorySettings;
use selfheal::history::History;
use selfheal::promql::Recorded;
use selfheal::registry::{Counter, Family, Histogram, Registry, Text};
use selfheal::rules::{Evaluator, RuleFile, RuleHealth, RulesOptions};

const RULES: &str = r#"
groups:
- name: g
  interval: 15s
  rules:
  - {alert: A, expr: 'sum by (path) (rate(requests_total[5m])) > 1e9', for: 1m}
  - {alert: B, expr: 'sum(rate(requests_total{path="/1"}[5m])) / sum(rate(requests_total[5m])) > 0.9'}
  - {alert: C, expr: 'histogram_quantile(0.99, sum by (le) (rate(took_seconds_bucket[2m]))) > 60'}
  - {alert: D, expr: 'max_over_time(requests_total[10m]) < 0 or requests_total < 0'}
  - {alert: E, expr: 'avg without (path) (increase(requests_total[1m])) > 1e9 and on () count(requests_total) > 3'}
"#;

#[test]
fn a_steady_tick_of_rules_allocates_nothing() {
    let registry = Registry::new();
    let requests: Family<Counter, [Text; 1]> = registry
        .counter("requests_total", "Requests")
        .labels(["path"])
        .unwrap();
    let took: Histogram = registry.histogram("took_seconds", "Time").build().unwrap();
    let history = History::new(&registry, HistorySettings::new());
    let recorded = Recorded::new(&history, [("job", "shop")]);
    let mut evaluator = Evaluator::new(RulesOptions::default());
    evaluator.load(&[RuleFile::parse("rules.yml", RULES).unwrap()], 0);
    let mut allocations = Vec::new();
    for tick in 1..200 {
        for path in 0..20_u64 {
            requests.add(&[&*format!("/{path}")], path);
            took.observe(path as f64 / 7.0);
        }
        history.tick(tick * 15_000);
        let allocated = allocation_counter::measure(|| {
            let changes = evaluator.evaluate_due(tick * 15_000, &recorded);
            assert!(changes.is_empty());
        });
        allocations.push(allocated.count_total);
    }
    let status = evaluator.status();
    for rule in &status[0].rules {
        assert_eq!(rule.health, RuleHealth::Ok);
    }
    // The longest range is full after forty ticks.
    assert!(allocations[0] > 0, "the first tick reads the series");
    let steady = &allocations[100..];
    assert!(steady.iter().all(|count| *count == 0), "{steady:?}");
}
