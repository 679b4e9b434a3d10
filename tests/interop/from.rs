use prometheus::proto::{Bucket, Histogram, Metric, MetricType, Quantile, Summary};
use prometheus::{Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts};
use selfheal::catalog::Kind;
use selfheal::interop::{from_default, from_prometheus};
use selfheal::registry::{Counter, DeclareError, Family, Number, Registry, Text, Value};

use crate::support::{Fixed, bridged, family, find, number, pair, value};
use crate::untyped;

fn pair_of_registries() -> (Registry, prometheus::Registry) {
    let (ours, theirs) = (Registry::new(), prometheus::Registry::new());
    from_prometheus(&ours, &theirs).unwrap();
    (ours, theirs)
}

#[test]
fn counters_and_gauges_come_out_as_they_are_and_as_they_grow() {
    let (ours, theirs) = pair_of_registries();
    // Registered after the bridge, with a name that our rules reject.
    let old = IntCounter::new("old_requests", "Requests").unwrap();
    theirs.register(Box::new(old.clone())).unwrap();
    let load = Gauge::new("namespace:load", "Load").unwrap();
    theirs.register(Box::new(load.clone())).unwrap();
    old.inc_by(3);
    load.set(-1.5);
    assert_eq!(number(&ours, "old_requests", ""), Some(3.0));
    assert_eq!(number(&ours, "namespace:load", ""), Some(-1.5));
    old.inc();
    assert_eq!(number(&ours, "old_requests", ""), Some(4.0));

    let def = find(&ours, "old_requests").unwrap().def;
    assert_eq!((def.kind, &*def.help), (Kind::Counter, "Requests"));
    assert!(!def.namespaced && def.group == "prometheus");
}

#[test]
fn a_counter_without_its_suffix_keeps_its_name_in_every_format() {
    use selfheal::encode::{Encoding, Format, encode};

    let (ours, theirs) = pair_of_registries();
    let old = IntCounter::new("old_requests", "Requests").unwrap();
    theirs.register(Box::new(old.clone())).unwrap();
    old.inc();
    let page = |format| {
        let mut page = Vec::new();
        encode(&ours.scrape(), format, Encoding::Identity, &mut page).unwrap();
        String::from_utf8(page).unwrap()
    };
    let text = page(Format::TEXT);
    assert!(
        text.contains("# TYPE old_requests counter\nold_requests 1\n"),
        "{text}"
    );
    let openmetrics = page(Format::OPEN_METRICS);
    assert!(
        openmetrics.contains("# TYPE old_requests unknown\nold_requests 1\n"),
        "{openmetrics}"
    );
}

#[test]
fn histograms_keep_buckets_counts_and_sums() {
    let (ours, theirs) = pair_of_registries();
    let opts = HistogramOpts::new("latency_seconds", "Latency").buckets(vec![0.1, 1.0]);
    let latency = HistogramVec::new(opts, &["path"]).unwrap();
    theirs.register(Box::new(latency.clone())).unwrap();
    for seconds in [0.05, 0.5, 0.5, 9.0] {
        latency.with_label_values(&["/a"]).observe(seconds);
    }
    latency.with_label_values(&["/b"]).observe(0.25);
    let Some(Value::Histogram(a)) = value(&ours, "latency_seconds", r#"path="/a""#) else {
        panic!("no histogram");
    };
    assert_eq!((&*a.bounds, &*a.counts), (&[0.1, 1.0][..], &[1, 2, 1][..]));
    assert!((a.sum - 10.05).abs() < 1e-9);
    let family = find(&ours, "latency_seconds").unwrap();
    assert_eq!(family.series.len(), 2);
    assert_eq!(family.def.buckets, [0.1, 1.0]);
    assert_eq!(family.def.labels, ["path"]);
}

#[test]
fn summaries_and_untyped_values_come_out() {
    let mut median = Quantile::default();
    median.set_quantile(0.5);
    median.set_value(2.5);
    let mut summary = Summary::default();
    summary.set_quantile(vec![median]);
    summary.set_sample_sum(10.0);
    summary.set_sample_count(4);
    let mut metric = Metric::default();
    metric.set_summary(summary);
    let ours = bridged(family("rpc_seconds", MetricType::SUMMARY, [metric]));
    let want = Value::Summary {
        quantiles: vec![(0.5, 2.5)],
        sum: 10.0,
        count: 4,
    };
    assert_eq!(value(&ours, "rpc_seconds", ""), Some(want));

    let ours = bridged(family(
        "odd",
        MetricType::UNTYPED,
        [untyped(2.75), untyped(9.0)],
    ));
    assert_eq!(number(&ours, "odd", ""), Some(2.75));
    assert_eq!(find(&ours, "odd").unwrap().def.kind, Kind::Unknown);
    assert_eq!(skipped(&ours), 3, "one at each of three scrapes");
}

