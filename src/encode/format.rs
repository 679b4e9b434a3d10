use std::cmp::Reverse;

use super::escaping::Escaping;
use super::header::{self, Element};

/// A format of the exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    syntax: Syntax,
    /// `None` if the scraper did not request one: then it is the default, and not in the header.
    escaping: Option<Escaping>,
}

/// The syntax of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Syntax {
    Text,
    Text1,
    OpenMetrics,
    Protobuf,
}

impl Format {
    /// The Prometheus text format, version 0.0.4: the default, as for a browser or `curl`.
    pub const TEXT: Self = Self::of(Syntax::Text);
    /// The Prometheus text format, version 1.0.0, with names in quotes.
    pub const TEXT_1: Self = Self::of(Syntax::Text1);
    /// OpenMetrics text, version 1.0.0.
    pub const OPEN_METRICS: Self = Self::of(Syntax::OpenMetrics);
    /// The Prometheus protobuf format: messages `io.prometheus.client.MetricFamily`, each
    /// length-delimited. [`encode`](super::encode()) splits a family that is longer than a chunk
    /// into several messages of the same name, as Prometheus reads them.
    pub const PROTOBUF: Self = Self::of(Syntax::Protobuf);

    /// The offered formats, most preferred first.
    const OFFERED: [Self; 4] = [Self::TEXT, Self::OPEN_METRICS, Self::TEXT_1, Self::PROTOBUF];

    const fn of(syntax: Syntax) -> Self {
        Self {
            syntax,
            escaping: None,
        }
    }

    /// Sets the scheme for names that need escaping. Default: [`Escaping::Underscores`]. The text
    /// format 0.0.4, which cannot name a scheme, is unchanged.
    #[must_use]
    pub fn with_escaping(mut self, escaping: Escaping) -> Self {
        if self.syntax != Syntax::Text {
            self.escaping = Some(escaping);
        }
        self
    }

    /// Selects the format that best matches the `Accept` header; pass all its lines, or an `Option`
    /// of the only one.
    ///
    /// The most specific range that covers a format determines its quality (RFC 9110, section
    /// 12.5.1); the highest quality wins, then the more specific range, then the earlier one. If
    /// nothing matches or is valid, it is [`Format::TEXT`]: for a scraper an unrequested format is
    /// better than an error.
    ///
    /// ```
    /// use selfheal::encode::Format;
    ///
    /// assert_eq!(Format::negotiate(None), Format::TEXT);
    /// assert_eq!(
    ///     Format::negotiate(["text/plain;q=0.5, application/openmetrics-text"]),
    ///     Format::OPEN_METRICS
    /// );
    /// ```
    #[must_use]
    pub fn negotiate<'a>(accept: impl IntoIterator<Item = &'a str>) -> Self {
        let mut offers = Self::OFFERED.map(|format| (format, None::<Match>));
        for (position, element) in header::elements(accept).enumerate() {
            for (format, best) in &mut offers {
                let Some(specificity) = format.specificity(&element) else {
                    continue;
                };
                let this = Match {
                    specificity,
                    quality: element.quality,
                    position: Reverse(position),
                };
                if best.is_none_or(|best| this > best) {
                    *best = Some(this);
                    let escaping = element.parameter("escaping").and_then(Escaping::parse);
                    *format = escaping.map_or(Self::of(format.syntax), |escaping| {
                        format.with_escaping(escaping)
                    });
                }
            }
        }
        // `max_by_key` returns the last of equals, and the preferred format comes first.
        offers
            .into_iter()
            .rev()
            .filter_map(|(format, best)| Some((format, best.filter(|best| best.quality > 0)?)))
            .max_by_key(|(_, best)| (best.quality, best.specificity, best.position))
            .map_or(Self::TEXT, |(format, _)| format)
    }

    /// The value of the `Content-Type` header, which Prometheus 3 requires.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        /// Concatenates literals to a static string.
        macro_rules! content_type {
            ($media:literal) => {
                match self.escaping {
                    None => $media,
                    Some(Escaping::Underscores) => concat!($media, "; escaping=underscores"),
                    Some(Escaping::Dots) => concat!($media, "; escaping=dots"),
                    Some(Escaping::Values) => concat!($media, "; escaping=values"),
                    Some(Escaping::AllowUtf8) => concat!($media, "; escaping=allow-utf-8"),
                }
            };
        }
        match self.syntax {
            Syntax::Text => "text/plain; version=0.0.4; charset=utf-8",
            Syntax::Text1 => content_type!("text/plain; version=1.0.0; charset=utf-8"),
            Syntax::OpenMetrics => {
                content_type!("application/openmetrics-text; version=1.0.0; charset=utf-8")
            }
            Syntax::Protobuf => content_type!(
                "application/vnd.google.protobuf; \
                 proto=io.prometheus.client.MetricFamily; encoding=delimited"
            ),
        }
    }

    pub(super) fn syntax(self) -> Syntax {
        self.syntax
    }

    pub(super) fn escaping(self) -> Escaping {
        self.escaping.unwrap_or_default()
    }

    /// How specifically an element of `Accept` names this format; `None` if it does not cover it.
    fn specificity(self, element: &Element<'_>) -> Option<u8> {
        let media = match self.syntax {
            Syntax::Text | Syntax::Text1 => "text/plain",
            Syntax::OpenMetrics => "application/openmetrics-text",
            Syntax::Protobuf => "application/vnd.google.protobuf",
        };
        if element.name.eq_ignore_ascii_case(media) {
            let version = element.parameter("version");
            return match (self.syntax, version) {
                (Syntax::Text | Syntax::OpenMetrics, None) => Some(2),
                (Syntax::Text, Some("0.0.4"))
                | (Syntax::Text1 | Syntax::OpenMetrics, Some("1.0.0")) => Some(3),
                (Syntax::Protobuf, _) => {
                    let proto = element.parameter("proto");
                    let encoding = element.parameter("encoding");
                    (proto == Some("io.prometheus.client.MetricFamily")
                        && encoding == Some("delimited"))
                    .then_some(3)
                }
                _ => None,
            };
        }
        let group = element.name.strip_suffix("/*")?;
        let (kind, _) = media.split_once('/')?;
        match group {
            "*" => Some(0),
            _ => group.eq_ignore_ascii_case(kind).then_some(1),
        }
    }
}

/// The match of an `Accept` header with one format; the greatest of several counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    specificity: u8,
    quality: u16,
    position: Reverse<usize>,
}

#[cfg(test)]
mod tests;
