//! Names that not every scraper reads, from collectors and from declarations, in every scheme.

use std::collections::BTreeSet;
use std::sync::Arc;

use openmetrics_parser::openmetrics::parse_openmetrics;
use openmetrics_parser::prometheus::parse_prometheus;
use proptest::prelude::*;
use selfheal::catalog::{Kind, MetricDef};
use selfheal::encode::{Escaping, Format, Written, append};
use selfheal::registry::{
    Collector, Counter, Family, FamilySnapshot, Histogram, HistogramSnapshot, Number, Registry,
    SeriesSnapshot, Text, Value,
};

/// Gauges by any names, each with one series and one label of the same name.
struct Odd(Vec<String>);

impl Collector for Odd {
    fn describe(&self) -> Vec<MetricDef> {
        Vec::new()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        for name in &self.0 {
            let value = Value::Number(Number::U64(1));
            out.push(FamilySnapshot {
                def: Arc::new(MetricDef::new(Kind::Gauge, name.clone(), "odd")),
                series: vec![SeriesSnapshot::new([(name.as_str(), "x")], value)],
            });
        }
    }
}

fn page(names: Vec<String>, format: Format) -> (String, Written) {
    let registry = Registry::new();
    registry.collect_from(Arc::new(Odd(names))).unwrap();
    let mut page = Vec::new();
    let written = append(&registry.scrape(), format, &mut page);
    (String::from_utf8(page).unwrap(), written)
}

#[test]
fn dotted_names_in_each_scheme() {
    let page = |format| page(vec!["http.requests".into()], format).0;
    let underscores = "# HELP http_requests odd\n# TYPE http_requests gauge\n\
                       http_requests{http_requests=\"x\"} 1\n";
    assert_eq!(page(Format::TEXT), underscores);
    assert_eq!(page(Format::TEXT_1), underscores);
    assert_eq!(
        page(Format::TEXT_1.with_escaping(Escaping::Dots)),
        underscores.replace("http_requests", "http_dot_requests")
    );
    assert_eq!(
        page(Format::TEXT_1.with_escaping(Escaping::Values)),
        underscores.replace("http_requests", "U__http_2e_requests")
    );
    assert_eq!(
        page(Format::TEXT_1.with_escaping(Escaping::AllowUtf8)),
        "# HELP \"http.requests\" odd\n# TYPE \"http.requests\" gauge\n\
         {\"http.requests\",\"http.requests\"=\"x\"} 1\n"
    );
}

/// A histogram by a dotted name, whose lines have a label of their own behind the name.
struct Dotted;

impl Collector for Dotted {
    fn describe(&self) -> Vec<MetricDef> {
        Vec::new()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let value = Value::Histogram(HistogramSnapshot::classic([1.0], vec![2, 3], 9.0));
        out.push(FamilySnapshot {
            def: Arc::new(MetricDef::new(Kind::Histogram, "a.b", "")),
            series: vec![
                SeriesSnapshot::new([], value.clone()),
                SeriesSnapshot::new([("x", "y")], value),
            ],
        });
    }
}

#[test]
fn a_histogram_by_a_quoted_name() {
    let registry = Registry::new();
    registry.collect_from(Arc::new(Dotted)).unwrap();
    let mut page = Vec::new();
    let format = Format::TEXT_1.with_escaping(Escaping::AllowUtf8);
    append(&registry.scrape(), format, &mut page);
    assert_eq!(
        String::from_utf8(page).unwrap(),
        "# TYPE \"a.b\" histogram\n\
         {\"a.b_bucket\",le=\"1\"} 2\n\
         {\"a.b_bucket\",le=\"+Inf\"} 5\n\
         {\"a.b_sum\"} 9\n\
         {\"a.b_count\"} 5\n\
         {\"a.b_bucket\",x=\"y\",le=\"1\"} 2\n\
         {\"a.b_bucket\",x=\"y\",le=\"+Inf\"} 5\n\
         {\"a.b_sum\",x=\"y\"} 9\n\
         {\"a.b_count\",x=\"y\"} 5\n"
    );
}

