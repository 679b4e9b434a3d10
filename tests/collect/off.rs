//! Families that the configuration switches off, whoever yields them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use selfheal::catalog::{Kind, MetricDef};
use selfheal::config::{FamilySettings, Metrics, System};
use selfheal::groups::LlmCall;
use selfheal::registry::{
    Collector, FamilySnapshot, Number, Registry, SeriesSnapshot, Settings, Value,
};
use selfheal::testing::{Reading, assert_absent, assert_value, value};
use selfheal::util::Clock;
use selfheal::{Config, Selfheal};

fn off(names: &[&str]) -> Config {
    let metrics = names.iter().fold(Metrics::new(), |metrics, name| {
        metrics.family(*name, FamilySettings::new().enabled(false))
    });
    Config::new().namespace("shop").metrics(metrics)
}

fn families(heal: &Selfheal) -> Vec<String> {
    let scrape = heal.registry().scrape();
    let families = scrape.families().iter();
    families.map(|family| family.name().to_owned()).collect()
}

#[test]
fn what_collectors_yield_can_be_switched_off_one_by_one() {
    let names = [
        "process_start_time_seconds",
        "uptime_seconds",
        "build_info",
        "system_health_score",
    ];
    // Background samples may arrive later in one of the two.
    let handle = |config: Config| {
        let config = config.system(System::new().enabled(false));
        Selfheal::new(config).unwrap()
    };
    let all = families(&handle(off(&[])));
    let heal = handle(off(&names));
    let left = families(&heal);
    let gone: Vec<_> = all.iter().filter(|name| !left.contains(name)).collect();
    assert_eq!(
        gone,
        [
            "process_start_time_seconds",
            "shop_build_info",
            "shop_system_health_score",
            "shop_uptime_seconds",
        ]
    );
    assert!(left.iter().any(|name| name == "shop_uptime_seconds_total"));
    assert!(
        heal.unused_settings().is_empty(),
        "{}",
        heal.unused_settings()
    );
}

#[derive(Default)]
struct Load {
    asked: AtomicU64,
}

impl Collector for Load {
    fn describe(&self) -> Vec<MetricDef> {
        vec![MetricDef::new(Kind::Gauge, "load_ratio", "Load").with_labels(["core"])]
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let core =
            |core: &str| SeriesSnapshot::new([("core", core)], Value::Number(Number::F64(0.5)));
        out.push(FamilySnapshot {
            def: Arc::new(self.describe().remove(0)),
            series: ["0", "1", "2"].map(core).into(),
        });
    }
}

fn loaded(over: FamilySettings) -> (Registry, Arc<Load>) {
    let mut settings = Settings::default();
    settings
        .metrics
        .family
        .insert("load_ratio".to_owned(), over);
    let registry = Registry::with_settings(settings);
    let load = Arc::new(Load::default());
    registry.collect_from(load.clone()).unwrap();
    (registry, load)
}

#[test]
fn a_collector_of_which_nothing_is_left_is_not_asked() {
    let mut over = FamilySettings::default();
    over.enabled = false;
    let (registry, load) = loaded(over);
    assert_eq!(Reading::of(&registry).sum("load_ratio", &[]), 0.0);
    assert_eq!(load.asked.load(Ordering::Relaxed), 0);
    // The decision at registration stays.
    registry.configure(Settings::default());
    assert_absent(&registry, "load_ratio", &[("core", "0")]);
}

#[test]
fn a_limit_holds_for_what_is_collected() {
    let mut over = FamilySettings::default();
    over.max_series = Some(1);
    let (registry, _) = loaded(over);
    let reading = Reading::of(&registry);
    assert_eq!(reading.sum("load_ratio", &[]), 0.5);
    // Two series in each of two scrapes.
    assert_value(&registry, "selfheal_collectors_skipped_total", &[], 4.0);
}

#[test]
fn a_tracker_of_what_is_switched_off_records_the_rest() {
    let heal = Selfheal::new(off(&["llm_requests_total", "llm_cost_usd_total"])).unwrap();
    let call = LlmCall::start_in(heal.registry(), "openai", "gpt-4", "completion");
    let before = Reading::of(&heal);
    call.success(12, 3, 0.5);
    LlmCall::start_in(heal.registry(), "openai", "gpt-4", "completion").success(1, 1, f64::NAN);
    let changes = Reading::of(&heal).since(&before);
    let tokens = [
        ("provider", "openai"),
        ("model", "gpt-4"),
        ("type", "input"),
    ];
    assert_eq!(changes.of("llm_tokens_total", &tokens), 13.0);
    assert!(changes.clone().only("llm_requests").is_empty(), "{changes}");
    assert!(changes.clone().only("llm_cost").is_empty(), "{changes}");
}

#[test]
fn a_name_that_no_one_declares_is_reported_after_a_while() {
    let (clock, time) = Clock::manual();
    let config = off(&["llm_requests_totl"]);
    let heal = Selfheal::with_clock(config, clock).unwrap();
    drop(LlmCall::start_in(
        heal.registry(),
        "openai",
        "gpt-4",
        "completion",
    ));
    let reported = || {
        let recent = heal.report().recent.into_iter();
        let mut own = recent.filter(|note| note.component == "configuration");
        own.next().map(|note| note.text)
    };
    assert_eq!(reported(), None, "it may still be declared");
    time.advance(Duration::from_secs(61));
    let want = "metrics.family.llm_requests_totl: no metric of this name is declared so far; \
                did you mean `llm_requests_total`?";
    assert_eq!(reported().as_deref(), Some(want));
    assert_eq!(heal.unused_settings().to_string(), want);
    let registry = heal.registry();
    assert_eq!(registry.unused_settings(), heal.unused_settings());
    assert!(value(&heal, "uptime_seconds", &[]).is_some());
}
