//! Each setting alone: it has an effect that can be seen, or it is reported to have none.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use http_body_util::BodyExt;
use selfheal::catalog::Native;
use selfheal::config::{Http, Loader, Server};
use selfheal::registry::{Family, Histogram, Text};
use selfheal::util::{Clock, ManualClock};
use selfheal::{Config, Selfheal};
use tower::ServiceExt;

/// What is seen of a setting in an application that takes every part of the handle.
enum Effect {
    /// Something else than without it.
    Seen,
    /// Something, in the test of this name.
    SeenIn(&'static str),
    /// Nothing: it is reported from the start on, with this reason.
    Void(&'static str),
}

use Effect::{Seen, SeenIn, Void};

struct Row {
    key: &'static str,
    value: &'static str,
    /// Settings without which this one is refused.
    beside: &'static str,
    effect: Effect,
}

const fn row(key: &'static str, value: &'static str, effect: Effect) -> Row {
    let beside = "";
    Row {
        key,
        value,
        beside,
        effect,
    }
}

const MEMORY: &str = "without `journal.path` nothing is written to a file";
const NEVER: &str = "the process is never asked to end";
const NO_LISTENER: &str = "the endpoints have no listener of their own";
const LOOPBACK: &str = "`server.listen` is reached from this machine alone";

const TLS: Effect = SeenIn("a_real_prometheus_scrapes_with_a_password_and_with_a_certificate");

static ROWS: &[Row] = &[
    row("global_labels", "{ env = \"test\" }", Seen),
    row("healing.ageing", "\"31s\"", Seen),
    row("healing.approval.expires", "\"2d\"", Seen),
    row("healing.attempts", "4", Seen),
    row("healing.backoff.base", "\"2s\"", Seen),
    row("healing.backoff.cap", "\"6m\"", Seen),
    row("healing.backoff.reset_after", "\"11m\"", Seen),
    row("healing.budget.component.max", "11", Seen),
    row("healing.budget.component.window", "\"11m\"", Seen),
    row("healing.budget.global.max", "61", Seen),
    row("healing.budget.global.window", "\"11m\"", Seen),
    row("healing.budget.kept_for_unspent", "0.3", Seen),
    row("healing.budget.kept_per_severity", "0.2", Seen),
    row("healing.clear", "3", Seen),
    row("healing.confirm.bad", "1", Seen),
    row("healing.confirm.of", "4", Seen),
    row("healing.detect_every", "\"11s\"", Seen),
    row("healing.dry_run", "true", Seen),
    row("healing.escalation.exit_after", "\"1h\"", Seen),
    row("healing.escalation.exits.max", "4", Void(NEVER)),
    row("healing.escalation.exits.window", "\"2h\"", Void(NEVER)),
    row("healing.escalation.not_ready_after", "\"1h\"", Seen),
    row(
        "healing.escalation.severity",
        "\"error\"",
        Void("nothing goes further than an alert"),
    ),
    row("healing.flap.heals", "4", Seen),
    row("healing.flap.window", "\"31m\"", Seen),
    row("healing.grace", "\"6s\"", Seen),
    row("healing.intensity.max", "6", Seen),
    row("healing.intensity.window", "\"11m\"", Seen),
    row("healing.limits.alerts", "1025", Seen),
    row("healing.limits.components", "1025", Seen),
    row("healing.limits.engines", "257", Seen),
    row("healing.limits.keys", "8193", Seen),
    row("healing.limits.mutes", "1025", Seen),
    row("healing.limits.open", "10001", Seen),
    row("healing.limits.open_per_engine", "2001", Seen),
    row("healing.limits.series", "513", Seen),
    row("healing.max_running", "5", Seen),
    row("healing.max_zombies", "4", Seen),
    row("healing.min_confidence.destructive", "0.5", Seen),
    row("healing.min_confidence.disruptive", "0.3", Seen),
    row("healing.min_confidence.reversible", "0.1", Seen),
    row("healing.modes.destructive", "\"run\"", Seen),
    row("healing.modes.disruptive", "\"run\"", Seen),
    row("healing.modes.reversible", "\"dry_run\"", Seen),
    row(
        "healing.overrides",
        "[{ component = \"cache\", mode = \"run\" }]",
        Seen,
    ),
    row("healing.patience", "\"2h\"", Seen),
    row("healing.ramp", "\"31s\"", Seen),
    row("healing.recurrence.heals", "6", Seen),
    row("healing.recurrence.window", "\"2d\"", Seen),
    row("healing.retry_every", "\"16m\"", Seen),
    row("healing.settle", "\"11s\"", Seen),
    row("healing.storm.hold", "\"31s\"", Seen),
    row("healing.storm.min_components", "6", Seen),
    row("healing.storm.share", "0.6", Seen),
    row("healing.timeout", "\"31s\"", Seen),
    row("healing.verify.every", "\"2s\"", Seen),
    row("healing.verify.timeout", "\"11s\"", Seen),
    row("healing.verify.tries", "4", Seen),
    row("http.buckets", "[0.5]", Seen),
    row("http.exclude", "[\"/skip\"]", Seen),
    row("http.exclude_endpoints", "false", Seen),
    row("http.sample_rate", "0.0", Seen),
    row("journal.fsync", "\"never\"", Void(MEMORY)),
    row("journal.keep_files", "5", Void(MEMORY)),
    row("journal.max_age", "\"2d\"", Void(MEMORY)),
    row("journal.max_bytes", "9000000", Void(MEMORY)),
    row(
        "journal.memory",
        "7",
        SeenIn("history_looks_where_the_memory_ends"),
    ),
    row("journal.path", "\"@\"", Seen),
    row("metrics.created_times", "true", Seen),
    row("metrics.family.NAME.buckets", "[0.5]", Seen),
    row("metrics.family.NAME.enabled", "false", Seen),
    row("metrics.family.NAME.expire_after", "\"1m\"", Seen),
    row("metrics.family.NAME.max_label_value", "20", Seen),
    row("metrics.family.NAME.max_series", "1", Seen),
    row("metrics.family.NAME.native.classic", "false", Seen),
    row("metrics.family.NAME.native.enabled", "false", Seen),
    row("metrics.family.NAME.native.growth", "2.0", Seen),
    row("metrics.family.NAME.native.max_buckets", "20", Seen),
    row("metrics.family.NAME.native.max_zero_threshold", "0.5", Seen),
    row("metrics.family.NAME.native.zero_threshold", "0.25", Seen),
    row("metrics.gzip", "false", Seen),
    row("metrics.max_label_value", "20", Seen),
    row("metrics.max_series", "1", Seen),
    row("metrics.max_series_per_family", "1", Seen),
    row("metrics.path", "\"/numbers\"", Seen),
    row("namespace", "\"shop\"", Seen),
    row("server.allow_non_loopback", "true", Void(LOOPBACK)),
    row("server.allow_unauthenticated", "true", Void(LOOPBACK)),
    Row {
        beside: "server.basic_auth.username = \"prometheus\"",
        ..row("server.basic_auth.password", "\"s3cret\"", Seen)
    },
    Row {
        beside: "server.basic_auth.password = \"s3cret\"",
        ..row("server.basic_auth.username", "\"prometheus\"", Seen)
    },
    row("server.bearer_token", "\"t0ken\"", Seen),
    row(
        "profiles",
        "[\"pipeline_guard\"]",
        SeenIn("several_profiles_at_once_each_have_their_names"),
    ),
    Row {
        beside: "server.bearer_token = \"t0ken\"",
        ..row(
            "server.control",
            "true",
            SeenIn("an_order_is_followed_with_credentials_and_token_alone"),
        )
    },
    row("server.listen", "\"127.0.0.2:0\"", Seen),
    row(
        "server.max_connections",
        "1",
        SeenIn("a_silent_connection_is_closed_and_makes_room"),
    ),
    row("server.page_path", "\"/page\"", Seen),
    row(
        "server.protect_probes",
        "true",
        Void("there are no credentials to ask for"),
    ),
    row(
        "server.request_timeout",
        "\"5s\"",
        SeenIn("a_handler_that_hangs_is_answered_for"),
    ),
    Row {
        beside: "server.tls.key = \"@/key.pem\"",
        ..row("server.tls.cert", "\"@/cert.pem\"", TLS)
    },
    Row {
        beside: "server.tls.cert = \"@/cert.pem\"\nserver.tls.key = \"@/key.pem\"",
        ..row("server.tls.client_ca", "\"@/cert.pem\"", TLS)
    },
    Row {
        beside: "server.tls.cert = \"@/cert.pem\"",
        ..row("server.tls.key", "\"@/key.pem\"", TLS)
    },
    row("service.labels", "{ team = \"shop\" }", Seen),
    row("service.name", "\"shop\"", Seen),
    row("service.version", "\"1.2.3\"", Seen),
    row("service.wait_until_serving", "true", Seen),
    row("system.enabled", "false", Seen),
    row(
        "system.refresh",
        "\"6s\"",
        SeenIn("a_sample_is_exposed_until_the_next_is_due"),
    ),
];

/// Why a setting has no effect in a program that does nothing but install.
fn unused_part(key: &str) -> Option<&'static str> {
    Some(match key {
        "metrics.path" | "metrics.gzip" => "the endpoints are not served",
        "server.listen" | "server.max_connections" => NO_LISTENER,
        _ if key.starts_with("server.tls") => NO_LISTENER,
        "server.control" => "healing was not started",
        "server.page_path" => "the page is in no router of the application at this path",
        _ if key.starts_with("server.") => "the endpoints are not served",
        _ if key.starts_with("http.") => "the HTTP layer is not in use",
        _ if key.starts_with("healing.") || key.starts_with("journal.") => {
            "healing was not started"
        }
        _ => return None,
    })
}

impl Row {
    /// The settings beside it, and itself if it is `set`.
    fn config(&self, set: bool, folder: &str) -> Result<Config, String> {
        let family = match self.key {
            _ if self.key.contains(".native.") || self.key.ends_with(".buckets") => "took_seconds",
            _ => "jobs_total",
        };
        let (key, value) = (
            self.key.replace("NAME", family),
            self.value.replace('@', folder),
        );
        let mut text = self.beside.replace('@', folder);
        if self.key.starts_with("server.tls") {
            let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
            std::fs::write(format!("{folder}/cert.pem"), made.cert.pem()).unwrap();
            let key = made.signing_key.serialize_pem();
            std::fs::write(format!("{folder}/key.pem"), key).unwrap();
        }
        if set {
            write!(text, "\n{key} = {value}").unwrap();
        }
        let base = Config::new().server(Server::new().listen(crate::ANY));
        let config = Loader::new().base(base).toml_str(&text).load();
        config.map_err(|error| error.to_string())
    }

