//! The page at `/`, rendered on the server: it works without scripts and on a phone.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use crate::health::{Component, Note, Report, Status};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884}\
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:46rem}\
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}\
.score{font-size:3rem;font-weight:700;line-height:1.1}\
.state{display:inline-block;padding:.1rem .6rem;border-radius:1rem;color:#fff;font-size:.85rem}\
.up{background:#1a7f37}.degraded{background:#9a6700}.down{background:#cf222e}.unknown{background:#57606a}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .5rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}\
th{font-weight:600}td:first-child{white-space:nowrap}.quiet{opacity:.7;font-size:.9rem}\
nav a{display:inline-block;margin-right:1rem}";

/// How many of the latest events the page shows.
const RECENT: usize = 20;

/// Renders the page. `links` are pairs of path and what is there.
pub(super) fn render(report: &Report, links: &[(&str, &str)], now: SystemTime) -> String {
    let mut out = String::with_capacity(4096);
    let title = if report.service.is_empty() {
        "Service"
    } else {
        &report.service
    };
    out.push_str("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    out.push_str("<meta http-equiv=\"refresh\" content=\"5\"><title>");
    text(&mut out, title);
    out.push_str("</title><style>");
    out.push_str(STYLE);
    out.push_str("</style></head><body><h1>");
    text(&mut out, title);
    if !report.version.is_empty() {
        out.push_str(" <span class=\"quiet\">");
        text(&mut out, &report.version);
        out.push_str("</span>");
    }
    out.push_str("</h1>");
    badge(&mut out, report.status);
    // Writing to a String cannot fail.
    let _ = write!(out, "<div class=\"score\">{:.0}</div><p>", report.score.low);
    text(&mut out, &report.score.explanation);
    let _ = write!(
        out,
        "</p><p class=\"quiet\">score 0 to 100, at best {:.0}; {:.0} % of what goes into it is known; up for {}",
        report.score.high,
        report.score.coverage * 100.0,
        duration(Duration::try_from_secs_f64(report.uptime_seconds).unwrap_or_default()),
    );
    for (check, what) in [(&report.ready, "not ready"), (&report.live, "not live")] {
        if !check.ok {
            let _ = write!(out, "<br>{what}: ");
            text(&mut out, &check.reason);
        }
    }
    out.push_str("</p>");
    components(&mut out, &report.components);
    recent(&mut out, &report.recent, now);
    out.push_str("<h2>Endpoints</h2><nav>");
    for (path, what) in links {
        out.push_str("<a href=\"");
        text(&mut out, path);
        out.push_str("\">");
        text(&mut out, what);
        out.push_str("</a>");
    }
    out.push_str("</nav></body></html>\n");
    out
}

fn components(out: &mut String, components: &[Component]) {
    out.push_str("<h2>Components</h2>");
    if components.is_empty() {
        out.push_str("<p class=\"quiet\">none are watched</p>");
        return;
    }
    out.push_str("<table><tr><th>component</th><th>state</th><th>what</th></tr>");
    for component in components {
        out.push_str("<tr><td>");
        text(out, &component.name);
        out.push_str("</td><td>");
        badge(out, component.status());
        out.push_str("</td><td>");
        text(out, &component.detail);
        out.push_str("</td></tr>");
    }
    out.push_str("</table>");
}

fn recent(out: &mut String, notes: &[Note], now: SystemTime) {
    out.push_str("<h2>What happened lately</h2>");
    if notes.is_empty() {
        out.push_str("<p class=\"quiet\">nothing</p>");
        return;
    }
    out.push_str("<table>");
    for note in notes.iter().take(RECENT) {
        let ago = now.duration_since(note.at).unwrap_or_default();
        let _ = write!(out, "<tr><td>{} ago</td><td>", duration(ago));
        text(out, &note.component);
        out.push_str("</td><td>");
        text(out, &note.text);
        out.push_str("</td></tr>");
    }
    out.push_str("</table>");
}

fn badge(out: &mut String, status: Status) {
    let word = status.as_str();
    let _ = write!(out, "<span class=\"state {word}\">{word}</span>");
}

/// A duration in its two largest units.
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// Appends text such that it is nothing but text, in content and in quoted attributes.
fn text(out: &mut String, raw: &str) {
    for c in raw.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::score;

    #[test]
    fn nothing_that_is_shown_can_become_markup() {
        let evil = "<script>alert(\"x\")</script>";
        let parts = vec![Component::new(evil).health(0.0, evil)];
        let mut report = Report::new(score(None, &parts), parts);
        report.service = evil.to_owned();
        report.recent.push(Note {
            at: SystemTime::UNIX_EPOCH,
            component: evil.to_owned(),
            text: evil.to_owned(),
        });
        let page = render(&report, &[("/metrics", "metrics")], SystemTime::UNIX_EPOCH);
        assert!(!page.contains("<script"));
        assert!(page.contains("&lt;script&gt;") && page.contains("class=\"state down\""));
    }

    #[test]
    fn durations_have_two_units() {
        assert_eq!(duration(Duration::from_secs(59)), "59 s");
        assert_eq!(duration(Duration::from_secs(3_725)), "1 h 2 min");
        assert_eq!(duration(Duration::from_secs(90_000)), "1 d 1 h");
    }
}
