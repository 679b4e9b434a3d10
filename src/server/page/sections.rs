//! The sections of the page, each rendered from a health report. An open browser receives those
//! that changed.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use super::html::{duration, element, figure, mark, shape, since, text, time_of_day};
use crate::health::{Component, Fact, Note, Report, Status};

/// The limit of rows of each list; further ones are counted.
const ROWS: usize = 20;

/// The number of recent faults shown, and the limit of further, collapsed ones.
const NEWEST: usize = 10;
const OLDER: usize = 100;

/// The number of components from which on the healthy ones are collapsed.
const COMPONENTS: usize = 12;

/// A section: the id of its element, and the renderer of its content. Without a time, ages are left
/// to the script of the page, so that they are no change.
type Section = (&'static str, fn(&mut String, &Report, Option<SystemTime>));

/// All sections.
pub(super) const SECTIONS: [Section; 8] = [
    ("head", head),
    ("alerts", alerts),
    ("health", health),
    ("traffic", traffic),
    ("recent", recent),
    ("components", components),
    ("open", open),
    ("guards", guards),
];

/// The status in one word and the name of the service, for the browser's tab.
pub(super) fn title(report: &Report) -> String {
    let shape = shape(report.status);
    format!("{shape} {} · {}", report.status.as_str(), name(report))
}

fn name(report: &Report) -> &str {
    match report.service.as_str() {
        "" => "Service",
        name => name,
    }
}

/// Name, status and age, on one line.
fn head(out: &mut String, report: &Report, _: Option<SystemTime>) {
    element(out, "h1", name(report));
    if !report.version.is_empty() {
        element(out, "span class=\"soft\"", &report.version);
    }
    let word = report.status.as_str();
    let _ = write!(
        out,
        "<span class=\"pill {word}\"><span aria-hidden=\"true\">{}</span>{word}</span>",
        shape(report.status)
    );
    let up = Duration::try_from_secs_f64(report.uptime_seconds).unwrap_or_default();
    // Rounded to a minute, so that it does not change every second.
    let up = Duration::from_secs(up.as_secs() / 60 * 60);
    let up = match up.as_secs() {
        0 => "up less than a minute".to_owned(),
        _ => format!("up {}", duration(up).trim_end_matches(" 0 s")),
    };
    element(out, "span class=\"soft\"", up);
}

/// Alerts that need a person.
fn alerts(out: &mut String, report: &Report, now: Option<SystemTime>) {
    for (check, what) in [
        (&report.live, "No progress inside"),
        (&report.ready, "Not ready for traffic"),
    ] {
        if !check.ok {
            out.push_str("<div class=\"card alert\" role=\"alert\"><b>");
            mark(out, Status::Down);
            let _ = write!(out, "{what}</b><span class=\"next\">");
            text(out, &check.reason);
            out.push_str("</span></div>");
        }
    }
    for alert in report.alerts.iter().take(ROWS) {
        let _ = write!(
            out,
            "<div class=\"card alert {}\" role=\"alert\"><b>",
            alert.status.as_str()
        );
        mark(out, alert.status);
        text(out, &alert.component);
        if !alert.detail.is_empty() {
            out.push_str(": ");
            text(out, &within(&alert.detail));
        }
        out.push_str("</b><span class=\"next\">");
        text(out, &alert.text);
        out.push_str("</span>");
        since(out, alert.at, now);
        buttons(out, alert.verbs, &alert.key);
        out.push_str("</div>");
    }
    more(out, "p", report.alerts.len());
}

/// The score, and why it is below 100.
fn health(out: &mut String, report: &Report, _: Option<SystemTime>) {
    let score = &report.score;
    let low = (score.low * 10.0).round() / 10.0;
    let _ = write!(
        out,
        "<h2>Health</h2><div class=\"big\">{low}<small>of 100</small></div><p class=\"why\">"
    );
    text(out, &score.explanation);
    if score.coverage < 1.0 {
        let high = (score.high * 10.0).round() / 10.0;
        if high > low {
            let _ = write!(out, "; up to {high}, since");
        } else {
            out.push(';');
        }
        let known = score.coverage * 100.0;
        let _ = write!(out, " {known:.0} % of its inputs are known");
    }
    out.push_str("</p>");
}

/// The requests of the last minutes, if measured.
fn traffic(out: &mut String, report: &Report, _: Option<SystemTime>) {
    let Some(traffic) = report.traffic else {
        out.push_str("<p class=\"soft\">Requests are not measured.</p>");
        return;
    };
    let seconds = report.traffic_seconds;
    let rate = if seconds > 0.0 {
        traffic.total as f64 / seconds
    } else {
        0.0
    };
    let bad = traffic.success_ratio().map(|good| (1.0 - good) * 100.0);
    let over = match seconds {
        ..60.0 => "the first minute".to_owned(),
        _ => format!("the last {:.0} min", seconds / 60.0),
    };
    for (name, value, unit) in [
        ("Requests", figure(rate), "/s"),
        ("Errors", bad.map_or_else(|| "–".to_owned(), figure), "%"),
    ] {
        let _ = write!(
            out,
            "<div><h2>{name}</h2><div class=\"big\">{value}<small>{unit}</small></div>\
             <p class=\"why\">in {over}</p></div>"
        );
    }
}

/// Recent events, one row per fault.
fn recent(out: &mut String, report: &Report, now: Option<SystemTime>) {
    if report.recent.is_empty() {
        out.push_str("<p class=\"soft\">Nothing so far.</p>");
        return;
    }
    let (newest, older) = report.recent.split_at(report.recent.len().min(NEWEST));
    notes(out, newest, now);
    if !older.is_empty() {
        let _ = write!(
            out,
            "<details id=\"older\"><summary>{} older</summary>",
            older.len()
        );
        notes(out, &older[..older.len().min(OLDER)], now);
        out.push_str("</details>");
    }
}

fn notes(out: &mut String, notes: &[Note], now: Option<SystemTime>) {
    out.push_str("<ol class=\"rows\">");
    for note in notes {
        out.push_str("<li>");
        since(out, note.at, now);
        element(out, "b", &note.component);
        out.push_str("<span class=\"what\">");
        mark(out, note.status);
        text(out, &note.text);
        out.push_str("</span>");
        element(out, "span class=\"figure\"", &note.detail);
        out.push_str("</li>");
    }
    out.push_str("</ol>");
}

/// The components of the service, the worst first.
fn components(out: &mut String, report: &Report, _: Option<SystemTime>) {
    if report.components.is_empty() {
        out.push_str("<p class=\"soft\">None are watched.</p>");
        return;
    }
    let mut all: Vec<&Component> = report.components.iter().collect();
    all.sort_by_key(|component| std::cmp::Reverse(component.status()));
    let ill = all.iter().filter(|one| one.status() > Status::Unknown);
    let first = if all.len() > COMPONENTS {
        ill.count().clamp(4, 5 * ROWS)
    } else {
        all.len()
    };
    let (shown, folded) = all.split_at(first.min(all.len()));
    rows(out, shown);
    if !folded.is_empty() {
        let _ = write!(
            out,
            "<details id=\"well\"><summary>{} more</summary>",
            folded.len()
        );
        rows(out, &folded[..folded.len().min(500)]);
        out.push_str("</details>");
    }
}

/// Sorts components. Those of an engine are grouped below it, at the position of the first.
fn rows(out: &mut String, components: &[&Component]) {
    let mut branches = Vec::new();
    out.push_str("<ul class=\"parts\">");
    for component in components {
        match branch(component) {
            None => row(out, component),
            Some(engine) if branches.contains(&engine) => {}
            Some(engine) => {
                branches.push(engine);
                let below: Vec<_> = components
                    .iter()
                    .filter(|one| branch(one) == Some(engine))
                    .collect();
                out.push_str("<li class=\"branch\">");
                element(out, "span class=\"name\"", engine);
                out.push_str("<ul class=\"parts\">");
                for one in below {
                    row(out, one);
                }
                out.push_str("</ul></li>");
            }
        }
    }
    out.push_str("</ul>");
}

/// The engine under which a component is grouped; `None` if it is an engine of its own.
fn branch(component: &Component) -> Option<&str> {
    let engine = component.engine.as_deref();
    engine.filter(|engine| *engine != component.name)
}

fn row(out: &mut String, component: &Component) {
    out.push_str("<li>");
    mark(out, component.status());
    element(out, "span class=\"name\"", &component.name);
    element(out, "span class=\"soft\"", &component.detail);
    out.push_str("</li>");
}

/// A heading within a line: `File corrupt` as `file corrupt`, and `HighErrorRate`, a name, as it is.
fn within(heading: &str) -> Cow<'_, str> {
    let mut rest = heading.chars().skip(1);
    if rest.any(char::is_uppercase) {
        Cow::Borrowed(heading)
    } else {
        Cow::Owned(heading.to_lowercase())
    }
}

