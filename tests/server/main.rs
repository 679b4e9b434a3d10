//! The endpoints over real sockets, served by the listener on its own thread.
#![cfg(feature = "server")]
#![expect(
    clippy::unwrap_used,
    reason = "clippy sees tests only in functions marked as such"
)]

mod attacks;
mod credentials;
#[cfg(all(feature = "healing", feature = "rules"))]
mod federated;
mod fuzzed;
mod hostile;
#[cfg(feature = "healing")]
mod log_level;
mod odd;
mod ready;
mod scrapes;
#[cfg(all(
    feature = "healing",
    feature = "http",
    feature = "system",
    feature = "gzip",
    feature = "tls",
    feature = "toml"
))]
mod settings;
#[cfg(all(unix, feature = "gzip"))]
mod siblings;
#[cfg(unix)]
mod sockets;
#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "tls")]
mod tls;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use selfheal::catalog::MetricDef;
use selfheal::config::Secret;
use selfheal::health::{Check, Component, Report, score};
use selfheal::registry::{Collector, Family, FamilySnapshot, Gauge, Registry, Text};
use selfheal::server::{Auth, Endpoints, Limits, ListenError, Listener, PathError, router};
use support::http::Request;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn healthy() -> Report {
    let parts = vec![Component::new("db").share(1.0).health(1.0, "answers")];
    Report::new(score(None, &parts), parts)
}

fn listen(endpoints: Endpoints) -> Listener {
    Listener::spawn(ANY, router(endpoints), Limits::default()).unwrap()
}

fn get(listener: &Listener, path: &str) -> support::http::Response {
    Request::get(&format!("http://{}{path}", listener.address()))
        .send()
        .unwrap()
}

#[test]
fn every_endpoint_answers_a_program_without_async_code() {
    let registry = Registry::new();
    registry
        .counter("orders_total", "Orders")
        .build()
        .unwrap()
        .inc();
    let listener = listen(Endpoints::new(registry, healthy).page_path("/").unwrap());

    let metrics = get(&listener, "/metrics");
    assert_eq!(metrics.status, 200);
    assert!(
        metrics.text().contains("orders_total 1\n"),
        "{}",
        metrics.text()
    );
    let kind = metrics.header("content-type");
    assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"));

    let health = get(&listener, "/health");
    assert_eq!(
        (health.status, health.header("content-type")),
        (200, Some("application/json"))
    );
    let json: serde_json::Value = serde_json::from_slice(&health.body).unwrap();
    assert_eq!(json["status"], "up");
    assert_eq!(json["score"]["low"], 100.0);
    assert_eq!(json["components"][0]["name"], "db");

    assert_eq!(get(&listener, "/livez").status, 200);
    assert_eq!(get(&listener, "/readyz").status, 200);
    let page = get(&listener, "/");
    assert!(
        page.text()
            .contains("<div class=\"big\">100<small>of 100</small></div>")
    );
    assert!(page.header("content-security-policy").is_some());
    assert_eq!(get(&listener, "/nothing").status, 404);
}

#[test]
fn down_and_not_ready_are_503_and_say_why() {
    let listener = listen(Endpoints::new(Registry::new(), || {
        let parts = vec![Component::new("db").share(1.0).health(0.0, "down")];
        let mut report = Report::new(score(None, &parts), parts);
        report.ready = Check::failed("the database is being rebuilt");
        report
    }));
    assert_eq!(get(&listener, "/health").status, 503);
    let ready = get(&listener, "/readyz");
    assert_eq!(
        (ready.status, ready.text().trim()),
        (503, "the database is being rebuilt")
    );
    assert_eq!(
        get(&listener, "/livez").status,
        200,
        "a dependency has no say in liveness"
    );
}

#[test]
fn pages_are_measured() {
    let registry = Registry::new();
    registry.counter("orders_total", "Orders").build().unwrap();
    let listener = listen(Endpoints::new(registry.clone(), healthy).compress(false));
    let first = get(&listener, "/metrics").body.len();
    let second = get(&listener, "/metrics").body.len();
    listener.shutdown();
    let reading = selfheal::testing::Reading::of(&registry);
    let plain = [("encoding", "identity")];
    for name in [
        "metrics_scrape_duration_seconds_count",
        "metrics_scrape_size_bytes_count",
    ] {
        assert_eq!(reading.value(name, &plain), Some(2.0), "{name}");
    }
    let bytes = reading
        .value("metrics_scrape_size_bytes_sum", &plain)
        .unwrap();
    let sent = (first + second) as f64;
    assert!((bytes - sent).abs() < 0.5, "{bytes}, {sent}");
}

