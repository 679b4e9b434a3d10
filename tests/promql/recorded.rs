//! Queries over the recent past of a registry.

use selfheal::catalog::Native;
use selfheal::config::HistorySettings;
use selfheal::history::History;
use selfheal::promql::{
    InstantSample, Query, QueryOptions, QueryRange, QueryResult, Recorded, Series,
};
use selfheal::registry::{Counter, Family, Registry, Text};

fn instant(recorded: &Recorded, text: &str, time: i64) -> Vec<InstantSample> {
    let query = Query::parse(text).unwrap();
    let answer = query
        .instant(recorded, time, &QueryOptions::default())
        .unwrap();
    let QueryResult::Vector(mut vector) = answer.result else {
        panic!("{text} gives no vector");
    };
    vector.sort_by(|a, b| a.labels.cmp(&b.labels));
    vector
}

/// A series that goes on, one that is removed after 150 of 300 seconds, and a histogram.
fn recorded() -> Recorded {
    let registry = Registry::new();
    let family: Family<Counter, [Text; 1]> = registry
        .counter("jobs_total", "Jobs")
        .labels(["queue"])
        .unwrap();
    let sizes = registry.histogram("sizes", "Sizes").buckets(&[1.0, 2.0]);
    let sizes = sizes.build().unwrap();
    let history = History::new(&registry, HistorySettings::new());
    for tick in 0..300_u32 {
        family.add(&["a"], tick.into());
        sizes.observe(f64::from(tick % 4));
        if tick < 150 {
            family.inc(&["b"]);
        } else {
            family.remove(&["b"]);
        }
        history.tick(i64::from(tick) * 1_000);
    }
    Recorded::new(&history, [("job", "shop"), ("queue", "of the target")])
}

#[test]
fn the_newest_sample_of_a_series_is_that_of_its_range() {
    let recorded = recorded();
    for time in [
        0, 1_500, 100_000, 149_000, 150_000, 200_000, 299_000, 300_500, 500_000, 900_000,
    ] {
        // An instant query reads the newest sample only; one of two steps reads the range.
        let range = QueryRange {
            start: time,
            end: time + 1,
            step: 1,
        };
        let names = "{__name__=~\"jobs_total|sizes_.*\"}";
        let query = Query::parse(names).unwrap();
        let answer = query
            .range(&recorded, range, &QueryOptions::default())
            .unwrap();
        let QueryResult::Matrix(series) = answer.result else {
            panic!("a range query gives a matrix");
        };
        let first = series.iter().filter_map(|series| {
            let sample = series.samples.iter().find(|sample| sample.time == time)?;
            Some((series.labels.clone(), sample.value.clone()))
        });
        let newest = instant(&recorded, names, time);
        let newest = newest
            .into_iter()
            .map(|sample| (sample.labels, sample.value));
        assert_eq!(
            newest.collect::<Vec<_>>(),
            first.collect::<Vec<_>>(),
            "at {time}"
        );
    }
}

/// Steps share the groups and the places in the samples with the step before, which the series that
/// ends must not spoil.
#[test]
fn a_range_query_is_an_instant_query_at_each_step() {
    let recorded = recorded();
    for text in [
        "jobs_total",
        "jobs_total offset 20s",
        "jobs_total offset -20s",
        "timestamp(jobs_total)",
        "sum by (exported_queue) (rate(jobs_total[30s]))",
        "sum without (job, exported_queue) (jobs_total)",
        "sum by (le, absent) (sizes_bucket)",
        "topk(1, jobs_total)",
        "max_over_time(jobs_total[40s])",
        "rate({__name__=~\"jobs_total|sizes_sum\"}[30s])",
        "avg_over_time(sum by (exported_queue) (rate(jobs_total[20s]))[60s:7s])",
        "sum(jobs_total @ 100) + count(jobs_total)",
        "sum(rate({__name__=~\"jobs_total|sizes_sum\"}[30s]))",
        "sum by (__name__) (rate(jobs_total[30s]))",
        "max by (__name__, exported_queue) (last_over_time(jobs_total[30s]))",
        "stddev without (le) (increase(sizes_bucket[40s]))",
        "count(quantile_over_time(0.5, jobs_total[20s] offset 10s))",
        "histogram_quantile(0.9, sum by (le) (rate(sizes_bucket[40s])))",
        "avg by (exported_queue) (max_over_time(sum by (exported_queue) (rate(jobs_total[20s]))[60s:7s]))",
    ] {
        let range = QueryRange {
            start: 0,
            end: 330_000,
            step: 3_700,
        };
        let query = Query::parse(text).unwrap();
        let answer = query.range(&recorded, range, &QueryOptions::default());
        let QueryResult::Matrix(series) = answer.unwrap().result else {
            panic!("a range query gives a matrix");
        };
        let mut steps = 0;
        for time in (range.start..=range.end).step_by(3_700) {
            let at = |series: &Series| {
                let sample = series.samples.iter().find(|sample| sample.time == time)?;
                Some((series.labels.clone(), sample.value.clone()))
            };
            let found: Vec<_> = series.iter().filter_map(at).collect();
            let want = instant(&recorded, text, time).into_iter();
            let want: Vec<_> = want.map(|sample| (sample.labels, sample.value)).collect();
            assert_eq!(found, want, "{text} at {time}");
            steps += usize::from(!want.is_empty());
        }
        assert!(steps > 50, "{text} has values at {steps} steps");
    }
}

