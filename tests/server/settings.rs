//! Each setting alone: it has an effect that can be seen, or it is reported to have none.

mod rows;

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

use self::rows::Effect::{Seen, SeenIn, Void};
use self::rows::{NO_LISTENER, ROWS, Row};

/// Why a setting has no effect in a program that does nothing but install.
fn unused_part(key: &str) -> Option<&'static str> {
    Some(match key {
        "metrics.path" | "metrics.gzip" => "the endpoints are not served",
        "server.listen" | "server.listen_also" | "server.max_connections" => NO_LISTENER,
        _ if key.starts_with("server.tls") => NO_LISTENER,
        "server.control" => "healing was not started",
        "server.page_path" => "no router of the application has the page at this path",
        _ if key.starts_with("server.") => "the endpoints are not served",
        _ if key.starts_with("http.") => "the HTTP layer is not in use",
        _ if ["healing.", "history.", "journal."]
            .iter()
            .any(|part| key.starts_with(part)) =>
        {
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

    /// Everything that depends on settings and not on the time.
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
    let keys = keys.filter_map(|line| line.split('`').nth(1));
    // The settings of the generated stack have their own table, in tests/assets/settings.rs.
    let keys: BTreeSet<&str> = keys.filter(|key| !key.starts_with("assets.")).collect();
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
    let reported = unused
        .iter()
        .map(|fault| format!("{}: {}", fault.path, fault.problem));
    reported.collect()
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
            "healing.modes.disruptive: `healing.dry_run` is true, which applies to everything",
            "healing.overrides: `healing.dry_run` is true, which applies to everything",
            "service.version: `metrics.family.service_info.enabled` is false",
            "system.refresh: `system.enabled` is false",
            "metrics.family.service_info.max_series: its `enabled` is false",
            "metrics.family.took.native: its `enabled` is false, so that nothing else in it has an effect",
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
        ["healing.overrides[1]: `healing.overrides[0]` matches everything that this one does"]
    );
}

#[test]
fn the_report_has_them_when_they_are_known() {
    let (clock, hand) = Clock::manual();
    let http = Http::new().sample_rate(0.5);
    let server = Server::new().protect_probes(true);
    let heal = Selfheal::with_clock(Config::new().http(http).server(server), clock).unwrap();
    let reported = || {
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
    let (notes, count) = reported();
    assert_eq!(count, "1");
    assert!(
        notes.concat().contains("server.protect_probes"),
        "{notes:?}"
    );
    hand.advance(Duration::from_secs(60));
    let (notes, count) = reported();
    assert_eq!(count, "2");
    assert!(notes.concat().contains("http.sample_rate"), "{notes:?}");
    let _layer = heal.http_layer();
    assert_eq!(reported().1, "1");
}
