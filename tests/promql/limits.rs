//! Each limit stops the query that exceeds it, and says where.

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Duration;

use selfheal::promql::{
    LabelSet, Limit, Query, QueryError, QueryOptions, QueryRange, Queryable, Sample, Selection,
    Series, Sink,
};
use selfheal::util::Clock;

/// As many series as anyone wants, of which it counts those that were taken.
struct Endless(std::cell::Cell<usize>);

impl Queryable for Endless {
    fn select(&self, _: &Selection, sink: Sink<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
        loop {
            let at = self.0.get();
            self.0.set(at + 1);
            let series = Series {
                labels: LabelSet::new([("__name__", "x".to_owned()), ("at", at.to_string())]),
                samples: vec![Sample {
                    time: 1_000,
                    value: 1.0.into(),
                }],
            };
            if let ControlFlow::Break(()) = sink(series) {
                return Ok(());
            }
        }
    }
}

fn limit(error: &QueryError) -> (Limit, String) {
    match error {
        QueryError::Limit { limit, place } => (*limit, place.to_string()),
        other => panic!("no limit: {other}"),
    }
}

#[test]
fn a_selector_of_everything_ends_at_the_limit_of_series() {
    let source = Endless(std::cell::Cell::new(0));
    let query = Query::parse("1 + sum({__name__=~\".+\"})").unwrap();
    let mut options = QueryOptions::default();
    options.max_series = 1_000;
    let error = query.instant(&source, 1_000, &options).unwrap_err();
    assert_eq!(limit(&error), (Limit::Series, "1:9".to_owned()));
    assert_eq!(source.0.get(), 1_001);
}

#[test]
fn samples_are_bounded_as_they_are_read_and_as_they_are_made() {
    let source = Endless(std::cell::Cell::new(0));
    let mut options = QueryOptions::default();
    options.max_samples = 500;
    let error = Query::parse("x").unwrap().instant(&source, 1_000, &options);
    assert_eq!(limit(&error.unwrap_err()).0, Limit::Samples);
    let none: [Series; 0] = [];
    let query = Query::parse("sum_over_time(vector(1)[1h:1s])").unwrap();
    let error = query.instant(&none[..], 0, &options).unwrap_err();
    assert_eq!(limit(&error), (Limit::Samples, "1:15".to_owned()));
}

#[test]
fn a_range_query_has_so_many_steps() {
    let none: [Series; 0] = [];
    let query = Query::parse("vector(1)").unwrap();
    let range = |end, step| QueryRange {
        start: 0,
        end,
        step,
    };
    let options = QueryOptions::default();
    let run = |range| query.range(&none[..], range, &options);
    assert!(run(range(10_000, 1)).is_ok());
    for range in [
        range(20_000, 1),
        range(i64::MAX, 1),
        range(10, 0),
        range(-1, 1),
    ] {
        assert_eq!(limit(&run(range).unwrap_err()).0, Limit::Steps);
    }
}

#[test]
fn time_runs_out_by_the_clock_that_was_given() {
    /// Takes 6 s for each selector.
    struct Slow(selfheal::util::ManualClock);
    impl Queryable for Slow {
        fn select(&self, _: &Selection, _: Sink<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
            self.0.advance(Duration::from_secs(6));
            Ok(())
        }
    }
    let (clock, time) = Clock::manual();
    let mut options = QueryOptions::default();
    options.clock = clock;
    let slow = Slow(time);
    assert!(
        Query::parse("x")
            .unwrap()
            .instant(&slow, 0, &options)
            .is_ok()
    );
    let error = Query::parse("x + y").unwrap().instant(&slow, 0, &options);
    assert_eq!(limit(&error.unwrap_err()).0, Limit::Time);
}

#[test]
fn the_error_of_a_source_is_kept() {
    struct Broken;
    impl Queryable for Broken {
        fn select(&self, _: &Selection, _: Sink<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
            Err("the disk is gone".into())
        }
    }
    let query = Query::parse("x").unwrap();
    let error = query
        .instant(&Broken, 0, &QueryOptions::default())
        .unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "the disk is gone");
}
