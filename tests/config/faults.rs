//! Every kind of fault, in the words that the user reads.

use selfheal::config::{Config, ConfigError, Faults, Origin};

use super::{load, reported};

/// Exactly one fault, with exactly these words.
fn only(text: &str, expected: &str) {
    assert_eq!(reported(Config::from_toml_str(text)), [expected], "{text}");
}

#[test]
fn names_and_labels() {
    only(
        "namespace = 'my-shop'",
        "namespace (line 1): `my-shop` cannot start a metric's name; \
         use letters, digits and `_`, and start with a letter",
    );
    only(
        "namespace = 'shop_'",
        "namespace (line 1): `shop_` ends in `_`, which would be doubled; \
         leave the last `_` off; it is added between the namespace and the name",
    );
    only(
        "namespace = '__shop'",
        "namespace (line 1): `__shop` starts with `__`, which Prometheus reserves; \
         start it with a letter",
    );
    only(
        "[global_labels]\nle = 'x'",
        "global_labels.le (line 2): `le` is set by the metrics themselves; choose another name",
    );
    only(
        "[global_labels]\n__name__ = 'x'",
        "global_labels.__name__ (line 2): names that start with `__` are reserved by Prometheus; \
         start the name with a letter",
    );
    only(
        "[global_labels]\n'a.b' = 'x'",
        "global_labels.\"a.b\" (line 2): this is not the name of a label; \
         use letters, digits and `_`, and start with a letter",
    );
    only(
        "global_labels.env = ''",
        "global_labels.env (line 1): an empty value is the same as no label; \
         give a value or leave the label out",
    );
    only(
        "service.labels.version = '1'",
        "service.labels.version (line 1): `version` is set by the metrics themselves; \
         choose another name",
    );
    only(
        "global_labels.env = 'a'\nservice.labels.env = 'b'",
        "service.labels.env (line 2): this is a global label as well; keep one of the two",
    );
    let many = (0..33)
        .map(|n| format!("l{n} = 'x'\n"))
        .collect::<Vec<_>>()
        .concat();
    only(
        &format!("[global_labels]\n{many}"),
        "global_labels (line 1): 33 labels are more than 32; \
         keep those that you select or group by",
    );
}

#[test]
fn lengths() {
    for text in [
        format!("namespace = '{}'", "n".repeat(129)),
        format!("service.name = '{}'", "n".repeat(257)),
        format!("service.version = '{}'", "n".repeat(257)),
        format!("global_labels.a = '{}'", "v".repeat(257)),
        format!("service.labels.a = '{}'", "v".repeat(257)),
        format!("global_labels.{} = 'v'", "a".repeat(129)),
        format!("metrics.path = '/{}'", "p".repeat(256)),
        format!("metrics.family.{}.enabled = false", "f".repeat(129)),
        format!("http.exclude = ['/{}']", "p".repeat(1_024)),
        format!("http.exclude = [{}]", "'/p',".repeat(257)),
    ] {
        let faults = reported(Config::from_toml_str(&text));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].len() < 400, "{faults:?}");
    }
}

#[test]
fn metrics() {
    only(
        "metrics.path = 'metrics'",
        "metrics.path (line 1): `metrics` does not start with `/`; write it as `/metrics`",
    );
    only(
        "metrics.max_label_value = 15",
        "metrics.max_label_value (line 1): 15 is outside 16..=4096; \
         give how many bytes of a label value are to be kept",
    );
    only(
        "metrics.family.a_total.max_label_value = 4097",
        "metrics.family.a_total.max_label_value (line 1): 4097 is outside 16..=4096; \
         give how many bytes of a label value are to be kept",
    );
    only(
        &format!(
            "metrics.max_label_value = 200\nglobal_labels.a = '{}'",
            "v".repeat(201)
        ),
        "global_labels.a (line 2): 201 bytes are more than 200; \
         give a shorter value, or raise `metrics.max_label_value`",
    );
    only(
        "metrics.path = '/livez'",
        "metrics.path (line 1): `/livez` is the path of another endpoint; \
         choose another, such as `/metrics`",
    );
    only(
        "metrics.path = '/metrics?x={y}'",
        "metrics.path (line 1): `/metrics?x={y}` is not a plain path of at most 256 characters; \
         use letters, digits, `-`, `_`, `.`, `~` and single slashes",
    );
    only(
        "metrics.max_series = 0",
        "metrics.max_series (line 1): 0 is outside 1..=100000000; give a limit in that range",
    );
    only(
        "[metrics.family.'http-requests']\nmax_series = 5",
        "metrics.family.http-requests (line 1): this is not the name of a metric; \
         use letters, digits and `_`, and start with a letter; colons may be used",
    );
    only(
        "[metrics.family.x]\nmax_series = 0",
        "metrics.family.x.max_series (line 2): 0 is outside 1..=100000000; \
         give a limit in that range, or `enabled = false`",
    );
}

