//! Exemplars and created times, in the formats that have them and only there.

use openmetrics_parser::OpenMetricsValue;
use openmetrics_parser::openmetrics::parse_openmetrics;
use selfheal::catalog::Kind;
use selfheal::encode::Format;
use selfheal::registry::{
    Exemplar, FamilySnapshot, HistogramSnapshot, NativeBuckets, Number, SeriesSnapshot, Value,
};

use crate::given::{family, page, series, text};
use crate::proto::{self, Timestamp};

const CREATED: f64 = 1_520_430_000.123;
const AT: f64 = 1_520_879_607.789;

fn trace(id: &str, value: f64, at: f64) -> Exemplar {
    Exemplar::new([("trace_id", id)], value, at).unwrap()
}

fn counter() -> SeriesSnapshot {
    series("a=\"1\"", Value::Number(Number::U64(17)))
        .created(CREATED)
        .exemplar(trace("KOO5S4vxi0o", 1.0, AT))
}

fn histogram(exemplars: Vec<Exemplar>) -> HistogramSnapshot {
    let mut value = HistogramSnapshot::classic([0.1, 1.0, 10.0], vec![8, 3, 6, 1], 324.5);
    value.exemplars = exemplars;
    value
}

fn families() -> Vec<FamilySnapshot> {
    let exemplars = vec![
        Exemplar::new([], 0.054, f64::NAN).unwrap(),
        trace("a\"b\\c\nd", 1.0, 1_520_879_607.0),
        trace("old", 9.0, 5.5),
        trace("new", 2.5, 6.5),
        trace("high", 300.0, -0.5),
    ];
    // By value, in a histogram's order.
    let mut exemplars = exemplars;
    exemplars.sort_by(|a, b| a.value.total_cmp(&b.value));
    let observed = Value::Histogram(histogram(exemplars));
    let summary = Value::Summary {
        quantiles: vec![(0.5, 1.0)],
        sum: 3.0,
        count: 2,
    };
    vec![
        family(Kind::Counter, "foo_total", [counter()]),
        family(
            Kind::Gauge,
            "level",
            // A gauge has neither, whatever is passed.
            [series("", Value::Number(Number::I64(1)))
                .created(CREATED)
                .exemplar(trace("x", 1.0, AT))],
        ),
        family(Kind::Histogram, "took", [series("", observed).created(5.0)]),
        family(
            Kind::Summary,
            "waited",
            [series("a=\"1\"", summary).created(CREATED)],
        ),
    ]
}

#[test]
fn openmetrics() {
    let want = r#"# TYPE foo counter
foo_total{env="prod",a="1"} 17 # {trace_id="KOO5S4vxi0o"} 1 1520879607.789
foo_created{env="prod",a="1"} 1520430000.123
# TYPE level gauge
level{env="prod"} 1
# TYPE took histogram
took_bucket{env="prod",le="0.1"} 8 # {} 0.054
took_bucket{env="prod",le="1.0"} 11 # {trace_id="a\"b\\c\nd"} 1 1520879607
took_bucket{env="prod",le="10.0"} 17 # {trace_id="new"} 2.5 6.5
took_bucket{env="prod",le="+Inf"} 18 # {trace_id="high"} 300 -0.5
took_sum{env="prod"} 324.5
took_count{env="prod"} 18
took_created{env="prod"} 5
# TYPE waited summary
waited{env="prod",a="1",quantile="0.5"} 1
waited_sum{env="prod",a="1"} 3
waited_count{env="prod",a="1"} 2
waited_created{env="prod",a="1"} 1520430000.123
# EOF
"#;
    assert_eq!(text(families(), Format::OPEN_METRICS), want);
    // The parser has no created time for summaries, unlike the specification.
    let known = want.replace("waited_created{env=\"prod\",a=\"1\"} 1520430000.123\n", "");
    let read = parse_openmetrics(&known).unwrap().families;
    let foo = read["foo"].iter_samples().next().unwrap();
    let OpenMetricsValue::Counter(foo) = &foo.value else {
        panic!("{foo:?}");
    };
    assert_eq!(foo.created, Some(CREATED));
    let exemplar = foo.exemplar.as_ref().unwrap();
    assert_eq!((exemplar.id, exemplar.timestamp), (1.0, Some(AT)));
    assert_eq!(exemplar.labels["trace_id"], "KOO5S4vxi0o");
}

#[test]
fn the_other_text_formats_have_neither() {
    for format in [Format::TEXT, Format::TEXT_1] {
        let page = text(families(), format);
        assert!(!page.contains("_created"), "{page}");
        assert!(!page.contains(" # "), "{page}");
        assert_eq!(page.lines().count(), 4 + 1 + 1 + 6 + 3, "{page}");
    }
}

#[test]
fn protobuf() {
    let families = proto::decode(&page(families(), Format::PROTOBUF).0);
    let only = |at: usize| families[at].metric.first().unwrap();
    let created = Timestamp {
        seconds: 1_520_430_000,
        nanos: 123_000_000,
    };
    let foo = only(0).counter.as_ref().unwrap();
    assert_eq!(foo.created_timestamp, Some(created));
    let exemplar = foo.exemplar.as_ref().unwrap();
    assert_eq!(
        proto::pairs(&exemplar.label),
        [("trace_id".to_owned(), "KOO5S4vxi0o".to_owned())]
    );
    assert_eq!(exemplar.value(), 1.0);
    assert_eq!(
        exemplar.timestamp,
        Some(Timestamp {
            seconds: 1_520_879_607,
            nanos: 789_000_000
        })
    );
    let took = only(2).histogram.as_ref().unwrap();
    assert_eq!(
        took.created_timestamp,
        Some(Timestamp {
            seconds: 5,
            nanos: 0
        })
    );
    let shown: Vec<_> = took
        .bucket
        .iter()
        .map(|bucket| {
            let exemplar = bucket.exemplar.as_ref().unwrap();
            let id = exemplar.label.first().map_or("", |label| label.value());
            (id, exemplar.value(), exemplar.timestamp)
        })
        .collect();
    let at = |seconds, nanos| Some(Timestamp { seconds, nanos });
    assert_eq!(
        shown,
        [
            ("", 0.054, None),
            ("a\"b\\c\nd", 1.0, at(1_520_879_607, 0)),
            ("new", 2.5, at(6, 500_000_000)),
            ("high", 300.0, at(-1, 500_000_000)),
        ]
    );
    let waited = only(3).summary.as_ref().unwrap();
    assert_eq!(waited.created_timestamp, Some(created));
}

