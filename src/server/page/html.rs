//! Renders text as HTML, and numbers for people.

use std::fmt::{Display, Write as _};
use std::time::{Duration, SystemTime};

use crate::health::Status;
use crate::util::pieces;

/// Appends escaped text, for content and quoted attributes. Control characters are shown escaped,
/// since some reorder the surrounding text.
pub(super) fn text(out: &mut String, raw: &str) {
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

/// Appends an element with a text in it. `tag` may have attributes, and is trusted.
pub(super) fn element(out: &mut String, tag: &str, content: impl Display) {
    let name = tag.split(' ').next().unwrap_or(tag);
    // Writing to a String cannot fail.
    let _ = write!(out, "<{tag}>");
    text(out, &content.to_string());
    let _ = write!(out, "</{name}>");
}

/// Appends the mark of a status: a shape and a colour, with a text alternative.
pub(super) fn mark(out: &mut String, status: Status) {
    let (shape, word) = (shape(status), status.as_str());
    let _ = write!(
        out,
        "<span class=\"mark {word}\" aria-hidden=\"true\">{shape}</span><span class=\"sr\">{word}: </span>"
    );
}

pub(super) fn shape(status: Status) -> char {
    match status {
        Status::Up => '●',
        Status::Unknown => '○',
        Status::Degraded => '▲',
        Status::Down => '■',
    }
}

/// Formats a duration in its two largest units.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// Appends the age of an event. Without `now` the script of the page fills it in and updates it.
pub(super) fn since(out: &mut String, at: SystemTime, now: Option<SystemTime>) {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH);
    let _ = write!(
        out,
        "<time class=\"when\" data-at=\"{:.0}\">{}</time>",
        seconds.unwrap_or_default().as_secs_f64(),
        now.map(|now| ago(at, now)).unwrap_or_default()
    );
}

/// Formats the age of an event in one unit.
fn ago(at: SystemTime, now: SystemTime) -> String {
    let seconds = now.duration_since(at).unwrap_or_default().as_secs();
    match seconds {
        0..1 => "now".to_owned(),
        1..120 => format!("{seconds} s ago"),
        120..7_200 => format!("{} min ago", seconds / 60),
        7_200..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// Hours, minutes and seconds in UTC, to recognise an outdated page.
pub(super) fn time_of_day(now: SystemTime) -> String {
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.unwrap_or_default().as_secs() % 86_400;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02} UTC", seconds % 60)
}

/// Formats a number with at most three digits, or as an integer from 100 on.
pub(super) fn figure(value: f64) -> String {
    match value.abs() {
        ..0.005 => "0".to_owned(),
        ..10.0 => trimmed(&format!("{value:.2}")),
        ..100.0 => trimmed(&format!("{value:.1}")),
        _ => format!("{value:.0}"),
    }
}

fn trimmed(text: &str) -> String {
    let short = text.trim_end_matches('0').trim_end_matches('.');
    short.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_and_times_ago_one() {
        assert_eq!(duration(Duration::from_secs(59)), "59 s");
        assert_eq!(duration(Duration::from_secs(3_725)), "1 h 2 min");
        assert_eq!(duration(Duration::from_secs(90_000)), "1 d 1 h");
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for (now, text) in [(0, "now"), (61, "61 s ago"), (3_725, "62 min ago")] {
            assert_eq!(ago(at(0), at(now)), text);
        }
        assert_eq!(ago(at(5), at(0)), "now");
        assert_eq!(time_of_day(at(90_061)), "01:01:01 UTC");
    }

    #[test]
    fn figures_have_few_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.314, "0.31"),
            (0.5, "0.5"),
            (38.04, "38"),
            (92.5, "92.5"),
            (214.4, "214"),
            (12_345.6, "12346"),
        ] {
            assert_eq!(figure(value), text);
        }
    }
}