    fn reasons(&self, heal: &Selfheal) -> Vec<String> {
        let start = self.key.split(".NAME").next().unwrap();
        let unused = heal.unused_settings();
        let ours = unused
            .iter()
            .filter(|fault| fault.path.starts_with(start) || start.starts_with(&fault.path));
        ours.map(|fault| fault.problem.clone()).collect()
    }
}

/// An application that takes everything.
struct App {
    heal: Selfheal,
    router: Router,
    hand: ManualClock,
    listener: selfheal::server::Listener,
}

impl App {
    fn new(config: Config) -> Self {
        let (clock, hand) = Clock::manual();
        let heal = Selfheal::with_clock(config, clock).unwrap();
        let routes = ["/", "/skip"].into_iter();
        let routes = routes.fold(Router::new(), |all, path| all.route(path, get(|| async {})));
        let app = routes.merge(heal.router()).layer(heal.http_layer());
        let listener = heal.listen().unwrap();
        heal.healing().unwrap();
        let jobs: Family<_, [Text; 1]> = heal
            .registry()
            .counter("jobs_total", "")
            .labels(["of"])
            .unwrap();
        for of in ["a".repeat(100), "b".to_owned()] {
            jobs.inc(&[of]);
        }
        let took: Histogram = heal
            .registry()
            .histogram("took_seconds", "")
            .native(Native::default())
            .build()
            .unwrap();
        (1..=50).for_each(|n| took.observe(0.1 * f64::from(n)));
        Self {
            heal,
            router: app,
            hand,
            listener,
        }
    }

