use std::borrow::Cow;
use std::fmt::Write as _;

use crate::util::escape::{self, fits};
pub(super) use crate::util::escape::{NameOf, is_plain};

/// The escaping of names with characters other than `a-z A-Z 0-9 _` (and `:` in the name of a
/// metric), which a scraper requests with `escaping=` in its `Accept` header.
///
/// The registry refuses such names for metrics declared without
/// [`utf8_names`](crate::registry::Declare::utf8_names), so this concerns those and metrics that a
/// [`Collector`](crate::registry::Collector) passes through. The schemes are those of Prometheus 3
/// ("Escaping schemes" in its documentation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Escaping {
    /// `underscores`: each such character becomes `_`. Readable by every scraper.
    #[default]
    Underscores,
    /// `dots`: a dot becomes `_dot_`, an underscore `__`, and each other such character `__`.
    Dots,
    /// `values`: the name begins with `U__`, an underscore becomes `__`, and each such character
    /// its code point in hexadecimal between underscores. The only reversible scheme.
    Values,
    /// `allow-utf-8`: names are unchanged and written in quotes. Only for formats with quoted
    /// names; the text format 0.0.4 has none.
    AllowUtf8,
}

impl Escaping {
    pub(super) const ALL: [Self; 4] =
        [Self::Underscores, Self::Dots, Self::Values, Self::AllowUtf8];

    /// The scheme as written in headers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
            Self::AllowUtf8 => "allow-utf-8",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.as_str() == text)
    }

    /// The exposed name. A name that needs no escaping is unchanged in every scheme.
    pub(super) fn name(self, name: &str, of: NameOf) -> Cow<'_, str> {
        match self {
            Self::AllowUtf8 => return Cow::Borrowed(name),
            Self::Underscores => return escape::underscores(name, of),
            Self::Dots | Self::Values if is_plain(name, of) => return Cow::Borrowed(name),
            Self::Dots | Self::Values => {}
        }
        let mut out = String::with_capacity(name.len() + 8);
        if self == Self::Values {
            out.push_str("U__");
        }
        for (at, c) in name.char_indices() {
            match (self, c) {
                (Self::Dots, '.') => out.push_str("_dot_"),
                (_, '_') => out.push_str("__"),
                _ if fits(c, at, of) => out.push(c),
                (Self::Values, _) => {
                    // Writing to a `String` does not fail.
                    let _ = write!(out, "_{:x}_", u32::from(c));
                }
                _ => out.push_str("__"),
            }
        }
        Cow::Owned(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the rules of `EscapeName` in github.com/prometheus/common, and its documentation.
    #[test]
    fn as_prometheus_escapes() {
        let name = |scheme: Escaping, name| scheme.name(name, NameOf::Metric).into_owned();
        for (from, underscores, dots, values) in [
            ("a_b:c9", "a_b:c9", "a_b:c9", "a_b:c9"),
            (
                "http.requests_total",
                "http_requests_total",
                "http_dot_requests__total",
                "U__http_2e_requests__total",
            ),
            ("9 ä🦀", "____", "________", "U___39__20__e4__1f980_"),
        ] {
            assert_eq!(name(Escaping::Underscores, from), underscores);
            assert_eq!(name(Escaping::Dots, from), dots);
            assert_eq!(name(Escaping::Values, from), values);
            assert_eq!(name(Escaping::AllowUtf8, from), from);
        }
        assert_eq!(Escaping::Underscores.name("a:b", NameOf::Label), "a_b");
    }

    #[test]
    fn names_of_schemes() {
        for scheme in Escaping::ALL {
            assert_eq!(Escaping::parse(scheme.as_str()), Some(scheme));
        }
        assert_eq!(Escaping::parse("Dots"), None);
    }
}
