//! A tick of rules allocates nothing once their ranges are full, where no alert, none of its texts and
//! no set of series changes: rules that alert and rules that record, and rules on what others record.
#![cfg(feature = "rules")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::time::Duration;

use selfheal::config::HistorySettings;
use selfheal::history::History;
use selfheal::promql::{Query, QueryOptions, QueryResult, Recorded};
use selfheal::registry::{Counter, Family, Gauge, Histogram, Registry, Text};
use selfheal::rules::{AlertState, Evaluator, RuleFile, RuleHealth, RulesOptions};

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
  - {record: 'path:requests:rate5m', expr: 'sum by (path) (rate(requests_total[5m]))', labels: {team: a}}
  - {record: 'requests:rate5m', expr: 'sum(path:requests:rate5m{team="a"})'}
  - {record: 'took:p99', expr: 'histogram_quantile(0.99, sum by (le) (rate(took_seconds_bucket[2m])))'}
  - {alert: F, expr: 'path:requests:rate5m / on () group_left requests:rate5m > 0.9'}
  - {alert: G, expr: 'sum(rate(requests_total[1m])) / sum(rate(requests_total[1m] offset 5m)) > 3'}
  - {alert: H, expr: 'requests_total - requests_total offset 10m > 1e9'}
  - {alert: I, expr: 'topk(3, requests_total) > 1e9'}
  - {alert: J, expr: 'absent(requests_total{path="/1"}) or absent_over_time(took_seconds_count[5m])'}
  - {alert: K, expr: 'time() - requests_total < -1e12'}
  - {alert: L, expr: 'requests_total @ end() - requests_total offset 1m @ start() > 1e9'}
  - {alert: M, expr: 'requests_total > 0', labels: {severity: page}, annotations: {summary: '{{ $labels.path }} is busy'}}
  - {alert: N, expr: 'workers < 9', for: 1m, annotations: {summary: '{{ $value }} workers {{ with $labels.job }}of {{ . }}{{ end }}'}}
  - {alert: O, expr: 'workers < 9', for: 1w, labels: {of: '{{ .Labels.job }}'}}
  - {alert: R, expr: 'max_over_time(sum(rate(requests_total[1m]))[10m:1m]) > 1e9'}
  - {alert: P, expr: 'count(ALERTS{alertstate="firing"}) < 9 and on () ALERTS_FOR_STATE{alertname="N"} < 0'}
"#;

#[test]
fn a_steady_tick_of_rules_allocates_nothing() {
    let registry = Registry::new();
    let requests: Family<Counter, [Text; 1]> = registry
        .counter("requests_total", "Requests")
        .labels(["path"])
        .unwrap();
    let took: Histogram = registry.histogram("took_seconds", "Time").build().unwrap();
    let workers: Gauge = registry.gauge("workers", "Workers").build().unwrap();
    workers.set(3);
    let history = History::new(&registry, HistorySettings::new());
    let recorded = Recorded::new(&history, [("job", "shop")]);
    let mut options = RulesOptions::default();
    // Once all samples that are kept exist, the memory no longer grows.
    options.keep = Duration::from_secs(600);
    let mut evaluator = Evaluator::new(options);
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
            assert!(changes.is_empty() || tick < 10, "{changes:?}");
        });
        allocations.push(allocated.count_total);
    }
    let status = evaluator.status();
    for rule in &status[0].rules {
        assert_eq!(rule.health, RuleHealth::Ok);
    }
    let alerts = status[0].rules.iter().flat_map(|rule| &rule.alerts);
    let firing = alerts.filter(|alert| alert.state == AlertState::Firing);
    // Those of each path that has requests, and of the workers.
    assert_eq!(firing.count(), 20);
    let series = evaluator.series();
    let query = Query::parse("requests:rate5m > 0").unwrap();
    let answer = query.instant(
        &series.beside(&recorded),
        199 * 15_000,
        &QueryOptions::default(),
    );
    let QueryResult::Vector(recorded) = answer.unwrap().result else {
        panic!("a vector");
    };
    assert_eq!(recorded.len(), 1, "it is recorded");
    // The longest range is full after eighty ticks.
    assert!(allocations[0] > 0, "the first tick reads the series");
    let steady = &allocations[100..];
    assert!(steady.iter().all(|count| *count == 0), "{steady:?}");
}