    async fn get(&self, path: &str) -> String {
        let request = Request::builder().uri(path);
        let request = request.header("accept", "application/openmetrics-text;version=1.0.0");
        let request = request.header("accept-encoding", "gzip");
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await;
        let response = response.unwrap();
        let packed = response.headers().get("content-encoding").cloned();
        let status = response.status();
        response.into_body().collect().await.unwrap();
        format!("{path}: {status} {packed:?}\n")
    }

    /// Whatever depends on settings and not on the moment.
    async fn seen(&self, folder: &std::path::Path) -> String {
        let mut seen = format!("listens on {}\n", self.listener.address().ip());
        for path in [
            "/",
            "/skip",
            "/metrics",
            "/numbers",
            "/selfheal",
            "/page",
            "/health",
            "/livez",
            "/readyz",
        ] {
            seen += &self.get(path).await;
        }
        let report = self.heal.report();
        writeln!(seen, "{} {}", report.service, report.version).unwrap();
        let policy = self.heal.healing().unwrap().policy();
        seen += &serde_json::to_string(&policy).unwrap();
        let files = std::fs::read_dir(folder).unwrap().count();
        writeln!(seen, "{files} files").unwrap();
        self.families(&mut seen);
        for _ in 0..3 {
            self.hand.advance(Duration::from_secs(600));
            let now = self.heal.clock().now();
            self.heal.registry().expire(now);
        }
        self.families(&mut seen);
        let machine = self
            .heal
            .registry()
            .gauge("system_memory_used_bytes", "")
            .build();
        writeln!(seen, "the name is free: {}", machine.is_ok()).unwrap();
        seen
    }

