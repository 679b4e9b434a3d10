//! Foreign parts of the environment: Kubernetes' service links, and quotes meant for a shell.

use selfheal::config::{Config, Secret, Server};

use super::{load, reported};

/// The variables of Kubernetes for a Service with one named port, in capitals and `_` for `-`.
fn links(service: &str) -> Vec<(String, String)> {
    [
        ("SERVICE_HOST", "10.96.7.1"),
        ("SERVICE_PORT", "9898"),
        ("SERVICE_PORT_HTTP", "9898"),
        ("PORT", "tcp://10.96.7.1:9898"),
        ("PORT_9898_TCP", "tcp://10.96.7.1:9898"),
        ("PORT_9898_TCP_PROTO", "tcp"),
        ("PORT_9898_TCP_PORT", "9898"),
        ("PORT_9898_TCP_ADDR", "10.96.7.1"),
    ]
    .map(|(end, value)| (format!("{service}_{end}"), value.to_owned()))
    .to_vec()
}

#[test]
fn service_links_are_no_settings() {
    for service in [
        "SELFHEAL",
        "SELFHEAL_SERVER",
        "SELFHEAL_METRICS",
        "SELFHEAL_SERVICE",
        "SELFHEAL_HTTP_V2",
    ] {
        let config = Config::new().overlay_env(links(service));
        assert_eq!(config.unwrap(), Config::default(), "{service}");
    }
}

#[test]
fn settings_that_look_like_links_are_settings() {
    let config = load(
        "",
        &[
            ("SELFHEAL_GLOBAL_LABELS__SERVICE_HOST", "10.96.7.1"),
            ("SELFHEAL_SERVICE__LABELS__DB_PORT", "tcp://10.96.7.1:5432"),
        ],
    )
    .unwrap();
    assert_eq!(config.global_labels["service_host"], "10.96.7.1");
    assert_eq!(config.service.labels["db_port"], "tcp://10.96.7.1:5432");
}

#[test]
fn hints_name_settings_that_exist() {
    let hint = |name: &str| {
        let faults = reported(load("", &[(name, "x")]));
        assert_eq!(faults.len(), 1, "{faults:?}");
        let (_, hint) = faults[0].split_once("; ").unwrap();
        hint.to_owned()
    };
    for (name, meant) in [
        ("SELFHEAL_SERVER_LISTEN", "SELFHEAL_SERVER__LISTEN"),
        ("SELFHEAL_SERVR__LISTN", "SELFHEAL_SERVER__LISTEN"),
        (
            "SELFHEAL_HTPP__SAMPLE_RATE__X",
            "SELFHEAL_HTTP__SAMPLE_RATE",
        ),
        (
            "SELFHEAL_HEALING_STORM_SHARE",
            "SELFHEAL_HEALING__STORM__SHARE",
        ),
        ("SELFHEAL_GLOBAL_LABELS_ENV", "SELFHEAL_GLOBAL_LABELS__ENV"),
        (
            "SELFHEAL_METRICS_FAMILY_X__BUCKETS",
            "SELFHEAL_METRICS__FAMILY__X__BUCKETS",
        ),
        (
            "SELFHEAL_SERVR__BEARER_TOKEN",
            "SELFHEAL_SERVER__BEARER_TOKEN",
        ),
        (
            "SELFHEAL_SERVR__BEARER_TOKEN__FILE",
            "SELFHEAL_SERVER__BEARER_TOKEN__FILE",
        ),
        (
            "SELFHEAL_BASIC_AUTH__USERNAME",
            "SELFHEAL_SERVER__BASIC_AUTH__USERNAME",
        ),
        ("SELFHEAL_LISTEN", "SELFHEAL_SERVER__LISTEN"),
    ] {
        assert_eq!(hint(name), format!("did you mean `{meant}`?"), "{name}");
    }
    for (name, section, key) in [
        ("SELFHEAL_SERVER_PORT", "server", "listen"),
        ("SELFHEAL_HTPP", "http", "sample_rate"),
        ("SELFHEAL_HTPP__COLOUR", "http", "sample_rate"),
        ("SELFHEAL_SERVER__STORM__COLOUR", "healing.storm", "share"),
        (
            "SELFHEAL_METRIC__FAMILY__X__COLOUR",
            "metrics.family.x",
            "buckets",
        ),
    ] {
        let hint = hint(name);
        assert!(
            hint.starts_with(&format!("the keys of `{section}` are ")),
            "{hint}"
        );
        assert!(hint.contains(&format!("`{key}`")), "{hint}");
    }
    assert!(hint("SELFHEAL_PORT").starts_with("the keys here are `namespace`"));
}

