//! Settings in code.

use std::time::Duration;

use selfheal::config::{
    Approval, Assets, Backoff, Budget, Budgets, ByRisk, Config, ConfigError, Confirm, Escalation,
    FamilySettings, Flap, HealingPolicy, Http, Limits, Metrics, Mode, Modes, Objective, Override,
    Recurrence, Service, Severity, Storm, Verify,
};

#[test]
fn faults_of_code_have_no_place() {
    let config = Config::new()
        .namespace("1st")
        .http(Http::new().sample_rate(1.5));
    let Err(ConfigError::Invalid(faults)) = config.checked() else {
        panic!("this cannot be right");
    };
    assert_eq!(
        faults.to_string(),
        "namespace: `1st` cannot start a metric's name; \
         use letters, digits and `_`, and start with a letter\n\
         http.sample_rate: 1.5 is outside 0..=1; give the share of requests to record"
    );
    let error = ConfigError::Invalid(faults).to_string();
    assert!(
        error.starts_with("the configuration has 2 fault(s):\nnamespace: "),
        "{error}"
    );
}

#[test]
fn the_own_endpoints_are_excluded_wherever_they_are() {
    let config = Config::new()
        .metrics(Metrics::new().path("/internal/metrics"))
        .http(Http::new().exclude("/static/*"));
    assert_eq!(
        config.excluded_paths(),
        [
            "/static/*",
            "/internal/metrics",
            "/health",
            "/livez",
            "/readyz"
        ]
    );
    let config = Config::new().http(Http::new().exclude_endpoints(false));
    assert_eq!(config.excluded_paths(), [""; 0]);
}

#[test]
fn the_service_is_named_after_the_namespace() {
    let config = Config::new().namespace("shop");
    assert_eq!(config.service_name(), "shop");
    assert_eq!(config.service(Service::new("Shop")).service_name(), "Shop");
}

#[test]
fn the_label_limit_of_a_family() {
    let metrics = Metrics::new()
        .max_label_value(200)
        .family("other", FamilySettings::new())
        .family("long", FamilySettings::new().max_label_value(1_000));
    assert_eq!(
        ["long", "other", "none"].map(|family| metrics.label_limit(family)),
        [1_000, 200, 200]
    );
    assert_eq!(Metrics::new().label_limit("any"), 256);
}

#[test]
fn the_series_limit_of_a_family() {
    let metrics = Metrics::new()
        .max_series_per_family(100)
        .max_series(1_000)
        .family("small", FamilySettings::new().max_series(5))
        .family("large", FamilySettings::new().max_series(5_000));
    assert_eq!(
        ["small", "large", "other"].map(|family| metrics.series_limit(family)),
        [5, 1_000, 100]
    );
}

#[test]
fn a_policy_is_built_in_one_expression_as_its_siblings_are() {
    let second = Duration::from_secs(1);
    let budget = Budget::new(2, Duration::from_secs(60));
    let policy = HealingPolicy::new()
        .dry_run(true)
        .modes(
            Modes::new()
                .reversible(Mode::Approval)
                .disruptive(Mode::Run)
                .destructive(Mode::DryRun),
        )
        .override_mode(
            Override::new(Mode::Run)
                .component("cache")
                .issue_type("stale"),
        )
        .min_confidence(
            ByRisk::new()
                .reversible(0.1)
                .disruptive(0.3)
                .destructive(0.5),
        )
        .detect_every(second)
        .confirm(Confirm::of(3, 4))
        .clear(3)
        .settle(second)
        .timeout(second)
        .grace(second)
        .attempts(4)
        .backoff(
            Backoff::new()
                .base(second * 2)
                .cap(second * 4)
                .reset_after(second),
        )
        .budget(
            Budgets::new()
                .component(budget)
                .global(budget)
                .kept_per_severity(0.2)
                .kept_for_unspent(0.3),
        )
        .intensity(budget)
        .retry_every(second)
        .max_running(2)
        .max_zombies(2)
        .verify(Verify::new().timeout(second).tries(2).every(second * 2))
        .storm(Storm::new().share(0.6).min_components(6).hold(second))
        .ramp(second)
        .flap(Flap::new().heals(4).window(second))
        .recurrence(Recurrence::new().heals(6).window(second))
        .approval(Approval::new().expires(second))
        .patience(second)
        .escalation(
            Escalation::new()
                .severity(Severity::Error)
                .not_ready_after(second)
                .exit_after(second * 2)
                .exits(budget),
        )
        .ageing(second)
        .limits(
            Limits::new()
                .open(1_001)
                .open_per_engine(1_002)
                .engines(1_004)
                .components(1_005)
                .keys(1_006)
                .mutes(1_007)
                .alerts(1_008)
                .series(1_009),
        );
    // Every value differs from the default: no setter is missing or sets another field.
    let json = |policy: &HealingPolicy| serde_json::to_value(policy).unwrap();
    let (ours, default) = (json(&policy), json(&HealingPolicy::new()));
    let mut same = Vec::new();
    unchanged("", &default, &ours, &mut same);
    assert_eq!(same, [""; 0]);
    assert_eq!(policy.escalation.exit_after, Some(second * 2));
    assert_eq!(policy.limits.series, 1_009);
}

