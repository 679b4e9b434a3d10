//! Generates the runbook of an alert.

use std::fmt::Write as _;

use super::plan::Plan;
use super::table::Alert;

/// The runbook in Markdown.
pub(super) fn page(plan: &mut Plan<'_>, alert: &Alert, expr: &str) -> String {
    let hold = match alert.hold {
        "" => "as soon as it is so".to_owned(),
        hold => format!("after {hold}"),
    };
    let mut text = format!(
        "# {}\n\nSeverity: {}. It fires {hold}:\n\n```promql\n{expr}\n```\n\n## Meaning\n\n{}\n\n\
         ## Impact\n\n{}\n\n## What was tried already\n\n{}\n\n## What to do\n\n",
        alert.name,
        alert.severity,
        without_templates(alert.description),
        alert.impact,
        alert.tried
    );
    for (at, step) in alert.steps.iter().enumerate() {
        let _ = writeln!(text, "{}. {step}", at + 1);
    }
    text.push_str("\n## Queries\n\n```promql\n");
    for query in alert.queries {
        match plan.names.resolve(query, plan.scope()) {
            Ok(query) => {
                let _ = writeln!(text, "{query}");
            }
            Err(why) => plan.left_out(&format!("query of the page {}", alert.name), &why),
        }
    }
    text.push_str("```\n");
    text
}

/// Replaces the templates of a text by names: `{{ $labels.job }}` is *job*, a value *value*.
fn without_templates(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((template, after)) = after.split_once("}}") else {
            break;
        };
        let words = template.split_whitespace().next().unwrap_or_default();
        let name = words.strip_prefix("$labels.").unwrap_or("value");
        let _ = write!(out, "{before}*{name}*");
        rest = after;
    }
    out + rest
}
