//! The environment over a file, over a builder, alone and real.

use std::env;
use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use selfheal::config::{Config, ConfigError, FamilySettings, Fault, Http, Mode, Origin, Service};

use super::{load, reported};

#[test]
fn every_type_from_text() {
    let config = Config::new()
        .overlay_env([
            ("SELFHEAL_NAMESPACE", "shop"),
            ("SELFHEAL_GLOBAL_LABELS__ENV", "production"),
            ("SELFHEAL_SERVICE__VERSION", "1.2.3"),
            ("SELFHEAL_SERVICE__LABELS", "team=core, tier = 1"),
            ("SELFHEAL_METRICS__GZIP", "false"),
            ("SELFHEAL_METRICS__MAX_SERIES", " 5000 "),
            (
                "SELFHEAL_METRICS__FAMILY__QUEUE_WAIT_SECONDS__BUCKETS",
                "0.1, 1,10",
            ),
            ("SELFHEAL_METRICS__FAMILY__QUEUE_WAIT_SECONDS__ENABLED", "1"),
            ("SELFHEAL_HTTP__SAMPLE_RATE", "1"),
            ("SELFHEAL_HTTP__EXCLUDE", "/a,/b/*"),
            ("SELFHEAL_SERVER__LISTEN", "127.0.0.1:0"),
            ("SELFHEAL_SERVER__REQUEST_TIMEOUT", "2.5"),
            ("SELFHEAL_SYSTEM__REFRESH", "250ms"),
            ("SELFHEAL_HEALING__MODES__DISRUPTIVE", "approval"),
            ("SELFHEAL_HEALING__CONFIRM__OF", "5"),
        ])
        .unwrap();
    let mut expected = Config::new()
        .namespace("shop")
        .global_label("env", "production")
        .service(
            Service::default()
                .version("1.2.3")
                .label("team", "core")
                .label("tier", "1"),
        )
        .http(Http::new().sample_rate(1.0).exclude("/a").exclude("/b/*"));
    expected.metrics = expected.metrics.gzip(false).max_series(5_000).family(
        "queue_wait_seconds",
        FamilySettings::new().buckets([0.1, 1.0, 10.0]),
    );
    expected.server.listen.set_port(0);
    expected.server.request_timeout = Duration::from_millis(2_500);
    expected.system.refresh = Duration::from_millis(250);
    expected.healing.modes.disruptive = Mode::Approval;
    expected.healing.confirm.of = 5;
    assert_eq!(config, expected);
}

#[test]
fn an_empty_variable_is_an_empty_value() {
    let text = "namespace = 'shop'\nhttp.exclude = ['/a']\nservice.version = '1'\n\
                global_labels.a = 'b'";
    let config = load(
        text,
        &[
            ("SELFHEAL_NAMESPACE", ""),
            ("SELFHEAL_HTTP__EXCLUDE", ""),
            ("SELFHEAL_SERVICE__VERSION", ""),
            ("SELFHEAL_GLOBAL_LABELS", ""),
        ],
    );
    assert_eq!(config.unwrap(), Config::default());
    let faults = reported(load("", &[("SELFHEAL_HTTP__SAMPLE_RATE", "")]));
    assert_eq!(faults.len(), 1, "{faults:?}");
}

#[test]
fn it_wins_over_file_and_builder() {
    let text = "namespace = 'file'\n[global_labels]\nenv = 'file'\nteam = 'core'";
    let config = load(
        text,
        &[
            ("SELFHEAL_NAMESPACE", "env"),
            ("SELFHEAL_GLOBAL_LABELS__ENV", "env"),
        ],
    )
    .unwrap();
    assert_eq!(
        config,
        Config::new()
            .namespace("env")
            .global_label("env", "env")
            .global_label("team", "core")
    );

    let config = Config::new()
        .namespace("builder")
        .global_label("env", "builder")
        .overlay_env([("SELFHEAL_NAMESPACE", "env")])
        .unwrap();
    assert_eq!(
        config,
        Config::new()
            .namespace("env")
            .global_label("env", "builder")
    );
}

