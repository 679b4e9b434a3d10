//! A real Prometheus server scrapes this crate's own server, and answers questions about what
//! it found: quantiles of native histograms, and exemplars.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use selfheal::catalog::{Kind, MetricDef};
use selfheal::health::{Report, score};
use selfheal::registry::{
    Collector, Exemplar, FamilySnapshot, HistogramSnapshot, NativeBuckets, Number, Registry,
    SeriesSnapshot, Value,
};
use selfheal::server::{Endpoints, Limits, Listener, router};

use crate::support::eventually;
use crate::support::prometheus::Prometheus;

/// Time for a few scrapes, one a second.
const SCRAPES: Duration = Duration::from_secs(30);
const SCHEMA: i8 = 3;

fn serve(registry: Registry) -> Listener {
    let healthy = || Report::new(score(None, &[]), Vec::new());
    let router = router(Endpoints::new(registry, healthy));
    Listener::spawn("127.0.0.1:0".parse().unwrap(), router, Limits::default()).unwrap()
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}

/// Histograms of the same observations: native, and with both kinds of buckets.
#[derive(Default)]
struct Observed(Mutex<Vec<f64>>);

impl Observed {
    /// The buckets by their definition: `i` holds what is above `b^(i-1)` and at most `b^i`.
    fn native(&self) -> NativeBuckets {
        let mut buckets = NativeBuckets::new(SCHEMA, 1e-9);
        let mut counts = std::collections::BTreeMap::<i32, u64>::new();
        for value in self.0.lock().unwrap().iter() {
            let index = (value.log2() * 2_f64.powi(SCHEMA.into())).ceil();
            #[expect(clippy::cast_possible_truncation, reason = "between -100 and 100")]
            let index = index as i32;
            *counts.entry(index).or_default() += 1;
        }
        buckets.positive = counts.into_iter().collect();
        buckets
    }
}

impl Collector for Observed {
    fn describe(&self) -> Vec<MetricDef> {
        Vec::new()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let sum = self.0.lock().unwrap().iter().sum();
        let native = HistogramSnapshot::native(self.native(), sum);
        out.push(FamilySnapshot {
            def: Arc::new(MetricDef::new(
                Kind::Histogram,
                "wait_seconds",
                "Time to wait",
            )),
            series: vec![SeriesSnapshot::new(
                [("queue", "a")],
                Value::Histogram(native),
            )],
        });
    }
}

#[test]
#[ignore = "needs a Prometheus server, which tests/all.sh brings"]
fn quantiles_of_a_native_histogram() {
    let observed = Arc::new(Observed::default());
    let registry = Registry::new();
    registry.collect_from(observed.clone()).unwrap();
    let listener = serve(registry);
    let prometheus = Prometheus::builder()
        .native_histograms()
        .job("native", listener.address())
        .start();
    prometheus.wait_until_up("native");
    let series = "wait_seconds{queue=\"a\"}";
    let count = format!("histogram_count({series})");
    eventually(SCRAPES, "an empty native histogram", || {
        match prometheus.value(&count) {
            Some(0.0) => Ok(()),
            other => Err(format!("{other:?}, {:?}", prometheus.targets())),
        }
    });
    // Every millisecond up to a second, once.
    let values = (1..=1_000).map(|ms| f64::from(ms) / 1_000.0);
    observed.0.lock().unwrap().extend(values);
    // The rate needs two scrapes with the observations, or it sees no growth at their side.
    let rate = format!("rate({series}[1m])");
    let counted = format!("histogram_count({rate}) > 0");
    eventually(SCRAPES, "the observations", || {
        match (prometheus.value(&count), prometheus.value(&counted)) {
            (Some(1_000.0), Some(_)) => Ok(()),
            other => Err(format!("{other:?}, {:?}", prometheus.targets())),
        }
    });
    assert_eq!(
        prometheus.value(&format!("histogram_sum({series})")),
        Some(500.5)
    );
    for (quantile, want) in [(0.1, 0.1), (0.5, 0.5), (0.9, 0.9), (0.99, 0.99)] {
        for of in [series, &rate] {
            let question = format!("histogram_quantile({quantile}, {of})");
            let found = prometheus.value(&question).unwrap();
            // Within a bucket, whose bounds are 9 % apart, Prometheus interpolates; the values
            // are spread evenly.
            assert!((found - want).abs() < 0.01, "{question} is {found}");
        }
    }
}

/// A counter and a histogram with exemplars.
struct Traced {
    /// Each exemplar is later than that by its value: of one series, this server wants them in
    /// the order of time.
    at: f64,
}

impl Traced {
    fn exemplar(&self, id: &str, value: f64) -> Exemplar {
        Exemplar::new([("trace_id", id)], value, self.at + value).unwrap()
    }
}