#[test]
fn series_have_the_names_and_labels_that_a_server_gives_them() {
    let recorded = recorded();
    let names = instant(&recorded, "{__name__=~\".+\"}", 299_000);
    let names: Vec<String> = names
        .iter()
        .map(|sample| sample.labels.to_string())
        .collect();
    assert_eq!(
        names,
        [
            r#"jobs_total{exported_queue="a", job="shop", queue="of the target"}"#,
            r#"sizes_bucket{job="shop", le="+Inf", queue="of the target"}"#,
            r#"sizes_bucket{job="shop", le="1", queue="of the target"}"#,
            r#"sizes_bucket{job="shop", le="2", queue="of the target"}"#,
            r#"sizes_count{job="shop", queue="of the target"}"#,
            r#"sizes_sum{job="shop", queue="of the target"}"#,
        ]
    );
    let quantile = "histogram_quantile(0.5, sizes_bucket)";
    let vector = instant(&recorded, quantile, 299_000);
    assert_eq!(vector.len(), 1);
    assert_eq!(vector[0].value.as_float(), Some(1.0));
}

#[test]
fn a_series_that_was_removed_is_gone_at_once() {
    let recorded = recorded();
    let count = |time| instant(&recorded, "jobs_total{exported_queue=\"b\"}", time).len();
    assert_eq!([count(149_000), count(150_000), count(299_000)], [1, 0, 0]);
}

#[test]
fn a_series_that_comes_back_goes_on_as_one() {
    let registry = Registry::new();
    let family: Family<Counter, [Text; 1]> = registry
        .counter("jobs_total", "Jobs")
        .labels(["queue"])
        .unwrap();
    let history = History::new(&registry, HistorySettings::new());
    // Removed and added again between two ticks at 60 s, and absent for a while from 120 s.
    for second in 0..180_i64 {
        if second == 60 || second == 120 {
            family.remove(&["a"]);
        }
        if !(120..130).contains(&second) {
            family.add(&["a"], 2);
        }
        history.tick(second * 1_000);
    }
    let recorded = Recorded::new(&history, [("job", "shop")]);
    let value = |text: &str, time| {
        let vector = instant(&recorded, text, time);
        assert!(vector.len() <= 1, "{text} at {time}: {vector:?}");
        vector.first().and_then(|sample| sample.value.as_float())
    };
    assert_eq!(value("jobs_total", 60_000), Some(2.0));
    assert_eq!(value("jobs_total", 119_000), Some(120.0));
    assert_eq!(value("jobs_total", 125_000), None);
    assert_eq!(value("jobs_total", 130_000), Some(2.0));
    assert_eq!(
        value("count_over_time(jobs_total[3m])", 179_000),
        Some(170.0)
    );
    assert_eq!(value("resets(jobs_total[3m])", 179_000), Some(2.0));
    assert_eq!(value("rate(jobs_total[1m])", 100_000), Some(2.0));
}

#[test]
fn native_histograms_are_asked_by_their_own_name() {
    let registry = Registry::new();
    let sizes = registry.histogram("sizes", "Sizes");
    let sizes = sizes.native_only(Native::schema(8)).build().unwrap();
    let history = History::new(&registry, HistorySettings::new());
    for second in 0..300_u32 {
        // From 1 to 10, evenly, at ten a second.
        for value in 1..=10 {
            sizes.observe(f64::from(value));
        }
        history.tick(i64::from(second) * 1_000);
    }
    let recorded = Recorded::new(&history, [("job", "shop")]);
    let value = |text: &str| {
        let vector = instant(&recorded, text, 299_000);
        assert_eq!(vector.len(), 1, "{text}: {vector:?}");
        vector[0].value.as_float().unwrap()
    };
    for (text, wanted) in [
        ("histogram_count(sizes)", 3_000.0),
        ("histogram_sum(sizes)", 16_500.0),
        ("histogram_avg(rate(sizes[5m]))", 5.5),
        ("histogram_count(rate(sizes[1m]))", 10.0),
        ("histogram_sum(increase(sizes[1m]))", 3_300.0),
        ("histogram_fraction(0, 4.5, rate(sizes[5m]))", 0.4),
        ("histogram_quantile(0.85, rate(sizes[5m]))", 9.0),
    ] {
        let found = value(text);
        // A bucket of schema 8 is 0.27 % wide.
        let near = (found - wanted).abs() <= wanted * 0.003;
        assert!(near, "{text}: {found}, not {wanted}");
    }
}
