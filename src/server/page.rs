//! The page, rendered on the server: it works without scripts and on a phone.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use crate::health::{Component, Note, Report, Score, Status};
use crate::util::pieces;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884}\
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:46rem}\
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}\
.score{font-size:3rem;font-weight:700;line-height:1.1}\
.state{display:inline-block;padding:.1rem .6rem;border-radius:1rem;color:#fff;font-size:.85rem}\
.up{background:#1a7f37}.degraded{background:#9a6700}.down{background:#cf222e}.unknown{background:#57606a}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .5rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}\
th{font-weight:600}.no{font-weight:600;color:light-dark(#cf222e,#ff7b72)}.facts span{display:inline-block;margin-right:1.2rem}\
td:first-child{white-space:nowrap}td:last-child{overflow-wrap:anywhere}.quiet{opacity:.7;font-size:.9rem}\
nav a{display:inline-block;margin-right:1rem}";

/// How often a browser loads it anew, in seconds.
const RELOAD: u32 = 5;

/// How many of the latest events and alerts the page shows.
const RECENT: usize = 20;

/// Renders the page. `links` are pairs of path and what is there.
pub(super) fn render(
    report: &Report,
    links: &[(impl AsRef<str>, &str)],
    now: SystemTime,
) -> String {
    let mut out = String::with_capacity(4096);
    let title = if report.service.is_empty() {
        "Service"
    } else {
        &report.service
    };
    out.push_str("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<meta http-equiv=\"refresh\" content=\"{RELOAD}\"><title>"
    );
    text(&mut out, title);
    let _ = write!(out, ": {}</title><style>", report.status.as_str());
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
    score(&mut out, &report.score);
    for (check, what) in [
        (&report.ready, "not ready for traffic"),
        (&report.live, "no progress inside"),
    ] {
        if !check.ok {
            let _ = write!(out, "<p class=\"no\">{what}: ");
            text(&mut out, &check.reason);
            out.push_str("</p>");
        }
    }
    facts(&mut out, report);
    if !report.alerts.is_empty() {
        out.push_str("<h2>Alerts</h2>");
        notes(&mut out, "raised", &report.alerts, now);
    }
    components(&mut out, &report.components);
    out.push_str("<h2>What happened lately</h2>");
    if report.recent.is_empty() {
        out.push_str("<p class=\"quiet\">nothing</p>");
    } else {
        notes(&mut out, "when", &report.recent, now);
    }
    out.push_str("<h2>Endpoints</h2><nav>");
    for (path, what) in links {
        out.push_str("<a href=\"");
        text(&mut out, path.as_ref());
        out.push_str("\">");
        text(&mut out, what);
        out.push_str("</a>");
    }
    let _ = writeln!(
        out,
        "</nav><p class=\"quiet\">as of {}; loads anew every {RELOAD} s</p></body></html>",
        time_of_day(now)
    );
    out
}

/// The number as it stands in its explanation.
fn score(out: &mut String, score: &Score) {
    let short = |value: f64| (value * 10.0).round() / 10.0;
    let _ = write!(
        out,
        "<div class=\"score\">{}</div><p class=\"quiet\">health score, 0 to 100",
        short(score.low)
    );
    if score.coverage < 1.0 {
        let _ = write!(
            out,
            "; up to {}, as {:.0} % of what goes into it is known",
            short(score.high),
            score.coverage * 100.0
        );
    }
    out.push_str("</p><p>");
    text(out, &score.explanation);
    out.push_str("</p>");
}

fn facts(out: &mut String, report: &Report) {
    let up = Duration::try_from_secs_f64(report.uptime_seconds).unwrap_or_default();
    let _ = write!(
        out,
        "<p class=\"facts\"><span>up for <b>{}</b></span>",
        duration(up)
    );
    for fact in &report.facts {
        out.push_str(" <span>");
        text(out, &fact.name);
        out.push_str(" <b>");
        text(out, &fact.value);
        out.push_str("</b></span>");
    }
    out.push_str("</p>");
}

fn components(out: &mut String, components: &[Component]) {
    out.push_str("<h2>Components</h2>");
    if components.is_empty() {
        out.push_str("<p class=\"quiet\">none are watched</p>");
        return;
    }
    out.push_str("<table><tr><th>component</th><th>state</th><th>what is known</th></tr>");
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

fn notes(out: &mut String, when: &str, notes: &[Note], now: SystemTime) {
    let _ = write!(
        out,
        "<table><tr><th>{when}</th><th>component</th><th>what</th></tr>"
    );
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

/// Hours, minutes and seconds in UTC: to see that a page is an old one.
fn time_of_day(now: SystemTime) -> String {
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.unwrap_or_default().as_secs() % 86_400;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02} UTC", seconds % 60)
}

/// Appends text such that it is nothing but text, in content and in quoted attributes. Control
/// characters are shown as they are escaped: some change the order of what stands around them.
fn text(out: &mut String, raw: &str) {
    for (visible, hidden) in pieces(raw) {
        for c in visible.chars() {
            match c {
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '&' => out.push_str("&amp;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                c => out.push(c),
            }
        }
        out.extend(hidden.into_iter().flat_map(char::escape_default));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Check, Fact, score};

    #[test]
    fn nothing_that_is_shown_can_become_markup() {
        let evil = "<script>alert(\"x\")</script>";
        let parts = vec![Component::new(evil).health(0.0, evil)];
        let mut report = Report::new(score(None, &parts), parts);
        report.service = evil.to_owned();
        report.facts.push(Fact::new(evil, evil));
        report.ready = Check::failed(evil);
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
    fn control_characters_are_shown_as_text() {
        let parts = vec![Component::new("db\u{202e}\n\u{1b}[31m").health(0.0, "a\u{200b}b")];
        let report = Report::new(score(None, &parts), parts);
        let page = render(&report, &[] as &[(&str, &str)], SystemTime::UNIX_EPOCH);
        let lines = page.strip_suffix('\n').unwrap();
        assert_eq!(crate::util::Printable(lines).to_string(), lines);
        assert!(
            page.contains("<td>db\\u{202e}\\n\\u{1b}[31m</td>"),
            "{page}"
        );
        assert!(page.contains("<td>a\\u{200b}b</td>"), "{page}");
    }

    #[test]
    fn what_a_person_wants_to_know_is_on_it() {
        let parts = [
            Component::new("mailer").share(0.15).health(0.5, "restart"),
            Component::new("db"),
        ];
        let mut report = Report::new(score(None, &parts[..1]), parts.to_vec());
        report.service = "shop".to_owned();
        report.uptime_seconds = 61.5;
        report.facts.push(Fact::new("issues healed", "19"));
        report.live = Check::failed("stuck");
        report.alerts.push(Note {
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(90_000),
            component: "mailer".to_owned(),
            text: "it was restarted again and again".to_owned(),
        });
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(90_061);
        let page = render(&report, &[("/metrics", "metrics")], now);
        for part in [
            "<title>shop: degraded</title>",
            "<div class=\"score\">92.5</div>",
            "; up to 92.5, as 50 % of what goes into it is known",
            "92.5 = 100 − 7.5: mailer restart, carries 15 % of traffic",
            "<p class=\"no\">no progress inside: stuck</p>",
            "up for <b>1 min 1 s</b>",
            "issues healed <b>19</b>",
            "<h2>Alerts</h2>",
            "<td>1 min 1 s ago</td><td>mailer</td><td>it was restarted again and again</td>",
            "<h2>What happened lately</h2><p class=\"quiet\">nothing</p>",
            "<td>db</td><td><span class=\"state unknown\">unknown</span>",
            "as of 01:01:01 UTC; loads anew every 5 s",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("not ready"));
    }

    #[test]
    fn durations_have_two_units() {
        assert_eq!(duration(Duration::from_secs(59)), "59 s");
        assert_eq!(duration(Duration::from_secs(3_725)), "1 h 2 min");
        assert_eq!(duration(Duration::from_secs(90_000)), "1 d 1 h");
    }
}
