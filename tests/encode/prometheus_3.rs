//! What only Prometheus 3 understands: names in UTF-8, asked for in each escaping scheme and
//! each format, and created times that make the first increment visible to `increase`.

use selfheal::registry::{Family, Gauge, Registry, Settings, Text};

use crate::scraped::{SCRAPES, serve};
use crate::support::eventually;
use crate::support::prometheus::Prometheus;

const TEXT: &str = "PrometheusText1.0.0";
const OPEN_METRICS: &str = "OpenMetricsText1.0.0";
/// For which this server names no scheme, so that the names are those of all older servers.
const PROTOBUF: &str = "PrometheusProto";

/// Each scheme, and what the gauge and its label are then called.
const SCHEMES: [(&str, &str, &str); 4] = [
    ("allow-utf-8", "queue.längd", "queue.name"),
    ("underscores", "queue_l_ngd", "queue_name"),
    ("dots", "queue_dot_l__ngd", "queue_dot_name"),
    ("values", "U__queue_2e_l_e4_ngd", "U__queue_2e_name"),
];

#[test]
#[ignore = "needs Prometheus 3; run tests/all.sh prometheus3"]
fn names_in_utf8_by_every_scheme() {
    let registry = Registry::new();
    let waiting: Family<Gauge, [Text; 1]> = registry
        .gauge("queue.längd", "Waiting")
        .utf8_names()
        .labels(["queue.name"])
        .unwrap();
    waiting.set(&["a.b"], 7);
    let listener = serve(registry);
    let [allowed, underscores, dots, values] = SCHEMES;
    let ways = [
        (TEXT, allowed, allowed),
        (TEXT, underscores, underscores),
        (TEXT, dots, dots),
        (TEXT, values, values),
        (OPEN_METRICS, allowed, allowed),
        (OPEN_METRICS, underscores, underscores),
        (OPEN_METRICS, dots, dots),
        (OPEN_METRICS, values, values),
        (PROTOBUF, allowed, underscores),
    ];
    let job = |protocol: &str, (scheme, ..): (&str, &str, &str)| format!("{protocol} {scheme}");
    let mut builder = Prometheus::builder();
    for (protocol, asked, _) in ways {
        let settings = [
            &*format!("scrape_protocols: [{protocol}]"),
            &*format!("metric_name_escaping_scheme: {}", asked.0),
        ];
        builder = builder.job_with(&job(protocol, asked), listener.address(), &settings);
    }
    let prometheus = builder.start();
    for (protocol, asked, (_, name, label)) in ways {
        let job = job(protocol, asked);
        prometheus.wait_until_up(&job);
        let series = format!("{{\"{name}\", \"{label}\"=\"a.b\", job=\"{job}\"}}");
        assert_eq!(prometheus.value(&series), Some(7.0), "{series}");
    }
}

#[test]
#[ignore = "needs Prometheus 3; run tests/all.sh prometheus3"]
fn the_first_increments_are_seen_where_series_know_when_they_were_created() {
    let mut settings = Settings::default();
    settings.metrics.created_times = true;
    let registry = Registry::with_settings(settings);
    let orders = registry.counter("orders_total", "Orders").build().unwrap();
    orders.add(7);
    let took = registry.histogram("took_seconds", "Time").build().unwrap();
    took.observe(0.3);
    let listener = serve(registry);
    let mut builder = Prometheus::builder().created_times();
    for protocol in [OPEN_METRICS, PROTOBUF] {
        let setting = format!("scrape_protocols: [{protocol}]");
        builder = builder.job_with(protocol, listener.address(), &[&setting]);
    }
    let prometheus = builder.start();
    for job in [OPEN_METRICS, PROTOBUF] {
        for series in ["orders_total", "took_seconds_count"] {
            // They no longer change: they can only have grown from 0 at their creation.
            let grown = format!("increase({series}{{job=\"{job}\"}}[5m]) > 0");
            eventually(SCRAPES, &grown, || match prometheus.value(&grown) {
                Some(_) => Ok(()),
                None => Err(format!("{:?}", prometheus.targets())),
            });
        }
    }
}