#[test]
fn it_mends_what_the_file_has_wrong() {
    let text = "namespace = 5\n[server]\nlisten = '0.0.0.0:1'\nhttp = 1\n";
    let faults = reported(load(
        text,
        &[
            ("SELFHEAL_NAMESPACE", "shop"),
            ("SELFHEAL_SERVER__ALLOW_NON_LOOPBACK", "true"),
            ("SELFHEAL_SERVER__BEARER_TOKEN", "t0ken"),
        ],
    ));
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("server.http (line 4): no setting has this name"));
}

#[test]
fn wrong_text_is_reported_with_the_variable() {
    assert_eq!(
        reported(load(
            "",
            &[
                ("SELFHEAL_GLOBAL_LABELS", "env"),
                ("SELFHEAL_SERVICE__LABELS__TEAM__NAME", "core"),
                ("SELFHEAL_HTTP", "on"),
                ("SELFHEAL_HTTP_SAMPLE_RATE", "0.5"),
                ("SELFHEAL_METRICS__GZIP", "yes"),
                ("SELFHEAL_METRICS__MAX_SERIES", "1e6"),
                ("SELFHEAL_SERVER__MAX_CONNECTIONS", "-1"),
                ("SELFHEAL_SYSTEM__REFRESH", "often"),
            ],
        )),
        [
            "http_sample_rate (SELFHEAL_HTTP_SAMPLE_RATE): no setting has this name; \
             did you mean `SELFHEAL_HTTP__SAMPLE_RATE`?",
            "global_labels (SELFHEAL_GLOBAL_LABELS): expected a table, found other text; \
             write `key = value` for each entry, or `key=value,…` in an environment variable",
            "http (SELFHEAL_HTTP): expected a table, found other text; \
             set its keys one by one; an environment variable has `__` before the key",
            "metrics.gzip (SELFHEAL_METRICS__GZIP): expected true or false, found other text; \
             write `true` or `false`, without quotes",
            "metrics.max_series (SELFHEAL_METRICS__MAX_SERIES): expected a whole number, found \
             other text; write it without quotes and without a decimal point, such as `64`",
            "server.max_connections (SELFHEAL_SERVER__MAX_CONNECTIONS): -1 is outside \
             0..=18446744073709551615; give a number in that range",
            "service.labels.team (SELFHEAL_SERVICE__LABELS__TEAM__NAME): expected text, found a \
             table; write it in quotes",
            "system.refresh (SELFHEAL_SYSTEM__REFRESH): `often` is not a duration; \
             write a number and a unit, such as \"250ms\", \"30s\", \"5m\" or \"1h\"",
        ]
    );
}

#[test]
fn variables_of_the_wrong_section_are_sent_to_theirs() {
    assert_eq!(
        reported(load(
            "",
            &[
                ("SELFHEAL_METRICS__NAMESPACE", "shop"),
                ("SELFHEAL_SERVER__STORM__SHARE", "0.5"),
            ],
        )),
        [
            "metrics.namespace (SELFHEAL_METRICS__NAMESPACE): no setting has this name; \
             did you mean `SELFHEAL_NAMESPACE`?",
            "server.storm.share (SELFHEAL_SERVER__STORM__SHARE): no setting has this name; \
             did you mean `SELFHEAL_HEALING__STORM__SHARE`?",
        ]
    );
}

#[test]
fn faults_of_lists_and_maps_name_the_place() {
    assert_eq!(
        reported(load(
            "",
            &[
                ("SELFHEAL_GLOBAL_LABELS", "env=prod,9=x"),
                ("SELFHEAL_HTTP__BUCKETS", "1,two,3"),
                ("SELFHEAL_HTTP__EXCLUDE", "/a,b"),
            ],
        )),
        [
            "http.buckets[1] (SELFHEAL_HTTP__BUCKETS): expected a number, found other text; \
             write it without quotes, such as `0.5`",
            "global_labels.9 (SELFHEAL_GLOBAL_LABELS): this is not the name of a label; \
             use letters, digits and `_`, and start with a letter",
            "http.exclude[1] (SELFHEAL_HTTP__EXCLUDE): `b` does not start with `/`; \
             write a path such as `/health` or `/internal/*`",
        ]
    );
}

