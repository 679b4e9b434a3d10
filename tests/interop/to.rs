use std::sync::Arc;

use prometheus::IntCounter;
use selfheal::catalog::{Kind, MetricDef};
use selfheal::interop::to_prometheus;
use selfheal::registry::{
    Collector, Counter, Family, FamilySnapshot, Number, Registry, SeriesSnapshot, Settings, Text,
    Value,
};

use crate::support::text;

fn shop() -> Registry {
    let mut settings = Settings::default();
    "shop".clone_into(&mut settings.namespace);
    // With buckets, the encoder owns the label of that name.
    let labels = [("env", "production"), ("le", "g"), ("x", "global")];
    settings.global_labels = labels.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
    Registry::with_settings(settings)
}

/// One family of each kind that only a collector can yield, and one value that is not of its kind.
struct Others;

impl Collector for Others {
    fn describe(&self) -> Vec<MetricDef> {
        vec![
            MetricDef::new(Kind::Info, "build_info", "Build"),
            MetricDef::new(Kind::Summary, "rpc_seconds", "Calls"),
            MetricDef::new(Kind::Unknown, "odd", ""),
            MetricDef::new(Kind::Gauge, "wrong", "Wrong"),
        ]
    }
    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let number = Value::Number(Number::U64(1));
        let summary = Value::Summary {
            quantiles: vec![(0.5, 2.5)],
            sum: 10.0,
            count: 4,
        };
        let values = [number.clone(), summary.clone(), number, summary];
        out.extend(
            self.describe()
                .into_iter()
                .zip(values)
                .map(|(def, value)| FamilySnapshot {
                    def: Arc::new(def),
                    series: vec![SeriesSnapshot::new([("z", "1"), ("a", "\"\\\n")], value)],
                }),
        );
    }
}

/// A registry of theirs with everything in it that ours can hold.
pub(crate) fn everything() -> prometheus::Registry {
    let ours = shop();
    let requests: Family<Counter, [Text; 2]> = ours
        .counter("requests_total", "Requests")
        .labels(["x", "path"])
        .unwrap();
    requests.add(&["own", "/a"], 3);
    let depth = ours.float_gauge("depth", "Depth").standard_name();
    depth.build().unwrap().set(-1.5);
    let latency = ours.histogram("latency_seconds", "Latency");
    let latency = latency.buckets(&[0.5, 1.0]).build().unwrap();
    for seconds in [0.25, 0.75, 4.0] {
        latency.observe(seconds);
    }
    ours.collect_from(Arc::new(Others)).unwrap();
    let theirs = prometheus::Registry::new();
    to_prometheus(&ours, &theirs).unwrap();
    theirs
}

#[test]
fn every_kind_comes_out_over_there() {
    let want = r#"# HELP depth Depth
# TYPE depth gauge
depth{env="production",le="g",x="global"} -1.5
# HELP shop_build_info Build
# TYPE shop_build_info gauge
shop_build_info{a="\"\\\n",env="production",le="g",x="global",z="1"} 1
# HELP shop_latency_seconds Latency
# TYPE shop_latency_seconds histogram
shop_latency_seconds_bucket{env="production",x="global",le="0.5"} 1
shop_latency_seconds_bucket{env="production",x="global",le="1"} 2
shop_latency_seconds_bucket{env="production",x="global",le="+Inf"} 3
shop_latency_seconds_sum{env="production",x="global"} 5
shop_latency_seconds_count{env="production",x="global"} 3
# TYPE shop_odd gauge
shop_odd{a="\"\\\n",env="production",le="g",x="global",z="1"} 1
# HELP shop_requests_total Requests
# TYPE shop_requests_total counter
shop_requests_total{env="production",le="g",path="/a",x="own"} 3
# HELP shop_rpc_seconds Calls
# TYPE shop_rpc_seconds summary
shop_rpc_seconds{a="\"\\\n",env="production",le="g",x="global",z="1",quantile="0.5"} 2.5
shop_rpc_seconds_sum{a="\"\\\n",env="production",le="g",x="global",z="1"} 10
shop_rpc_seconds_count{a="\"\\\n",env="production",le="g",x="global",z="1"} 4
"#;
    assert_eq!(text(&everything()), want);
}

#[test]
fn what_is_declared_later_comes_out_too() {
    let (ours, theirs) = (Registry::new(), prometheus::Registry::new());
    to_prometheus(&ours, &theirs).unwrap();
    assert_eq!(text(&theirs), "");
    ours.counter("late_total", "Late").build().unwrap().inc();
    assert!(text(&theirs).contains("\nlate_total 1\n"));
}

#[test]
fn one_registry_is_added_once_and_two_are_two() {
    let theirs = prometheus::Registry::new();
    let (one, two) = (Registry::new(), Registry::new());
    to_prometheus(&one, &theirs).unwrap();
    let error = to_prometheus(&one.clone(), &theirs).unwrap_err();
    assert!(matches!(error.source, prometheus::Error::AlreadyReg));
    assert!(error.to_string().contains("only once"), "{error}");
    to_prometheus(&two, &theirs).unwrap();
    one.counter("one_total", "One").build().unwrap();
    two.counter("two_total", "Two").build().unwrap();
    assert_eq!(theirs.gather().len(), 2);
}

#[test]
fn a_name_that_both_have_is_an_error_on_either_side() {
    let (ours, theirs) = (shop(), prometheus::Registry::new());
    let jobs = || IntCounter::new("shop_jobs_total", "Jobs of another").unwrap();
    theirs.register(Box::new(jobs())).unwrap();
    ours.counter("jobs_total", "Jobs").build().unwrap();
    let error = to_prometheus(&ours, &theirs).unwrap_err();
    assert_eq!(error.names, ["shop_jobs_total"]);
    assert!(error.to_string().contains("shop_jobs_total"), "{error}");

    let theirs = prometheus::Registry::new();
    to_prometheus(&ours, &theirs).unwrap();
    assert!(theirs.register(Box::new(jobs())).is_err());
}