#[test]
fn buckets_of_what_is_known_to_have_none() {
    only(
        "[metrics.family.x_total]\nbuckets = [1]",
        "metrics.family.x_total.buckets (line 2): a metric whose name ends in `_total` is a \
         counter, which has no buckets; leave them out, or give the name of a histogram",
    );
}

#[test]
fn native_buckets() {
    assert_eq!(
        reported(Config::from_toml_str(
            "[metrics.family.x_total.native]\n\
             growth = 1\nmax_buckets = 0\nzero_threshold = -1\nmax_zero_threshold = nan"
        )),
        [
            "metrics.family.x_total.native.growth (line 2): 1 is not a number above 1; \
             give the factor from one bound to the next, such as 1.1",
            "metrics.family.x_total.native.max_buckets (line 3): 0 is outside 1..=10000; \
             give a limit in that range, or `enabled = false`",
            "metrics.family.x_total.native.zero_threshold (line 4): -1 is not a number of 0 or \
             above; give the distance from zero, or 0",
            "metrics.family.x_total.native.max_zero_threshold (line 5): NaN is not a number of 0 \
             or above; give the distance from zero, or 0",
            "metrics.family.x_total.native (line 1): a metric whose name ends in `_total` is a \
             counter, which has no buckets; leave them out, or give the name of a histogram",
        ]
    );
}

#[test]
fn buckets() {
    only(
        "http.buckets = []",
        "http.buckets (line 1): there is no bucket; give at least one upper bound",
    );
    assert_eq!(
        reported(Config::from_toml_str(
            "[metrics.family.x]\nbuckets = [\n1,\nnan,\n0.5,\n0.5,\ninf]"
        )),
        [
            "metrics.family.x.buckets[1] (line 4): NaN is not a finite number; \
             leave it out; the bucket for all larger values always exists",
            "metrics.family.x.buckets[3] (line 6): 0.5 is not above the previous bound; \
             sort the bounds, and give each of them once",
            "metrics.family.x.buckets[4] (line 7): inf is not a finite number; \
             leave it out; the bucket for all larger values always exists",
        ]
    );
    let many: Vec<String> = (0..257).map(|n| n.to_string()).collect();
    only(
        &format!("http.buckets = [{}]", many.join(",")),
        "http.buckets (line 1): 257 buckets are more than 256; \
         keep the bounds that your objectives and graphs need",
    );
}

#[test]
fn http_server_and_system() {
    only(
        "http.sample_rate = 1.5",
        "http.sample_rate (line 1): 1.5 is outside 0..=1; give the share of requests to record",
    );
    only(
        "http.sample_rate = nan",
        "http.sample_rate (line 1): NaN is outside 0..=1; give the share of requests to record",
    );
    only(
        "http.exclude = ['/a', '/b?c=*']",
        "http.exclude[1] (line 1): `/b?c=*` is more than a path; \
         leave out the query and all spaces",
    );
    only(
        "http.exclude = ['*']",
        "http.exclude[0] (line 1): `*` does not start with `/`; \
         write a path such as `/health` or `/internal/*`",
    );
    only(
        "server.listen = '0.0.0.0:9898'",
        "server.listen (line 1): 0.0.0.0:9898 can be reached from other machines; \
         listen on 127.0.0.1, or set `allow_non_loopback = true` and a password",
    );
    only(
        "server.listen = '[::]:9898'\nserver.allow_non_loopback = true",
        "server.listen (line 1): [::]:9898 can be reached from other machines without credentials; \
         set `bearer_token`, `basic_auth` or `tls.client_ca`, or `allow_unauthenticated = true` if \
         the network admits only authorised readers",
    );
    only(
        "server.listen = '192.0.2.1:80'\nserver.allow_unauthenticated = true",
        "server.listen (line 1): 192.0.2.1:80 can be reached from other machines; \
         listen on 127.0.0.1, or set `allow_non_loopback = true` and a password",
    );
    only(
        "server.listen = 'localhost:9898'",
        "server.listen (line 1): `localhost:9898` is not an IP address and a port; \
         write `127.0.0.1:9898` or `[::1]:9898`",
    );
    only(
        "server.listen_also = ['127.0.0.1:1', '192.0.2.1:80']",
        "server.listen_also[1] (line 1): 192.0.2.1:80 can be reached from other machines; \
         listen on 127.0.0.1, or set `allow_non_loopback = true` and a password",
    );
    only(
        "server.listen_also = ['unix:shop.sock']",
        "server.listen_also[0] (line 1): `unix:shop.sock` is not an IP address and a port; \
         write `127.0.0.1:9898`, `[::1]:9898` or `unix:/run/shop.sock`",
    );
    only(
        "server.tls.cert = 'a.pem'",
        "server.tls.key (line 1): there is no file; give the path of a PEM file",
    );
    only(
        "server.request_timeout = '1ms'",
        "server.request_timeout (line 1): 1ms is outside 100ms..=10m; \
         give a time within which a scrape can be answered",
    );
    only(
        "server.max_connections = 0",
        "server.max_connections (line 1): 0 is outside 1..=65536; \
         give how many connections may be open at once",
    );
    only(
        "system.refresh = '10ms'",
        "system.refresh (line 1): 10ms is outside 200ms..=1h; give the maximum age of the figures",
    );
    only(
        "system.refresh = 'often'",
        "system.refresh (line 1): `often` is not a duration; \
         write a number and a unit, such as \"250ms\", \"30s\", \"5m\" or \"1h\"",
    );
}