/// How many series were left out, including those of the scrape that reports it.
fn skipped(registry: &Registry) -> u64 {
    match value(registry, "selfheal_prometheus_skipped_total", "") {
        Some(Value::Number(Number::U64(skipped))) => skipped,
        other => panic!("no counter: {other:?}"),
    }
}

#[test]
fn what_cannot_be_exposed_is_left_out_and_counted() {
    let labelled = |pairs: &[(&str, &str)]| {
        Metric::from_label(pairs.iter().map(|(n, v)| pair(n, v)).collect())
    };
    let good = labelled(&[("b", "1"), ("a", "\"\n")]);
    let same = labelled(&[("a", "\"\n"), ("b", "1")]);
    let twice = labelled(&[("a", "1"), ("a", "2")]);
    let reserved = labelled(&[("__name__", "x")]);
    let ours = bridged(family(
        "jobs",
        MetricType::GAUGE,
        [good, same, twice, reserved],
    ));
    let jobs = find(&ours, "jobs").unwrap();
    assert_eq!(jobs.series.len(), 1);
    assert_eq!(&*jobs.series[0].labels, r#"a="\"\n",b="1""#);
    assert_eq!(skipped(&ours), 6, "three series in each of two scrapes");

    for name in ["", "a-b", "9", "a\nb 1"] {
        let ours = bridged(family(name, MetricType::GAUGE, [Metric::default()]));
        assert_eq!(ours.gather().len(), 1, "{name:?}");
        assert_eq!(skipped(&ours), 2, "{name:?}");
    }
}

#[test]
fn a_histogram_that_makes_no_sense_is_left_out() {
    let ours = |buckets: &[(f64, u64)], count| {
        let bucket = |(bound, count): &(f64, u64)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(*count);
            bucket
        };
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets.iter().map(bucket).collect());
        histogram.set_sample_count(count);
        let mut metric = Metric::default();
        metric.set_histogram(histogram);
        value(
            &bridged(family("h", MetricType::HISTOGRAM, [metric])),
            "h",
            "",
        )
    };
    assert_eq!(ours(&[(2.0, 1), (1.0, 2)], 2), None);
    assert_eq!(ours(&[(1.0, 2), (2.0, 1)], 2), None);
    assert_eq!(ours(&[(1.0, 2)], 1), None);
    assert_eq!(ours(&[(f64::NAN, 1)], 1), None);
    let Some(Value::Histogram(h)) = ours(&[(1.0, 1), (f64::INFINITY, 3)], 3) else {
        panic!("left out");
    };
    assert_eq!((&*h.bounds, &*h.counts), (&[1.0][..], &[1, 2][..]));
}

