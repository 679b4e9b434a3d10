use std::cmp::Reverse;

use super::header::{self, Element};

/// A format of the exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format(Syntax);

/// How a format is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Syntax {
    Text,
    OpenMetrics,
}

impl Format {
    /// The Prometheus text format, version 0.0.4: what a browser or `curl` gets.
    pub const TEXT: Self = Self(Syntax::Text);
    /// OpenMetrics text, version 1.0.0.
    pub const OPEN_METRICS: Self = Self(Syntax::OpenMetrics);

    /// What is offered, the one preferred where a scraper does not care first.
    const OFFERED: [Self; 2] = [Self::TEXT, Self::OPEN_METRICS];

    /// The format that suits the `Accept` header best; give all its lines, or an `Option` of
    /// the only one.
    ///
    /// The most specific range that covers a format says its quality (RFC 9110, section
    /// 12.5.1); the highest quality wins, then the more specific range, then the earlier one.
    /// Where nothing suits, or nothing can be understood, it is [`Format::TEXT`]: a scraper is
    /// served better by a format that it did not name than by an error.
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
                if let Some(specificity) = format.specificity(&element) {
                    let this = Match {
                        specificity,
                        quality: element.quality,
                        position: Reverse(position),
                    };
                    *best = (*best).max(Some(this));
                }
            }
        }
        // `max_by_key` takes the last of equals and the order of preference begins with the first.
        offers
            .into_iter()
            .rev()
            .filter_map(|(format, best)| Some((format, best.filter(|found| found.quality > 0)?)))
            .max_by_key(|(_, found)| (found.quality, found.specificity, found.position))
            .map_or(Self::TEXT, |(format, _)| format)
    }

    /// The value of the `Content-Type` header, without which Prometheus 3 refuses a scrape.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self.0 {
            Syntax::Text => "text/plain; version=0.0.4; charset=utf-8",
            Syntax::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    pub(super) fn syntax(self) -> Syntax {
        self.0
    }

    /// How closely an element of `Accept` names this format; `None` if it does not cover it.
    fn specificity(self, element: &Element<'_>) -> Option<u8> {
        let (media, version) = match self.0 {
            Syntax::Text => ("text/plain", "0.0.4"),
            Syntax::OpenMetrics => ("application/openmetrics-text", "1.0.0"),
        };
        let name = element.name;
        if name.eq_ignore_ascii_case(media) {
            return match element.parameter("version") {
                None => Some(2),
                Some(asked) => (asked == version).then_some(3),
            };
        }
        let group = name.strip_suffix("/*")?;
        let (kind, _) = media.split_once('/')?;
        match group {
            "*" => Some(0),
            _ => group.eq_ignore_ascii_case(kind).then_some(1),
        }
    }
}

/// How an `Accept` header covers one format. The order decides which of several elements counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    specificity: u8,
    quality: u16,
    position: Reverse<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(accept: &str) -> Format {
        Format::negotiate([accept])
    }

    #[test]
    fn what_real_scrapers_send() {
        let prometheus_2_42 = "application/openmetrics-text;version=1.0.0,\
            application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(ask(prometheus_2_42), Format::OPEN_METRICS);
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert_eq!(ask(browser), Format::TEXT);
        assert_eq!(ask("*/*"), Format::TEXT, "curl");
    }

    #[test]
    fn quality_decides() {
        assert_eq!(
            ask("application/openmetrics-text;q=0.1, text/plain;q=0.2"),
            Format::TEXT
        );
        assert_eq!(
            ask("text/plain;q=0.2, APPLICATION/OpenMetrics-Text; Version=\"1.0.0\";q=0.3"),
            Format::OPEN_METRICS
        );
        assert_eq!(ask("text/plain;q=0, */*"), Format::OPEN_METRICS);
    }

    #[test]
    fn the_more_specific_range_decides_about_a_format() {
        assert_eq!(ask("*/*, application/openmetrics-text;q=0.1"), Format::TEXT);
        assert_eq!(
            ask("text/*;q=0.2, application/*;q=0.4"),
            Format::OPEN_METRICS
        );
        assert_eq!(
            ask("application/openmetrics-text, */*"),
            Format::OPEN_METRICS,
            "named beats covered"
        );
        assert_eq!(
            ask("application/openmetrics-text, text/plain"),
            Format::OPEN_METRICS,
            "the first of two equals"
        );
        assert_eq!(
            ask("text/plain, application/openmetrics-text"),
            Format::TEXT
        );
    }

    #[test]
    fn versions_that_we_do_not_write_are_not_offered() {
        assert_eq!(
            ask("application/openmetrics-text;version=0.0.1"),
            Format::TEXT
        );
        assert_eq!(ask("text/plain;version=9, */*;q=0.1"), Format::TEXT);
    }

    #[test]
    fn whatever_comes_there_is_an_answer() {
        for accept in [
            "",
            ",",
            "application/json",
            "text/plain;q=0",
            "/",
            "*/*;q=x",
            "\0ä;;;\"",
            "*",
        ] {
            assert_eq!(ask(accept), Format::TEXT, "{accept:?}");
        }
        let hostile = "application/openmetrics-text;q=0.1,".repeat(1 << 20);
        assert_eq!(ask(&hostile), Format::OPEN_METRICS);
    }
}
