//! Generates the rules of objectives: the burn rates of their budgets.

use super::plan::Plan;
use super::table::Alert;
use super::{AssetsError, burn};
use crate::config::{Faults, Objective};
use crate::rules::{RuleFile, Slo};

const DURATION: &str = "http_request_duration_seconds";

/// The alert of all objectives, for its runbook: its rules come from [`Slo`].
pub(super) static BURN: Alert = Alert {
    name: "SloBudgetBurn",
    severity: "page or ticket",
    hold: "",
    expr: "slo:error_ratio:rate1h",
    summary: "",
    description: "The error budget of an objective, its bad requests in 30 days, is used up too fast. `page`: it is gone within days; `ticket`: it does not last for the 30 days.",
    impact: "Users see errors or wait, more often than was agreed.",
    tried: "The engine works on what its detectors find; only the objective sees requests that fail for other reasons.",
    steps: &[
        "See which routes fail or are slow, on the dashboard HTTP.",
        "Find out what changed when the ratio began to rise: a deployment, a supplier, the load.",
        "Undo that; if it cannot be undone, reduce the load.",
    ],
    queries: &[
        "slo:error_ratio:rate5m",
        "sum by (path, status) (rate(http_requests_total{status=~\"5..\"}[$w]))",
    ],
    test: &[],
};

/// The rule file of all objectives, and the tests of their alerts; empty tests if there are no
/// rules.
pub(super) struct Files {
    pub(super) rules: String,
    pub(super) tests: String,
}

/// Generates the files of all objectives.
///
/// # Errors
/// Bounds that the histogram does not have, or invalid matchers; all are listed.
pub(super) fn files(plan: &mut Plan<'_>) -> Result<Files, AssetsError> {
    for window in ["5m", "30m", "1h", "2h", "6h", "1d", "3d"] {
        plan.names.record(&format!("slo:error_ratio:rate{window}"));
    }
    let (mut text, mut tests) = (String::from("groups:\n"), String::new());
    let own = &plan.config.assets.objective;
    let default = [("availability".to_owned(), Objective::default())].into();
    let objectives = if own.is_empty() { &default } else { own };
    let mut faults = Faults::new();
    for (name, objective) in objectives {
        let slo = slo(plan, name, objective);
        let rules = slo.to_rules();
        match check(plan, &rules) {
            Ok(()) => {
                text.push_str(rules.strip_prefix("groups:\n").unwrap_or(&rules));
                match burn::tests(plan, &slo, objective) {
                    Some(text) => tests.push_str(&text),
                    None => plan.left_out(
                        &format!("tests of the objective {name}"),
                        "no known label value matches its selector",
                    ),
                }
            }
            Err(why) if own.is_empty() => plan.left_out(&format!("objective {name}"), &why),
            Err(why) => {
                let hint = "name labels of the metric, or leave it out";
                add(&mut faults, name, ("selector", why, hint.to_owned()));
            }
        }
        bound(plan, name, objective, &mut faults);
    }
    faults.into_result().map_err(AssetsError::Invalid)?;
    if !tests.is_empty() {
        tests.insert_str(
            0,
            "rule_files: [../rules/objectives.yml]\nevaluation_interval: 1m\ntests:\n",
        );
    }
    Ok(Files { rules: text, tests })
}

fn slo(plan: &Plan<'_>, name: &str, objective: &Objective) -> Slo {
    let slo = match objective.seconds {
        Some(seconds) => Slo::latency(name, objective.percent, seconds),
        None => Slo::availability(name, objective.percent),
    };
    let slo = slo
        .selector(&objective.selector)
        .runbook(&plan.link(BURN.name));
    match plan.config.namespace_in_force() {
        "" => slo,
        namespace => slo.namespace(namespace),
    }
}

/// Checks that every expression uses exposed metrics.
fn check(plan: &Plan<'_>, rules: &str) -> Result<(), String> {
    let file = RuleFile::parse("objectives.yml", rules).map_err(|error| error.to_string())?;
    let rules = file.groups.iter().flat_map(|group| &group.rules);
    rules
        .into_iter()
        .try_for_each(|rule| plan.names.check(rule.expr.text()))
}

/// Checks that the histogram has a bucket at the objective's duration.
fn bound(plan: &Plan<'_>, name: &str, objective: &Objective, faults: &mut Faults) {
    let Some(seconds) = objective.seconds else {
        return;
    };
    let def = plan.names.exposed().find(|(_, def)| def.name == DURATION);
    let bounds: &[f64] = def.map_or(&[], |(_, def)| &def.buckets);
    if bounds
        .iter()
        .any(|bound| (bound - seconds).abs() < f64::EPSILON)
    {
        return;
    }
    let known: Vec<String> = bounds.iter().map(f64::to_string).collect();
    let problem = format!("{seconds} is not a bucket bound of `{DURATION}`");
    let hint = format!(
        "give one of {}, or add it to `http.buckets`",
        known.join(", ")
    );
    add(faults, name, ("seconds", problem, hint));
}

/// Adds a fault of an objective: field, problem and hint.
fn add(faults: &mut Faults, objective: &str, fault: (&str, String, String)) {
    let (field, problem, hint) = fault;
    faults.within("assets", |faults| {
        faults.within("objective", |faults| {
            faults.within(objective, |faults| faults.add(field, problem, hint));
        });
    });
}
