//! What rules and samples cost: a tick of 200 rules, a sample in memory, and its append.

use std::time::{Duration, Instant};

use selfheal::history::{History, Settings};
use selfheal::promql::Recorded;
use selfheal::registry::{Counter, Family, Registry, Settings as Limits, Text};
use selfheal::rules::{Evaluator, RuleFile, RulesOptions};
use selfheal_benches::Line;

const RULES: usize = 200;
/// Series of each metric: 5,000 in all.
const SERIES: usize = 25;
const STEP: i64 = 15_000;
/// An hour.
const TICKS: i64 = 240;

struct Bench {
    history: History,
    families: Vec<Family<Counter, [Text; 1]>>,
    labels: Vec<String>,
    now: i64,
}

impl Bench {
    fn new() -> Self {
        let mut limits = Limits::default();
        limits.metrics.max_series = 20_000;
        let registry = Registry::with_settings(limits);
        let mut settings = Settings::default();
        settings.max_bytes = 64_000_000;
        let history = History::new(&registry, settings);
        let family = |n: usize| {
            let name: &'static str = format!("requests_{n}_total").leak();
            registry.counter(name, "Requests").labels(["path"]).unwrap()
        };
        Self {
            families: (0..RULES).map(family).collect(),
            labels: (0..SERIES).map(|n| format!("/p{n}")).collect(),
            history,
            now: 0,
        }
    }

    /// A third of the series moves between two ticks.
    fn tick(&mut self) -> Duration {
        for (n, family) in self.families.iter().enumerate() {
            for (at, path) in self.labels.iter().enumerate() {
                let moves = (at + n).is_multiple_of(3) || self.now == 0;
                family.add(&[&**path], u64::from(moves) * (at as u64 % 7 + 1));
            }
        }
        self.now += STEP;
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
    let appended: Vec<_> = (0..TICKS).map(|_| bench.tick()).collect();
    let samples = RULES * SERIES;
    let bytes = bench.history.stats().bytes as f64 / (samples as f64 * TICKS as f64);
    let append = median(appended) * 1e3 / samples as f64;
    let mut lines = vec![
        line("append of a sample", "ns", append, "≤ 100"),
        line("a sample in memory, all told", "bytes", bytes, "≤ 1.3"),
    ];
    let own = |n: usize| format!("sum(rate(requests_{n}_total[5m])) > 1e9");
    let all = |_: usize| "sum(rate({__name__=~\"requests_.*\"}[5m])) > 1e9".to_owned();
    let took = rules(&mut bench, own);
    lines.push(line(
        "a tick of 200 rules on 25 series each",
        "µs",
        took,
        "≤ 7,500",
    ));
    let took = rules(&mut bench, all);
    lines.push(line(
        "a tick of 200 rules on 5,000 series each",
        "µs",
        took,
        "≤ 30,000",
    ));
    lines
}

fn line(work: &str, unit: &'static str, figure: f64, target: &str) -> Line {
    Line::new(work, unit, [("selfheal", figure)]).target(target)
}

/// The time of a tick, in microseconds.
fn rules(bench: &mut Bench, expr: impl Fn(usize) -> String) -> f64 {
    let rules = (0..RULES).map(|n| format!("  - {{alert: A{n}, expr: '{}', for: 1m}}\n", expr(n)));
    let rules = rules.collect::<Vec<_>>().concat();
    let text = format!("groups:\n- name: g\n  interval: 15s\n  rules:\n{rules}");
    let file = RuleFile::parse("rules.yml", &text).unwrap();
    let mut evaluator = Evaluator::new(RulesOptions::default());
    evaluator.load(&[file], bench.now);
    let source = Recorded::new(&bench.history, [("job", "shop"), ("instance", "a:1")]);
    let evaluated = (0..20).map(|_| {
        bench.tick();
        let start = Instant::now();
        let changes = evaluator.evaluate_due(bench.now, &source);
        assert!(changes.is_empty());
        start.elapsed()
    });
    let took = median(evaluated.collect());
    let status = evaluator.status();
    let ok = |rule: &selfheal::rules::RuleStatus| rule.health == selfheal::rules::RuleHealth::Ok;
    assert!(
        status[0].rules.iter().all(ok),
        "{:?}",
        status[0].rules[0].health
    );
    took
}
