//! Evaluation with time counted by the tests.

use crate::promql::{LabelSet, Query, QueryOptions, QueryResult, Sample, Series};
use crate::rules::*;
use crate::util::STALE;

/// A series from a time in seconds on, with a value every ten seconds.
pub(super) fn series(name: &str, labels: &[(&str, &str)], from: i64, values: &[f64]) -> Series {
    let all = labels.iter().copied().chain([("__name__", name)]);
    let samples = (from..).step_by(10).zip(values);
    Series {
        labels: LabelSet::new(all),
        samples: samples
            .map(|(second, value)| Sample {
                time: second * 1_000,
                value: (*value).into(),
            })
            .collect(),
    }
}

pub(super) struct Bench {
    pub(super) evaluator: Evaluator,
    series: Vec<Series>,
}

impl Bench {
    pub(super) fn new(rules: &str, series: Vec<Series>) -> Self {
        let mut evaluator = Evaluator::new(RulesOptions::default());
        evaluator.load(&[file(rules)], 0);
        Self { evaluator, series }
    }

    /// Evaluates all groups at a second, and returns the changes.
    pub(super) fn at(&mut self, second: i64) -> Vec<String> {
        let groups = self.evaluator.status().len();
        let mut changes = Vec::new();
        for group in 0..groups {
            changes.extend(
                self.evaluator
                    .evaluate(group, second * 1_000, &self.series[..]),
            );
        }
        let state = |state: Option<AlertState>| state.map_or("-", AlertState::as_str);
        let text = |change: &AlertChange| {
            let (before, now) = (state(change.before), state(change.now));
            format!("{before}>{now} {}", change.alert.labels)
        };
        changes.iter().map(text).collect()
    }

    /// The result of an expression at a second, including the series of the rules.
    pub(super) fn query(&self, expression: &str, second: i64) -> Vec<String> {
        let query = Query::parse(expression).unwrap();
        let recorded = self.evaluator.series();
        let source = recorded.beside(&self.series[..]);
        let answer = query.instant(&source, second * 1_000, &QueryOptions::default());
        let QueryResult::Vector(found) = answer.unwrap().result else {
            panic!("{expression} is no vector");
        };
        let shown = found.iter().map(|sample| {
            let value = sample.value.as_float().unwrap();
            format!("{} {value}", sample.labels)
        });
        let mut shown: Vec<_> = shown.collect();
        shown.sort();
        shown
    }

    fn health(&self, rule: usize) -> RuleHealth {
        self.evaluator.status()[0].rules[rule].health.clone()
    }
}

pub(super) fn file(rules: &str) -> RuleFile {
    let text = format!("groups:\n- name: g\n{rules}");
    RuleFile::parse("a.yml", &text).unwrap_or_else(|error| panic!("{error}"))
}

const NONE: [&str; 0] = [];

