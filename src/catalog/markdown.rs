use std::fmt::Write as _;

use super::{Alias, Allowed, Kind, MetricDef, Relabel};

/// Writes definitions as Markdown: a heading for each group, with a table of its metrics.
///
/// ```
/// use selfheal::catalog::{Kind, MetricDef, markdown};
///
/// let jobs = MetricDef::new(Kind::Counter, "jobs_total", "Jobs done").with_labels(["queue"]);
/// let text = markdown(&[jobs]);
/// assert!(text.contains("| `jobs_total` | counter | queue | Jobs done |"));
/// ```
#[must_use]
pub fn markdown(defs: &[MetricDef]) -> String {
    let mut sorted: Vec<&MetricDef> = defs.iter().collect();
    sorted.sort_by_key(|def| (def.group, &def.name));
    let mut text = String::new();
    for group in sorted.chunk_by(|a, b| a.group == b.group) {
        let name = group.first().map_or("", |def| def.group);
        let name = if name.is_empty() { "others" } else { name };
        // Writing to a `String` does not fail.
        let _ = write!(
            text,
            "# {name}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n"
        );
        for def in group {
            row(&mut text, def);
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn row(text: &mut String, def: &MetricDef) {
    let labels: Vec<String> = def
        .labels
        .iter()
        .map(|label| of_label(def, label))
        .collect();
    let labels = if labels.is_empty() {
        "–".to_owned()
    } else {
        labels.join(", ")
    };
    let kind = match def.unit {
        Some(unit) => format!("{}, {}", def.kind, unit.as_str()),
        None => def.kind.to_string(),
    };
    let mut more = String::new();
    if def.kind == Kind::Histogram && !def.buckets.is_empty() {
        let bounds: Vec<String> = def.buckets.iter().map(f64::to_string).collect();
        let _ = write!(more, "; buckets {}", bounds.join(" "));
    }
    for alias in &def.aliases {
        let _ = write!(more, "; `{}`: {}", alias.profile, of_alias(alias));
    }
    if !def.namespaced {
        more.push_str("; without namespace");
    }
    let help = def.help.replace('|', "\\|");
    let _ = writeln!(
        text,
        "| `{}` | {kind} | {labels} | {help}{more} |",
        def.name
    );
}

/// A label with its values, or their maximum number.
fn of_label(def: &MetricDef, label: &str) -> String {
    match def.allowed.get(label) {
        None => label.to_owned(),
        Some(Allowed::First(most)) => format!("{label} (at most {most})"),
        Some(Allowed::These(values)) => format!("{label} ({})", values.join(", ")),
    }
}

fn of_alias(alias: &Alias) -> String {
    let mut text = format!("`{}`", alias.name);
    for relabel in &alias.labels {
        let _ = match relabel {
            Relabel::Rename(from, to) => write!(text, ", {from} as {to}"),
            Relabel::Without(label) => write!(text, ", without {label}"),
            Relabel::With(label, value) => write!(text, ", {label} = {value}"),
            Relabel::Instance(label) => write!(text, ", by {label}"),
        };
    }
    if (alias.scale - 1.0).abs() > f64::EPSILON {
        let _ = write!(text, ", times {}", alias.scale);
    }
    if !alias.buckets.is_empty() {
        let bounds: Vec<String> = alias.buckets.iter().map(f64::to_string).collect();
        let _ = write!(text, ", buckets {}", bounds.join(" "));
    }
    text
}