#[test]
fn a_scraper_gets_the_format_and_the_compression_it_asks_for() {
    let registry = Registry::new();
    registry.counter("orders_total", "Orders").build().unwrap();
    let listener = listen(Endpoints::new(registry.clone(), healthy));
    let url = format!("http://{}/metrics", listener.address());
    let open = Request::get(&url)
        .header(
            "accept",
            "application/openmetrics-text; version=1.0.0, */*;q=0.1",
        )
        .send()
        .unwrap();
    assert!(open.text().ends_with("# EOF\n"));
    if cfg!(feature = "gzip") {
        let packed = Request::get(&url)
            .header("accept-encoding", "gzip")
            .send()
            .unwrap();
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        assert!(packed.text().contains("orders_total 0\n"));
    }
    let plain = listen(
        Endpoints::new(registry, healthy)
            .compress(false)
            .metrics_path("own/path")
            .unwrap(),
    );
    let url = format!("http://{}/own/path", plain.address());
    let packed = Request::get(&url)
        .header("accept-encoding", "gzip")
        .send()
        .unwrap();
    assert_eq!(packed.header("content-encoding"), None);
}

#[test]
fn a_path_that_the_endpoints_cannot_have_is_an_error() {
    let endpoints = || Endpoints::new(Registry::new(), healthy);
    let long = format!("/{}", "x".repeat(256));
    for odd in [
        "/{tenant}",
        "/a b",
        "/öps",
        "/a//b",
        "/a?b",
        "/*rest",
        &*long,
    ] {
        for error in [
            endpoints().at(odd).unwrap_err(),
            endpoints().page_path(odd).unwrap_err(),
            endpoints().metrics_path(odd).unwrap_err(),
        ] {
            assert!(
                matches!(error, PathError::NotPlain { .. }),
                "{odd}: {error}"
            );
        }
    }
    for taken in ["/health", "/livez", "/readyz", "health"] {
        for error in [
            endpoints().page_path(taken).unwrap_err(),
            endpoints().metrics_path(taken).unwrap_err(),
        ] {
            assert!(matches!(error, PathError::Taken { .. }), "{taken}: {error}");
        }
    }
    // The endpoints beside the page, wherever it is or may be.
    for name in [
        "events",
        "federate",
        "siblings",
        "page.css",
        "page.js",
        "chart.js",
        "figures.js",
        "api/status",
        "api/v1/query",
    ] {
        for path in [format!("/{name}"), format!("/selfheal/{name}")] {
            let error = endpoints().metrics_path(&path).unwrap_err();
            assert!(matches!(error, PathError::Taken { .. }), "{path}: {error}");
        }
        let moved = endpoints().metrics_path(&format!("/a/{name}")).unwrap();
        assert!(moved.page_path("/a").is_err(), "{name}");
    }
    assert!(endpoints().metrics_path("/").is_err());
    assert!(endpoints().metrics_path("/selfheal").is_err());
    assert!(endpoints().page_path("/metrics").is_err());
    assert!(endpoints().at("/ops/health").is_ok() && endpoints().at("").is_ok());
    let heal = selfheal::Selfheal::new(selfheal::Config::new()).unwrap();
    let error = heal.router_at::<()>("/{tenant}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/{tenant}` is not a plain path; use letters, digits, `-`, `_`, `.`, `~` and single \
         slashes, at most 256 characters"
    );
}

#[test]
fn a_large_scrape_is_streamed_whole() {
    let registry = Registry::new();
    let family: Family<Gauge, [Text; 1]> =
        registry.gauge("depth", "Depth").labels(["queue"]).unwrap();
    for n in 0..9_000 {
        family.set(&[format!("queue-{n}")], n);
    }
    let listener = listen(Endpoints::new(registry, healthy));
    let response = get(&listener, "/metrics");
    assert_eq!(response.header("transfer-encoding"), Some("chunked"));
    let lines = response
        .text()
        .lines()
        .filter(|line| line.starts_with("depth{"))
        .count();
    assert_eq!(lines, 9_000);
}

