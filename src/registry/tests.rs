mod alias;
mod cut;
pub(super) mod held;

use super::*;

fn requests(registry: &Registry) -> Family<Counter, [Text; 1]> {
    registry
        .counter("requests_total", "Requests")
        .labels(["path"])
        .unwrap()
}

fn value(registry: &Registry, name: &str, labels: &str) -> Option<f64> {
    let family = registry
        .gather()
        .into_iter()
        .find(|family| family.def.name == name)?;
    let series = family
        .series
        .into_iter()
        .find(|series| &*series.labels == labels)?;
    match series.value {
        Value::Number(number) => Some(number.as_f64()),
        _ => None,
    }
}

#[test]
fn the_same_declaration_gives_the_same_metric() {
    let registry = Registry::new();
    requests(&registry).inc(&["/a"]);
    requests(&registry).inc(&["/a"]);
    assert_eq!(
        value(&registry, "requests_total", r#"path="/a""#),
        Some(2.0)
    );
}

#[test]
fn a_family_gives_a_copy_of_itself() {
    let registry = Registry::new();
    let family = requests(&registry);
    family.inc(&["/a"]);
    family.add(&["/b"], 2);
    let copy = family.snapshot();
    family.inc(&["/a"]);
    let seen: Vec<_> = copy
        .series
        .iter()
        .map(|s| (&*s.labels, s.value.clone()))
        .collect();
    let number = |n| Value::Number(Number::U64(n));
    assert_eq!(
        seen,
        [("path=\"/a\"", number(1)), ("path=\"/b\"", number(2))]
    );
}

#[test]
fn a_clash_names_both() {
    let registry = Registry::new();
    requests(&registry);
    let error = registry
        .counter("requests_total", "Requests")
        .labels::<[Text; 2]>(["path", "method"])
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("requests_total{path}") && text.contains("{path,method}"),
        "{text}"
    );
    let error = registry
        .float_counter("requests_total", "")
        .labels::<[Text; 1]>(["path"]);
    assert!(
        matches!(error, Err(DeclareError::Clash { .. })),
        "u64 and f64 are not one counter"
    );
}

#[test]
fn bad_declarations_are_errors() {
    let registry = Registry::new();
    assert!(matches!(
        registry.counter("requests", "").build(),
        Err(DeclareError::Metric { .. })
    ));
    assert!(
        registry
            .histogram("a_seconds", "")
            .buckets(&[2.0, 1.0])
            .build()
            .is_err()
    );
    let error = registry
        .gauge("a", "")
        .labels::<[Text; 2]>(["x", "x"])
        .unwrap_err();
    assert!(error.to_string().contains("occurs twice"));
    assert!(
        registry.own_families().is_empty(),
        "a refused declaration leaves nothing behind"
    );
}

#[test]
fn values_that_would_ruin_a_metric_are_counted_and_left_out() {
    let registry = Registry::new();
    let cost = registry
        .float_counter("cost_usd_total", "Cost")
        .build()
        .unwrap();
    cost.add(1.5);
    for bad in [f64::NAN, f64::INFINITY, -1.0] {
        cost.add(bad);
    }
    let latency = registry
        .histogram("latency_seconds", "Latency")
        .build()
        .unwrap();
    latency.observe(f64::NAN);
    latency.observe(0.2);
    assert!((cost.get() - 1.5).abs() < f64::EPSILON);
    assert_eq!(latency.snapshot().count(), 1);
    let rejected = |metric: &str| {
        value(
            &registry,
            "selfheal_values_rejected_total",
            &format!("metric=\"{metric}\""),
        )
    };
    assert_eq!(rejected("cost_usd_total"), Some(3.0));
    assert_eq!(rejected("latency_seconds"), Some(1.0));
}

#[test]
fn an_operator_can_change_buckets_and_switch_off() {
    let mut settings = Settings::default();
    settings.metrics.family.insert(
        "a_seconds".to_owned(),
        FamilySettings {
            buckets: Some(vec![1.0]),
            ..FamilySettings::default()
        },
    );
    settings.metrics.family.insert(
        "b_total".to_owned(),
        FamilySettings {
            enabled: false,
            ..FamilySettings::default()
        },
    );
    let registry = Registry::with_settings(settings);
    let a = registry.histogram("a_seconds", "").build().unwrap();
    assert_eq!(&*a.snapshot().bounds, [1.0]);
    assert!(
        registry.histogram("a_seconds", "").build().is_ok(),
        "declared again as it stands in the code"
    );
    registry.counter("b_total", "").build().unwrap().inc();
    assert_eq!(value(&registry, "b_total", ""), None);
}

