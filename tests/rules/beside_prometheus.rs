//! A real Prometheus server and this process evaluate the same rules on the same service.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use selfheal::registry::{Counter, Family, Text};
use serde_json::Value;

use super::Served;
use super::support::http::Request;
use super::support::prometheus::Prometheus;

/// The time between two evaluations, and the time between two samples.
const EVALUATION: f64 = 1.0;
const SCRAPE: f64 = 0.25;

const RULES: &str = "
groups:
- name: sampling
  interval: 250ms
  rules: [{record: 'queue:now', expr: queue_depth}]
- name: shop
  interval: 1s
  rules:
  - record: path:errors:ratio
    expr: sum by (path) (rate(calls_total{result='error'}[4s])) / sum by (path) (rate(calls_total[4s]))
  - alert: HighErrorRate
    expr: path:errors:ratio > 0.4
    for: 2s
    labels: {severity: page}
    annotations: {summary: '{{ $labels.path }}: {{ $value | humanizePercentage }}'}
  - alert: QueueFull
    expr: max by (instance) (queue_depth) > 10
    for: 1s
    keep_firing_for: 3s
  - alert: NoOrders
    expr: sum by (job) (rate(calls_total{path='/orders'}[4s])) == 0
    for: 2s
";

/// When each state of each alert was there: first and last, in seconds since 1970.
type Times = BTreeMap<(String, String, String), (f64, f64)>;

fn times(data: &Value) -> Times {
    let mut times = Times::new();
    for series in data["result"].as_array().unwrap() {
        let label = |name: &str| {
            series["metric"][name]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let values = series["values"].as_array().unwrap();
        let at = |value: Option<&Value>| value.unwrap()[0].as_f64().unwrap();
        let key = (label("alertname"), label("path"), label("alertstate"));
        // Evaluations look back 5 min, but a state that has ended is marked as such.
        let before = times.insert(key, (at(values.first()), at(values.last())));
        assert!(before.is_none(), "one series of each state: {data}");
    }
    times
}

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}

#[test]
#[ignore = "needs a real Prometheus server; run tests/all.sh prometheus"]
fn a_server_and_this_process_raise_the_same_alerts_at_the_same_time() {
    let served = Served::start(|config| config);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alerts.yml");
    std::fs::write(&file, RULES).unwrap();
    let registry = served.heal.registry();
    let calls: Family<Counter, [Text; 2]> = registry
        .counter("calls_total", "")
        .labels(["path", "result"])
        .unwrap();
    let depth = registry.gauge("queue_depth", "").build().unwrap();
    for path in ["/orders", "/stock"] {
        for result in ["ok", "error"] {
            calls.add(&[path, result], 0);
        }
    }
    // Twenty customers a second; what they get depends on what is broken.
    let (broken, closed, end) = (
        AtomicBool::new(false),
        AtomicBool::new(false),
        AtomicBool::new(false),
    );
    let (broken, closed, end) = (Arc::new(broken), Arc::new(closed), Arc::new(end));
    let customers = std::thread::spawn({
        let (broken, closed, end) = (Arc::clone(&broken), Arc::clone(&closed), Arc::clone(&end));
        move || {
            while !end.load(SeqCst) {
                let orders = if broken.load(SeqCst) { "error" } else { "ok" };
                if !closed.load(SeqCst) {
                    calls.inc(&["/orders", orders]);
                }
                calls.inc(&["/stock", "ok"]);
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    });
    let address = served.listener.address();
    let instance = address.to_string();
    let loaded = served.heal.rules(&file).target("job", "shop");
    let rules = loaded.target("instance", &instance).install().unwrap();
    assert!(
        rules
            .report()
            .to_string()
            .contains("no such series here: 0"),
        "{}",
        rules.report()
    );
    let prometheus = Prometheus::builder()
        .interval(Duration::from_millis(250))
        .job("shop", address)
        .rules(&file)
        .start();
    prometheus.wait_until_up("shop");
    // Waits until both have seen a whole range.
    std::thread::sleep(Duration::from_secs(4));
    let start = now();
    // The two other processes use the wall clock.
    let began = Instant::now();
    let at = |seconds: u64| {
        let until = began + Duration::from_secs(seconds);
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
    };
    at(2);
    broken.store(true, SeqCst);
    at(4);
    depth.set(40);
    at(9);
    depth.set(0);
    at(10);
    broken.store(false, SeqCst);
    closed.store(true, SeqCst);
    at(18);
    closed.store(false, SeqCst);
    at(24);
    end.store(true, SeqCst);
    customers.join().unwrap();
    let finish = now();

    let theirs = times(&prometheus.query_range("ALERTS", start, finish, 0.25));
    let (from, to) = (start.to_string(), finish.to_string());
    let range = [
        ("query", "ALERTS"),
        ("start", &*from),
        ("end", &*to),
        ("step", "0.25"),
    ];
    let answer = Request::get(&served.url("/api/v1/query_range"))
        .query(&range)
        .send();
    let ours = times(&answer.unwrap().json()["data"]);
    compare(&theirs, &ours);
}

/// The same states of the same alerts, each begun and ended at the same time.
fn compare(theirs: &Times, ours: &Times) {
    let both = format!("theirs {theirs:#?}\nours {ours:#?}");
    assert_eq!(
        theirs.keys().collect::<Vec<_>>(),
        ours.keys().collect::<Vec<_>>(),
        "{both}"
    );
    let alerts: Vec<_> = ours.keys().map(|(alert, ..)| alert.as_str()).collect();
    for alert in ["HighErrorRate", "NoOrders", "QueueFull"] {
        assert_eq!(
            alerts.iter().filter(|one| **one == alert).count(),
            2,
            "{alert}: {both}"
        );
    }
    // Both have phases of their own for evaluations and samples, so they differ by up to one
    // evaluation and one sample.
    let close = |one: f64, other: f64| (one - other).abs() <= EVALUATION + 2.0 * SCRAPE;
    for (key, (first, last)) in theirs {
        let (our_first, our_last) = ours[key];
        assert!(close(*first, our_first), "{key:?} began: {both}");
        assert!(close(*last, our_last), "{key:?} ended: {both}");
    }
}
