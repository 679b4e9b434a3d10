//! A real Prometheus server scrapes this crate's own server, and answers questions about what
//! it found: quantiles of native histograms, and exemplars.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use selfheal::catalog::Native;
use selfheal::health::{Report, score};
use selfheal::registry::{Family, Histogram, Registry, Settings, Text};
use selfheal::server::{Endpoints, Limits, Listener, router};

use crate::support::eventually;
use crate::support::prometheus::Prometheus;

/// Time for a few scrapes, one a second.
pub(crate) const SCRAPES: Duration = Duration::from_secs(30);

pub(crate) fn serve(registry: Registry) -> Listener {
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

#[test]
#[ignore = "needs a Prometheus server, which tests/all.sh brings"]
fn quantiles_of_a_native_histogram() {
    let registry = Registry::new();
    let wait: Family<Histogram, [Text; 1]> = registry
        .histogram("wait_seconds", "Time to wait")
        .native_only(Native::schema(3))
        .labels(["queue"])
        .unwrap();
    let wait = wait.with(&["a"]);
    let striped = registry
        .histogram("step_seconds", "The same, from two threads at a time")
        .native_only(Native::schema(3))
        .striped()
        .build()
        .unwrap();
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
    // Every millisecond up to a second, once each.
    std::thread::scope(|scope| {
        for first in [1, 2] {
            let (wait, striped) = (&wait, &striped);
            scope.spawn(move || {
                for ms in (first..=1_000).step_by(2) {
                    wait.observe(f64::from(ms) / 1_000.0);
                    striped.observe(f64::from(ms) / 1_000.0);
                }
            });
        }
    });
    // The rate needs two scrapes with the observations, since it does not count the first value.
    let rate = format!("rate({series}[1m])");
    let counted = format!("histogram_count({rate}) > 0");
    eventually(SCRAPES, "the observations", || {
        match (prometheus.value(&count), prometheus.value(&counted)) {
            (Some(1_000.0), Some(_)) => Ok(()),
            other => Err(format!("{other:?}, {:?}", prometheus.targets())),
        }
    });
    let sum = prometheus.value(&format!("histogram_sum({series})"));
    assert!((sum.unwrap() - 500.5).abs() < 1e-6, "{sum:?}");
    for (quantile, want) in [(0.1, 0.1), (0.5, 0.5), (0.9, 0.9), (0.99, 0.99)] {
        for of in [series, &rate, "step_seconds"] {
            let question = format!("histogram_quantile({quantile}, {of})");
            let found = prometheus.value(&question).unwrap();
            // Within a bucket, whose bounds are 9 % apart, Prometheus interpolates; the values
            // are spread evenly.
            assert!((found - want).abs() < 0.01, "{question} is {found}");
        }
    }
}

/// A counter and histograms with exemplars and created times.
fn traced() -> Registry {
    let mut settings = Settings::default();
    settings.metrics.created_times = true;
    let registry = Registry::with_settings(settings);
    let orders = registry.counter("orders_total", "Orders").build().unwrap();
    orders.add(6);
    orders.inc_with_exemplar(|labels| labels.push("trace_id", "order"));
    let took = registry.histogram("took_seconds", "Classic buckets");
    let both = registry.histogram("both_seconds", "Both kinds of buckets");
    for histogram in [took, both.native(Native::schema(0))] {
        let histogram = histogram.buckets(&[0.1, 1.0]).build().unwrap();
        for (id, value) in OF_BUCKETS {
            histogram.observe_with_exemplar(value, |labels| labels.push("trace_id", id));
        }
    }
    let events = registry.counter("events_total", "Counted by many threads");
    let events = events.striped().build().unwrap();
    events.add_with_exemplar(2, |labels| labels.push("trace_id", "event"));
    let steps = registry.histogram("step_seconds", "Both kinds, from many threads");
    let steps = steps.striped().native(Native::schema(0));
    let steps = steps.buckets(&[0.1, 1.0]).build().unwrap();
    for (id, value) in OF_BUCKETS {
        steps.observe_with_exemplar(value, |labels| labels.push("trace_id", id));
    }
    registry
}

/// The exemplars that Prometheus has of a metric: the trace, the value and the time of each.
fn stored(prometheus: &Prometheus, name: &str) -> Vec<(String, f64, f64)> {
    let data = prometheus.query_exemplars(name, now() - 600.0, now() + 600.0);
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

/// Waits for these exemplars and no others, all from this minute.
fn wait_for_exemplars(prometheus: &Prometheus, name: &str, want: &[(&str, f64)]) {
    eventually(SCRAPES, &format!("the exemplars of {name}"), || {
        let found = stored(prometheus, name);
        let values = found.iter().map(|(id, value, _)| (id.as_str(), *value));
        let today = found.iter().all(|(.., at)| (now() - at).abs() < 60.0);
        if today && values.eq(want.iter().copied()) {
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
    let begin = now();
    let listener = serve(traced());
    let end = now();
    // Without native histograms, this server prefers OpenMetrics.
    let prometheus = Prometheus::builder()
        .exemplars()
        .job("open", listener.address())
        .start();
    prometheus.wait_until_up("open");
    wait_for_exemplars(&prometheus, "orders_total", &[("order", 1.0)]);
    wait_for_exemplars(&prometheus, "events_total", &[("event", 2.0)]);
    wait_for_exemplars(&prometheus, "took_seconds_bucket", &OF_BUCKETS);
    wait_for_exemplars(&prometheus, "step_seconds_bucket", &OF_BUCKETS);
    assert_eq!(prometheus.value("orders_total"), Some(7.0));
    // This server stores created times as series.
    for name in ["orders_created", "took_seconds_created"] {
        let created = prometheus.value(name).unwrap();
        assert!((begin - 0.1..end + 0.1).contains(&created), "{created}");
    }
}

#[test]
#[ignore = "needs a Prometheus server, which tests/all.sh brings"]
fn exemplars_by_protobuf() {
    let listener = serve(traced());
    let prometheus = Prometheus::builder()
        .native_histograms()
        .exemplars()
        .job("protobuf", listener.address())
        .start();
    prometheus.wait_until_up("protobuf");
    wait_for_exemplars(&prometheus, "orders_total", &[("order", 1.0)]);
    wait_for_exemplars(&prometheus, "took_seconds_bucket", &OF_BUCKETS);
    // The native histogram is one series, of which version 2 keeps the first exemplar only.
    let kept = if prometheus.major_version() < 3 { 1 } else { 3 };
    for name in ["both_seconds", "step_seconds"] {
        wait_for_exemplars(&prometheus, name, &OF_BUCKETS[..kept]);
        let count = prometheus.value(&format!("histogram_count({name})"));
        assert_eq!(count, Some(3.0));
    }
}
