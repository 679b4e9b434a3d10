use super::escaping::NameOf;
use super::format::Format;
use crate::catalog::Kind;
use crate::registry::{Registry, Scrape};

/// The maximum number of requested names. A federation requests a few; every name is compared with
/// that of every family.
const MAX_NAMES: usize = 128;
/// Enough for a name of 200 bytes with each character escaped.
const MAX_BYTES: usize = 2048;

/// The families that a scraper requests by `name[]=` in the query of the URL, as with clients in
/// other languages: `/metrics?name[]=http_requests_total&name[]=up_seconds`.
///
/// A family is requested by its name or by that of its samples, with the namespace, in any format:
/// `x_total`, `x` and `x_created` all request the counter `x_total`; `x`, `x_bucket`, `x_sum`,
/// `x_count` and `x_created` the histogram `x`. A name that the format escapes may be given either
/// way. The family has all its series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a selection does nothing until it is used for a scrape"]
pub struct Selection {
    /// `None` for everything.
    names: Option<Vec<String>>,
}

/// A query that exceeds the limits: 128 names of 2048 bytes each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the query asks for more than {MAX_NAMES} names, or for one of more than {MAX_BYTES} bytes; \
     ask for less at a time, or leave `name[]` out for everything"
)]
#[non_exhaustive]
pub struct SelectionTooLarge;

impl Selection {
    /// Everything.
    pub const ALL: Self = Self { names: None };

    /// Parses the query of a URL, percent-encoded as after the `?`. Without a `name[]` it selects
    /// everything; an unknown name, also an empty one, selects nothing. Other parameters are
    /// ignored, as Prometheus sends those of its `params`.
    ///
    /// ```
    /// use selfheal::encode::{Format, Selection, append};
    /// use selfheal::registry::Registry;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let registry = Registry::new();
    /// registry.counter("orders_total", "Orders").build()?;
    /// registry.gauge("depth", "Depth").build()?;
    ///
    /// let selection = Selection::of_query(Some("name%5B%5D=depth"))?;
    /// let mut page = Vec::new();
    /// append(&selection.scrape(&registry, Format::TEXT), Format::TEXT, &mut page);
    /// assert_eq!(page, b"# HELP depth Depth\n# TYPE depth gauge\ndepth 0\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// More than 128 names, or one of more than 2048 bytes: a partial result would be taken for the
    /// whole.
    pub fn of_query(query: Option<&str>) -> Result<Self, SelectionTooLarge> {
        let mut names: Option<Vec<String>> = None;
        for pair in query.unwrap_or_default().split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if decoded(key) != "name[]" {
                continue;
            }
            let names = names.get_or_insert_default();
            let name = decoded(value);
            if names.len() == MAX_NAMES || name.len() > MAX_BYTES {
                return Err(SelectionTooLarge);
            }
            names.push(name);
        }
        Ok(Self { names })
    }

    /// Scrapes the selected families. A collector whose described metrics are all unselected is not
    /// called.
    #[must_use]
    pub fn scrape(&self, registry: &Registry, format: Format) -> Scrape {
        let Some(names) = &self.names else {
            return registry.scrape();
        };
        registry.scrape_only(|family, kind| {
            let escaped = format.escaping().name(family, NameOf::Metric);
            let mut names = names.iter();
            names.any(|name| is_of(name, family, kind) || is_of(name, &escaped, kind))
        })
    }
}

/// Whether a family exposed as `family`, or one of its samples, is named `name`.
fn is_of(name: &str, family: &str, kind: Kind) -> bool {
    let suffix = match kind {
        Kind::Counter => "_total",
        Kind::Info => "_info",
        _ => "",
    };
    let suffixes: &[&str] = match kind {
        Kind::Counter => &["", "_total", "_created"],
        Kind::Info => &["", "_info"],
        Kind::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
        Kind::Summary => &["", "_sum", "_count", "_created"],
        Kind::Gauge | Kind::StateSet | Kind::Unknown => &[""],
    };
    let stem = family.strip_suffix(suffix).filter(|stem| !stem.is_empty());
    match stem.and_then(|stem| name.strip_prefix(stem)) {
        Some(rest) => suffixes.contains(&rest),
        // A foreign family may lack the suffix of its kind.
        None => name == family,
    }
}