impl Collector for Traced {
    fn describe(&self) -> Vec<MetricDef> {
        Vec::new()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let orders = Value::Number(Number::U64(7));
        let mut took = HistogramSnapshot::classic([0.1, 1.0], vec![1, 1, 1], 5.75);
        took.exemplars = vec![
            self.exemplar("quick", 0.05),
            self.exemplar("slow", 0.7),
            self.exemplar("stuck", 5.0),
        ];
        let mut native = NativeBuckets::new(0, 1e-9);
        native.positive = vec![(-4, 1), (0, 1), (3, 1)];
        let mut both = took.clone();
        both.native = Some(native);
        let series = |value| SeriesSnapshot::new([], value).created(self.at - 60.0);
        let families = [
            (
                Kind::Counter,
                "orders_total",
                series(orders).exemplar(self.exemplar("order", 1.0)),
            ),
            (
                Kind::Histogram,
                "took_seconds",
                series(Value::Histogram(took)),
            ),
            (
                Kind::Histogram,
                "both_seconds",
                series(Value::Histogram(both)),
            ),
        ];
        for (kind, name, series) in families {
            out.push(FamilySnapshot {
                def: Arc::new(MetricDef::new(kind, name, "Has exemplars")),
                series: vec![series],
            });
        }
    }
}

/// The exemplars that Prometheus has of a metric: the trace, the value and the time of each.
fn stored(prometheus: &Prometheus, name: &str, at: f64) -> Vec<(String, f64, f64)> {
    let data = prometheus.query_exemplars(name, at - 600.0, at + 600.0);
    let series = data.as_array().unwrap().iter();
    let mut found: Vec<_> = series
        .flat_map(|series| series["exemplars"].as_array().unwrap().clone())
        .map(|one| {
            let id = one["labels"]["trace_id"].as_str().unwrap().to_owned();
            let value: f64 = one["value"].as_str().unwrap().parse().unwrap();
            (id, value, one["timestamp"].as_f64().unwrap())
        })
        .collect();
    found.sort_by(|a, b| a.1.total_cmp(&b.1));
    found
}

fn wait_for_exemplars(prometheus: &Prometheus, name: &str, at: f64, want: &[(&str, f64)]) {
    eventually(SCRAPES, &format!("the exemplars of {name}"), || {
        let found = stored(prometheus, name, at);
        let same = found.len() == want.len()
            && found.iter().zip(want).all(|(found, want)| {
                // Prometheus keeps milliseconds.
                (found.0.as_str(), found.1) == *want && (found.2 - at - want.1).abs() < 0.002
            });
        if same {
            Ok(())
        } else {
            Err(format!("{found:?}, {:?}", prometheus.targets()))
        }
    });
}

const OF_BUCKETS: [(&str, f64); 3] = [("quick", 0.05), ("slow", 0.7), ("stuck", 5.0)];

#[test]
#[ignore = "needs a Prometheus server, which tests/all.sh brings"]
fn exemplars_by_openmetrics() {
    let at = now();
    let registry = Registry::new();
    registry.collect_from(Arc::new(Traced { at })).unwrap();
    let listener = serve(registry);
    // Without native histograms this server asks for OpenMetrics before all else.
    let prometheus = Prometheus::builder()
        .exemplars()
        .job("open", listener.address())
        .start();
    prometheus.wait_until_up("open");
    wait_for_exemplars(&prometheus, "orders_total", at, &[("order", 1.0)]);
    wait_for_exemplars(&prometheus, "took_seconds_bucket", at, &OF_BUCKETS);
    // This server takes created times for series like others.
    let created = prometheus.value("took_seconds_created").unwrap();
    assert!((created - (at - 60.0)).abs() < 0.002, "{created}");
    assert_eq!(prometheus.value("orders_total"), Some(7.0));
}

#[test]
#[ignore = "needs a Prometheus server, which tests/all.sh brings"]
fn exemplars_by_protobuf() {
    let at = now();
    let registry = Registry::new();
    registry.collect_from(Arc::new(Traced { at })).unwrap();
    let listener = serve(registry);
    let prometheus = Prometheus::builder()
        .native_histograms()
        .exemplars()
        .job("protobuf", listener.address())
        .start();
    prometheus.wait_until_up("protobuf");
    wait_for_exemplars(&prometheus, "orders_total", at, &[("order", 1.0)]);
    wait_for_exemplars(&prometheus, "took_seconds_bucket", at, &OF_BUCKETS);
    // The native histogram is one series, of which this server keeps the first exemplar only.
    wait_for_exemplars(&prometheus, "both_seconds", at, &OF_BUCKETS[..1]);
    assert_eq!(prometheus.value("histogram_count(both_seconds)"), Some(3.0));
}
