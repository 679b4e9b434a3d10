//! What series there are: those that are declared, and those that have gone.

use super::*;
use crate::catalog::{Kind, MetricDef, Native};
use crate::registry::{Collector, FamilySnapshot, Number, SeriesSnapshot, Value};

/// What a rule of another exporter asks of a name that both have.
#[tokio::test(start_paused = true)]
async fn the_report_knows_the_labels_of_what_was_declared() {
    let config = Config::new()
        .namespace("shop")
        .global_label("region", "north");
    let heal = Selfheal::new(config).unwrap();
    let registry = heal.registry();
    let took = registry
        .histogram("took_seconds", "")
        .native(Native::growth(1.5))
        .only("method", &["GET"])
        .labels::<[Text; 2]>(["method", "path"]);
    took.unwrap().observe(&["GET", "/"], 0.1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.yml");
    let exprs = [
        (
            r#"shop_took_seconds_bucket{le="5", path=~"/.*", region="north"}"#,
            "evaluated here",
        ),
        (
            r#"shop_took_seconds_count{method="other"}"#,
            "evaluated here",
        ),
        (r#"shop_took_seconds{path="/"}"#, "evaluated here"),
        (
            r#"shop_took_seconds_sum{le="5"}"#,
            "(labels here: method, path, region)",
        ),
        (
            r#"shop_took_seconds_count{handler="/"}"#,
            "(labels here: method, path, region)",
        ),
        (
            r#"shop_took_seconds_count{method="get"}"#,
            "(values here: GET, other)",
        ),
        (
            r#"took_seconds_count{path="/"}"#,
            "no such series here: took_seconds_count",
        ),
    ];
    let rules = exprs.map(|(expr, _)| format!("  - {{alert: A, expr: '{expr} > 0'}}\n"));
    let text = format!("groups:\n- name: g\n  rules:\n{}", rules.concat());
    std::fs::write(&path, text).unwrap();
    let report = heal.rules(&path).install().unwrap().report().to_string();
    for ((expr, end), line) in exprs.iter().zip(report.lines().skip(1)) {
        assert!(line.ends_with(end), "{expr}: {line}");
    }
    assert_eq!(report.lines().count(), exprs.len() + 1);
}

/// The mount points of a machine, of which one can go.
struct Mounts(Arc<AtomicBool>);

impl Collector for Mounts {
    fn describe(&self) -> Vec<MetricDef> {
        vec![MetricDef::new(Kind::Gauge, "mount_free", "").with_labels(["mount"])]
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let mounts = if self.0.load(SeqCst) {
            &["/", "/usb"][..]
        } else {
            &["/"]
        };
        let series = mounts
            .iter()
            .map(|mount| SeriesSnapshot::new([("mount", *mount)], Value::Number(Number::U64(1))));
        out.push(FamilySnapshot {
            def: Arc::new(self.describe().remove(0)),
            series: series.collect(),
        });
    }
}

/// What a tick no longer has ends with it, instead of being read for five more minutes.
#[tokio::test(start_paused = true)]
async fn a_collectors_series_that_goes_and_what_had_other_labels_end_at_once() {
    let bench = Bench::new();
    let plugged = Arc::new(AtomicBool::new(true));
    let mounts = Arc::new(Mounts(Arc::clone(&plugged)));
    bench.heal.registry().collect_from(mounts).unwrap();
    let count = async |selector: &str| {
        let answer = bench.heal.query(&format!("count({selector})")).await;
        match answer.unwrap().result {
            QueryResult::Vector(found) => found.first().and_then(|one| one.value.as_float()),
            other => panic!("{other:?}"),
        }
    };
    count("mount_free").await;
    seconds(20).await;
    assert_eq!(count("mount_free").await, Some(2.0));
    assert_eq!(count("up").await, Some(1.0));
    let path = bench.write("  - {alert: Many, expr: count(up) > 1}\n");
    let rules = bench.heal.rules(&path).target("job", "shop").install();
    let rules = rules.unwrap();
    seconds(3).await;
    assert_eq!(count("up{job=\"shop\"}").await, Some(1.0));
    assert_eq!(
        count("up").await,
        Some(1.0),
        "not with and without the label"
    );
    assert_eq!(count("mount_free").await, Some(2.0));
    assert!(rules.alerts().is_empty(), "{:?}", rules.alerts());
    plugged.store(false, SeqCst);
    seconds(3).await;
    assert_eq!(count("mount_free").await, Some(1.0));
    plugged.store(true, SeqCst);
    seconds(3).await;
    assert_eq!(count("mount_free").await, Some(2.0));
}