#[test]
fn loopback_needs_no_leave() {
    for address in [
        "127.0.0.1:0",
        "127.8.8.8:1",
        "[::1]:9898",
        "[::ffff:127.0.0.1]:9898",
    ] {
        let text = format!("server.listen = '{address}'");
        assert_eq!(reported(Config::from_toml_str(&text)), [""; 0]);
    }
    let beyond = "server.listen = '0.0.0.0:9898'\nserver.allow_non_loopback = true";
    for named in [
        "server.bearer_token = 't0ken'",
        "server.basic_auth = { username = 'a', password = 'b' }",
        "server.tls = { cert = 'a', key = 'b', client_ca = 'c' }",
        "server.allow_unauthenticated = true",
    ] {
        let text = format!("{beyond}\n{named}");
        assert_eq!(reported(Config::from_toml_str(&text)), [""; 0], "{named}");
    }
}

#[test]
fn ten_faults_of_all_kinds_are_ten() {
    let text = "namespace = 'shop_'\n\
        extra = 1\n\
        [global_labels]\n\
        le = 'x'\n\
        [http]\n\
        sample_rate = 1.5\n\
        exclude = [5, 'health']\n\
        buckets = [2, 1]\n\
        [server]\n\
        listen = 'nowhere'\n\
        max_connections = 'many'\n\
        [system]\n\
        refresh = '1ms'\n\
        [healing]\n\
        timeout = 'soon'\n";
    // A list with an element of the wrong type is not checked further.
    let mut paths: Vec<String> = match Config::from_toml_str(text) {
        Err(ConfigError::Invalid(faults)) => {
            assert_eq!(faults.len(), 10, "{faults}");
            for fault in &faults {
                assert!(matches!(fault.origin, Some(Origin::Line(_))), "{fault}");
            }
            faults.into_iter().map(|fault| fault.path).collect()
        }
        other => panic!("{other:?}"),
    };
    paths.sort();
    assert_eq!(
        paths,
        [
            "extra",
            "global_labels.le",
            "healing.timeout",
            "http.buckets[1]",
            "http.exclude[0]",
            "http.sample_rate",
            "namespace",
            "server.listen",
            "server.max_connections",
            "system.refresh",
        ]
    );
}

#[test]
fn the_list_is_bounded_and_ends() {
    let unknown = (0..100_000)
        .map(|n| format!("k{n} = 1\n"))
        .collect::<Vec<_>>()
        .concat();
    let wrong = (0..90_000)
        .map(|n| format!("l{n} = 1\n"))
        .collect::<Vec<_>>()
        .concat();
    for text in [unknown, format!("[global_labels]\n{wrong}")] {
        assert!(text.len() > 900_000);
        match Config::from_toml_str(&text) {
            Err(ConfigError::Invalid(faults)) => {
                assert!(faults.len() > Faults::MAX);
                assert_eq!(faults.iter().count(), Faults::MAX);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_source_is_no_more_than_its_values() {
    assert_eq!(load("", &[]).unwrap(), Config::default());
    assert_eq!(Config::default().checked().unwrap(), Config::default());
}

#[test]
fn a_table_that_is_set_in_part_keeps_the_other_defaults() {
    let config = load("[healing.confirm]\nbad = 1", &[]).unwrap();
    assert_eq!(
        (config.healing.confirm.bad, config.healing.confirm.of),
        (1, 3)
    );
    let faults = reported(load("[healing.confirm]\nbad = 'x'", &[]));
    assert_eq!(faults.len(), 1, "{faults:?}");
}

#[test]
fn what_a_main_that_returns_the_error_prints() {
    let text = "namespace = '9 lives'\nsample = 1";
    let error = Config::from_toml_str(text).unwrap_err();
    let printed = format!("{error:?}");
    let reported = reported(Err(error));
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert_eq!(printed, format!("Invalid(\n{})", reported.join("\n")));
}
