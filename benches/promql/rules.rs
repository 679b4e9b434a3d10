//! What rules and samples cost: a tick of 200 rules, a sample in memory, and its append; and the same
//! rules on the same series in a real Prometheus, which `TEST_PROMETHEUS_3` names.

use std::time::{Duration, Instant};

use allocation_counter::measure;
use selfheal::config::HistorySettings;
use selfheal::history::History;
use selfheal::promql::Recorded;
use selfheal::registry::{Counter, Family, Registry, Settings as Limits, Text};
use selfheal::rules::{Evaluator, RuleFile, RulesOptions};
use selfheal_benches::Line;

use super::server;

pub(crate) const RULES: usize = 200;
/// Series of each shard: 5,000 in all.
const SERIES: usize = 25;
const STEP: i64 = 15_000;
/// Two hours, as long as values are kept by default.
const TICKS: i64 = 480;
/// How many ticks a chunk takes: what memory takes is the mean over so many.
const CHUNK: i64 = 120;
/// Rounds of each measurement.
const ROUNDS: usize = 20;

/// A rule on 25 series: alerts of error rates, each of its own shard.
pub(crate) fn own(n: usize, range: &str) -> String {
    format!("sum(rate(requests_total{{shard=\"{n}\"}}[{range}])) > 1e9")
}

/// A rule on all 5,000 series: eight kinds of aggregation, and a limit of its own for each rule.
pub(crate) fn all(n: usize, range: &str) -> String {
    let rate = format!("rate(requests_total[{range}])");
    let limit = 1_000_000_000 + n;
    match n % 8 {
        0 => format!("sum({rate}) > {limit}"),
        1 => format!("sum by (path) ({rate}) > {limit}"),
        2 => format!("sum by (shard) ({rate}) > {limit}"),
        3 => format!("max by (shard) ({rate}) > {limit}"),
        4 => format!("avg without (path) ({rate}) > {limit}"),
        5 => format!("count(requests_total > {limit}) > 0"),
        6 => format!("{rate} > {limit}"),
        _ => format!("sum by (path) ({rate}) / sum by (path) (requests_total) > {limit}"),
    }
}

/// A rule on a subquery of five steps over 25 series.
fn subquery(n: usize, range: &str) -> String {
    format!("max_over_time(sum(rate(requests_total{{shard=\"{n}\"}}[1m]))[{range}:1m]) > 1e9")
}

/// A rule on 25 series at the end of the query.
fn at_end(n: usize, range: &str) -> String {
    format!("sum(rate(requests_total{{shard=\"{n}\"}}[{range}] @ end())) > 1e9")
}

pub(crate) fn file(interval: &str, expr: impl Fn(usize) -> String) -> String {
    let rules = (0..RULES).map(|n| format!("  - {{alert: A{n}, expr: '{}', for: 1m}}\n", expr(n)));
    let rules = rules.collect::<Vec<_>>().concat();
    format!("groups:\n- name: g\n  interval: {interval}\n  rules:\n{rules}")
}

pub(crate) struct Bench {
    pub(crate) registry: Registry,
    history: History,
    family: Family<Counter, [Text; 2]>,
    labels: Vec<[String; 2]>,
    now: i64,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut limits = Limits::default();
        limits.metrics.max_series = 20_000;
        limits.metrics.max_series_per_family = 10_000;
        let registry = Registry::with_settings(limits);
        let mut settings = HistorySettings::new();
        settings.max_bytes = 64_000_000;
        let history = History::new(&registry, settings);
        let family = registry.counter("requests_total", "Requests");
        let labels = 0..RULES * SERIES;
        Self {
            family: family.labels(["shard", "path"]).unwrap(),
            labels: labels
                .map(|n| [(n / SERIES).to_string(), format!("/p{}", n % SERIES)])
                .collect(),
            registry,
            history,
            now: 0,
        }
    }

    /// A third of the series moves between two ticks.
    pub(crate) fn count(&mut self) {
        for (n, [shard, path]) in self.labels.iter().enumerate() {
            if n.is_multiple_of(3) || self.now == 0 {
                self.family.add(&[&**shard, &**path], n as u64 % 7 + 1);
            }
        }
        self.now += STEP;
    }

    fn tick(&mut self) -> Duration {
        self.count();
        let start = Instant::now();
        self.history.tick(self.now);
        start.elapsed()
    }
}

