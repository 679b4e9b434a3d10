//! Each tick of each standing query yields the same as a query evaluated once.

use std::error::Error;
use std::time::Duration;

use parking_lot::Mutex;

use super::absent::ABSENT;
use super::*;
use crate::config::HistorySettings;
use crate::history::History;
use crate::promql::{
    LabelSet, Matcher, PointValue, QueryResult, Queryable, Sample, Selection, Series, Sink,
};
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
    "a_total offset 1m",
    "g offset 43s > 0.2",
    "rate(a_total[2m] offset 1m)",
    "sum(rate(a_total[1m])) - sum(rate(a_total[1m] offset 3m))",
    "topk(2, a_total)",
    "bottomk by (path) (1, rate(a_total[2m]))",
    "topk(3, g) > 0.5",
    "absent(g)",
    "absent(g{path=\"7\"})",
    "absent(sum(g > 0.9))",
    "absent_over_time(g{path=\"3\"}[1m])",
    "absent_over_time(a_total{code=\"500\",path=\"9\"}[1m] offset 30s)",
    "time() - g",
    "a_total > time()",
    "r",
    "r{path=\"1\"} * 2",
    "sum(r) / sum by (path) (a_total)",
    "a_total and on (path) r > 0",
    "a_total @ end() - a_total offset 1m @ start()",
    "max_over_time(sum(a_total)[3m:30s])",
    "avg_over_time((sum by (path) (rate(a_total[1m])) / on (path) g)[4m:] offset 45s) > 0.5",
    "min_over_time(g[2m:7s])",
    "quantile_over_time(0.8, (time() - (g > 0.5) * 3)[100s:30s] @ end())",
    "count_over_time(topk(1, g offset 20s)[3m:20s])",
    "sum by (path) (changes(a_total[5m:1m])) + sum by (path) (changes(a_total[5m:1m]))",
    "last_over_time(histogram_quantile(0.9, h_bucket)[2m:30s])",
    "deriv(absent(g{path=\"1\"})[3m:15s])",
];

/// Queries evaluated over all series, always or if labels conflict.
const ASKED: &[&str] = &[
    "rate(a_total[2m] @ 60)",
    "max_over_time(rate(a_total[1m] @ end())[2m:])",
    "max_over_time(max_over_time(a_total[1m:])[3m:30s])",
    "max_over_time(sum by (path) (r)[3m:30s])",
    "absent_over_time(g{path=\"3\"}[1m:20s])",
    "a_total offset -1m",
    "topk(0.5, a_total)",
    "rate(r[2m])",
    "r offset 30s",
    "{__name__=~\"g|r\"}",
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

/// Series besides those of the history: one of each path.
#[derive(Default)]
struct Made {
    inner: Mutex<MadeInner>,
}

struct MadeInner {
    name: &'static str,
    names: u64,
    changes: u64,
    values: u64,
    /// The labels and samples of each series.
    series: Vec<(LabelSet, Vec<(i64, f64)>)>,
}

impl Default for MadeInner {
    fn default() -> Self {
        Self {
            name: "r",
            names: 0,
            changes: 0,
            values: 0,
            series: Vec::new(),
        }
    }
}

impl Made {
    fn name(&self, name: &'static str) {
        let mut inner = self.inner.lock();
        inner.name = name;
        inner.names += 1;
    }

    /// Changes, ends or adds one series.
    fn tick(&self, time: i64, random: u64) {
        let mut inner = self.inner.lock();
        let labels = LabelSet::new([
            ("__name__", inner.name.to_owned()),
            ("path", (random % 4).to_string()),
        ]);
        let value = if random.is_multiple_of(5) {
            ABSENT
        } else {
            random as f64
        };
        inner.values += 1;
        let known = inner.series.iter().position(|(known, _)| *known == labels);
        let place = known.unwrap_or_else(|| {
            inner.changes += 1;
            inner.series.push((labels, Vec::new()));
            inner.series.len() - 1
        });
        let samples = &mut inner.series[place].1;
        samples.retain(|(known, _)| *known != time);
        samples.push((time, value));
    }

    /// The series with those of the history, as one source.
    fn all<'a>(&self, recorded: &'a Recorded) -> All<'a> {
        let made = self.inner.lock().series.iter().map(as_series).collect();
        All(made, recorded)
    }
}

impl Beside for Made {
    fn names(&self) -> u64 {
        self.inner.lock().names
    }

    fn series(&self) -> u64 {
        self.inner.lock().changes
    }

