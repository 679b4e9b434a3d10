//! Names and labels that both registries have, their samples' too.

use prometheus::{Gauge, HistogramOpts, IntGauge, Opts};
use selfheal::encode::{Format, append};
use selfheal::interop::{from_prometheus, to_prometheus};
use selfheal::registry::{Counter, Family, FloatGauge, Registry, Settings, Text};

use crate::support::{find, number, text};

fn gauge(theirs: &prometheus::Registry, name: &str) -> prometheus::Result<()> {
    let gauge = IntGauge::with_opts(Opts::new(name, "Theirs"))?;
    gauge.set(42);
    theirs.register(Box::new(gauge))
}

fn histogram(theirs: &prometheus::Registry, name: &str) {
    let opts = HistogramOpts::new(name, "Theirs");
    let histogram = prometheus::Histogram::with_opts(opts).unwrap();
    theirs.register(Box::new(histogram)).unwrap();
}

/// How often `metric` was left out because of `owner`.
fn left_out(ours: &Registry, metric: &str, owner: &str) -> Option<f64> {
    let labels = format!("metric=\"{metric}\",owner=\"{owner}\"");
    number(ours, "selfheal_metrics_left_out_total", &labels)
}

/// Whether any line of a page begins with `name` and holds their value.
fn shows_theirs(page: &str) -> bool {
    page.lines()
        .any(|line| !line.starts_with('#') && line.ends_with(" 42"))
}

fn page(ours: &Registry, format: Format) -> String {
    let mut page = Vec::new();
    append(&ours.scrape(), format, &mut page);
    String::from_utf8_lossy(&page).into_owned()
}

#[test]
fn a_sample_of_ours_has_its_name_before_one_of_theirs() {
    // Whichever was registered first, and whether there is a series of ours or not.
    for (theirs_first, observed) in [(false, false), (false, true), (true, false), (true, true)] {
        for part in ["bucket", "sum", "count"] {
            let (ours, theirs) = (Registry::new(), prometheus::Registry::new());
            let name = format!("job_seconds_{part}");
            if theirs_first {
                gauge(&theirs, &name).unwrap();
            }
            from_prometheus(&ours, &theirs).unwrap();
            let jobs = ours.histogram("job_seconds", "Ours");
            let jobs: Family<selfheal::registry::Histogram, [Text; 1]> =
                jobs.labels(["job"]).unwrap();
            if observed {
                jobs.observe(&["a"], 0.5);
            }
            if !theirs_first {
                gauge(&theirs, &name).unwrap();
            }
            for format in [Format::TEXT, Format::OPEN_METRICS] {
                assert!(!shows_theirs(&page(&ours, format)), "{name}");
            }
            assert!(left_out(&ours, &name, "job_seconds") >= Some(2.0));
            assert!(number(&ours, "selfheal_collectors_skipped_total", "") >= Some(2.0));
            assert_eq!(find(&ours, "job_seconds").is_some(), observed);
        }
    }
}

#[test]
fn a_histogram_of_theirs_gives_way_to_what_ours_has_of_its_samples() {
    use std::sync::Arc;

    use selfheal::catalog::{Kind, MetricDef};
    use selfheal::registry::{Collector, FamilySnapshot, Number, SeriesSnapshot, Value};

    struct Odd;
    impl Collector for Odd {
        fn describe(&self) -> Vec<MetricDef> {
            vec![MetricDef::new(Kind::Unknown, "job_seconds_sum", "Ours")]
        }
        fn collect(&self, out: &mut Vec<FamilySnapshot>) {
            out.push(FamilySnapshot {
                def: Arc::new(self.describe().remove(0)),
                series: vec![SeriesSnapshot::new([], Value::Number(Number::U64(1)))],
            });
        }
    }

    let (ours, theirs) = (Registry::new(), prometheus::Registry::new());
    histogram(&theirs, "job_seconds");
    from_prometheus(&ours, &theirs).unwrap();
    ours.collect_from(Arc::new(Odd)).unwrap();
    assert_eq!(number(&ours, "job_seconds_sum", ""), Some(1.0));
    assert_eq!(find(&ours, "job_seconds"), None);
    assert!(left_out(&ours, "job_seconds", "job_seconds_sum") >= Some(1.0));
    let error = to_prometheus(&ours, &theirs).unwrap_err();
    assert_eq!(error.names, ["job_seconds_sum"]);
}

#[test]
fn over_there_a_sample_name_that_both_have_is_an_error_on_either_side() {
    let ours = Registry::new();
    ours.histogram("job_seconds", "Ours").build().unwrap();
    for prefix in [None, Some("shop".to_owned())] {
        let theirs = prometheus::Registry::new_custom(prefix, None).unwrap();
        gauge(&theirs, "job_seconds_count").unwrap();
        let error = to_prometheus(&ours, &theirs).unwrap_err();
        assert_eq!(error.names, ["job_seconds"]);
        assert!(error.to_string().contains("job_seconds"), "{error}");
        assert_eq!(theirs.gather().len(), 1, "nothing is left of the attempt");
    }
    let theirs = prometheus::Registry::new();
    to_prometheus(&ours, &theirs).unwrap();
    for part in ["bucket", "sum", "count"] {
        assert!(
            gauge(&theirs, &format!("job_seconds_{part}")).is_err(),
            "{part}"
        );
    }
    gauge(&theirs, "job_seconds_max").unwrap();
}