/// The middle one of some durations, in microseconds.
fn median(mut all: Vec<Duration>) -> f64 {
    all.sort_unstable();
    all[all.len() / 2].as_secs_f64() * 1e6
}

pub(crate) fn lines() -> Vec<Line> {
    let mut bench = Bench::new();
    let samples = RULES * SERIES;
    let mut appended: Vec<_> = (0..TICKS).map(|_| bench.tick()).collect();
    let held = (0..CHUNK).map(|_| {
        appended.push(bench.tick());
        let stats = bench.history.stats();
        stats.bytes as f64 / (samples * stats.ticks) as f64
    });
    let bytes = held.sum::<f64>() / CHUNK as f64;
    let append = median(appended) * 1e3 / samples as f64;
    let theirs = server::seconds();
    let mut lines = vec![
        line("append of a sample", "ns", append, "≤ 100"),
        line(
            "a sample in memory, everything included",
            "bytes",
            bytes,
            "≤ 1.3",
        ),
    ];
    for (work, expr, target, theirs) in [
        (
            "200 rules on 25 series each",
            own as fn(usize, &str) -> String,
            "≤ 7,500",
            theirs.map(|(own, _)| own),
        ),
        (
            "200 rules on 5,000 series each",
            all,
            "≤ 30,000",
            theirs.map(|(_, all)| all),
        ),
        (
            "200 rules on subqueries of five steps over 25 series each",
            subquery,
            "",
            None,
        ),
        ("200 rules at `end()` on 25 series each", at_end, "", None),
    ] {
        let (took, allocations) = rules(&mut bench, |n| expr(n, "5m"));
        let cells = [("selfheal", took)].into_iter();
        let cells = cells.chain(theirs.map(|seconds| ("Prometheus 3.5", seconds * 1e6)));
        lines.push(Line::new(format!("a tick of {work}"), "µs", cells).target(target));
        lines.push(line(
            "allocations of that tick",
            "",
            allocations as f64,
            "0",
        ));
    }
    lines
}

fn line(work: &str, unit: &'static str, figure: f64, target: &str) -> Line {
    Line::new(work, unit, [("selfheal", figure)]).target(target)
}

/// The time of a tick, in microseconds, and its allocations.
fn rules(bench: &mut Bench, expr: impl Fn(usize) -> String) -> (f64, u64) {
    let file = RuleFile::parse("rules.yml", &file("15s", expr)).unwrap();
    let mut evaluator = Evaluator::new(RulesOptions::default());
    evaluator.load(&[file], bench.now);
    let source = Recorded::new(&bench.history, [("job", "shop"), ("instance", "a:1")]);
    let mut evaluate = |bench: &mut Bench| {
        bench.tick();
        let start = Instant::now();
        let changes = evaluator.evaluate_due(bench.now, &source);
        assert!(changes.is_empty());
        start.elapsed()
    };
    let took = (0..ROUNDS).map(|_| evaluate(bench));
    let took = median(took.collect());
    bench.tick();
    let allocated = measure(|| {
        evaluator.evaluate_due(bench.now, &source);
    });
    let status = evaluator.status();
    let ok = |rule: &selfheal::rules::RuleStatus| rule.health == selfheal::rules::RuleHealth::Ok;
    assert!(
        status[0].rules.iter().all(ok),
        "{:?}",
        status[0].rules[0].health
    );
    (took, allocated.count_total)
}