#[test]
fn unknown_variables_all_of_them() {
    let faults = match load(
        "",
        &[
            ("SELFHEAL_", "x"),
            ("SELFHEAL_HTPP__SAMPLE_RATE", "1"),
            ("SELFHEAL_HTPP__BUCKETS", "1"),
            ("SELFHEAL_HTTP__SAMPEL_RATE", "1"),
            ("SELFHEAL_COLOUR", "red"),
            ("NOT_OURS", "x"),
        ],
    ) {
        Err(ConfigError::Invalid(faults)) => faults,
        other => panic!("{other:?}"),
    };
    let hint = |variable: &str| -> String {
        let about = |fault: &&Fault| fault.origin == Some(Origin::Variable(variable.to_owned()));
        let mut found = faults.iter().filter(about);
        let hint = found.next().map(|fault| fault.hint.clone());
        assert!(found.next().is_none(), "{faults}");
        hint.unwrap_or_else(|| panic!("{variable} is not among\n{faults}"))
    };
    assert_eq!(faults.len(), 5, "{faults}");
    assert_eq!(
        hint("SELFHEAL_HTPP__SAMPLE_RATE"),
        "did you mean `SELFHEAL_HTTP__SAMPLE_RATE`?"
    );
    assert_eq!(
        hint("SELFHEAL_HTPP__BUCKETS"),
        "did you mean `SELFHEAL_HTTP__BUCKETS`?"
    );
    assert_eq!(
        hint("SELFHEAL_HTTP__SAMPEL_RATE"),
        "did you mean `SELFHEAL_HTTP__SAMPLE_RATE`?"
    );
    assert!(hint("SELFHEAL_COLOUR").starts_with("the keys here are `namespace`"));
    assert!(hint("SELFHEAL_").contains("SELFHEAL_SECTION__KEY"));
}

#[test]
fn an_unknown_key_of_file_and_environment_is_reported_for_both() {
    let faults = reported(load("[htpp]\nx = 1", &[("SELFHEAL_HTPP__Y", "1")]));
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[0].starts_with("htpp.y (SELFHEAL_HTPP__Y): "),
        "{faults:?}"
    );
    assert!(faults[1].starts_with("htpp (line 1): "), "{faults:?}");
}

#[cfg(unix)]
#[test]
fn what_is_not_utf8_is_reported_if_it_is_ours() {
    use std::os::unix::ffi::OsStringExt;

    let bad = |start: &str| OsString::from_vec([start.as_bytes(), b"\xff"].concat());
    let result = Config::new().overlay_env([
        (OsString::from("SELFHEAL_NAMESPACE"), bad("shop")),
        (bad("SELFHEAL_X"), OsString::from("1")),
        (OsString::from("OTHER"), bad("")),
        (bad("OTHER"), OsString::from("1")),
    ]);
    let faults = reported(result);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults
            .iter()
            .all(|fault| fault.contains("the variable is not UTF-8")),
        "{faults:?}"
    );
}

/// What the child says when it has read its environment: a run of no test is a success as well.
const READ: &str = "the environment was read";

#[test]
fn the_real_environment_is_read() {
    let mut child = Command::new(env::current_exe().unwrap());
    for (variable, _) in env::vars_os() {
        if variable.to_string_lossy().starts_with("SELFHEAL_") {
            child.env_remove(variable);
        }
    }
    let output = child
        .args(["--exact", "env::in_a_child", "--ignored", "--nocapture"])
        .env("SELFHEAL_NAMESPACE", "from_the_parent")
        .env("THE_TOKEN", "sesame")
        .env("SELFHEAL_SERVER__BEARER_TOKEN__ENV", "THE_TOKEN")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains(READ), "{said}");
}

#[test]
#[ignore = "the test above runs it, with the environment that it needs"]
fn in_a_child() {
    // Running all ignored tests runs this one too, without its parent.
    if env::var_os("THE_TOKEN").is_none() {
        return;
    }
    let config = Config::from_env().unwrap();
    assert_eq!(config.namespace, "from_the_parent");
    assert!(config.server.bearer_token.unwrap().matches(b"sesame"));
    // A secret in a text without its own environment is read from the real one.
    let config = Config::from_toml_str("server.bearer_token = { env = 'THE_TOKEN' }").unwrap();
    assert!(config.server.bearer_token.unwrap().matches(b"sesame"));
    println!("{READ}");
}
