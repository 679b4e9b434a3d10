//! How long anything is locked that a thread could wait for, without the turns of the scheduler.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use selfheal_benches::Line;

use crate::{SERIES, family, name, registry};

const TARGET: &str = "≤ 50";

pub(crate) fn lines() -> Vec<Line> {
    let line = |work: &str, took: Duration| {
        let cells = [("selfheal", took.as_secs_f64() * 1e6)];
        Line::new(work, "µs", cells).target(TARGET)
    };
    let (creating, at) = creating();
    vec![
        line(
            "listing 100 families for a scrape; who declares waits for a part of it",
            listing(),
        ),
        line(
            "a scrape reads a series of 12 buckets with exemplars",
            reading(),
        ),
        line(
            &format!("making one of {SERIES} series, no. {at}, who creates waits"),
            creating,
        ),
    ]
}

pub(crate) fn shortest(times: usize, mut work: impl FnMut()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..times).map(time).min().unwrap()
}

/// All locks of the registry are taken and given back in here, each for a part of the time.
fn listing() -> Duration {
    let registry = registry(SERIES);
    for at in 0..100 {
        let name: &'static str = format!("family_{at}_total").leak();
        registry.counter(name, "One of many").build().unwrap();
    }
    shortest(200, || {
        black_box(registry.scrape());
    })
}

/// The locks of the exemplars are in here, one after the other.
fn reading() -> Duration {
    let registry = registry(SERIES);
    let took = registry.histogram("took_seconds", "Time").build().unwrap();
    for bound in took.snapshot().bounds.iter() {
        took.observe_with_exemplar(*bound, |labels| labels.push("trace_id", "4bf92f3577b34da6"));
    }
    let scrape = registry.scrape();
    shortest(1_000, || {
        scrape.families()[0].each_from(0, &mut |_, sample| {
            black_box(sample);
            ControlFlow::Break(())
        });
    })
}

/// Creates as many series again and again, each time in a new family: the longest of the
/// shortest, and which it was.
fn creating() -> (Duration, usize) {
    const TIMES: usize = 7;
    let mut shortest = vec![Duration::MAX; SERIES];
    let mut text = String::new();
    for _ in 0..TIMES {
        let registry = registry(SERIES);
        let family = family(&registry);
        for (number, shortest) in shortest.iter_mut().enumerate() {
            name(&mut text, number);
            let start = Instant::now();
            family.inc(&["GET", &text]);
            *shortest = start.elapsed().min(*shortest);
        }
    }
    let longest = shortest.iter().enumerate().max_by_key(|(_, took)| **took);
    longest.map(|(at, took)| (*took, at)).unwrap()
}
