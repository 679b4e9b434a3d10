//! Rule files of Prometheus, and the tests of them that promtool runs.

use std::fmt::Write as _;

use super::names::Scope;
use super::plan::Plan;
use super::records::RECORDS;
use super::table::{Alert, AlertGroup, Input};
use super::yaml::quoted;

/// Every test is evaluated once a minute up to this time: each alert has fired by then.
const TESTED: &str = "30m";

/// The recording rules of which every metric is exposed, in one group: some read what others
/// record.
pub(super) fn records(plan: &mut Plan<'_>) -> String {
    let window = plan.window();
    let scope = Scope {
        window: &window,
        matchers: "",
    };
    let mut text = String::from("groups:\n- name: recording\n  rules:\n");
    for record in RECORDS {
        let name = plan.names.write(record.name, scope);
        match plan.names.resolve(record.expr, scope) {
            Ok(expr) => {
                let _ = writeln!(text, "  - record: {name}\n    expr: {}", quoted(&expr));
                plan.names.record(&name);
            }
            Err(why) => plan.left_out(&format!("recording rule {name}"), &why),
        }
    }
    text
}

/// The alerts of a group of which every metric is exposed; `None` where there is none.
pub(super) fn alerts(plan: &mut Plan<'_>, group: &'static AlertGroup) -> Option<String> {
    let window = plan.window();
    let scope = Scope {
        window: &window,
        matchers: "",
    };
    let mut rules = String::new();
    for alert in group.alerts {
        match plan.names.resolve(alert.expr, scope) {
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

/// For each alert of a group three tests: it fires when it is to, and is silent when it is not and
/// when no series is there.
pub(super) fn tests(plan: &Plan<'_>, group: &AlertGroup) -> String {
    let mut text = format!(
        "rule_files: [../rules/recording.yml, ../rules/{}.yml]\nevaluation_interval: 1m\ntests:\n",
        group.name
    );
    let window = plan.window();
    let scope = Scope {
        window: &window,
        matchers: "",
    };
    let alerts = plan.alerts.iter().map(|(alert, _)| *alert);
    for alert in alerts.filter(|alert| group.alerts.iter().any(|of| of.name == alert.name)) {
        let inputs = |values: fn(&Input) -> &'static str| {
            alert.test.iter().fold(String::new(), |mut all, input| {
                let series = plan.names.write(input.0, scope);
                let (series, values) = (quoted(&series), quoted(values(input)));
                let _ = writeln!(all, "  - {{series: {series}, values: {values}}}");
                all
            })
        };
        test(&mut text, alert, "fires", &inputs(|input| input.1), true);
        test(
            &mut text,
            alert,
            "is silent",
            &inputs(|input| input.2),
            false,
        );
        test(&mut text, alert, "is silent without series", "", false);
    }
    text
}

fn test(text: &mut String, alert: &Alert, what: &str, series: &str, fires: bool) {
    let name = alert.name;
    let expr = format!(
        "count(ALERTS{{alertname=\"{name}\",alertstate=\"firing\",severity=\"{}\"}}) > bool 0 or vector(0)",
        alert.severity
    );
    let _ = write!(text, "- name: {name} {what}\n  interval: 1m\n");
    if !series.is_empty() {
        let _ = write!(text, "  input_series:\n{series}");
    }
    let _ = write!(
        text,
        "  promql_expr_test:\n  - expr: {}\n    eval_time: {TESTED}\n    exp_samples: [{{labels: '{{}}', value: {}}}]\n",
        quoted(&expr),
        u8::from(fires)
    );
}