#[test]
fn a_value_in_quotes_is_a_fault_for_every_type() {
    for (name, value, path) in [
        ("NAMESPACE", "shop", "namespace"),
        ("GLOBAL_LABELS__ENV", "prod", "global_labels.env"),
        ("GLOBAL_LABELS", "env=prod", "global_labels"),
        ("SERVICE__VERSION", "1.2.3", "service.version"),
        ("SERVICE__VERSION", "", "service.version"),
        ("METRICS__GZIP", "true", "metrics.gzip"),
        ("METRICS__PATH", "/metrics", "metrics.path"),
        ("METRICS__MAX_SERIES", "5000", "metrics.max_series"),
        (
            "METRICS__FAMILY__X__EXPIRE_AFTER",
            "5m",
            "metrics.family.x.expire_after",
        ),
        ("HTTP__SAMPLE_RATE", "0.5", "http.sample_rate"),
        ("HTTP__BUCKETS", "1,2", "http.buckets"),
        ("HTTP__EXCLUDE", "/a", "http.exclude"),
        ("SERVER__LISTEN", "127.0.0.1:0", "server.listen"),
        ("SERVER__REQUEST_TIMEOUT", "5s", "server.request_timeout"),
        ("SERVER__BEARER_TOKEN", "sesame", "server.bearer_token"),
        (
            "SERVER__BEARER_TOKEN__FILE",
            "/run/token",
            "server.bearer_token.file",
        ),
        (
            "HEALING__MODES__DISRUPTIVE",
            "run",
            "healing.modes.disruptive",
        ),
        ("JOURNAL__PATH", "/var/lib/shop", "journal.path"),
        ("JOURNAL__FSYNC", "never", "journal.fsync"),
    ] {
        for quote in ['"', '\''] {
            let name = format!("SELFHEAL_{name}");
            let faults = reported(load("", &[(&name, &format!("{quote}{value}{quote}"))]));
            assert_eq!(faults.len(), 1, "{name}: {faults:?}");
            let start = format!("{path} ({name}): the value contains the quotes around it");
            assert!(faults[0].starts_with(&start), "{faults:?}");
            assert!(faults[0].contains("leave the quotes out"), "{faults:?}");
            assert!(
                value.len() < 5 || !faults[0].contains("sesame"),
                "{faults:?}"
            );
        }
    }
}

#[test]
fn a_part_in_quotes_is_named_by_its_place() {
    let faults = reported(load(
        "",
        &[
            ("SELFHEAL_HTTP__EXCLUDE", "/a,\"/b\",'/c'"),
            ("SELFHEAL_GLOBAL_LABELS", "env='prod', team=core"),
        ],
    ));
    let paths: Vec<_> = faults
        .iter()
        .filter_map(|fault| fault.split(' ').next())
        .collect();
    assert_eq!(
        paths,
        ["global_labels.env", "http.exclude[1]", "http.exclude[2]"],
        "{faults:?}"
    );
    // Quotes at one end, or within the value, are intended.
    let config = load("", &[("SELFHEAL_SERVICE__LABELS", "motto=it's, size=5\"")]).unwrap();
    assert_eq!(config.service.labels["size"], "5\"");
}

#[test]
fn a_secret_in_quotes_is_a_fault_that_does_not_show_it() {
    for word in ["\"sesame\"", "'sesame'"] {
        let variables = [
            ("SELFHEAL_SERVER__BEARER_TOKEN__ENV", "WORD"),
            ("WORD", word),
        ];
        let faults = reported(load("", &variables));
        assert_eq!(faults.len(), 1, "{faults:?}");
        let start = "server.bearer_token (SELFHEAL_SERVER__BEARER_TOKEN__ENV): \
                     the environment variable `WORD`: the value contains the quotes around it";
        assert!(faults[0].starts_with(start), "{faults:?}");
        assert!(!faults[0].contains("sesame"), "{faults:?}");
        // A string in code or TOML is taken literally.
        let server = Server::new().bearer_token(Secret::new(word));
        assert!(Config::new().server(server).checked().is_ok());
    }
}