    fn families(&self, seen: &mut String) {
        let scrape = self.heal.registry().scrape();
        writeln!(seen, "labels {}", scrape.global_labels()).unwrap();
        for family in scrape.families() {
            let ours = ["jobs", "took", "http_", "service_info"].iter();
            if ours.clone().any(|part| family.name().contains(part)) {
                writeln!(seen, "{} {:?}", family.name(), family.def()).unwrap();
                family.each(&mut |labels, sample| {
                    writeln!(seen, "{labels} {:?} {:?}", sample.value, sample.created).unwrap();
                });
            }
        }
    }
}

async fn seen(row: &Row, set: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    match row.config(set, folder.path().to_str().unwrap()) {
        Ok(config) => App::new(config).seen(folder.path()).await,
        Err(error) => error,
    }
}

/// Whether a test of this name is in the sources.
fn is_there(test: &str) -> bool {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs")
                && std::fs::read_to_string(path)
                    .unwrap()
                    .contains(&format!("fn {test}("))
            {
                return true;
            }
        }
    }
    false
}

#[test]
fn every_setting_is_in_the_table() {
    let keys = include_str!("../../src/config/keys.md").lines().skip(2);
    let keys: BTreeSet<&str> = keys.filter_map(|line| line.split('`').nth(1)).collect();
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.key).collect();
    assert_eq!(rows, keys);
}

#[tokio::test]
async fn alone_each_setting_has_an_effect_or_is_reported() {
    let mut plain = None;
    for row in ROWS {
        let key = row.key;
        let with = seen(row, true).await;
        let without = match (&plain, row.beside) {
            (Some(plain), "") => String::clone(plain),
            _ => seen(row, false).await,
        };
        if row.beside.is_empty() {
            plain = Some(without.clone());
        }
        let folder = tempfile::tempdir().unwrap();
        let config = row.config(true, folder.path().to_str().unwrap()).unwrap();
        let reasons = row.reasons(&App::new(config).heal);
        match row.effect {
            Seen => assert!(with != without, "{key} changes nothing"),
            Void(_) => {}
            SeenIn(test) => assert!(is_there(test), "{key}: no test is named {test}"),
        }
        match row.effect {
            Void(reason) => assert!(reasons.concat().contains(reason), "{key}: {reasons:?}"),
            _ => assert_eq!(reasons, [""; 0], "{key}"),
        }
    }
}

