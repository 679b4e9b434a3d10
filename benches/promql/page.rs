//! The queries of the page, which it asks every five seconds: the latency of all requests to 1,000
//! routes, over each of its ranges.

use std::hint::black_box;

use selfheal::config::HistorySettings;
use selfheal::history::History;
use selfheal::promql::{Query, QueryOptions, QueryRange, Recorded};
use selfheal::registry::{Family, Histogram, Registry, Settings as Limits, Text};
use selfheal_benches::Line;

use super::fastest;

const ROUTES: usize = 1_000;
const STEP: i64 = 15_000;
/// Two hours, as long as values are kept by default.
const TICKS: i64 = 480;
const RUNS: usize = 10;

/// What is asked, with its range in minutes: the page draws 180 steps of each.
const ROWS: [(&str, &str, i64); 4] = [
    ("p99 of the last 15 min", P99, 15),
    ("p99 of the last 2 h", P99, 120),
    (
        "requests a second of the last 15 min",
        "sum(rate(http_requests_total[1m]))",
        15,
    ),
    ("p99 of two steps", P99, 0),
];

const P99: &str =
    "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[1m])))";

fn recorded() -> (Recorded, i64) {
    let mut limits = Limits::default();
    limits.metrics.max_series = 100_000;
    limits.metrics.max_series_per_family = 10_000;
    let registry = Registry::with_settings(limits);
    let durations: Family<Histogram, [Text; 3]> = registry
        .histogram("http_request_duration_seconds", "Durations")
        .labels(["method", "path", "status"])
        .unwrap();
    let requests = registry.counter("http_requests_total", "Requests");
    let requests = requests.labels(["method", "path", "status"]).unwrap();
    let mut settings = HistorySettings::new();
    settings.max_bytes = 64_000_000;
    let history = History::new(&registry, settings);
    let paths: Vec<String> = (0..ROUTES).map(|n| format!("/route{n}/{{id}}")).collect();
    for tick in 0..TICKS {
        for (n, path) in (0_u32..).zip(&paths) {
            // A third of the routes is asked between two ticks.
            if tick == 0 || (i64::from(n) + tick) % 3 == 0 {
                let labels = ["GET", &**path, "200"];
                durations.observe(&labels, 0.004 * f64::from(1 << (n % 9)));
                requests.inc(&labels);
            }
        }
        history.tick(tick * STEP);
    }
    let recorded = Recorded::new(&history, [("job", "shop"), ("instance", "a:1")]);
    (recorded, (TICKS - 1) * STEP)
}

pub(crate) fn lines() -> Vec<Line> {
    let (recorded, now) = recorded();
    let options = QueryOptions::default();
    let row = |(work, text, minutes): (&str, &str, i64)| {
        let query = Query::parse(text).unwrap();
        let step = (1_000 * minutes / 4).max(5_000);
        let range = QueryRange {
            start: now - (60_000 * minutes).max(step),
            end: now,
            step,
        };
        let took = fastest(RUNS, || {
            black_box(query.range(&recorded, range, &options).unwrap());
        });
        Line::new(work, "ms", [("selfheal", took / 1e3)])
    };
    ROWS.map(row).into()
}
