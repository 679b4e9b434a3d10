//! The memory of a sample: by the kind of series, and over the series of a service.
//!
//! Each figure is that of series at a step of 15 s, with all that is allocated for them: values,
//! their own fields, the tables that find them, their label texts, and what a tick reads. It is the
//! mean over the time that a chunk takes, so that it does not depend on how full the last one is. The
//! others' column is what the allocator was asked for at the end, without what it adds itself.

use std::time::Duration;

use allocation_counter::measure;
use selfheal::config::HistorySettings;
use selfheal::history::History;
use selfheal::registry::{
    Counter, Family, FloatGauge, Gauge, Histogram, Registry, Settings as Limits, Text,
};
use selfheal_benches::Line;

const STEP: i64 = 15_000;
/// How many ticks a chunk takes.
const CHUNK: i64 = 120;
/// How many series of each kind.
const SERIES: usize = 1_000;

/// A generator of numbers, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn registry() -> Registry {
    let mut limits = Limits::default();
    limits.metrics.max_series = 20_000;
    limits.metrics.max_series_per_family = 10_000;
    Registry::with_settings(limits)
}

/// Bytes of a sample kept for so long, as the history counts them, and as the allocator does.
fn bytes(registry: &Registry, keep: Duration, mut next: impl FnMut()) -> (f64, f64) {
    next();
    let mut counted = 0.0;
    let (mut history, mut samples) = (None, 0.0);
    let mut now = 0;
    let mut tick = |history: &History| {
        now += STEP;
        next();
        history.tick(now);
    };
    let whole = i64::try_from(keep.as_millis()).unwrap() / STEP;
    let allocated = measure(|| {
        let settings = HistorySettings::new().keep(keep).max_bytes(256_000_000);
        let made = History::new(registry, settings);
        (0..whole).for_each(|_| tick(&made));
        for _ in 0..CHUNK {
            tick(&made);
            counted += made.stats().bytes as f64 / CHUNK as f64;
        }
        history = Some(made);
    });
    if let Some(history) = &history {
        let known = history.known();
        let numbers = known.iter().map(|series| series.bounds.as_ref());
        let numbers = numbers.map(|bounds| bounds.map_or(1, |bounds| bounds.len() + 2));
        samples = numbers.sum::<usize>() as f64 * history.stats().ticks as f64;
    }
    (counted / samples, allocated.bytes_current as f64 / samples)
}

/// Advances the series of a kind by a tick: the place of the series, and a random number.
type Move = fn(&Family<FloatGauge, [Text; 2]>, &[[String; 2]], &mut Random, u64);

const KINDS: [(&str, Move); 5] = [
    ("series that stand still", |_, _, _, _| {}),
    ("counters that rise evenly", |family, labels, _, tick| {
        for (n, [shard, path]) in labels.iter().enumerate() {
            family.set(&[&**shard, &**path], (tick * (n as u64 % 7 + 1)) as f64);
        }
    }),
    (
        "counters that rise unevenly, by up to 100",
        |family, labels, random, tick| {
            for [shard, path] in labels {
                let value = tick * 100 + random.below(100);
                family.set(&[&**shard, &**path], value as f64);
            }
        },
    ),
    (
        "gauges of whole numbers below 50",
        |family, labels, random, _| {
            for [shard, path] in labels {
                family.set(&[&**shard, &**path], random.below(50) as f64);
            }
        },
    ),
    (
        "gauges of fractions, each another",
        |family, labels, random, _| {
            for [shard, path] in labels {
                family.set(&[&**shard, &**path], random.below(1 << 52) as f64 / 7.0);
            }
        },
    ),
];

fn kind(moves: Move) -> (f64, f64) {
    let registry = registry();
    let family = registry
        .float_gauge("series", "Series")
        .labels(["shard", "path"])
        .unwrap();
    let labels: Vec<_> = (0..SERIES)
        .map(|n| [(n / 25).to_string(), format!("/p{}", n % 25)])
        .collect();
    for [shard, path] in &labels {
        family.set(&[&**shard, &**path], 1.0);
    }
    let (mut random, mut tick) = (Random(1), 0);
    bytes(&registry, HistorySettings::new().keep, || {
        tick += 1;
        moves(&family, &labels, &mut random, tick);
    })
}

/// The series of a service: 60 routes, of which a few have most of the traffic.
struct Service {
    requests: Family<Counter, [Text; 2]>,
    took: Family<Histogram, [Text; 1]>,
    in_flight: Family<Gauge, [Text; 1]>,
    load: Family<FloatGauge, [Text; 1]>,
    random: Random,
}

const ROUTES: u64 = 60;

impl Service {
    fn new(registry: &Registry) -> Self {
        let took = registry.histogram("http_request_duration_seconds", "Time");
        let requests = registry.counter("http_requests_total", "Requests");
        let in_flight = registry.gauge("http_requests_in_flight", "Requests");
        let load = registry.float_gauge("load", "Load");
        let service = Self {
            took: took.labels(["route"]).unwrap(),
            requests: requests.labels(["route", "status"]).unwrap(),
            in_flight: in_flight.labels(["route"]).unwrap(),
            load: load.labels(["of"]).unwrap(),
            random: Random(2),
        };
        for route in 0..ROUTES {
            for status in ["2xx", "3xx", "4xx", "5xx"] {
                service.requests.add(&[&*path(route), status], 1);
            }
            service.took.observe(&[&*path(route)], 0.01);
        }
        service
    }

    fn tick(&mut self) {
        for route in 0..ROUTES {
            let path = path(route);
            // The first one has some 600 in 15 s, the last one in a minute.
            let most = 1_200 / (route + 1).pow(2);
            let count = if most > 0 {
                self.random.below(most + 1)
            } else {
                u64::from(self.random.below(4) == 0)
            };
            for _ in 0..count {
                let status = match self.random.below(200) {
                    0 => "5xx",
                    1..6 => "4xx",
                    _ => "2xx",
                };
                self.requests.add(&[&*path, status], 1);
                let slow = self.random.below(1_000) as f64 / 1_000.0;
                self.took.observe(&[&*path], 0.004 + slow.powi(8));
            }
            let in_flight = self.random.below(count / 60 + 1);
            self.in_flight
                .set(&[&*path], i64::try_from(in_flight).unwrap());
        }
        for of in ["cpu", "memory", "disk", "net"] {
            self.load
                .set(&[of], self.random.below(1 << 40) as f64 / 1e12);
        }
    }
}

fn path(route: u64) -> String {
    format!("/api/v1/things/{route}")
}

fn service(keep: Duration) -> (f64, f64) {
    let registry = registry();
    let mut service = Service::new(&registry);
    bytes(&registry, keep, || service.tick())
}

pub(crate) fn lines() -> Vec<Line> {
    let two = HistorySettings::new().keep;
    let line = |work: String, (counted, allocated): (f64, f64), target: &str| {
        let cells = [("selfheal", counted), ("allocator", allocated)];
        Line::new(work, "bytes", cells).target(target)
    };
    let mut lines = vec![
        line("a service's, 2 h".to_owned(), service(two), "≤ 1.3"),
        line("a service's, 1 h".to_owned(), service(two / 2), "≤ 1.3"),
    ];
    for (name, moves) in KINDS {
        lines.push(line(format!("{name}, 2 h"), kind(moves), ""));
    }
    lines
}
