//! Each tick of each standing query yields the same as a query evaluated once.

use super::*;
use crate::config::HistorySettings;
use crate::history::History;
use crate::promql::{PointValue, QueryResult};
use crate::registry::{Counter, Family, FloatGauge, Histogram, Registry, Text};

const STANDING: &[&str] = &[
    "a_total",
    "a_total > 20",
    "20 >= bool a_total",
    "-a_total{path=\"1\"} * 2 + 1",
    "a_total % (2 + 3)",
    "sqrt(a_total)",
    "sum(a_total)",
    "sum by (path) (rate(a_total[2m]))",
    "avg without (path) (increase(a_total{code!=\"200\"}[5m]))",
    "count by (code) (a_total > 5)",
    "min(g) or max(g)",
    "stddev by (path) (a_total)",
    "stdvar(g)",
    "group(g)",
    "max_over_time(g[3m])",
    "avg_over_time(g[70s]) > 0.5",
    "quantile_over_time(0.5, g[2m])",
    "last_over_time(a_total[90s])",
    "changes(g[4m])",
    "resets(a_total[10m]) > 0",
    "predict_linear(a_total[3m], 60)",
    "histogram_quantile(0.9, sum by (le) (rate(h_bucket[3m])))",
    "histogram_quantile(0.5, h_bucket)",
    "h_sum / h_count",
    "sum by (path) (a_total) / on (path) group_right g",
    "g * on (path) group_left sum by (path) (rate(a_total[2m]))",
    "sum by (path) (a_total{code=\"500\"}) / sum by (path) (a_total)",
    "(sum(rate(a_total{code=\"500\"}[5m])) or sum(rate(a_total[5m])) * 0) / (sum(rate(a_total[5m])) > 0)",
    "a_total and on (path) g > 0.5",
    "a_total unless on (path) g > 0.5",
    "g > 0.5 or on (path) sum by (path) (a_total)",
    "sum by (path) (a_total) > g",
    "{__name__=~\"g|a_total\", path=\"2\"}",
];

/// Queries evaluated over all series, always or if labels conflict.
const ASKED: &[&str] = &[
    "a_total offset 1m",
    "rate(a_total[2m] @ 60)",
    "topk(2, a_total)",
    "max_over_time(sum(a_total)[3m:30s])",
    "absent(g)",
    "time() - g",
    "a_total + on (path) g",
    "abs({__name__=~\"g|sum_of_g\"})",
    "1",
];

struct Shop {
    history: History,
    a: Family<Counter, [Text; 2]>,
    g: Family<FloatGauge, [Text; 1]>,
    h: Family<Histogram, [Text; 1]>,
    seed: u64,
}

impl Shop {
    fn new(seed: u64) -> Self {
        let registry = Registry::new();
        let a = registry.counter("a_total", "A").labels(["path", "code"]);
        let g = registry.float_gauge("g", "G").labels(["path"]);
        let h = registry.histogram("h", "H").buckets(&[0.1, 1.0, 10.0]);
        Self {
            a: a.unwrap(),
            g: g.unwrap(),
            h: h.labels(["path"]).unwrap(),
            history: History::new(&registry, HistorySettings::new()),
            seed,
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.seed >> 33) % bound
    }

    /// Changes values, and adds and removes series.
    fn tick(&mut self, time: i64) {
        for _ in 0..self.below(12) {
            let path = self.below(4).to_string();
            let code = ["200", "404", "500"][usize::try_from(self.below(3)).unwrap()];
            match self.below(20) {
                0 => drop(self.a.remove(&[&*path, code])),
                1 => drop(self.g.remove(&[&*path])),
                2 => self.g.set(&[&*path], f64::NAN),
                3..=8 => self.g.set(&[&*path], self.seed as f64 / u64::MAX as f64),
                9..=12 => self.h.observe(&[&*path], self.seed as f64 / 1e18),
                _ => self.a.add(&[&*path, code], self.seed >> 60),
            }
        }
        self.history.tick(time);
    }
}

fn sorted(found: &[InstantSample]) -> Vec<(LabelSet, Option<u64>)> {
    let bits = |value: &PointValue| {
        let value = value.as_float()?;
        Some(if value.is_nan() { f64::NAN } else { value }.to_bits())
    };
    let found = found.iter();
    let mut found: Vec<_> = found
        .map(|sample| (sample.labels.clone(), bits(&sample.value)))
        .collect();
    found.sort();
    found
}

#[test]
fn a_query_that_stands_gives_what_it_gives_by_itself() {
    let options = QueryOptions::default();
    let beside = Beside {
        generation: 0,
        has: &|_| false,
    };
    let queries: Vec<Query> = STANDING
        .iter()
        .chain(ASKED)
        .map(|text| Query::parse(text).unwrap())
        .collect();
    let mut stood = vec![0; queries.len()];
    for seed in 1..6 {
        let mut shop = Shop::new(seed);
        let recorded = Recorded::new(&shop.history, [("job", "shop")]);
        let mut standing = Standing::default();
        let mut found = Vec::new();
        let mut time = 0;
        for round in 0..150 {
            // Usually every tick, and sometimes after several.
            for _ in 0..if round % 9 == 0 { 4 } else { 1 } {
                time += 15_000;
                shop.tick(time);
            }
            for (query, stood) in queries.iter().zip(&mut stood) {
                // Not at the tick itself, as for rules.
                let now = time + 700;
                let stands =
                    standing.evaluate(query, &recorded, &beside, (now, &options), &mut found);
                if !stands {
                    continue;
                }
                *stood += 1;
                let text = query.text();
                let answer = query.instant(&recorded, now, &options);
                let QueryResult::Vector(wanted) = answer.unwrap().result else {
                    panic!("{text} is no vector");
                };
                let (found, wanted) = (sorted(&found), sorted(&wanted));
                assert_eq!(found, wanted, "{text} at {now}, seed {seed}");
            }
        }
    }
    for (query, stood) in queries.iter().zip(&stood) {
        let always = STANDING.contains(&query.text());
        assert!(!always || *stood > 500, "{}: {stood}", query.text());
    }
}

#[test]
fn series_beside_the_history_and_limits_are_left_to_the_query() {
    let mut shop = Shop::new(7);
    (1..20).for_each(|tick| shop.tick(tick * 15_000));
    let recorded = Recorded::new(&shop.history, [("job", "shop")]);
    let mut standing = Standing::default();
    let query = Query::parse("sum(rate(a_total[2m]))").unwrap();
    let mut ask = |generation, made: bool, options: &QueryOptions, time| {
        let beside = Beside {
            generation,
            has: &|_| made,
        };
        let time = (time, options);
        standing.evaluate(&query, &recorded, &beside, time, &mut Vec::new())
    };
    let options = QueryOptions::default();
    assert!(ask(1, false, &options, 290_000));
    assert!(!ask(2, true, &options, 291_000));
    assert!(ask(3, false, &options, 292_000));
    // A time before the last tick.
    assert!(!ask(3, false, &options, 200_000));
    assert!(ask(3, false, &options, 293_000));
    let few = QueryOptions {
        max_series: 1,
        ..QueryOptions::default()
    };
    assert!(!ask(3, false, &few, 294_000));
}