#[test]
fn an_alert_is_pending_then_firing_then_resolved() {
    let high = series(
        "load",
        &[("cpu", "0")],
        0,
        &[1.0, 9.0, 9.0, 9.0, 9.0, 1.0, 1.0],
    );
    let mut bench = Bench::new(
        "  rules: [{alert: High, expr: load > 5, for: 20s, labels: {severity: page}}]",
        vec![high],
    );
    let labels = r#"{alertname="High", cpu="0", severity="page"}"#;
    assert_eq!(bench.at(0), NONE);
    assert_eq!(bench.at(10), [format!("->pending {labels}")]);
    assert_eq!(
        bench.query("ALERTS", 10),
        [r#"ALERTS{alertname="High", alertstate="pending", cpu="0", severity="page"} 1"#]
    );
    assert_eq!(bench.at(20), NONE);
    assert_eq!(bench.at(30), [format!("pending>firing {labels}")]);
    assert_eq!(
        bench.query("ALERTS", 30),
        [r#"ALERTS{alertname="High", alertstate="firing", cpu="0", severity="page"} 1"#],
        "the series of the other state has ended"
    );
    assert_eq!(
        bench.query("ALERTS_FOR_STATE", 30),
        [r#"ALERTS_FOR_STATE{alertname="High", cpu="0", severity="page"} 10"#]
    );
    assert_eq!(bench.at(40), NONE);
    assert_eq!(bench.at(50), [format!("firing>inactive {labels}")]);
    assert_eq!(bench.query("ALERTS", 50), NONE);
    assert_eq!(bench.query("ALERTS_FOR_STATE", 50), NONE);
    // A resolved alert is kept for 15 min.
    assert_eq!(bench.at(950), NONE);
    assert_eq!(bench.at(951), [format!("inactive>- {labels}")]);
}

#[test]
fn one_result_that_is_missing_ends_a_pending_alert() {
    let load = series("load", &[], 0, &[9.0, 9.0, 1.0, 9.0, 9.0, 9.0]);
    let rules = "  rules: [{alert: High, expr: load > 5, for: 20s}]";
    let mut bench = Bench::new(rules, vec![load]);
    let labels = r#"{alertname="High"}"#;
    assert_eq!(bench.at(0), [format!("->pending {labels}")]);
    assert_eq!(bench.at(10), NONE);
    assert_eq!(bench.at(20), [format!("pending>- {labels}")]);
    assert_eq!(bench.at(30), [format!("->pending {labels}")]);
    assert_eq!(bench.at(50), [format!("pending>firing {labels}")]);
}

#[test]
fn firing_is_kept_from_the_first_missing_result_on() {
    let load = series("load", &[], 0, &[9.0, 1.0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0]);
    let rules = "  rules: [{alert: High, expr: load > 5, keep_firing_for: 20s}]";
    let mut bench = Bench::new(rules, vec![load]);
    let labels = r#"{alertname="High"}"#;
    assert_eq!(bench.at(0), [format!("->firing {labels}")]);
    for second in [10, 20, 30, 40, 50] {
        assert_eq!(bench.at(second), NONE, "{second}");
    }
    assert_eq!(bench.at(60), [format!("firing>inactive {labels}")]);
}

#[test]
fn a_longer_for_makes_a_firing_alert_pending_again_and_other_changes_keep_the_state() {
    let load = series("load", &[], 0, &[9.0; 30]);
    let mut bench = Bench::new(
        "  rules: [{alert: High, expr: load > 5, for: 20s}]",
        vec![load],
    );
    let labels = r#"{alertname="High"}"#;
    bench.at(0);
    assert_eq!(bench.at(20), [format!("pending>firing {labels}")]);
    let longer = "  rules: [{alert: New, expr: load < 5}, {alert: High, expr: load > 6, for: 60s}]";
    bench.evaluator.load(&[file(longer)], 25_000);
    assert_eq!(bench.at(30), [format!("firing>pending {labels}")]);
    assert_eq!(
        bench.at(60),
        [format!("pending>firing {labels}")],
        "as old as before"
    );
    bench.evaluator.load(&[file("  rules: []")], 65_000);
    assert_eq!(
        bench.query("ALERTS", 65),
        NONE,
        "a rule that is gone leaves nothing"
    );
}

#[test]
fn labels_and_annotations_are_templates() {
    let load = series("load", &[("cpu", "0")], 0, &[0.75]);
    let rules = r#"
  labels: {team: "{{ $labels.cpu }}-crew"}
  rules:
  - alert: High
    expr: load > 0.5
    labels:
      severity: '{{ if gt $value 0.7 }}page{{ else }}ticket{{ end }}'
      cpu: ""
    annotations:
      summary: CPU {{ $labels.cpu }} at {{ $value | humanizePercentage }}
      others: '{{ range query "load" }}{{ .Labels.cpu }}{{ end }}'
      broken: '{{ query "load > 9" | first | value }}'
"#;
    let mut bench = Bench::new(rules, vec![load]);
    let labels = r#"{alertname="High", severity="page", team="0-crew"}"#;
    assert_eq!(bench.at(0), [format!("->firing {labels}")]);
    let status = bench.evaluator.status();
    let alert = &status[0].rules[0].alerts[0];
    let texts: Vec<_> = alert
        .annotations
        .iter()
        .map(|(name, text)| format!("{name}: {text}"))
        .collect();
    assert_eq!(
        texts,
        [
            "broken: <error expanding template: `first`: the query found nothing>",
            "others: 0",
            "summary: CPU 0 at 75%",
        ]
    );
}

#[test]
fn two_results_with_one_label_set_are_an_error_and_change_nothing() {
    let both = |value| {
        vec![
            series("load", &[("cpu", "0")], 0, &[value]),
            series("load", &[("cpu", "1")], 0, &[9.0, 9.0]),
        ]
    };
    let rules = "  rules: [{alert: High, expr: load > 5, labels: {cpu: all}}, {record: l, expr: load, labels: {cpu: all}}]";
    let mut bench = Bench::new(rules, both(1.0));
    assert_eq!(bench.at(0), [r#"->firing {alertname="High", cpu="all"}"#]);
    bench.series = both(9.0);
    assert_eq!(bench.at(10), NONE);
    for rule in [0, 1] {
        let RuleHealth::Failed(why) = bench.health(rule) else {
            panic!("{:?}", bench.health(rule));
        };
        assert!(why.contains("two results have the same labels"), "{why}");
    }
    assert_eq!(
        bench.evaluator.status()[0].rules[0].alerts[0].state,
        AlertState::Firing
    );
}

#[test]
fn more_than_the_limit_is_an_error() {
    let load = |cpu| series("load", &[("cpu", cpu)], 0, &[9.0]);
    let rules = "  limit: 2\n  rules: [{alert: High, expr: load > 5}, {record: l, expr: load}]";
    let mut bench = Bench::new(rules, vec![load("0"), load("1")]);
    assert_eq!(bench.at(0).len(), 2);
    assert_eq!(bench.query("l", 0).len(), 2);
    bench.series.push(load("2"));
    assert_eq!(bench.at(10), NONE);
    assert!(bench.evaluator.status()[0].rules[0].alerts.is_empty());
    assert!(matches!(bench.health(0), RuleHealth::Failed(why) if why.contains("limit of 2")));
    assert!(matches!(bench.health(1), RuleHealth::Failed(why) if why.contains("3 series")));
}

#[test]
fn what_a_rule_records_is_seen_by_the_next_and_ends_with_a_marker() {
    let load = series(
        "load",
        &[("cpu", "0")],
        0,
        &[4.0, 6.0, f64::from_bits(STALE)],
    );
    let rules = "
  rules:
  - {record: load:double, expr: load * 2, labels: {kind: test}}
  - {record: load:four, expr: 'load:double * 2'}
  - {record: constant, expr: 7}
  - {alert: High, expr: 'load:four > 20'}";
    let mut bench = Bench::new(rules, vec![load]);
    assert_eq!(bench.at(0), NONE);
    assert_eq!(
        bench.query("load:double", 0),
        [r#"load:double{cpu="0", kind="test"} 8"#]
    );
    assert_eq!(bench.query("constant", 0), ["constant 7"]);
    assert_eq!(
        bench.at(10),
        [r#"->firing {alertname="High", cpu="0", kind="test"}"#]
    );
    assert_eq!(
        bench.query("load:four", 10),
        [r#"load:four{cpu="0", kind="test"} 24"#]
    );
    assert_eq!(bench.at(20).len(), 1);
    assert_eq!(
        bench.query("load:double", 20),
        NONE,
        "ended at once, not after five minutes"
    );
    assert_eq!(
        bench.query("sum_over_time(load:double[1m])", 20),
        [r#"{cpu="0", kind="test"} 20"#]
    );
}

#[test]
fn an_offset_looks_back_and_stamps_what_is_recorded() {
    let load = series("load", &[], 0, &[1.0, 2.0, 3.0]);
    let rules = "  query_offset: 10s\n  rules: [{record: l, expr: load}]";
    let mut bench = Bench::new(rules, vec![load]);
    bench.at(20);
    assert_eq!(bench.query("l", 9), NONE);
    assert_eq!(bench.query("l", 10), ["l 2"]);
}

#[test]
fn a_failing_expression_is_said_and_leaves_the_others_alone() {
    let load = |cpu| series("load", &[("cpu", cpu)], 0, &[9.0]);
    let rules = "
  rules:
  - {alert: Bad, expr: 'load * on() load'}
  - {record: 'n', expr: count(load)}";
    let mut bench = Bench::new(rules, vec![load("0"), load("1")]);
    bench.at(0);
    assert!(matches!(bench.health(0), RuleHealth::Failed(_)));
    assert_eq!(bench.health(1), RuleHealth::Ok);
    assert_eq!(bench.query("n", 0), ["n 2"]);
}

#[test]
fn what_rules_make_is_bounded() {
    let options = RulesOptions {
        max_series: 10,
        max_samples: 100,
        ..RulesOptions::default()
    };
    let mut evaluator = Evaluator::new(options);
    let many: Vec<_> = (0..20)
        .map(|i| series("x", &[("i", &i.to_string())], 0, &[1.0; 2_000]))
        .collect();
    evaluator.load(
        &[file("  interval: 10s\n  rules: [{record: y, expr: x}]")],
        0,
    );
    for second in (0..1_000).step_by(10) {
        evaluator.evaluate_due(second * 1_000, &many[..]);
    }
    let recorded = evaluator.series();
    let source = recorded.beside(&many[..0]);
    let query = |text: &str| match Query::parse(text)
        .unwrap()
        .instant(&source, 990_000, &QueryOptions::default())
        .unwrap()
        .result
    {
        QueryResult::Vector(found) => found.first().and_then(|sample| sample.value.as_float()),
        _ => None,
    };
    assert_eq!(query("count(y)"), Some(10.0));
    assert!(query("sum(count_over_time(y[1h]))").unwrap() <= 100.0);
    assert!(evaluator.dropped() > 500, "{}", evaluator.dropped());
}

/// Another exporter's `http_requests_total` has a label `code`, and the cluster's Prometheus adds a
/// `namespace`: a selector of either matches nothing here, without a word.
#[test]
fn a_selector_of_a_label_that_series_do_not_have_is_reported_with_those_that_they_have() {
    let some = |name: &str, values: &[&str]| {
        let values = values.iter().map(|value| (*value).into()).collect();
        (
            name.into(),
            Some(values).filter(|values: &Vec<_>| !values.is_empty()),
        )
    };
    let labels = [some("method", &["GET", "other"]), some("status", &[])];
    let labels = std::sync::Arc::new(MeasuredLabels::from(labels));
    let target = LabelSet::new([("job", "shop")]);
    let measured =
        Measured::new(["temperature".into()], target).with_labels("requests_total".into(), &labels);
    let rules = "
  rules:
  - {alert: Has, expr: 'requests_total{status=~\"5..\", method=\"GET\", job=\"shop\"} > 0'}
  - {alert: Empty, expr: 'requests_total{code=\"\", status!=\"200\", method!~\"GET|PUT\"} > 0'}
  - {alert: Code, expr: 'absent(requests_total{code=~\"5..\"})'}
  - {alert: Lower, expr: 'absent(requests_total{method=\"get\"})'}
  - {alert: Namespace, expr: 'sum(rate(requests_total{namespace=~\".+\"}[5m])) == 0'}
  - {alert: Unknown, expr: 'temperature{code=\"5\"} > 0'}
  - {alert: Either, expr: '{__name__=~\"temperature|requests_total\", code=\"5\"} > 0'}
  - {alert: Neither, expr: '{__name__=~\"requests.+\", code=\"5\"} > 0'}
  - {alert: Down, expr: 'up{job=\"shop\"} == 0'}
  - {alert: JobMissing, expr: 'absent(up{job=\"db\"})'}
  - {alert: ZoneMissing, expr: 'absent(up{zone=\"a\"})'}";
    let mut bench = Bench::new(rules, Vec::new());
    bench.evaluator.classify(&measured);
    assert_eq!(bench.at(0), NONE, "an absence here raises no alert");
    let status = bench.evaluator.status();
    let scopes = status[0].rules.iter().map(|rule| rule.scope.to_string());
    let here = "evaluated here".to_owned();
    let missing = |what: &str| format!("no such series here: {what}");
    assert_eq!(
        scopes.collect::<Vec<_>>(),
        [
            here.clone(),
            here.clone(),
            missing(r#"requests_total{code=~"5.."} (labels here: job, method, status)"#),
            missing(r#"requests_total{method="get"} (values here: GET, other)"#),
            missing(r#"requests_total{namespace=~".+"} (labels here: job, method, status)"#),
            here.clone(),
            here.clone(),
            missing(r#"{__name__=~"requests.+", code="5"} (labels here: job, method, status)"#),
            here,
            missing(r#"up{job="db"}"#),
            missing(r#"up{zone="a"} (labels here: job)"#),
        ]
    );
}

#[test]
fn a_rule_of_others_series_is_reported_and_never_fires() {
    let target = LabelSet::new([("job", "shop"), ("instance", "web-1")]);
    let names = ["requests_total", "temperature"].map(std::sync::Arc::from);
    let measured = Measured::new(names, target);
    let rules = "
  rules:
  - {alert: Own, expr: 'temperature{job=\"shop\"} > 5'}
  - {alert: Share, expr: 'sum by (job) (rate(requests_total[5m])) > 5'}
  - {alert: Each, expr: 'sum by (job, instance) (requests_total) > 5'}
  - {alert: Node, expr: 'absent(node_load1)'}
  - {alert: Other, expr: 'absent(temperature{job=\"db\"})'}
  - {record: 'node:load', expr: 'avg(node_load1)'}
  - {alert: Derived, expr: 'absent(node:load) or temperature > 0'}
  - {record: 'share', expr: 'sum without (instance) (requests_total)'}
  - {alert: OfShare, expr: 'share > 0 and up == 1'}
  - {alert: Any, expr: '{__name__=~\"requests_.*\"} > 0'}";
    let mut bench = Bench::new(rules, Vec::new());
    bench.evaluator.classify(&measured);
    assert_eq!(
        bench.at(0),
        NONE,
        "nothing that is missing here raises an alert"
    );
    let fleet = "a fleet rule: evaluated, but this replica sees only itself";
    let status = bench.evaluator.status();
    let scopes: Vec<_> = status[0]
        .rules
        .iter()
        .map(|rule| rule.scope.to_string())
        .collect();
    assert_eq!(
        scopes,
        [
            "evaluated here",
            fleet,
            "evaluated here",
            "no such series here: node_load1",
            "no such series here: temperature{job=\"db\"}",
            "no such series here: node_load1",
            "no such series here: node:load",
            fleet,
            "evaluated here",
            "evaluated here",
        ]
    );
    let report = Report::new(&status).to_string();
    assert!(
        report.starts_with("a.yml: evaluated here: 4, fleet rules: 2, no such series here: 4\n"),
        "{report}"
    );
    assert!(
        report.contains("\n  g: alert Node (line 8): no such series here: node_load1\n"),
        "{report}"
    );
}
