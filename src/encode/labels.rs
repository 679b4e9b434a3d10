//! Labels common to all series, and a check of collectors' labels.

use std::borrow::Cow;

use super::escaping::{Escaping, NameOf, is_plain};
use crate::catalog::Kind;
use crate::registry::{Scrape, ScrapeFamily, parse_labels};
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

/// The labels of one series of a collector, each with its escaped value.
#[derive(Debug, PartialEq)]
pub(super) struct Labels<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl Globals {
    /// The global labels of a scrape. An invalid name is left out: it would invalidate every
    /// series.
    pub(super) fn of(scrape: &Scrape) -> Self {
        let pairs = parse_labels(scrape.global_labels());
        Self(
            pairs
                .into_iter()
                .filter(|(name, _)| is_plain(name, NameOf::Label) && name != "__name__")
                .map(|(name, value)| {
                    let mut text = format!("{name}=\"");
                    escape::label_value(&mut text, &value);
                    text.push('"');
                    Global { name, text }
                })
                .collect(),
        )
    }

    /// The rendered global labels for a series of `kind` whose own labels have the names `taken`:
    /// its own take precedence.
    pub(super) fn beside(&self, kind: Kind, taken: impl Fn(&str) -> bool) -> String {
        let mut text = String::new();
        for global in &self.0 {
            if taken(&global.name) || reserved(kind) == Some(&*global.name) {
                continue;
            }
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(&global.text);
        }
        text
    }

    /// Whether a global label has the name of one of these.
    pub(super) fn clash(&self, labels: &Labels<'_>) -> bool {
        self.0.iter().any(|global| labels.has(&global.name))
    }
}

/// Whether the labels of every series can be written unchanged: they are those declared, and have
/// names that need no quotes.
pub(super) fn need_no_check(family: &ScrapeFamily) -> bool {
    let names = &family.def().labels;
    family.labels_are_declared() && names.iter().all(|name| is_plain(name, NameOf::Label))
}

/// The label that the exposition itself writes for a kind.
fn reserved(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Histogram => Some("le"),
        Kind::Summary => Some("quantile"),
        _ => None,
    }
}

impl<'a> Labels<'a> {
    /// Parses rendered labels and escapes their names. `None` if a parser would fail on them: an
    /// invalid, duplicate or reserved name; an unescaped quote, backslash or line feed.
    pub(super) fn read(text: &'a str, kind: Kind, escaping: Escaping) -> Option<Self> {
        let mut labels = Self(Vec::new());
        let mut rest = text;
        while !rest.is_empty() {
            let (name, value, more) = escape::first_label(rest)?;
            // Only another label may follow a comma.
            let tail = more.strip_prefix(',').filter(|tail| !tail.is_empty());
            rest = if more.is_empty() { more } else { tail? };
            let shown = escaping.name(name, NameOf::Label);
            let taken = labels.has(&shown) || reserved(kind) == Some(&*shown);
            if taken || !could_be_a_name(name) || !is_escaped(value) {
                return None;
            }
            labels.0.push((shown, value));
        }
        Some(labels)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// The rendered labels: `text` itself, from which they were parsed, if possible.
    pub(super) fn render(&self, text: &'a str) -> Cow<'a, str> {
        let as_it_was = |(name, _): &(Cow<'_, str>, _)| {
            matches!(name, Cow::Borrowed(_)) && is_plain(name, NameOf::Label)
        };
        if self.0.iter().all(as_it_was) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len() + 8);
        for (name, value) in &self.0 {
            if !out.is_empty() {
                out.push(',');
            }
            out.push_str(&quoted(name, NameOf::Label));
            for part in ["=\"", value, "\""] {
                out.push_str(part);
            }
        }
        Cow::Owned(out)
    }

    /// The names and the values, still escaped.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }
}

/// A name as written in a text format: in quotes if necessary.
pub(super) fn quoted(name: &str, of: NameOf) -> Cow<'_, str> {
    if is_plain(name, of) {
        return Cow::Borrowed(name);
    }
    let mut text = String::with_capacity(name.len() + 2);
    text.push('"');
    escape::label_value(&mut text, name);
    text.push('"');
    Cow::Owned(text)
}

/// Whether a text is a name and not a fragment of malformed labels.
fn could_be_a_name(name: &str) -> bool {
    !name.is_empty() && name != "__name__" && !name.contains(['"', ',', '=', '{', '}', '\\', '\n'])
}

/// Whether a value has no line feed, and backslashes only in valid escapes.
fn is_escaped(value: &str) -> bool {
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        let wrong = match byte {
            b'\\' => !matches!(bytes.next(), Some(b'\\' | b'n' | b'"')),
            byte => byte == b'\n',
        };
        if wrong {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Registry, Settings};

    fn read(text: &str) -> Option<Labels<'_>> {
        Labels::read(text, Kind::Gauge, Escaping::Underscores)
    }

    #[test]
    fn the_labels_of_a_series_come_before_those_of_all() {
        let mut settings = Settings::default();
        for (name, value) in [
            ("env", "a\"b"),
            ("le", "x"),
            ("no name", "x"),
            ("__name__", "x"),
            ("zone", "z"),
        ] {
            settings.global_labels.insert(name.into(), value.into());
        }
        let globals = Globals::of(&Registry::with_settings(settings).scrape());
        assert_eq!(
            globals.beside(Kind::Gauge, |_| false),
            r#"env="a\"b",le="x",zone="z""#
        );
        assert_eq!(
            globals.beside(Kind::Histogram, |name| name == "zone"),
            r#"env="a\"b""#
        );
        assert!(globals.clash(&read("a=\"\",env=\"\"").unwrap()));
        assert!(!globals.clash(&read("a=\"\"").unwrap()));
    }

    #[test]
    fn what_a_parser_reads() {
        for text in ["", r#"a="x,b=\"\\",_b="\n""#] {
            let labels = read(text).unwrap();
            assert!(matches!(labels.render(text), Cow::Borrowed(same) if same == text));
            assert!(labels.iter().eq(escape::labels(text)));
        }
    }

    #[test]
    fn names_are_escaped_or_quoted() {
        let text = r#"a.b="1",c="2""#;
        assert_eq!(read(text).unwrap().render(text), r#"a_b="1",c="2""#);
        let labels = Labels::read(text, Kind::Gauge, Escaping::AllowUtf8).unwrap();
        assert_eq!(labels.render(text), r#""a.b"="1",c="2""#);
        assert!(labels.names().eq(["a.b", "c"]));
        assert_eq!(read(r#"a.b="1",a_b="2""#), None, "one name for two");
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
            "a=\"\",a=\"\"",
            "a=\"\n\"",
            "a=\"\\x\"",
            "a=\"\"}",
            "a=\"1\"} 5\nb{c=\"\"",
            "__name__=\"b\"",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
        let none = |text, kind| Labels::read(text, kind, Escaping::Underscores).is_none();
        assert!(none("le=\"1\"", Kind::Histogram));
        assert!(none("quantile=\"1\"", Kind::Summary));
        assert!(!none("le=\"1\"", Kind::Gauge));
    }
}