    fn values(&self) -> u64 {
        self.inner.lock().values
    }

    fn may_match(&self, matchers: &[Matcher]) -> bool {
        let name = self.inner.lock().name;
        let mut matchers = matchers.iter();
        matchers.all(|matcher| matcher.name() != "__name__" || matcher.matches(name))
    }

    fn find(&self, matchers: &[Matcher], visit: &mut dyn FnMut(&LabelSet, usize)) {
        for (place, (labels, _)) in self.inner.lock().series.iter().enumerate() {
            if matchers.iter().all(|matcher| matcher.is_met(labels)) {
                visit(labels, place);
            }
        }
    }

    fn newest(&self, places: &[usize], (after, until): (i64, i64), into: &mut [f64]) -> bool {
        let inner = self.inner.lock();
        for (place, value) in places.iter().zip(into) {
            let samples = inner.series[*place].1.iter().rev();
            let mut samples = samples.filter(|(time, _)| (after + 1..=until).contains(time));
            *value = samples.next().map_or(ABSENT, |(_, value)| *value);
        }
        true
    }
}

fn as_series((labels, samples): &(LabelSet, Vec<(i64, f64)>)) -> Series {
    let samples = samples.iter().map(|(time, value)| Sample {
        time: *time,
        value: (*value).into(),
    });
    Series {
        labels: labels.clone(),
        samples: samples.collect(),
    }
}

/// Two sources without common series.
struct All<'a>(Vec<Series>, &'a Recorded);

impl Queryable for All<'_> {
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.0.select(selection, sink)?;
        self.1.select(selection, sink)
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
        let made = Made::default();
        let mut found = Vec::new();
        let mut time = 0;
        for round in 0..150 {
            // Usually every tick, and sometimes after several.
            for _ in 0..if round % 9 == 0 { 4 } else { 1 } {
                time += 15_000;
                shop.tick(time);
            }
            // Not at the tick itself, as for rules.
            let now = time + 700;
            for (at, (query, stood)) in queries.iter().zip(&mut stood).enumerate() {
                // As a recording rule between two others.
                if at % 7 == 0 {
                    made.tick(now, shop.below(60));
                }
                let stands =
                    standing.evaluate(query, &recorded, &made, (now, &options), &mut found);
                if !stands {
                    continue;
                }
                *stood += 1;
                let text = query.text();
                let all = made.all(&recorded);
                let answer = query.instant(&all, now, &options);
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
    let made = Made::default();
    let mut ask = |makes: bool, options: &QueryOptions, time| {
        made.name(if makes { "a_total" } else { "r" });
        if makes {
            made.tick(time, 1);
        }
        let time = (time, options);
        standing.evaluate(&query, &recorded, &made, time, &mut Vec::new())
    };
    let options = QueryOptions::default();
    assert!(ask(false, &options, 290_000));
    assert!(!ask(true, &options, 291_000));
    assert!(ask(false, &options, 292_000));
    // A time before the last tick.
    assert!(!ask(false, &options, 200_000));
    assert!(ask(false, &options, 293_000));
    let few = QueryOptions {
        max_series: 1,
        ..QueryOptions::default()
    };
    assert!(!ask(false, &few, 294_000));
}

#[test]
fn a_range_beyond_the_fine_samples_is_left_to_the_query() {
    let registry = Registry::new();
    let jobs = registry.counter("jobs_total", "Jobs").build().unwrap();
    let settings = HistorySettings::new()
        .keep(Duration::from_secs(60))
        .coarse_keep(Duration::from_secs(3_600));
    let history = History::new(&registry, settings);
    let recorded = Recorded::new(&history, [("job", "shop")]);
    let query = Query::parse("sum_over_time(jobs_total[5m])").unwrap();
    let options = QueryOptions::default();
    let (mut standing, mut found) = (Standing::default(), Vec::new());
    let made = Made::default();
    let mut stood = Vec::new();
    for tick in 0..20 {
        jobs.inc();
        let now = tick * 15_000;
        history.tick(now);
        let stands = standing.evaluate(&query, &recorded, &made, (now, &options), &mut found);
        stood.push(stands);
        if stands {
            let QueryResult::Vector(wanted) =
                query.instant(&recorded, now, &options).unwrap().result
            else {
                panic!("a vector");
            };
            assert_eq!(sorted(&found), sorted(&wanted), "at {now}");
        }
    }
    assert!(stood[0] && !stood[19], "{stood:?}");
}
