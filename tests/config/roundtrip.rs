//! A written configuration is read back, and no text makes the loader panic.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use selfheal::catalog::Native;
use selfheal::config::{
    Assets, Config, FamilySettings, HealingPolicy, Http, Loader, Metrics, Mode, Objective,
    Override, Secret, Server, Service, System, Tls,
};

use super::load;

const VARIABLES: [(&str, &str); 2] = [("WORD_A", "sesame"), ("WORD_B", "simsim")];

fn secret() -> impl Strategy<Value = Secret> {
    prop_oneof![
        Just(Secret::from_env("WORD_A")),
        Just(Secret::from_env("WORD_B"))
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{1,20}", "\\PC{1,20}", "[\\\\\"'\n\t#=]{1,10}"]
}

fn buckets() -> impl Strategy<Value = Vec<f64>> {
    vec(-1e9..1e9_f64, 1..20).prop_map(|mut bounds| {
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        bounds
    })
}

fn duration(least: u64, most: u64) -> impl Strategy<Value = Duration> {
    (least..most, 0..1_000_u32)
        .prop_map(|(ms, ns)| Duration::from_millis(ms) + Duration::from_nanos(ns.into()))
}

fn native() -> impl Strategy<Value = Native> {
    let flags = (any::<bool>(), any::<bool>());
    (flags, 1.001..10.0_f64, 1..=10_000_u32, 0.0..1.0_f64).prop_map(
        |((enabled, classic), growth, max_buckets, threshold)| {
            Native::growth(growth)
                .enabled(enabled)
                .classic(classic)
                .max_buckets(max_buckets)
                .zero_threshold(threshold)
                .max_zero_threshold(2.0 * threshold)
        },
    )
}

fn metrics() -> impl Strategy<Value = Metrics> {
    let family = (
        any::<bool>(),
        proptest::option::of(buckets()),
        proptest::option::of(1..1_000_usize),
        proptest::option::of(duration(0, 1_000_000)),
        proptest::option::of(native()),
    )
        .prop_map(|(enabled, buckets, series, idle, native)| {
            let mut family = FamilySettings::new().enabled(enabled);
            (family.buckets, family.max_series) = (buckets, series);
            (family.expire_after, family.native) = (idle, native);
            family
        });
    let families = btree_map("[a-z:][a-z0-9_:]{0,10}", family, 0..4);
    (families, "/[a-z.-]{1,8}x", 1..100_000_usize, any::<bool>()).prop_map(
        |(families, path, series, gzip)| {
            let metrics = Metrics::new().path(path).max_series(series).gzip(gzip);
            families
                .into_iter()
                .fold(metrics, |all, (name, family)| all.family(name, family))
        },
    )
}

fn http() -> impl Strategy<Value = Http> {
    (
        vec("/[a-z]{1,8}(/\\*)?", 0..4),
        0.0..=1.0_f64,
        buckets(),
        any::<bool>(),
    )
        .prop_map(|(exclude, rate, buckets, own)| {
            let http = Http::new()
                .sample_rate(rate)
                .buckets(buckets)
                .exclude_endpoints(own);
            exclude.into_iter().fold(http, Http::exclude)
        })
}

fn server() -> impl Strategy<Value = Server> {
    let auth = proptest::option::of(("[a-z ]{1,8}", secret()));
    let token = proptest::option::of(secret());
    let address = (any::<[u8; 4]>(), any::<u16>());
    (
        address,
        duration(100, 600_000),
        1..65_536_usize,
        auth,
        token,
    )
        .prop_map(|((ip, port), timeout, connections, auth, token)| {
            let mut server = Server::new()
                .listen(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(ip)), port))
                .allow_non_loopback(true)
                .allow_unauthenticated(true)
                .protect_probes(timeout.subsec_millis() % 2 == 0)
                .request_timeout(timeout)
                .max_connections(connections);
            if let Some((username, password)) = auth {
                server = server.basic_auth(username, password);
            }
            server.bearer_token = token;
            if port % 2 == 0 {
                server = server.tls(Tls::new("cert.pem", "key.pem").client_ca("ca.pem"));
            }
            let known = server.basic_auth.is_some() || server.bearer_token.is_some();
            server.control(known && connections % 2 == 0)
        })
}

fn healing() -> impl Strategy<Value = HealingPolicy> {
    let mode = prop_oneof![Just(Mode::Run), Just(Mode::Approval), Just(Mode::DryRun)];
    let overrides = vec((text(), proptest::option::of(text()), mode.clone()), 0..3);
    (
        overrides,
        mode,
        duration(1, 1_000_000),
        0.0..=1.0_f64,
        any::<bool>(),
    )
        .prop_map(|(overrides, mode, settle, share, dry_run)| {
            let mut policy = HealingPolicy::default();
            policy.overrides = overrides
                .into_iter()
                .map(|(component, issue_type, mode)| Override {
                    component: Some(component),
                    issue_type,
                    mode,
                })
                .collect();
            policy.modes.disruptive = mode;
            policy.settle = settle;
            policy.storm.share = share;
            policy.dry_run = dry_run;
            policy
        })
}