#[test]
fn what_is_no_time_and_no_number_is_left_out() {
    let number = |labels| series(labels, Value::Number(Number::U64(1)));
    let families = vec![family(
        Kind::Counter,
        "foo_total",
        [
            number("a=\"1\"").created(f64::NAN),
            number("a=\"2\"").created(f64::INFINITY),
            number("a=\"3\"").exemplar(trace("x", f64::NAN, AT)),
            number("a=\"4\"").exemplar(trace("x", 1.0, f64::INFINITY)),
        ],
    )];
    assert_eq!(
        text(families.clone(), Format::OPEN_METRICS),
        "# TYPE foo counter\n\
         foo_total{env=\"prod\",a=\"1\"} 1\n\
         foo_total{env=\"prod\",a=\"2\"} 1\n\
         foo_total{env=\"prod\",a=\"3\"} 1\n\
         foo_total{env=\"prod\",a=\"4\"} 1 # {trace_id=\"x\"} 1\n# EOF\n"
    );
    let families = proto::decode(&page(families, Format::PROTOBUF).0);
    let counters = families[0]
        .metric
        .iter()
        .map(|metric| metric.counter.as_ref().unwrap());
    let has: Vec<_> = counters
        .map(|counter| (counter.created_timestamp, counter.exemplar.is_some()))
        .collect();
    assert_eq!(
        has,
        [(None, false), (None, false), (None, false), (None, true)]
    );
}

#[test]
fn a_created_series_that_would_be_another_familys_is_left_out() {
    let families = vec![
        family(Kind::Counter, "foo_total", [counter()]),
        family(
            Kind::Gauge,
            "foo_created",
            [series("", Value::Number(Number::I64(1)))],
        ),
        // Not a counter in OpenMetrics, where an unknown metric has no exemplar and no time.
        family(Kind::Counter, "wrongly_named", [counter()]),
    ];
    let page = text(families, Format::OPEN_METRICS);
    assert_eq!(page.matches("foo_created{").count(), 1, "{page}");
    assert_eq!(page.matches(" # {").count(), 1, "{page}");
    assert!(!page.contains("wrongly_named_created"), "{page}");
    parse_openmetrics(&page).unwrap();
}

#[test]
fn labels_of_a_series_go_before_global_ones_in_the_created_series_too() {
    let series = series("env=\"dev\"", Value::Number(Number::U64(1))).created(7.0);
    let families = vec![family(Kind::Counter, "foo_total", [series])];
    assert_eq!(
        text(families, Format::OPEN_METRICS),
        "# TYPE foo counter\nfoo_total{env=\"dev\"} 1\nfoo_created{env=\"dev\"} 7\n# EOF\n"
    );
}

#[test]
fn exemplars_of_native_buckets() {
    let mut value = histogram(vec![trace("low", 0.05, 1.0), trace("high", 5.0, 2.0)]);
    let buckets = NativeBuckets {
        positive: vec![(-4, 8), (0, 3), (3, 7)],
        ..NativeBuckets::new(0, 0.0)
    };
    value.native = Some(buckets.clone());
    let both = series("a=\"both\"", Value::Histogram(value.clone()));
    let mut native = HistogramSnapshot::native(buckets, 9.0);
    native.exemplars = value.exemplars;
    native.exemplars.push(trace("timeless", 6.0, f64::NAN));
    let alone = series("a=\"native\"", Value::Histogram(native));
    let families = vec![family(Kind::Histogram, "took", [both, alone])];

    let decoded = proto::decode(&page(families.clone(), Format::PROTOBUF).0);
    let ids = |exemplars: &[proto::Exemplar]| -> Vec<String> {
        let id = |one: &proto::Exemplar| one.label[0].value().to_owned();
        exemplars.iter().map(id).collect()
    };
    let [both, alone] = &decoded[0].metric[..] else {
        panic!("{decoded:?}");
    };
    let both = both.histogram.as_ref().unwrap();
    let shown: Vec<_> = both
        .bucket
        .iter()
        .filter_map(|one| one.exemplar.clone())
        .collect();
    assert_eq!(ids(&shown), ["low", "high"]);
    assert!(both.exemplars.is_empty(), "those of the buckets are read");
    let alone = alone.histogram.as_ref().unwrap();
    assert_eq!(
        ids(&alone.exemplars),
        ["low", "high"],
        "only those with a time"
    );

    // The only bucket shows the latest one.
    let page = text(families, Format::OPEN_METRICS);
    let line = page
        .lines()
        .find(|line| line.contains("a=\"native\""))
        .unwrap();
    assert_eq!(
        line,
        "took_bucket{env=\"prod\",a=\"native\",le=\"+Inf\"} 18 # {trace_id=\"timeless\"} 6"
    );
}