#[test]
fn declared_names_in_utf8() {
    let registry = Registry::new();
    let sent: Family<Counter, (Text, Text)> = registry
        .counter("mail.sent_total", "")
        .utf8_names()
        .labels(["mail.to", "kind"])
        .unwrap();
    sent.add(&("a\"b", "x"), 2);
    let took: Family<Histogram, [Text; 1]> = registry
        .histogram("tid", "")
        .buckets(&[1.0])
        .utf8_names()
        .labels(["kö"])
        .unwrap();
    took.observe(&["y"], 0.5);
    let page = |format| {
        let mut page = Vec::new();
        append(&registry.scrape(), format, &mut page);
        String::from_utf8(page).unwrap()
    };
    assert_eq!(
        page(Format::TEXT),
        "# TYPE mail_sent_total counter\n\
         mail_sent_total{mail_to=\"a\\\"b\",kind=\"x\"} 2\n\
         # TYPE tid histogram\n\
         tid_bucket{k_=\"y\",le=\"1\"} 1\n\
         tid_bucket{k_=\"y\",le=\"+Inf\"} 1\n\
         tid_sum{k_=\"y\"} 0.5\n\
         tid_count{k_=\"y\"} 1\n"
    );
    let utf8 = page(Format::TEXT_1.with_escaping(Escaping::AllowUtf8));
    for line in [
        "{\"mail.sent_total\",\"mail.to\"=\"a\\\"b\",kind=\"x\"} 2\n",
        "tid_bucket{\"kö\"=\"y\",le=\"1\"} 1\n",
    ] {
        assert!(utf8.contains(line), "{utf8}");
    }
}

#[test]
fn two_names_that_escaping_makes_one() {
    let names = ["a.b", "a-b", "c_d", "c.d"].map(str::to_owned).to_vec();
    let (text, written) = page(names.clone(), Format::TEXT);
    let types = text
        .lines()
        .filter(|line| line.starts_with("# TYPE"))
        .count();
    assert_eq!(
        (types, written.series, written.skipped),
        (2, 2, 2),
        "{text}"
    );
    let utf8 = Format::OPEN_METRICS.with_escaping(Escaping::AllowUtf8);
    assert_eq!(page(names, utf8).1.skipped, 0);
}

/// Names of a few characters that mean something to one format or another.
fn names() -> impl Strategy<Value = Vec<String>> {
    let character = prop::sample::select(vec!['a', 'B', '_', '.', '9', ' ', 'ä', '🦀', '-', '#']);
    let name = prop::collection::vec(character, 1..6).prop_map(|name| name.into_iter().collect());
    prop::collection::btree_set(name, 1..8)
        .prop_map(|names: BTreeSet<String>| names.into_iter().collect())
}

proptest! {
    #[test]
    fn parsers_read_every_scheme(names in names()) {
        let underscores = page(names.clone(), Format::TEXT).0;
        parse_prometheus(&underscores).unwrap();
        for escaping in [Escaping::Underscores, Escaping::Dots, Escaping::Values] {
            let format = Format::OPEN_METRICS.with_escaping(escaping);
            let (page, written) = page(names.clone(), format);
            let families = parse_openmetrics(&page).unwrap().families;
            prop_assert_eq!(families.len() as u64, written.series);
            prop_assert!(families.keys().all(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')));
            if escaping == Escaping::Values {
                prop_assert_eq!(written.skipped, 0, "it can be taken back, so no two names become one");
            }
        }
        for format in [Format::TEXT_1, Format::OPEN_METRICS] {
            let format = format.with_escaping(Escaping::AllowUtf8);
            let (page, written) = page(names.clone(), format);
            prop_assert_eq!(written.skipped, 0);
            let found: BTreeSet<String> = if page.ends_with("# EOF\n") {
                parse_openmetrics(&page).unwrap().families.into_keys().collect()
            } else {
                parse_prometheus(&page).unwrap().families.into_keys().collect()
            };
            prop_assert_eq!(&found, &names.iter().cloned().collect::<BTreeSet<_>>());
        }
    }
}
