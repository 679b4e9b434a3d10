//! One small exposition in each format, to the byte.

use std::sync::Arc;

use selfheal::catalog::{Kind, MetricDef};
use selfheal::encode::{Format, append};
use selfheal::registry::{
    Collector, FamilySnapshot, Number, Registry, SeriesSnapshot, Settings, Text, Value,
};

/// An info, a summary and an unknown metric, which the registry itself does not record.
struct Extras;

impl Collector for Extras {
    fn describe(&self) -> Vec<MetricDef> {
        Vec::new()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let one = Value::Number(Number::U64(1));
        let summary = Value::Summary {
            quantiles: vec![(0.5, 0.125), (1.0, f64::NAN)],
            sum: 3.5,
            count: 7,
        };
        for (kind, name, value) in [
            (Kind::Info, "build_info", one.clone()),
            (Kind::Summary, "pause_seconds", summary),
            (Kind::Unknown, "somebodys_number", one),
        ] {
            let def = MetricDef::new(kind, name, "From elsewhere").with_labels(["version"]);
            out.push(FamilySnapshot {
                def: Arc::new(def),
                series: vec![SeriesSnapshot::new([("version", "1.0")], value)],
            });
        }
    }
}

fn registry() -> Registry {
    let mut settings = Settings::default();
    settings.namespace = "shop".into();
    settings.global_labels.insert("env".into(), "prod".into());
    let registry = Registry::with_settings(settings);
    let sales = registry
        .float_counter("sales_usd_total", "Sales, \"all\" of them\nin C:\\shop")
        .labels::<[Text; 2]>(["city", "card"])
        .unwrap();
    sales.add(&["Köln", "a\\b\"c\nd"], 12.5);
    sales.add(&["", "no"], 3.0);
    registry.gauge("queue_size", "").build().unwrap().set(-4);
    let latency = registry
        .histogram("latency_seconds", "Time to answer")
        .buckets(&[0.25, 1.0, 1e6])
        .build()
        .unwrap();
    for seconds in [0.25, 0.5, 2e6] {
        latency.observe(seconds);
    }
    let tests = registry
        .counter(
            "tests_total",
            "Has a label of the same name as a global one",
        )
        .labels::<[Text; 1]>(["env"])
        .unwrap();
    tests.inc(&["test"]);
    registry.collect_from(Arc::new(Extras)).unwrap();
    registry
}

fn page(format: Format) -> String {
    let mut out = Vec::new();
    append(&registry().scrape(), format, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn text() {
    let want = r#"# HELP shop_build_info From elsewhere
# TYPE shop_build_info gauge
shop_build_info{env="prod",version="1.0"} 1
# HELP shop_latency_seconds Time to answer
# TYPE shop_latency_seconds histogram
shop_latency_seconds_bucket{env="prod",le="0.25"} 1
shop_latency_seconds_bucket{env="prod",le="1"} 2
shop_latency_seconds_bucket{env="prod",le="1e+06"} 2
shop_latency_seconds_bucket{env="prod",le="+Inf"} 3
shop_latency_seconds_sum{env="prod"} 2000000.75
shop_latency_seconds_count{env="prod"} 3
# HELP shop_pause_seconds From elsewhere
# TYPE shop_pause_seconds summary
shop_pause_seconds{env="prod",version="1.0",quantile="0.5"} 0.125
shop_pause_seconds{env="prod",version="1.0",quantile="1"} NaN
shop_pause_seconds_sum{env="prod",version="1.0"} 3.5
shop_pause_seconds_count{env="prod",version="1.0"} 7
# TYPE shop_queue_size gauge
shop_queue_size{env="prod"} -4
# HELP shop_sales_usd_total Sales, "all" of them\nin C:\\shop
# TYPE shop_sales_usd_total counter
shop_sales_usd_total{env="prod",city="Köln",card="a\\b\"c\nd"} 12.5
shop_sales_usd_total{env="prod",city="",card="no"} 3
# HELP shop_somebodys_number From elsewhere
# TYPE shop_somebodys_number untyped
shop_somebodys_number{env="prod",version="1.0"} 1
# HELP shop_tests_total Has a label of the same name as a global one
# TYPE shop_tests_total counter
shop_tests_total{env="test"} 1
"#;
    assert_eq!(page(Format::TEXT), want);
}

#[test]
fn openmetrics() {
    let want = r#"# HELP shop_build From elsewhere
# TYPE shop_build info
shop_build_info{env="prod",version="1.0"} 1
# HELP shop_latency_seconds Time to answer
# TYPE shop_latency_seconds histogram
# UNIT shop_latency_seconds seconds
shop_latency_seconds_bucket{env="prod",le="0.25"} 1
shop_latency_seconds_bucket{env="prod",le="1.0"} 2
shop_latency_seconds_bucket{env="prod",le="1e+06"} 2
shop_latency_seconds_bucket{env="prod",le="+Inf"} 3
shop_latency_seconds_sum{env="prod"} 2000000.75
shop_latency_seconds_count{env="prod"} 3
# HELP shop_pause_seconds From elsewhere
# TYPE shop_pause_seconds summary
# UNIT shop_pause_seconds seconds
shop_pause_seconds{env="prod",version="1.0",quantile="0.5"} 0.125
shop_pause_seconds{env="prod",version="1.0",quantile="1.0"} NaN
shop_pause_seconds_sum{env="prod",version="1.0"} 3.5
shop_pause_seconds_count{env="prod",version="1.0"} 7
# TYPE shop_queue_size gauge
shop_queue_size{env="prod"} -4
# HELP shop_sales_usd Sales, \"all\" of them\nin C:\\shop
# TYPE shop_sales_usd counter
# UNIT shop_sales_usd usd
shop_sales_usd_total{env="prod",city="Köln",card="a\\b\"c\nd"} 12.5
shop_sales_usd_total{env="prod",city="",card="no"} 3
# HELP shop_somebodys_number From elsewhere
# TYPE shop_somebodys_number unknown
shop_somebodys_number{env="prod",version="1.0"} 1
# HELP shop_tests Has a label of the same name as a global one
# TYPE shop_tests counter
shop_tests_total{env="test"} 1
# EOF
"#;
    assert_eq!(page(Format::OPEN_METRICS), want);
}
