//! Generates promtool tests of the alerts on the burn rates of objectives.

use std::fmt::Write as _;

use super::plan::Plan;
use super::rules::TESTED;
use crate::config::Objective;
use crate::promql::{METRIC_NAME, Matcher, Query};
use crate::rules::{BURNS, Slo};
use crate::util::quoted;

/// Events per minute, so many that even a budget of a millionth is at least one.
const EVENTS: f64 = 1e6;

/// The cases: the share of bad events, as a multiple of the budget. At 4, only the ticket fires:
/// the slowest burn rate of a page is 6.
const BURNING: [(&str, f64); 3] = [
    ("burns at once", f64::INFINITY),
    ("burns slowly", 4.0),
    ("lasts", 0.5),
];

/// The tests of one objective: all events bad, enough bad ones for a ticket but no page, fewer than
/// the budget, and no series. `None` if no labels can be found that match its selector.
pub(super) fn tests(plan: &Plan<'_>, slo: &Slo, objective: &Objective) -> Option<String> {
    let budget = 1.0 - objective.percent / 100.0;
    let mut text = String::new();
    for (what, times) in BURNING {
        let bad = (times * budget).min(1.0);
        let series = series(plan, objective, bad)?;
        test(&mut text, slo, what, &series, |pace| bad > pace * budget);
    }
    test(&mut text, slo, "has no series", "", |_| false);
    Some(text)
}

fn test(text: &mut String, slo: &Slo, what: &str, series: &str, fires: impl Fn(f64) -> bool) {
    let name = quoted(&format!("SloBudgetBurn of {} {what}", slo.name()));
    let _ = write!(text, "- name: {name}\n  interval: 1m\n");
    if !series.is_empty() {
        let _ = write!(text, "  input_series:\n{series}");
    }
    text.push_str("  promql_expr_test:\n");
    for severity in ["page", "ticket"] {
        let paces = BURNS.iter().filter(|(.., of)| *of == severity);
        let fires = paces.map(|(pace, ..)| *pace).any(&fires);
        let expr = format!(
            "count(ALERTS{{alertname=\"SloBudgetBurn\",alertstate=\"firing\",slo={},severity=\"{severity}\"}}) > bool 0 or vector(0)",
            quoted(slo.name())
        );
        let _ = write!(
            text,
            "  - expr: {}\n    eval_time: {TESTED}\n    exp_samples: [{{labels: '{{}}', value: {}}}]\n",
            quoted(&expr),
            u8::from(fires)
        );
    }
}

/// The good and bad events as the objective's rules count them.
fn series(plan: &Plan<'_>, objective: &Objective, bad: f64) -> Option<String> {
    let prefix = match plan.config.namespace_in_force() {
        "" => String::new(),
        namespace => format!("{namespace}_"),
    };
    let (bad, good) = (bad * EVENTS, (1.0 - bad) * EVENTS);
    let rows = match objective.seconds {
        None => [
            ("http_requests_total", vec![("status", "500")], bad),
            ("http_requests_total", vec![("status", "200")], good),
        ],
        Some(_) => [
            (
                "http_request_duration_seconds_bucket",
                vec![("status", "200")],
                good,
            ),
            (
                "http_request_duration_seconds_count",
                vec![("status", "200")],
                EVENTS,
            ),
        ],
    };
    let bound = objective.seconds.map(|seconds| seconds.to_string());
    let mut text = String::new();
    for (name, wanted, each) in rows {
        let mut labels = labels(&objective.selector, &wanted)?;
        if let Some(bound) = bound.as_ref().filter(|_| name.ends_with("_bucket")) {
            labels.push(("le".to_owned(), bound.clone()));
        }
        let labels = labels
            .iter()
            .map(|(name, value)| format!("{name}={}", quoted(value)));
        let series = format!("{prefix}{name}{{{}}}", labels.collect::<Vec<_>>().join(","));
        let values = quoted(&format!("0+{each:.6}x60"));
        let _ = writeln!(
            text,
            "  - {{series: {}, values: {values}}}",
            quoted(&series)
        );
    }
    Some(text)
}

/// Labels that match a selector: the wanted ones, and for each other label a value that the
/// selector names. `None` if there is no such value.
fn labels(selector: &str, wanted: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
    let query = Query::parse(&format!("events{{{selector}}}")).ok()?;
    let matchers: Vec<&Matcher> = query.selectors().flatten().collect();
    let mut labels = vec![("job".to_owned(), "service".to_owned())];
    labels.extend(
        wanted
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    for matcher in &matchers {
        if matcher.name() != METRIC_NAME && !labels.iter().any(|(name, _)| name == matcher.name()) {
            labels.push((matcher.name().to_owned(), String::new()));
        }
    }
    for (name, value) in &mut labels {
        let of: Vec<&&Matcher> = matchers.iter().filter(|of| of.name() == *name).collect();
        let mut known = vec![value.clone()];
        for matcher in &of {
            known.push(matcher.value().to_owned());
            known.extend(matcher.value().split('|').map(str::to_owned));
        }
        known.push("other".to_owned());
        let fits = |value: &String| of.iter().all(|matcher| matcher.matches(value));
        *value = known.into_iter().find(fits)?;
    }
    Some(labels)
}
