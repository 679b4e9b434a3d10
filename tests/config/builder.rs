//! What is set in code.

use selfheal::config::{Config, ConfigError, Family, Http, Metrics, Service};

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
         use letters, digits and `_`, and no digit first\n\
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
fn the_series_limit_of_a_family() {
    let metrics = Metrics::new()
        .max_series_per_family(100)
        .max_series(1_000)
        .family("small", Family::new().max_series(5))
        .family("large", Family::new().max_series(5_000));
    assert_eq!(
        ["small", "large", "other"].map(|family| metrics.series_limit(family)),
        [5, 1_000, 100]
    );
}