/// The open faults: the state of each, the next step and what holds it back.
fn open(out: &mut String, report: &Report, now: Option<SystemTime>) {
    if report.open.is_empty() {
        out.push_str("<p class=\"soft\">Nothing is open.</p>");
        return;
    }
    out.push_str("<ul class=\"opens\">");
    for note in report.open.iter().take(ROWS) {
        out.push_str("<li>");
        mark(out, note.status);
        element(out, "b", &note.component);
        // An alert of a rule without a component is one by its own name.
        if note.text != note.component {
            out.push(' ');
            text(out, &within(&note.text));
        }
        since(out, note.at, now);
        element(out, "p class=\"why\"", &note.detail);
        buttons(out, note.verbs, &note.key);
        out.push_str("</li>");
    }
    out.push_str("</ul>");
    more(out, "p", report.open.len());
}

/// The guards that hold actions back, and the other facts.
fn guards(out: &mut String, report: &Report, now: Option<SystemTime>) {
    let facts: Vec<&Fact> = report.guards.iter().chain(&report.facts).collect();
    out.push_str("<dl>");
    for fact in facts {
        element(out, "dt", &fact.name);
        element(out, "dd", &fact.value);
    }
    if let Some(now) = now {
        element(out, "dt", "as of");
        element(out, "dd", time_of_day(now));
    }
    out.push_str("</dl>");
    let paused = |fact: &Fact| fact.name == "healing is" && fact.value == "paused";
    if !report.guards.is_empty() {
        let verb = if report.facts.iter().any(paused) {
            "resume"
        } else {
            "pause"
        };
        buttons(out, &[verb], "");
    }
}

/// The label of each verb's button.
const BUTTONS: [(&str, &str); 8] = [
    ("acknowledge", "Acknowledge"),
    ("mute", "Mute 1 h"),
    ("approve", "Approve"),
    ("deny", "Deny"),
    ("trigger", "Try now"),
    ("unmute", "Unmute"),
    ("pause", "Pause healing"),
    ("resume", "Resume healing"),
];

/// Buttons, hidden if commands are disabled.
fn buttons(out: &mut String, verbs: &[&str], key: &str) {
    if verbs.is_empty() {
        return;
    }
    out.push_str("<span class=\"acts\">");
    for (verb, label) in BUTTONS.iter().filter(|(verb, _)| verbs.contains(verb)) {
        let _ = write!(out, "<button type=\"button\" name=\"{verb}\" value=\"");
        text(out, key);
        let _ = write!(out, "\">{label}</button>");
    }
    out.push_str("</span>");
}

fn more(out: &mut String, tag: &str, count: usize) {
    if count > ROWS {
        let _ = write!(
            out,
            "<{tag} class=\"soft\">and {} more</{tag}>",
            count - ROWS
        );
    }
}
