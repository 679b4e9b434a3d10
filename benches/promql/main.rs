//! Queries over the recent past of 5,000 series: an hour at a step of 15 s; rules and samples of it.
//! `cargo bench -p selfheal-benches --bench promql`
//!
//! Each figure is the fastest of many runs of one expression, parsed before. For a profiler to watch:
//! `-- queries EXPRESSION RUNS` runs one expression so often, or `-- queries steps RUNS` the range query.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark may end on what cannot happen"
)]

mod memory;
mod page;
mod rules;
mod server;

use std::hint::black_box;
use std::time::{Duration, Instant};

use selfheal::config::HistorySettings;
use selfheal::history::History;
use selfheal::promql::{Query, QueryOptions, QueryRange, Recorded};
use selfheal::registry::{Counter, Family, Registry, Settings as Limits, Text};
use selfheal_benches::{Line, print};

const QUERIES: &str = "queries over 5,000 series";
const MEMORY: &str = "bytes of a sample at a step of 15 s";
const RULES: &str = "rules and history";
const PAGE: &str = "the page beside 1,000 routes";

const SERIES: u64 = 5_000;
const TICKS: i64 = 240;
const STEP: i64 = 15_000;
const RUNS: usize = 60;

/// An expression, and what an instant query of it should take at most, in microseconds.
const ROWS: &[(&str, &str)] = &[
    ("requests_total", "≤ 1,000"),
    ("sum(requests_total)", "≤ 1,000"),
    ("sum by (code) (requests_total)", "≤ 1,000"),
    ("requests_total > 100", "≤ 1,000"),
    ("sum by (code) (rate(requests_total[5m]))", ""),
    (
        "sum by (path) (rate(requests_total{code=\"500\"}[5m])) / sum by (path) (rate(requests_total[5m]))",
        "",
    ),
    ("max_over_time(requests_total[30m])", ""),
    ("requests_total{path=\"/p7\",code=\"200\"}", ""),
];

fn recorded() -> (Recorded, i64) {
    let mut limits = Limits::default();
    limits.metrics.max_series_per_family = 10_000;
    let registry = Registry::with_settings(limits);
    let family: Family<Counter, [Text; 2]> = registry
        .counter("requests_total", "Requests")
        .labels(["path", "code"])
        .unwrap();
    let mut settings = HistorySettings::new();
    settings.max_bytes = 64_000_000;
    let history = History::new(&registry, settings);
    for tick in 0..TICKS {
        for at in 0..SERIES {
            let (path, code) = (format!("/p{}", at / 5), ["200", "201", "400", "404", "500"]);
            family.add(&[&*path, code[usize::try_from(at % 5).unwrap()]], at % 7);
        }
        history.tick(tick * STEP);
    }
    (
        Recorded::new(&history, [("job", "shop"), ("instance", "a:1")]),
        (TICKS - 1) * STEP,
    )
}

fn fastest(runs: usize, mut run: impl FnMut()) -> f64 {
    let times = (0..runs).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_nanos()
    });
    times.min().unwrap() as f64 / 1_000.0
}

fn main() {
    // Only tables whose title contains the first argument, if there is one.
    let wanted = std::env::args()
        .nth(1)
        .filter(|text| !text.starts_with('-'));
    let is_wanted = |title: &str| wanted.as_ref().is_none_or(|text| title.contains(&**text));
    if is_wanted(QUERIES) {
        print(QUERIES, &queries());
    }
    if is_wanted(MEMORY) {
        print(MEMORY, &memory::lines());
    }
    if is_wanted(RULES) {
        print(RULES, &rules::lines());
    }
    if is_wanted(PAGE) {
        print(PAGE, &page::lines());
    }
}

fn queries() -> Vec<Line> {
    let (recorded, now) = recorded();
    // A profiler takes its time.
    let mut options = QueryOptions::default();
    options.timeout = Duration::from_secs(600);
    let mut lines = Vec::new();
    let arguments: Vec<_> = std::env::args().collect();
    let (one, runs) = match &arguments[..] {
        [_, _, one, runs, ..] => (Some(&**one), runs.parse().unwrap()),
        _ => (None, RUNS),
    };
    for (text, target) in ROWS {
        if one.is_some_and(|one| one != *text) {
            continue;
        }
        let query = Query::parse(text).unwrap();
        let took = fastest(runs, || {
            black_box(query.instant(&recorded, now, &options).unwrap());
        });
        lines.push(Line::new(format!("`{text}`"), "µs", [("selfheal", took)]).target(*target));
    }
    if one.is_some_and(|one| one != "steps") {
        return lines;
    }
    let query = Query::parse("sum by (code) (rate(requests_total[5m]))").unwrap();
    let range = QueryRange {
        start: now - 1_800_000,
        end: now,
        step: 60_000,
    };
    let took = fastest(runs, || {
        black_box(query.range(&recorded, range, &options).unwrap());
    });
    lines.push(Line::new(
        "the same at 31 steps",
        "µs",
        [("selfheal", took)],
    ));
    lines
}
