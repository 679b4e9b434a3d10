//! The labels that every series carries, and a check of those that a collector wrote.

use crate::catalog::Kind;
use crate::registry::{Scrape, parse_labels};
use crate::util::escape;

/// The labels that every series carries, one by one.
#[derive(Debug)]
pub(super) struct Globals(Vec<Global>);

#[derive(Debug)]
struct Global {
    name: String,
    /// `name="value"`, escaped.
    text: String,
}

impl Globals {
    /// Those of a scrape. A name that no series may carry is left out: it would spoil them all.
    pub(super) fn of(scrape: &Scrape) -> Self {
        let pairs = parse_labels(scrape.global_labels());
        Self(
            pairs
                .into_iter()
                .filter(|(name, _)| is_name(name))
                .map(|(name, value)| {
                    let mut text = format!("{name}=\"");
                    escape::label_value(&mut text, &value);
                    text.push('"');
                    Global { name, text }
                })
                .collect(),
        )
    }

    /// Those that a series of `kind` with labels of its own under `taken` names carries,
    /// rendered: its own come before ours.
    pub(super) fn beside(&self, kind: Kind, taken: &[impl AsRef<str>]) -> String {
        let mut text = String::new();
        for global in &self.0 {
            let is_taken = taken.iter().any(|name| name.as_ref() == global.name);
            if is_taken || reserved(kind) == Some(&*global.name) {
                continue;
            }
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(&global.text);
        }
        text
    }

    /// Whether one of them goes by one of these names.
    pub(super) fn clash(&self, names: &[&str]) -> bool {
        self.0.iter().any(|global| names.contains(&&*global.name))
    }
}

/// The label that the exposition itself writes for a kind.
fn reserved(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Histogram => Some("le"),
        Kind::Summary => Some("quantile"),
        _ => None,
    }
}

/// The names of rendered labels, or `None` if a parser would stumble over them: a name that is
/// none or is there twice or is the exposition's own, a quote or line feed not escaped.
pub(super) fn names(text: &str, kind: Kind) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, tail) = rest.split_once("=\"")?;
        let end = escape::value_end(tail);
        let value = tail.get(..end)?;
        rest = tail[end..].strip_prefix('"')?;
        if !rest.is_empty() {
            // Nothing may follow the comma in the braces but a label.
            rest = rest.strip_prefix(',').filter(|rest| !rest.is_empty())?;
        }
        let known = names.contains(&name) || reserved(kind) == Some(name);
        if known || !is_name(name) || value.contains('\n') || !escapes_are_known(value) {
            return None;
        }
        names.push(name);
    }
    Some(names)
}

/// Whether every backslash begins one of the three escapes that there are.
fn escapes_are_known(value: &str) -> bool {
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' && !matches!(bytes.next(), Some(b'\\' | b'n' | b'"')) {
            return false;
        }
    }
    true
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Registry, Settings};

    #[test]
    fn the_labels_of_a_series_come_before_those_of_all() {
        let mut settings = Settings::default();
        for (name, value) in [
            ("env", "a\"b"),
            ("le", "x"),
            ("no name", "x"),
            ("zone", "z"),
        ] {
            settings.global_labels.insert(name.into(), value.into());
        }
        let globals = Globals::of(&Registry::with_settings(settings).scrape());
        let none: [&str; 0] = [];
        assert_eq!(
            globals.beside(Kind::Gauge, &none),
            r#"env="a\"b",le="x",zone="z""#
        );
        assert_eq!(globals.beside(Kind::Histogram, &["zone"]), r#"env="a\"b""#);
        assert!(globals.clash(&["a", "env"]) && !globals.clash(&["a"]));
    }

    #[test]
    fn what_a_parser_reads() {
        assert_eq!(names("", Kind::Gauge), Some(vec![]));
        let text = r#"a="x,b=\"\\",_b="\n""#;
        assert_eq!(names(text, Kind::Gauge), Some(vec!["a", "_b"]));
    }

    #[test]
    fn what_a_parser_stumbles_over() {
        for text in [
            "a",
            "a=1",
            "a=\"",
            "a=\"x",
            "a=\"\"b=\"\"",
            "a=\"\",",
            ",a=\"\"",
            "=\"\"",
            "9=\"\"",
            "a=\"\",a=\"\"",
            "a b=\"\"",
            "a=\"\n\"",
            "a=\"\\x\"",
            "a=\"\"}",
            "ä=\"\"",
        ] {
            assert_eq!(names(text, Kind::Gauge), None, "{text:?}");
        }
        assert_eq!(names("le=\"1\"", Kind::Histogram), None);
        assert_eq!(names("quantile=\"1\"", Kind::Summary), None);
        assert!(names("le=\"1\"", Kind::Gauge).is_some());
    }
}