#[test]
fn a_series_can_have_buckets_of_its_own() {
    let registry = Registry::new();
    let family: Family<Histogram, [Text; 1]> = registry
        .histogram("latency_seconds", "Latency")
        .labels(["path"])
        .unwrap();
    let slow = family.with_buckets(&["/slow"], &Arc::from([60.0])).unwrap();
    slow.observe(30.0);
    let bounds = |path| family.with(&[path]).snapshot().bounds;
    assert_eq!(*bounds("/slow"), [60.0], "whoever asks for it");
    assert_eq!(*bounds("/fast"), DEFAULT_BUCKETS);
    let error = family.with_buckets(&["/bad"], &Arc::from([2.0, 1.0]));
    assert!(matches!(error, Err(DeclareError::Metric { .. })));
    assert_eq!(family.len(), 2);
}

#[test]
fn a_group_is_declared_once_and_names_its_metrics() {
    struct Mail {
        sent: Counter,
    }
    impl Group for Mail {
        const NAME: &'static str = "mail";
        fn declare(registry: &Registry) -> Result<Self, DeclareError> {
            Ok(Self {
                sent: registry.counter("mail_sent_total", "Mails sent").build()?,
            })
        }
    }
    let registry = Registry::new();
    registry.group::<Mail>().unwrap().sent.inc();
    registry.group::<Mail>().unwrap().sent.inc();
    assert_eq!(value(&registry, "mail_sent_total", ""), Some(2.0));
    let catalog = registry.catalog();
    assert!(catalog.iter().any(|def| def.group == "mail"));
}

struct Source(fn(&mut Vec<FamilySnapshot>));

impl Collector for Source {
    fn describe(&self) -> Vec<MetricDef> {
        vec![MetricDef::new(Kind::Gauge, "depth", "Depth")]
    }
    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        (self.0)(out);
    }
}

