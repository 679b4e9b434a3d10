//! A faulty collector loses its own series, and never breaks the scrape.

use selfheal::catalog::Kind;
use selfheal::encode::{Format, Written};
use selfheal::registry::{FamilySnapshot, HistogramSnapshot, Number, Value};

use crate::given;

fn family(kind: Kind, name: &'static str, series: Vec<(&str, Value)>) -> FamilySnapshot {
    let series = series
        .into_iter()
        .map(|(labels, value)| given::series(labels, value));
    given::family(kind, name, series)
}

fn one() -> Value {
    Value::Number(Number::U64(1))
}

fn histogram(bounds: &[f64], counts: &[u64]) -> Value {
    Value::Histogram(HistogramSnapshot::classic(bounds, counts.to_vec(), 1.0))
}

fn page(families: Vec<FamilySnapshot>, format: Format) -> (String, Written) {
    let (page, written) = given::page(families, format);
    (String::from_utf8(page).unwrap(), written)
}

#[test]
fn labels_that_no_parser_reads() {
    let series = vec![
        ("a=\"1\"", one()),
        ("a=\"1\"} 5\nother{b=\"", one()),
        ("a=\"1\",a=\"2\"", one()),
        ("__name__=\"1\"", one()),
        ("a=\"2\"", one()),
    ];
    let (page, written) = page(vec![family(Kind::Gauge, "g", series)], Format::TEXT);
    assert_eq!(
        page,
        "# TYPE g gauge\ng{env=\"prod\",a=\"1\"} 1\ng{env=\"prod\",a=\"2\"} 1\n"
    );
    assert_eq!((written.series, written.skipped), (2, 3));
}

#[test]
fn values_of_another_kind() {
    let families = vec![
        family(Kind::Gauge, "g", vec![("", histogram(&[1.0], &[1, 2]))]),
        family(Kind::Histogram, "h", vec![("", one())]),
        family(Kind::Summary, "s", vec![("", one())]),
    ];
    let (page, written) = page(families, Format::OPEN_METRICS);
    assert_eq!(
        page,
        "# TYPE g gauge\n# TYPE h histogram\n# TYPE s summary\n# EOF\n"
    );
    assert_eq!((written.series, written.skipped), (0, 3));
}

#[test]
fn buckets_that_are_none() {
    let series = vec![
        ("n=\"1\"", histogram(&[1.0, 1.0], &[1, 1, 1])),
        ("n=\"2\"", histogram(&[1.0, f64::INFINITY], &[1, 1, 1])),
        ("n=\"3\"", histogram(&[f64::NAN], &[1, 1])),
        ("n=\"4\"", histogram(&[1.0], &[1])),
        ("n=\"5\",le=\"1\"", histogram(&[1.0], &[1, 1])),
        ("n=\"6\"", histogram(&[], &[4])),
    ];
    let (page, written) = page(vec![family(Kind::Histogram, "h", series)], Format::TEXT);
    assert_eq!(
        page,
        "# TYPE h histogram\nh_bucket{env=\"prod\",n=\"6\",le=\"+Inf\"} 4\n\
         h_sum{env=\"prod\",n=\"6\"} 1\nh_count{env=\"prod\",n=\"6\"} 4\n"
    );
    assert_eq!((written.series, written.skipped), (1, 5));
}

#[test]
fn a_series_with_a_global_label_of_its_own_keeps_it() {
    let series = vec![("env=\"dev\",a=\"1\"", one()), ("", one())];
    let (page, _) = page(vec![family(Kind::Gauge, "g", series)], Format::TEXT);
    assert_eq!(
        page,
        "# TYPE g gauge\ng{env=\"dev\",a=\"1\"} 1\ng{env=\"prod\"} 1\n"
    );
}

#[test]
fn two_families_of_one_openmetrics_name_are_distinguished() {
    let families = vec![
        family(Kind::Gauge, "jobs", vec![("", one())]),
        family(Kind::Counter, "jobs_total", vec![("", one())]),
        family(Kind::Info, "run_info", vec![("", one())]),
        family(Kind::Counter, "run_total", vec![("", one())]),
        family(Kind::Counter, "wrongly_named", vec![("", one())]),
        family(Kind::Info, "what", vec![("", one())]),
    ];
    let (page, _) = page(families, Format::OPEN_METRICS);
    let types: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    assert_eq!(
        types,
        [
            "jobs gauge",
            "jobs_total unknown",
            "run_info gauge",
            "run counter",
            "what gauge",
            "wrongly_named unknown",
        ]
    );
    openmetrics_parser::openmetrics::parse_openmetrics(&page).unwrap();
}

#[test]
fn openmetrics_has_no_sum_where_a_bound_is_negative() {
    let families = vec![family(
        Kind::Histogram,
        "h",
        vec![("a=\"1\"", histogram(&[-1.0, 1.0], &[1, 1, 1]))],
    )];
    let (page, _) = page(families.clone(), Format::OPEN_METRICS);
    openmetrics_parser::openmetrics::parse_openmetrics(&page).unwrap();
    assert!(!page.contains("_sum") && !page.contains("_count"), "{page}");
    let (page, _) = self::page(families, Format::TEXT);
    assert!(
        page.contains("h_sum{") && page.contains("h_count{"),
        "{page}"
    );
}

#[test]
fn values_that_openmetrics_does_not_allow() {
    let number = |number| Value::Number(Number::F64(number));
    let families = vec![
        family(
            Kind::Counter,
            "c_total",
            vec![
                ("a=\"1\"", number(f64::NAN)),
                ("a=\"2\"", number(-1.0)),
                ("a=\"3\"", number(0.5)),
            ],
        ),
        family(
            Kind::Info,
            "i_info",
            vec![("a=\"1\"", number(1.0)), ("a=\"2\"", number(0.0))],
        ),
        family(
            Kind::StateSet,
            "s",
            vec![
                ("s=\"on\"", number(1.0)),
                ("s=\"half\"", number(0.5)),
                ("a=\"s\"", number(1.0)),
                ("s=\"off\"", number(0.0)),
            ],
        ),
        // Not a valid label name.
        family(Kind::StateSet, "t:u", vec![("t:u=\"on\"", number(1.0))]),
    ];
    let (page, written) = page(families.clone(), Format::OPEN_METRICS);
    assert_eq!(
        page,
        "# TYPE c counter\nc_total{env=\"prod\",a=\"3\"} 0.5\n\
         # TYPE i info\ni_info{env=\"prod\",a=\"1\"} 1\n\
         # TYPE s stateset\ns{env=\"prod\",s=\"on\"} 1\ns{env=\"prod\",s=\"off\"} 0\n\
         # TYPE t:u gauge\nt:u{env=\"prod\",t_u=\"on\"} 1\n# EOF\n"
    );
    assert_eq!((written.series, written.skipped), (5, 5));
    openmetrics_parser::openmetrics::parse_openmetrics(&page).unwrap();
    // The other formats have no such rules.
    for format in [Format::TEXT, Format::PROTOBUF] {
        assert_eq!(given::page(families.clone(), format).1.skipped, 0);
    }
}