#[test]
fn without_the_part_that_it_is_for_each_setting_is_reported() {
    for row in ROWS {
        let folder = tempfile::tempdir().unwrap();
        let config = row.config(true, folder.path().to_str().unwrap()).unwrap();
        let heal = Selfheal::with_clock(config, Clock::manual().0).unwrap();
        let reasons = row.reasons(&heal);
        let expected = match row.effect {
            Void(reason) => Some(reason),
            _ if row.key.contains(".NAME.") => Some("no metric of this name is declared so far"),
            _ => unused_part(row.key),
        };
        match expected {
            Some(reason) => assert!(
                reasons.concat().contains(reason),
                "{}: {reasons:?}",
                row.key
            ),
            None => assert_eq!(reasons, [""; 0], "{}", row.key),
        }
    }
}

fn void(text: &str) -> Vec<String> {
    let config = Loader::new().toml_str(text).load().unwrap();
    let heal = Selfheal::with_clock(config, Clock::manual().0).unwrap();
    let unused = heal.unused_settings();
    let told = unused
        .iter()
        .map(|fault| format!("{}: {}", fault.path, fault.problem));
    told.collect()
}

#[tokio::test]
async fn settings_that_others_beside_them_make_void() {
    assert_eq!(
        void(
            "system.enabled = false
             system.refresh = \"1m\"
             [service]
             version = \"1\"
             [metrics.family.service_info]
             enabled = false
             max_series = 5
             [metrics.family.took.native]
             enabled = false
             growth = 2.0
             [healing]
             dry_run = true
             modes.disruptive = \"run\"
             [[healing.overrides]]
             component = \"cache\"
             mode = \"run\""
        ),
        [
            "healing.modes.disruptive: `healing.dry_run` is true, which counts for everything",
            "healing.overrides: `healing.dry_run` is true, which counts for everything",
            "service.version: `metrics.family.service_info.enabled` is false",
            "system.refresh: `system.enabled` is false",
            "metrics.family.service_info.max_series: `enabled` beside it is false",
            "metrics.family.took.native: its `enabled` is false, so that nothing else in it counts",
            "metrics.family.took: no metric of this name is declared so far",
        ]
    );
    assert_eq!(
        void(
            "[[healing.overrides]]
             component = \"cache\"
             mode = \"run\"
             [[healing.overrides]]
             component = \"cache\"
             issue_type = \"stale\"
             mode = \"dry_run\""
        ),
        ["healing.overrides[1]: `healing.overrides[0]` matches whatever this does"]
    );
}

#[test]
fn the_report_has_them_when_they_are_known() {
    let (clock, hand) = Clock::manual();
    let http = Http::new().sample_rate(0.5);
    let server = Server::new().protect_probes(true);
    let heal = Selfheal::with_clock(Config::new().http(http).server(server), clock).unwrap();
    let told = || {
        let report = heal.report();
        let notes = report.recent.iter().map(|note| note.text.clone());
        let counts = report
            .facts
            .iter()
            .filter(|fact| fact.name == "settings without effect");
        (
            notes.collect::<Vec<_>>(),
            counts.map(|fact| fact.value.clone()).collect::<String>(),
        )
    };
    let (notes, count) = told();
    assert_eq!(count, "1");
    assert!(
        notes.concat().contains("server.protect_probes"),
        "{notes:?}"
    );
    hand.advance(Duration::from_secs(60));
    let (notes, count) = told();
    assert_eq!(count, "2");
    assert!(notes.concat().contains("http.sample_rate"), "{notes:?}");
    let _layer = heal.http_layer();
    assert_eq!(told().1, "1");
}