#[test]
fn a_panicking_collector_is_skipped_and_counted() {
    let registry = Registry::new();
    registry
        .collect_from(Arc::new(Source(|_| panic!("broken"))))
        .unwrap();
    requests(&registry).inc(&["/"]);
    assert_eq!(value(&registry, "requests_total", r#"path="/""#), Some(1.0));
    assert_eq!(
        value(&registry, "selfheal_collectors_skipped_total", ""),
        Some(2.0)
    );
}

#[test]
fn a_collector_may_not_take_a_name_that_is_taken() {
    let registry = Registry::new();
    registry.gauge("depth", "Depth").build().unwrap();
    let error = registry.collect_from(Arc::new(Source(|_| {}))).unwrap_err();
    assert!(matches!(error, DeclareError::Clash { .. }));
}

#[test]
fn one_name_from_two_sources_is_one_family_without_duplicates() {
    let registry = Registry::new();
    registry
        .collect_from(Arc::new(Source(|out| {
            let def =
                MetricDef::new(Kind::Counter, "requests_total", "Requests").with_labels(["path"]);
            let series = ["/", "/b"]
                .map(|path| SeriesSnapshot::new([("path", path)], Value::Number(Number::U64(9))));
            out.push(FamilySnapshot {
                def: Arc::new(def),
                series: series.to_vec(),
            });
        })))
        .unwrap();
    requests(&registry).inc(&["/"]);
    let families = registry.gather();
    assert_eq!(families.len(), 1);
    assert_eq!(value(&registry, "requests_total", r#"path="/""#), Some(1.0));
    assert_eq!(
        value(&registry, "requests_total", r#"path="/b""#),
        Some(9.0)
    );
}

#[test]
fn declaring_while_collecting_does_not_deadlock() {
    lazy_static! {
        static ref REGISTRY: Registry = Registry::new();
    }
    REGISTRY
        .collect_from(Arc::new(Source(|_| {
            requests(&REGISTRY).inc(&["/during"]);
        })))
        .unwrap();
    held::comes_to_an_end(|| {
        assert!(value(&REGISTRY, "requests_total", r#"path="/during""#).is_some());
    });
}

/// A foreign collector: two series of one name, with labels in another order than ours.
struct Foreign(Kind);

impl Collector for Foreign {
    fn describe(&self) -> Vec<MetricDef> {
        vec![
            MetricDef::new(self.0, "shop_jobs_total", "Jobs")
                .with_labels(["a", "b"])
                .standard_name(),
        ]
    }
    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let series = [[("a", "1"), ("b", "2")], [("a", "1"), ("b", "3")]]
            .map(|labels| SeriesSnapshot::new(labels, Value::Number(Number::F64(9.0))));
        out.push(FamilySnapshot {
            def: Arc::new(self.describe().remove(0)),
            series: series.to_vec(),
        });
    }
    fn foreign(&self) -> bool {
        true
    }
}

fn shop() -> Registry {
    let mut settings = Settings::default();
    "shop".clone_into(&mut settings.namespace);
    Registry::with_settings(settings)
}

#[test]
fn a_family_that_is_not_used_keeps_its_names_from_others() {
    let registry = shop();
    registry
        .collect_from(Arc::new(Source(|out| {
            let number = Value::Number(Number::U64(9));
            out.extend(["jobs_count", "tasks_count"].map(|name| FamilySnapshot {
                def: Arc::new(MetricDef::new(Kind::Gauge, name, "Others")),
                series: vec![SeriesSnapshot::new([], number.clone())],
            }));
        })))
        .unwrap();
    let jobs: Family<Histogram, [Text; 1]> =
        registry.histogram("jobs", "Jobs").labels(["a"]).unwrap();
    for used in [false, true] {
        let names: Vec<_> = registry
            .scrape()
            .families()
            .iter()
            .map(|family| family.name().to_owned())
            .collect();
        assert!(names.contains(&"shop_tasks_count".to_owned()), "{names:?}");
        assert!(!names.contains(&"shop_jobs_count".to_owned()), "{names:?}");
        assert_eq!(names.contains(&"shop_jobs".to_owned()), used, "{names:?}");
        jobs.observe(&["1"], 1.0);
    }
}

#[test]
fn another_library_may_share_a_name_and_ours_is_exposed() {
    for foreign_first in [true, false] {
        let registry = shop();
        let ours = || {
            registry
                .counter("jobs_total", "Jobs")
                .labels::<[Text; 2]>(["b", "a"])
                .unwrap()
                .inc(&["2", "1"]);
        };
        if foreign_first {
            registry
                .collect_from(Arc::new(Foreign(Kind::Counter)))
                .unwrap();
            ours();
        } else {
            ours();
            registry
                .collect_from(Arc::new(Foreign(Kind::Counter)))
                .unwrap();
        }
        let family = registry.gather().remove(0);
        let labels: Vec<_> = family.series.iter().map(|series| &*series.labels).collect();
        assert_eq!(labels, [r#"b="2",a="1""#, r#"a="1",b="3""#]);
        assert_eq!(family.series[0].value, Value::Number(Number::U64(1)));
        assert!(registry.scrape_own().families()[0].labels_are_declared());
    }
}

#[test]
fn another_library_with_another_kind_is_an_error_whoever_comes_first() {
    let registry = shop();
    registry
        .collect_from(Arc::new(Foreign(Kind::Gauge)))
        .unwrap();
    let error = registry.counter("jobs_total", "Jobs").build().unwrap_err();
    assert!(error.to_string().contains("differs in kind"), "{error}");

    let registry = shop();
    registry.counter("jobs_total", "Jobs").build().unwrap();
    let error = registry.collect_from(Arc::new(Foreign(Kind::Gauge)));
    assert!(matches!(
        error,
        Err(DeclareError::Clash {
            difference: "kind",
            ..
        })
    ));
}

#[test]
fn a_collector_that_scrapes_its_own_registry_comes_to_an_end() {
    lazy_static! {
        static ref REGISTRY: Registry = Registry::new();
    }
    REGISTRY
        .collect_from(Arc::new(Source(|out| {
            assert!(REGISTRY.is_collecting());
            out.extend(REGISTRY.gather());
        })))
        .unwrap();
    requests(&REGISTRY).inc(&["/"]);
    assert_eq!(value(&REGISTRY, "requests_total", r#"path="/""#), Some(1.0));
    assert!(!REGISTRY.is_collecting());
    assert_eq!(
        value(&REGISTRY, "selfheal_collectors_skipped_total", ""),
        None
    );
}
