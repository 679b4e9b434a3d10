//! The live series of a registry: what a history keeps of them, against what a real Prometheus
//! keeps of the same values, which do not come by way of the history.

use selfheal::catalog::Native;
use selfheal::config::HistorySettings;
use selfheal::history::History;
use selfheal::promql::{
    FloatHistogram, LabelSet, PointValue, Query, QueryOptions, Recorded, Sample, Series,
};
use selfheal::registry::{Family, Histogram, Registry, Text, ValueRef};
use selfheal::util::STALE;

use super::{Random, compare, remote, series, setting};
use crate::support::prometheus::Prometheus;

const TICKS: i64 = 240;
const STEP: i64 = 15_000;
const PATHS: [&str; 3] = ["/a", "/b", "/c"];

/// Forms of which `R` is a range and `H` a histogram.
const FORMS: [&str; 14] = [
    "H",
    "histogram_count(H)",
    "histogram_sum(H)",
    "histogram_avg(H)",
    "histogram_stddev(H)",
    "histogram_quantile(0.9, H)",
    "histogram_quantile(0.05, H)",
    "histogram_fraction(0.01, 2.5, H)",
    "histogram_fraction(-Inf, 0, H)",
    "sum(H)",
    "histogram_quantile(0.5, sum by (job) (H))",
    "avg by (path) (H) * 2",
    "count(H)",
    "H and on (path) histogram_count(H) > 10",
];

/// Each series has its own observations.
struct Live {
    history: History,
    family: Family<Histogram, [Text; 1]>,
    series: Vec<Series>,
    registry: Registry,
}

impl Live {
    fn new(random: &mut Random) -> Self {
        let registry = Registry::new();
        // Few buckets, so that the schema becomes coarser as the values spread.
        let native = Native::schema(4).max_buckets(random.pick(&[12, 40, 160]));
        let family = registry.histogram("n", "Sizes").native_only(native);
        let labels = |path| LabelSet::new([("__name__", "n"), ("job", "shop"), ("path", path)]);
        let series = PATHS.map(|path| Series {
            labels: labels(path),
            samples: Vec::new(),
        });
        Self {
            family: family.labels(["path"]).unwrap(),
            history: History::new(&registry, HistorySettings::new()),
            series: series.into(),
            registry,
        }
    }

    /// One tick of the history, and the same values as samples.
    fn tick(&mut self, random: &mut Random, time: i64) {
        for (at, path) in PATHS.iter().enumerate() {
            let is_new = self.family.get(&[*path]).is_none();
            if random.once_in(50) {
                self.family.remove(&[path]);
                continue;
            }
            // Unlike later versions, Prometheus 3.5 does not end the extrapolation of histograms
            // where they would be zero: far enough from the start that it makes no difference.
            let begins = if is_new { 200 } else { 0 };
            for _ in 0..begins + random.below(30) {
                let sign = if at == 1 && random.once_in(3) {
                    -1.0
                } else {
                    1.0
                };
                let wide = 10_f64.powf(random.unit() * 4.0 - 3.0);
                self.family
                    .observe(&[path], if random.once_in(20) { 0.0 } else { sign * wide });
            }
        }
        self.history.tick(time);
        let mut names = Vec::new();
        self.registry
            .identify(|_, _, _, labels| names.push(labels.to_owned()));
        let mut found = vec![None; PATHS.len()];
        let mut names = names.into_iter();
        self.registry.sample(|_, value| {
            let name = names.next().unwrap();
            let at = PATHS.iter().position(|path| name.contains(path)).unwrap();
            let ValueRef::Histogram(histogram) = value else {
                panic!("n is a histogram");
            };
            let native = histogram.native.unwrap();
            let floats = |buckets: &[(i32, u64)]| {
                let buckets = buckets.iter();
                buckets.map(|(index, n)| (*index, *n as f64)).collect()
            };
            found[at] = Some(FloatHistogram {
                schema: native.schema.into(),
                zero_threshold: native.zero_threshold,
                zero_count: native.zero_count as f64,
                count: histogram.count() as f64,
                sum: histogram.sum,
                positive: floats(&native.positive),
                negative: floats(&native.negative),
                ..FloatHistogram::default()
            });
        });
        for (series, found) in self.series.iter_mut().zip(found) {
            let ends = series
                .samples
                .last()
                .is_some_and(|last| !last.value.is_stale());
            let ended = ends.then(|| FloatHistogram {
                sum: f64::from_bits(STALE),
                ..FloatHistogram::default()
            });
            let value = found.or(ended).map(PointValue::from);
            series
                .samples
                .extend(value.map(|value| Sample { time, value }));
        }
    }
}

#[test]
#[ignore = "needs a Prometheus 3: run `tests/all.sh prometheus3`"]
fn live_native_histograms_agree_with_prometheus_3() {
    let seed = setting("TEST_SEED", 15);
    println!("TEST_SEED={seed}");
    let server = Prometheus::builder()
        .native_histograms()
        .remote_write()
        .start();
    if server.major_version() < 3 {
        println!("missing: a Prometheus 3");
        return;
    }
    let mut random = Random(seed);
    let mut live = Live::new(&mut random);
    for tick in 0..TICKS {
        live.tick(&mut random, series::START + tick * STEP);
    }
    remote::write(&server, &live.series);
    let recorded = Recorded::new(&live.history, [("job", "shop")]);
    let (mut values, mut differences) = (0, Vec::new());
    for _ in 0..600 {
        let range = random.pick(&["30s", "1m", "97s", "5m", "10m", "31m"]);
        let histogram = random.pick(&[
            "n",
            "rate(n[R])",
            "increase(n[R])",
            "irate(n[R])",
            "n offset 3m",
        ]);
        let form = random.pick(&FORMS);
        let expression = form.replace('H', &histogram.replace('R', range));
        // Not at the start, where later versions stop the extrapolation at zero.
        let seconds = 2_000 + i64::try_from(random.below(1_700)).unwrap();
        let time = series::START + seconds * 1_000;
        let query = Query::parse(&expression).unwrap();
        let ours = query.instant(&recorded, time, &QueryOptions::default());
        let theirs = server.try_query_at(&expression, time as f64 / 1_000.0);
        match compare::answers(ours, theirs, false) {
            Ok(compared) => values += compared,
            Err(difference) => differences.push(format!("{expression} at {time}: {difference}")),
        }
    }
    println!("{values} values compared");
    assert!(values > 500);
    assert!(
        differences.is_empty(),
        "{} differ:\n{}",
        differences.len(),
        differences[..differences.len().min(10)].join("\n")
    );
}
