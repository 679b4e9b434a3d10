//! The five systems that can move here: each plays its life through the public API with its
//! profile on, and has every metric of its rows by name, type, labels and value.

#![cfg(all(
    feature = "http",
    feature = "grpc",
    feature = "server",
    feature = "files",
    feature = "system"
))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

mod automation;
mod incidents;
mod luminous;
mod pipelines;
mod platform;
mod rows;
#[path = "../support/mod.rs"]
mod support;

use selfheal::Selfheal;
use selfheal::config::{Config, Server, Service, System};

/// The configuration of a system: one word, and what makes a test repeatable.
fn config(profile: &str) -> Config {
    let service = Service::new("system")
        .version("1.2.3")
        .label("pod", "pod-1");
    Config::new()
        .profile(profile)
        .service(service)
        .system(System::new().enabled(false))
        .server(Server::new().listen(([127, 0, 0, 1], 0).into()))
}

/// Figures of a machine as they are wanted, for as long as the sampler lives.
fn machine(heal: &Selfheal) -> selfheal::collect::SystemSampler {
    let sampler = selfheal::collect::system(heal.registry(), heal.clock()).unwrap();
    let mut sampler = sampler.source(|| {
        let mut sample = selfheal::collect::SystemSample::default();
        sample.cpu_usage_percent = Some(42.0);
        sample.memory_used_bytes = Some(4_000);
        sample.memory_total_bytes = Some(8_000);
        sample
    });
    sampler.refresh(heal.clock().now());
    sampler
}

#[test]
fn several_profiles_at_once_each_have_their_names() {
    let config = config("luminous_nix").profile("self_healing_platform");
    let heal = Selfheal::new(config.profile("llm_incident_manager")).unwrap();
    let _machine = machine(&heal);
    selfheal::groups::Recorder::of(&heal).model("ranker", 0.9, 0.1);
    selfheal::groups::Incident::start_in(heal.registry(), "critical").success();
    rows::assert_all(
        &heal,
        &[
            ("luminous_nix_system_cpu_usage_percent", "gauge", &[], 42.0),
            ("system_cpu_usage_percent", "gauge", &[], 42.0),
            ("cpu_usage", "gauge", &[("pod", "pod-1")], 42.0),
            ("ml_model_accuracy", "gauge", &[("model", "ranker")], 0.9),
            (
                "luminous_nix_ml_model_accuracy",
                "gauge",
                &[("model", "ranker")],
                0.9,
            ),
            (
                "llm_incident_manager_incidents_total",
                "counter",
                &[("severity", "critical")],
                1.0,
            ),
            ("luminous_nix_system_uptime_seconds", "gauge", &[], f64::NAN),
            ("system_uptime_seconds", "gauge", &[], f64::NAN),
        ],
    );
}

/// All five under a real Prometheus, which has the same values in the end.
#[tokio::test(start_paused = true)]
#[ignore = "needs a Prometheus server, which tests/all.sh brings"]
async fn a_real_prometheus_has_every_row() {
    let automation = automation::life();
    let lives = [
        ("luminous", luminous::life().await, luminous::ROWS),
        ("platform", platform::life().await, platform::ROWS),
        ("pipelines", pipelines::life(), pipelines::ROWS),
        ("automation", automation, automation::ROWS),
        ("incidents", incidents::life().await, incidents::ROWS),
    ];
    let mut builder = support::prometheus::Prometheus::builder();
    let mut listeners = Vec::new();
    for (job, (heal, _), _) in &lives {
        let listener = heal.listen().unwrap();
        builder = builder.job(job, listener.address());
        listeners.push(listener);
    }
    let prometheus = builder.start();
    for (job, _, rows) in &lives {
        prometheus.wait_until_up(job);
        for (name, _, labels, value) in *rows {
            let labels = labels.iter().map(|(name, value)| match *name {
                // OpenMetrics writes bounds with a `.0`, and Prometheus 2 keeps bounds as sent.
                "le" => format!(",le=~\"{value}|{value}.0\""),
                name => format!(",{name}=\"{value}\""),
            });
            let labels: String = labels.collect();
            let found = prometheus.value(&format!("sum({name}{{job=\"{job}\"{labels}}})"));
            let found = found.unwrap_or_else(|| panic!("{name} is not there"));
            assert!(
                value.is_nan() || (found - value).abs() < 1e-9,
                "{name}: {found}, not {value}"
            );
        }
    }
}