#[test]
fn what_is_declared_later_and_clashes_over_there_is_left_out_and_named() {
    let (ours, theirs) = (Registry::new(), prometheus::Registry::new());
    gauge(&theirs, "job_seconds_count").unwrap();
    to_prometheus(&ours, &theirs).unwrap();
    ours.histogram("job_seconds", "Ours").build().unwrap();
    ours.gauge("depth", "Ours").build().unwrap().set(7);
    let page = text(&theirs);
    assert!(
        page.contains("\njob_seconds_count 42\n") && !page.contains("job_seconds_sum"),
        "{page}"
    );
    assert!(page.contains("\ndepth 7\n"), "{page}");
    assert_eq!(
        left_out(&ours, "job_seconds", "job_seconds_count"),
        Some(1.0)
    );
}

#[test]
fn names_in_utf8_are_escaped_over_there() {
    let ours = Registry::new();
    let waiting: Family<FloatGauge, [Text; 1]> = ours
        .float_gauge("queue.längd", "Waiting")
        .utf8_names()
        .labels(["queue.name"])
        .unwrap();
    waiting.set(&["a.b"], 7.0);
    ours.float_gauge("queue_l_ngd", "Another").build().unwrap();
    let theirs = prometheus::Registry::new();
    to_prometheus(&ours, &theirs).unwrap();
    let page = text(&theirs);
    let lines: Vec<&str> = page.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        lines,
        ["queue_l_ngd{queue_name=\"a.b\"} 7"],
        "one of the two, in words that are read"
    );
    assert_eq!(left_out(&ours, "queue_l_ngd", "queue_l_ngd"), Some(1.0));
    assert!(gauge(&theirs, "queue_l_ngd").is_err(), "the name is taken");
}

fn with_global(labels: &[(&str, &str)]) -> Registry {
    let mut settings = Settings::default();
    for (name, value) in labels {
        settings
            .global_labels
            .insert((*name).into(), (*value).into());
    }
    Registry::with_settings(settings)
}

fn with_common(name: &str, value: &str) -> prometheus::Registry {
    let labels = [(name.to_owned(), value.to_owned())].into();
    prometheus::Registry::new_custom(None, Some(labels)).unwrap()
}

#[test]
fn a_global_label_that_both_have_comes_out_once_as_theirs() {
    let ours = with_global(&[("env", "ours"), ("zone", "z")]);
    ours.counter("jobs_total", "Jobs").build().unwrap();
    let theirs = with_common("env", "theirs");
    to_prometheus(&ours, &theirs).unwrap();
    let page = text(&theirs);
    assert!(
        page.contains("jobs_total{zone=\"z\",env=\"theirs\"} 0\n"),
        "{page}"
    );
    // In the other direction, the label of the series precedes our global one.
    let (ours, theirs) = (
        with_global(&[("env", "ours")]),
        with_common("env", "theirs"),
    );
    gauge(&theirs, "depth").unwrap();
    from_prometheus(&ours, &theirs).unwrap();
    let page = self::page(&ours, Format::TEXT);
    assert!(page.contains("\ndepth{env=\"theirs\"} 42\n"), "{page}");
}

#[test]
fn a_label_of_ours_that_they_put_on_all_is_refused() {
    let ours = Registry::new();
    let declare = |name| -> Family<Counter, [Text; 1]> {
        ours.counter(name, "Jobs").labels(["env"]).unwrap()
    };
    declare("jobs_total").inc(&["a"]);
    let error = to_prometheus(&ours, &with_common("env", "theirs")).unwrap_err();
    assert_eq!(error.labels, ["jobs_total{env}"]);
    assert!(error.to_string().contains("jobs_total{env}"), "{error}");

    // Declared later, it can only be left out.
    let (ours, theirs) = (Registry::new(), with_common("env", "theirs"));
    to_prometheus(&ours, &theirs).unwrap();
    let late: Family<Counter, [Text; 1]> = ours.counter("late_total", "").labels(["env"]).unwrap();
    late.inc(&["a"]);
    assert!(!text(&theirs).contains("late_total{"));
    assert_eq!(left_out(&ours, "late_total", "env"), Some(1.0));
}

#[test]
fn one_series_is_exposed_once_though_a_global_label_makes_it_the_same() {
    let ours = with_global(&[("env", "prod")]);
    ours.float_gauge("load", "Ours").build().unwrap().set(1.0);
    let theirs = prometheus::Registry::new();
    let load = Gauge::with_opts(Opts::new("load", "Theirs").const_label("env", "prod")).unwrap();
    load.set(42.0);
    theirs.register(Box::new(load)).unwrap();
    from_prometheus(&ours, &theirs).unwrap();
    let page = page(&ours, Format::TEXT);
    let lines: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("load"))
        .collect();
    assert_eq!(lines, ["load{env=\"prod\"} 1"]);
}
