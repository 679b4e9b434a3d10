//! Generates Prometheus rule files, and their tests for promtool.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::names::family;
use super::plan::Plan;
use super::records::RECORDS;
use super::table::{Alert, AlertGroup};
use crate::promql::{METRIC_NAME, Query};
use crate::util::quoted;

/// The time at which the tests are evaluated, by which each alert has fired; the interval is 1 min.
pub(super) const TESTED: &str = "30m";

/// The recording rules whose metrics are all exposed, in one group, since some depend on others.
pub(super) fn records(plan: &mut Plan<'_>) -> String {
    let mut text = String::from("groups:\n- name: recording\n  rules:\n");
    for (name, expr) in RECORDS {
        let name = plan.names.write(name, plan.scope());
        match plan.names.resolve(expr, plan.scope()) {
            Ok(expr) => {
                let _ = writeln!(text, "  - record: {name}\n    expr: {}", quoted(&expr));
                plan.names.record(&name);
            }
            Err(why) => plan.left_out(&format!("recording rule {name}"), &why),
        }
    }
    text
}

/// The alerts of a group whose metrics are all exposed; `None` if there are none.
pub(super) fn alerts(plan: &mut Plan<'_>, group: &'static AlertGroup) -> Option<String> {
    let mut rules = String::new();
    for alert in group.alerts {
        match plan.names.resolve(alert.expr, plan.scope()) {
            Ok(expr) => {
                rules.push_str(&rule(alert, &expr, &plan.link(alert.name)));
                plan.alerts.push((alert, expr));
            }
            Err(why) => plan.left_out(&format!("alert {}", alert.name), &why),
        }
    }
    let name = group.name;
    (!rules.is_empty()).then(|| format!("groups:\n- name: {name}\n  rules:\n{rules}"))
}

fn rule(alert: &Alert, expr: &str, link: &str) -> String {
    let mut text = format!("  - alert: {}\n    expr: {}\n", alert.name, quoted(expr));
    if !alert.hold.is_empty() {
        let _ = writeln!(text, "    for: {}", alert.hold);
    }
    let _ = write!(
        text,
        "    labels: {{severity: {}}}\n    annotations:\n      summary: {}\n      description: {}\n      \
         runbook_url: {}\n",
        alert.severity,
        quoted(alert.summary),
        quoted(alert.description),
        quoted(link)
    );
    text
}

/// The tests of a group's alerts: each fires and stays silent as expected, and is silent without
/// series. Alerts on different metrics share a test, since promtool sets up a storage for each.
pub(super) fn tests(plan: &Plan<'_>, group: &AlertGroup) -> String {
    let mut text = format!(
        "rule_files: [../rules/recording.yml, ../rules/{}.yml]\nevaluation_interval: 1m\ntests:\n",
        group.name
    );
    let alerts = plan.alerts.iter();
    let alerts = alerts.filter(|(alert, _)| group.alerts.iter().any(|of| of.name == alert.name));
    let batches = batches(alerts.map(|(alert, expr)| (*alert, &**expr)));
    for alerts in &batches {
        let [fire, silent] = inputs(plan, alerts);
        test(&mut text, alerts, "fire", &fire, true);
        test(&mut text, alerts, "are silent", &silent, false);
    }
    test(
        &mut text,
        &batches.concat(),
        "are silent without series",
        "",
        false,
    );
    text
}

/// Groups alerts into batches in which no two read the same metric.
fn batches<'p>(
    alerts: impl Iterator<Item = (&'static Alert, &'p str)>,
) -> Vec<Vec<&'static Alert>> {
    let mut batches: Vec<(BTreeSet<String>, Vec<&'static Alert>)> = Vec::new();
    for (alert, expr) in alerts {
        let reads = reads(expr);
        let apart = |(names, _): &&mut (BTreeSet<String>, _)| {
            names.is_disjoint(&reads) && !names.iter().chain(&reads).any(|name| is_recorded(name))
        };
        match batches.iter_mut().find(apart) {
            Some((names, batch)) => {
                names.extend(reads);
                batch.push(alert);
            }
            None => batches.push((reads, vec![alert])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

/// The metrics that an expression reads; a histogram by its own name.
fn reads(expr: &str) -> BTreeSet<String> {
    let query = Query::parse(expr);
    let matchers = query.iter().flat_map(Query::selectors).flatten();
    let names = matchers.filter(|matcher| matcher.name() == METRIC_NAME);
    names.map(|name| family(name.value()).to_owned()).collect()
}

/// Whether the name is that of a recording rule, which reads other metrics.
fn is_recorded(name: &str) -> bool {
    name.contains(':')
}

/// The series of the alerts' tests, when they fire and when they are silent.
fn inputs(plan: &Plan<'_>, alerts: &[&Alert]) -> [String; 2] {
    let mut texts = [String::new(), String::new()];
    for input in alerts.iter().flat_map(|alert| alert.test) {
        let mut words = input.rsplitn(3, ' ');
        let [silent, fire, series] = [(); 3].map(|()| words.next().unwrap_or_default());
        let mut series = plan.names.write(series, plan.scope());
        if !series.ends_with('}') {
            series.push_str("{job=\"shop\",instance=\"a\"}");
        }
        for (text, values) in texts.iter_mut().zip([fire, silent]) {
            let (series, values) = (quoted(&series), quoted(values));
            let _ = writeln!(text, "  - {{series: {series}, values: {values}}}");
        }
    }
    texts
}

fn test(text: &mut String, alerts: &[&Alert], what: &str, series: &str, fires: bool) {
    let names: Vec<&str> = alerts.iter().map(|alert| alert.name).collect();
    let name = quoted(&format!("{} {what}", names.join(", ")));
    let _ = write!(text, "- name: {name}\n  interval: 1m\n");
    if !series.is_empty() {
        let _ = write!(text, "  input_series:\n{series}");
    }
    text.push_str("  promql_expr_test:\n");
    for alert in alerts {
        let expr = format!(
            "count(ALERTS{{alertname=\"{}\",alertstate=\"firing\",severity=\"{}\"}}) > bool 0 or vector(0)",
            alert.name, alert.severity
        );
        let _ = write!(
            text,
            "  - expr: {}\n    eval_time: {TESTED}\n    exp_samples: [{{labels: '{{}}', value: {}}}]\n",
            quoted(&expr),
            u8::from(fires)
        );
    }
}