#[test]
fn an_address_in_use_is_a_clear_error() {
    let taken = TcpListener::bind(ANY).unwrap();
    let address = taken.local_addr().unwrap();
    let endpoints = Endpoints::new(Registry::new(), healthy);
    let error = Listener::spawn(address, router(endpoints), Limits::default()).unwrap_err();
    assert!(matches!(error, ListenError::Bind { .. }));
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn without_credentials_there_is_nothing_to_read() {
    let endpoints = Endpoints::new(Registry::new(), healthy);
    let router = Auth::new()
        .bearer(Secret::new("t0ken"))
        .protect(router(endpoints));
    let listener = Listener::spawn(ANY, router, Limits::default()).unwrap();
    for path in ["/metrics", "/health", "/", "/nothing", "/livez/"] {
        assert_eq!(get(&listener, path).status, 401, "{path}");
    }
    let url = format!("http://{}/health", listener.address());
    let known = Request::get(&url)
        .header("authorization", "Bearer t0ken")
        .send()
        .unwrap();
    assert_eq!(known.status, 200);
}

/// Says that a scrape has begun and holds it until it is let go.
struct Gate {
    begun: std::sync::mpsc::SyncSender<()>,
    open: Arc<AtomicBool>,
}

impl Collector for Gate {
    fn describe(&self) -> Vec<MetricDef> {
        Vec::new()
    }

    fn collect(&self, _: &mut Vec<FamilySnapshot>) {
        self.begun.send(()).unwrap();
        while !self.open.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_scrape_under_way_is_finished_when_the_listener_stops() {
    let registry = Registry::new();
    registry.counter("orders_total", "Orders").build().unwrap();
    let (begun, scraping) = std::sync::mpsc::sync_channel(1);
    let open = Arc::new(AtomicBool::new(false));
    let gate = Gate {
        begun,
        open: Arc::clone(&open),
    };
    registry.collect_from(Arc::new(gate)).unwrap();
    let listener = listen(Endpoints::new(registry, healthy));
    let url = format!("http://{}/metrics", listener.address());
    std::thread::scope(|scope| {
        let scrape = scope.spawn(move || Request::get(&url).send().unwrap());
        scraping.recv().unwrap();
        let stopping = scope.spawn(move || listener.shutdown());
        open.store(true, Ordering::Release);
        let response = scrape.join().unwrap();
        assert!(response.text().contains("orders_total 0\n"));
        stopping.join().unwrap();
    });
}

#[test]
fn a_handler_that_hangs_is_answered_for() {
    let mut limits = Limits::default();
    limits.request = Duration::from_millis(20);
    let hangs = axum::routing::get(std::future::pending::<&'static str>);
    let listener = Listener::spawn(ANY, axum::Router::new().route("/hang", hangs), limits).unwrap();
    assert_eq!(get(&listener, "/hang").status, 503);
}

#[test]
fn a_silent_connection_is_closed_and_makes_space() {
    let mut limits = Limits::default();
    limits.connections = 1;
    limits.idle = Duration::from_millis(50);
    let endpoints = Endpoints::new(Registry::new(), healthy);
    let listener = Listener::spawn(ANY, router(endpoints), limits).unwrap();
    let mut silent = TcpStream::connect(listener.address()).unwrap();
    silent.write_all(b"GET /livez HTTP/1.1\r\n").unwrap();
    let asked = Instant::now();
    assert_eq!(
        get(&listener, "/livez").status,
        200,
        "served once the silent one is closed"
    );
    assert!(asked.elapsed() < Duration::from_secs(9));
    let mut rest = Vec::new();
    // Closed by the server: an orderly end or a reset.
    let _ = silent.read_to_end(&mut rest);
}

#[test]
fn dropping_the_listener_frees_its_port() {
    let listener = listen(Endpoints::new(Registry::new(), healthy));
    let address = listener.address();
    get(&listener, "/livez");
    drop(listener);
    assert!(
        TcpStream::connect(address).is_err(),
        "no one listens any more"
    );
}