#[test]
fn a_name_that_both_have_is_one_family_and_ours_wins() {
    let (ours, theirs) = pair_of_registries();
    let opts = Opts::new("requests_total", "Requests");
    let old = IntCounterVec::new(opts, &["path"]).unwrap();
    theirs.register(Box::new(old.clone())).unwrap();
    old.with_label_values(&["/a"]).inc_by(5);
    old.with_label_values(&["/b"]).inc_by(6);
    let new: Family<Counter, [Text; 1]> = ours
        .counter("requests_total", "Requests")
        .labels(["path"])
        .unwrap();
    new.inc(&["/a"]);
    assert_eq!(number(&ours, "requests_total", r#"path="/a""#), Some(1.0));
    assert_eq!(number(&ours, "requests_total", r#"path="/b""#), Some(6.0));
}

#[test]
fn a_name_that_both_have_with_other_kinds_is_an_error_that_names_it() {
    let (ours, theirs) = (Registry::new(), prometheus::Registry::new());
    let depth = IntCounter::new("depth", "Depth").unwrap();
    theirs.register(Box::new(depth)).unwrap();
    ours.gauge("depth", "Depth").build().unwrap();
    let error = from_prometheus(&ours, &theirs).unwrap_err();
    assert!(matches!(error, DeclareError::Clash { .. }));
    assert!(error.to_string().contains("depth"), "{error}");

    // The other way round: the bridged metric exists when ours is declared.
    let ours = Registry::new();
    from_prometheus(&ours, &theirs).unwrap();
    assert!(ours.gauge("depth", "Depth").build().is_err());

    // A metric that appears there later cannot break a scrape.
    let (ours, theirs) = pair_of_registries();
    ours.gauge("late", "Late").build().unwrap().set(1);
    let late = IntCounter::new("late", "Late").unwrap();
    theirs.register(Box::new(late)).unwrap();
    assert_eq!(number(&ours, "late", ""), Some(1.0));
    let clashed = number(&ours, "selfheal_collectors_skipped_total", "");
    assert!(clashed >= Some(1.0));
}

#[test]
fn a_gauge_over_there_may_be_an_info_metric_here() {
    let (ours, theirs) = (Registry::new(), prometheus::Registry::new());
    let build =
        IntGauge::with_opts(Opts::new("build_info", "Build").const_label("v", "1")).unwrap();
    theirs.register(Box::new(build.clone())).unwrap();
    build.set(1);
    from_prometheus(&ours, &theirs).unwrap();
    assert_eq!(number(&ours, "build_info", r#"v="1""#), Some(1.0));
}

#[test]
fn a_collector_that_panics_over_there_costs_its_registry_only() {
    struct Broken(prometheus::core::Desc);
    impl prometheus::core::Collector for Broken {
        fn desc(&self) -> Vec<&prometheus::core::Desc> {
            vec![&self.0]
        }
        fn collect(&self) -> Vec<prometheus::proto::MetricFamily> {
            panic!("broken")
        }
    }
    let (ours, theirs) = (Registry::new(), prometheus::Registry::new());
    let desc = prometheus::core::Desc::new(
        "b".to_owned(),
        "h".to_owned(),
        Vec::new(),
        std::collections::HashMap::new(),
    );
    theirs.register(Box::new(Broken(desc.unwrap()))).unwrap();
    from_prometheus(&ours, &theirs).unwrap();
    ours.counter("fine_total", "Fine").build().unwrap().inc();
    assert_eq!(number(&ours, "fine_total", ""), Some(1.0));
    assert_eq!(
        number(&ours, "selfheal_collectors_skipped_total", ""),
        Some(2.0)
    );
}

#[test]
fn the_default_registry_is_bridged_once() {
    let ours = Registry::new();
    from_default(&ours).unwrap();
    from_default(&ours).unwrap();
    let counter = IntCounter::new("interop_default_test", "Test").unwrap();
    prometheus::register(Box::new(counter.clone())).unwrap();
    counter.inc();
    assert_eq!(number(&ours, "interop_default_test", ""), Some(1.0));
}

#[test]
fn the_catalog_shows_what_was_there_at_the_start() {
    let (ours, theirs) = (Registry::new(), prometheus::Registry::new());
    theirs
        .register(Fixed::new(vec![family(
            "jobs",
            MetricType::COUNTER,
            [Metric::default()],
        )]))
        .unwrap();
    from_prometheus(&ours, &theirs).unwrap();
    let catalog = ours.catalog();
    assert!(
        catalog
            .iter()
            .any(|def| def.name == "jobs" && def.group == "prometheus")
    );
}

/// `prometheus` 0.14 distinguishes the children of a family by a hash of their label values
/// written one after the other, so ("ab", "c") and ("a", "bc") are one series there.
#[test]
fn labels_that_run_together_are_one_series_there_and_two_here() {
    let (ours, theirs) = pair_of_registries();
    let opts = Opts::new("theirs_total", "Theirs");
    let old = IntCounterVec::new(opts, &["x", "y"]).unwrap();
    theirs.register(Box::new(old.clone())).unwrap();
    let new: Family<Counter, [Text; 2]> = ours
        .counter("ours_total", "Ours")
        .labels(["x", "y"])
        .unwrap();
    for values in [["ab", "c"], ["a", "bc"]] {
        old.with_label_values(&values).inc();
        new.inc(&values);
    }
    let old = find(&ours, "theirs_total").unwrap().series;
    assert_eq!(old.len(), 1);
    assert_eq!(number(&ours, "theirs_total", r#"x="ab",y="c""#), Some(2.0));
    assert_eq!(number(&ours, "ours_total", r#"x="ab",y="c""#), Some(1.0));
    assert_eq!(number(&ours, "ours_total", r#"x="a",y="bc""#), Some(1.0));
}