/// Decodes percent-encoding, as in forms: a plus is a space. Invalid encoding is unchanged.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.first_chunk().copied().filter(|_| *first == b'%');
        let code = code.and_then(byte);
        bytes.push(code.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = code.and_then(|_| tail.get(2..)).unwrap_or(tail);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte of two hexadecimal digits.
fn byte([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::MetricDef;
    use crate::encode::Escaping;
    use crate::registry::{Collector, FamilySnapshot, Number, SeriesSnapshot, Settings, Value};

    /// A foreign collector with one metric of each kind, which are declared nowhere.
    struct Foreign;

    impl Collector for Foreign {
        fn describe(&self) -> Vec<MetricDef> {
            Vec::new()
        }

        fn collect(&self, out: &mut Vec<FamilySnapshot>) {
            let summary = Value::Summary {
                quantiles: vec![(0.5, 1.0)],
                sum: 1.0,
                count: 1,
            };
            let one = Value::Number(Number::U64(1));
            for (kind, name, value) in [
                (Kind::Summary, "rpc_seconds", summary),
                (Kind::Counter, "bare", one.clone()),
                (Kind::Counter, "_total", one.clone()),
                (Kind::Unknown, "what.ever", one),
            ] {
                out.push(FamilySnapshot {
                    def: Arc::new(MetricDef::new(kind, name, "").standard_name()),
                    series: vec![SeriesSnapshot::new([], value)],
                });
            }
        }
    }

    fn registry() -> Registry {
        let mut settings = Settings::default();
        settings.namespace.push_str("shop");
        let registry = Registry::with_settings(settings);
        registry.counter("orders_total", "").build().unwrap().inc();
        registry.gauge("orders", "").build().unwrap();
        registry
            .gauge("queue.size", "")
            .utf8_names()
            .build()
            .unwrap();
        registry.histogram("wait_seconds", "").build().unwrap();
        registry.info("build_info", "").build().unwrap();
        registry.collect_from(Arc::new(Foreign)).unwrap();
        registry
    }

    fn selected(query: &str, format: Format) -> Vec<String> {
        let selection = Selection::of_query(Some(query)).unwrap();
        let scrape = selection.scrape(&registry(), format);
        let families = scrape.families().iter();
        families.map(|family| family.name().to_owned()).collect()
    }

    #[test]
    fn a_family_goes_by_its_name_and_by_those_of_its_samples() {
        for (names, family) in [
            (
                &["shop_orders_total", "shop_orders_created"][..],
                "shop_orders_total",
            ),
            (
                &[
                    "shop_wait_seconds",
                    "shop_wait_seconds_bucket",
                    "shop_wait_seconds_sum",
                    "shop_wait_seconds_count",
                    "shop_wait_seconds_created",
                ],
                "shop_wait_seconds",
            ),
            (&["shop_build", "shop_build_info"], "shop_build_info"),
            (
                &["rpc_seconds", "rpc_seconds_sum", "rpc_seconds_count"],
                "rpc_seconds",
            ),
            (&["bare"], "bare"),
            (&["_total"], "_total"),
            (&["what.ever", "what_ever"], "what.ever"),
        ] {
            for name in names {
                let query = format!("name[]={name}");
                for format in [Format::TEXT, Format::OPEN_METRICS, Format::PROTOBUF] {
                    assert_eq!(selected(&query, format), [family], "{name}");
                }
            }
        }
        let both = ["shop_orders", "shop_orders_total"];
        assert_eq!(selected("name[]=shop_orders", Format::OPEN_METRICS), both);
    }

    #[test]
    fn a_name_that_no_one_has_selects_nothing() {
        for name in [
            "",
            "orders_total",
            "shop_orders_bucket",
            "shop_wait_seconds_total",
            "shop_build_total",
            "rpc_seconds_bucket",
            "bare_total",
            "shop",
            "SHOP_ORDERS",
        ] {
            let query = format!("name[]={name}");
            assert_eq!(selected(&query, Format::TEXT), [""; 0], "{name:?}");
        }
    }

    #[test]
    fn an_escaped_name_is_that_of_the_format() {
        let dots = Format::OPEN_METRICS.with_escaping(Escaping::Dots);
        let size = ["shop_queue.size"];
        assert_eq!(selected("name[]=shop__queue_dot_size", dots), size);
        assert_eq!(selected("name[]=shop_queue.size", dots), size);
        assert_eq!(selected("name[]=shop_queue_size", Format::TEXT), size);
        assert_eq!(selected("name[]=shop_queue_size", dots), [""; 0]);
    }

    #[test]
    fn queries_are_read_as_they_are_sent() {
        let names = |query| Selection::of_query(query).unwrap().names;
        let some = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        for nothing in [None, Some(""), Some("name=a"), Some("a&b=c&&=")] {
            assert_eq!(names(nothing), None, "{nothing:?}");
        }
        assert_eq!(Selection::ALL.names, None);
        for (query, want) in [
            ("name[]=a&x=y&name[]=b", &["a", "b"][..]),
            ("name%5B%5D=a%2eb&name%5b]=c%C3%A4", &["a.b", "cä"]),
            ("name[]", &[""]),
            ("name[]=a=b+c", &["a=b c"]),
            (
                "name[]=%&name[]=%2&name[]=%zz&name[]=%+1",
                &["%", "%2", "%zz", "% 1"],
            ),
            ("name[]=%ff", &["\u{fffd}"]),
        ] {
            assert_eq!(names(Some(query)), some(want), "{query}");
        }
    }

    #[test]
    fn what_is_asked_for_is_bounded() {
        let many = |n| vec!["name[]=a"; n].join("&");
        assert!(Selection::of_query(Some(&many(MAX_NAMES))).is_ok());
        assert!(Selection::of_query(Some(&many(MAX_NAMES + 1))).is_err());
        let long = |n| format!("name[]={}", "a".repeat(n));
        assert!(Selection::of_query(Some(&long(MAX_BYTES))).is_ok());
        let error = Selection::of_query(Some(&long(MAX_BYTES + 1))).unwrap_err();
        assert!(error.to_string().contains("128 names"), "{error}");
    }
}