fn assets() -> impl Strategy<Value = Assets> {
    let objective = (1.0..99.9_f64, proptest::option::of(0.001..10.0_f64), text()).prop_map(
        |(percent, seconds, selector)| {
            let mut objective = Objective::new(percent).selector(selector);
            objective.seconds = seconds;
            objective
        },
    );
    (
        duration(100, 120_000),
        vec("[a-z]{1,8}:[1-9][0-9]{0,3}", 0..4),
        any::<bool>(),
        "(https://[a-z]{1,8}/[a-z]{0,8})?",
        btree_map("[a-z ]{1,8}", objective, 0..3),
    )
        .prop_map(|(interval, targets, https, webhook, objectives)| {
            let assets = Assets::new()
                .scrape_interval(interval)
                .window(interval * 4)
                .https(https)
                .webhook(webhook);
            let assets = targets.into_iter().fold(assets, Assets::target);
            objectives
                .into_iter()
                .fold(assets, |all, (name, objective)| {
                    all.objective(name, objective)
                })
        })
}

fn config() -> impl Strategy<Value = Config> {
    let service = (
        text(),
        proptest::option::of(text()),
        btree_map("s[a-z]{0,8}", text(), 0..4),
        any::<bool>(),
    )
        .prop_map(|(name, version, labels, wait)| {
            let mut service = Service::new(name).wait_until_serving(wait);
            (service.version, service.labels) = (version, labels);
            service
        });
    let system = (any::<bool>(), duration(200, 3_600_000))
        .prop_map(|(on, refresh)| System::new().enabled(on).refresh(refresh));
    let top = (
        "([a-z]{1,8})?",
        proptest::sample::subsequence(selfheal::config::PROFILES.to_vec(), 0..=5),
        btree_map("g[a-zA-Z0-9_]{0,8}", text(), 0..5),
    );
    let top = (top, assets());
    (top, service, metrics(), http(), server(), system, healing()).prop_map(
        |(
            ((namespace, profiles, labels), assets),
            service,
            metrics,
            http,
            server,
            system,
            healing,
        )| {
            let mut config = Config::new()
                .namespace(namespace)
                .service(service)
                .metrics(metrics)
                .http(http)
                .server(server)
                .system(system)
                .healing(healing)
                .assets(assets);
            config.profiles = profiles.into_iter().map(str::to_owned).collect();
            config.global_labels = labels;
            config
        },
    )
}

proptest! {
    #[test]
    fn a_valid_configuration_survives_toml_and_the_environment(config in config()) {
        let config = config.overlay_env(VARIABLES).unwrap();
        let written = toml::to_string(&config).unwrap();
        let read = load(&written, &VARIABLES).unwrap();
        prop_assert_eq!(&read, &config);
        prop_assert_eq!(toml::to_string(&read).unwrap(), written.clone());
        // By serde alone, as part of a larger file, where secrets are still to be read.
        let by_serde: Config = toml::from_str(&written).unwrap();
        prop_assert_eq!(Loader::new().base(by_serde).env(VARIABLES).load().unwrap(), config);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-z_.\\[\\]={}'\",0-9\n# -]{0,200}") {
        let _ = Config::from_toml_str(&text);
    }

    #[test]
    fn no_value_of_any_type_makes_it_panic(
        key in proptest::sample::select(vec![
            "namespace", "profiles", "global_labels", "service", "metrics.family", "metrics.family.x.buckets",
            "metrics.family.x.native", "metrics.family.x.native.growth",
            "http.exclude", "http.sample_rate", "server.listen", "server.basic_auth",
            "server.bearer_token", "system.refresh", "healing", "healing.overrides",
            "healing.confirm", "healing.modes.disruptive", "assets", "assets.targets", "assets.objective.a",
        ]),
        value in proptest::sample::select(vec![
            "1", "-1", "1.5", "nan", "-inf", "true", "''", "'x'", "[]", "[1, 'x', []]", "{}",
            "{ a = 1 }", "{ run = 1 }", "[{}]", "1979-05-27", "9223372036854775807",
        ]),
    ) {
        let _ = Config::from_toml_str(&format!("{key} = {value}"));
    }

    #[test]
    fn no_environment_makes_it_panic(
        variables in btree_map("SELFHEAL_([A-Z]{1,5}_{0,3}){0,4}|SELFHEAL_(HTTP|SERVER|METRICS__FAMILY)(__[A-Z_]{1,8}){0,3}", ".{0,12}", 0..6),
    ) {
        let _ = Config::new().overlay_env(variables);
    }
}