#[test]
fn every_setting_of_the_assets_has_a_setter() {
    let second = Duration::from_secs(1);
    let assets = Assets::new()
        .scrape_interval(second)
        .window(second * 4)
        .target("shop:9898")
        .https(true)
        .native_histograms(true)
        .alertmanager("alerts:9093")
        .retention(second * 86_400)
        .retention_size("50GB")
        .remote_write("https://store/write")
        .runbooks("https://wiki/runbooks")
        .webhook("https://shop/alerts")
        .webhook_alert("FileCorrupted")
        .slack("#alerts")
        .pagerduty(true)
        .email("ops@example.org", "mail:587")
        .kubernetes_namespace("stack")
        .image("registry/shop:1")
        .objective(
            "fast",
            Objective::new(99.0).seconds(0.5).selector("path=\"/\""),
        );
    let json = |assets: &Assets| serde_json::to_value(assets).unwrap();
    let mut same = Vec::new();
    unchanged("", &json(&Assets::new()), &json(&assets), &mut same);
    assert_eq!(same, [""; 0]);
    assert!(Config::new().assets(assets).checked().is_ok());
}

/// The paths of the fields that are the same in both.
fn unchanged(path: &str, a: &serde_json::Value, b: &serde_json::Value, out: &mut Vec<String>) {
    match (a.as_object(), b.as_object()) {
        (Some(a), Some(b)) => {
            for (name, value) in a {
                unchanged(&format!("{path}.{name}"), value, &b[name], out);
            }
        }
        _ if a == b => out.push(path.to_owned()),
        _ => {}
    }
}

#[test]
fn a_profile_is_a_word_and_an_unknown_one_a_fault_with_the_nearest() {
    let reported = Config::new()
        .profile("luminous-nix")
        .profile("pipeline_guard")
        .profile("pipeline_guard")
        .profile("kubernetes")
        .checked();
    let reported = reported.unwrap_err().to_string();
    for part in [
        "profiles: `luminous-nix` is not a profile; did you mean `luminous_nix`?",
        "profiles: `pipeline_guard` occurs twice; leave one out",
        "profiles: `kubernetes` is not a profile; the profiles are `luminous_nix`, ",
    ] {
        assert!(reported.contains(part), "{reported}");
    }
    let namespace = |config: Config| config.checked().unwrap().namespace_in_force().to_owned();
    let guard = || Config::new().profile("pipeline_guard");
    assert_eq!(namespace(guard()), "");
    assert_eq!(namespace(guard().profile("luminous_nix")), "luminous_nix");
    assert_eq!(
        namespace(guard().profile("luminous_nix").namespace("shop")),
        "shop"
    );
    let by_env =
        Config::new().overlay_env([("SELFHEAL_PROFILES", "llm_incident_manager, pipeline_guard")]);
    assert_eq!(by_env.unwrap().service_name(), "llm_incident_manager");
}
