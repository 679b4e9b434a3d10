//! Many scrapers at once, slow ones and impatient ones, in virtual time.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use selfheal::catalog::{Kind, MetricDef};
use selfheal::registry::{Collector, Family, FamilySnapshot, Gauge, Registry, Text};
use selfheal::server::{Endpoints, router};
use selfheal::testing::{assert_absent, assert_value};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance, timeout};
use tower::ServiceExt;

use crate::healthy;

/// The timeout of any wait in this file.
const LONG: Duration = Duration::from_secs(60);

/// As many as a family may have, by default.
const SERIES: usize = 10_000;

/// Says that a scrape has begun, and holds it until the gate is open.
struct Gate {
    begun: mpsc::UnboundedSender<()>,
    hinge: Arc<Hinge>,
}

#[derive(Default)]
struct Hinge(Mutex<bool>, Condvar);

impl Collector for Gate {
    fn describe(&self) -> Vec<MetricDef> {
        Vec::new()
    }

    fn collect(&self, _: &mut Vec<FamilySnapshot>) {
        self.begun.send(()).unwrap();
        let open = self.hinge.0.lock().unwrap();
        let (open, _) = self
            .hinge
            .1
            .wait_timeout_while(open, LONG, |open| !*open)
            .unwrap();
        assert!(*open, "the test forgot the gate");
    }
}

/// Opens a gate, at the latest when the test fails: else the runtime would wait for it.
struct Key(Arc<Hinge>);

impl Key {
    fn turn(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.turn();
    }
}

fn gate(registry: &Registry) -> (Key, mpsc::UnboundedReceiver<()>) {
    let (begun, scraping) = mpsc::unbounded_channel();
    let hinge = Arc::<Hinge>::default();
    let key = Key(Arc::clone(&hinge));
    registry
        .collect_from(Arc::new(Gate { begun, hinge }))
        .unwrap();
    (key, scraping)
}

/// A page of 2 MB, which is written on a thread of its own and does not fit in any buffer.
fn large() -> Registry {
    let registry = Registry::new();
    let family: Family<Gauge, [Text; 1]> = registry.gauge("depth", "").labels(["queue"]).unwrap();
    for n in 0..SERIES {
        family.set(&[format!("{n:0>180}")], 1);
    }
    registry
}

fn app(registry: &Registry) -> Router {
    router(Endpoints::new(registry.clone(), healthy))
}

async fn ask(app: Router, method: &str, timeout: Option<&str>) -> Response {
    ask_for(app, method, "/metrics", timeout).await
}

async fn ask_for(app: Router, method: &str, uri: &str, timeout: Option<&str>) -> Response {
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(timeout) = timeout {
        request = request.header("X-Prometheus-Scrape-Timeout-Seconds", timeout);
    }
    let request = request.body(Body::empty()).unwrap();
    app.oneshot(request).await.unwrap()
}

type Read = (StatusCode, HeaderMap, String);

async fn read(response: Response) -> Read {
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    (head.status, head.headers, text)
}

/// Starts a scrape, and lets it get as far as it gets.
async fn scrape(app: &Router, timeout: Option<&'static str>) -> JoinHandle<Read> {
    let app = app.clone();
    let scrape = tokio::spawn(async move { read(ask(app, "GET", timeout).await).await });
    tokio::task::yield_now().await;
    scrape
}

fn assert_refused(read: &Read) {
    assert_eq!(read.0, StatusCode::SERVICE_UNAVAILABLE, "{}", read.2);
    assert_eq!(read.1["retry-after"], "1");
}

fn assert_whole(read: &Read) {
    assert_eq!(read.0, StatusCode::OK);
    let series = read.2.lines().filter(|line| line.starts_with("depth{"));
    assert_eq!(series.count(), SERIES);
}

fn assert_failed(registry: &Registry, reason: &str, times: f64) {
    let labels = [("reason", reason)];
    assert_value(registry, "selfheal_scrapes_failed_total", &labels, times);
}

/// Waits for what is to come soon.
async fn soon<T>(it: impl Future<Output = T>) -> T {
    timeout(LONG, it).await.unwrap()
}

async fn done<T>(task: JoinHandle<T>) -> T {
    soon(task).await.unwrap()
}

/// A scrape of which there is no other: no two such can share a page.
async fn alone(app: &Router, number: usize) -> JoinHandle<Response> {
    let app = app.clone();
    let uri = format!("/metrics?name[]=depth&name[]={number}");
    let scrape = tokio::spawn(async move { ask_for(app, "GET", &uri, None).await });
    tokio::task::yield_now().await;
    scrape
}

#[tokio::test(start_paused = true)]
async fn four_at_a_time_and_the_others_wait_as_long_as_they_can() {
    let registry = large();
    let (key, mut begun) = gate(&registry);
    let app = app(&registry);
    let mut served = Vec::new();
    for number in 0..4 {
        served.push(alone(&app, number).await);
        soon(begun.recv()).await.unwrap();
    }
    let impatient = scrape(&app, Some("1")).await;
    for number in 4..19 {
        served.push(alone(&app, number).await);
    }
    let now = Instant::now();
    assert_eq!(
        done(alone(&app, 19).await).await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(Instant::now(), now, "there is a limit to those who wait");
    assert!(!impatient.is_finished());
    advance(Duration::from_millis(901)).await;
    assert_refused(&done(impatient).await);
    assert!(begun.try_recv().is_err(), "four at a time");

    key.turn();
    for scrape in served {
        assert_whole(&soon(read(done(scrape).await)).await);
    }
    assert_failed(&registry, "busy", 2.0);
    for other in ["late", "slow", "gone", "failed", "large"] {
        let labels = [("reason", other)];
        assert_absent(&registry, "selfheal_scrapes_failed_total", &labels);
    }
}

#[tokio::test(start_paused = true)]
async fn who_come_together_share_a_page_that_is_begun_after_they_came() {
    let registry = large();
    let orders = registry.counter("orders_total", "").build().unwrap();
    let (key, mut begun) = gate(&registry);
    let app = app(&registry);
    let mut first = Vec::new();
    for number in 0..4 {
        first.push(alone(&app, number).await);
        soon(begun.recv()).await.unwrap();
    }
    orders.inc();
    let mut together = Vec::new();
    for _ in 0..100 {
        together.push(scrape(&app, None).await);
    }
    orders.inc();
    key.turn();
    for scrape in together {
        let page = done(scrape).await;
        assert_whole(&page);
        assert!(page.2.contains("\norders_total 2\n"), "all there was");
    }
    soon(begun.recv()).await.unwrap();
    assert!(begun.try_recv().is_err(), "one page for all hundred");
}

#[tokio::test(start_paused = true)]
async fn a_scrape_that_blocks_is_answered_for_before_its_scraper_hangs_up() {
    let registry = large();
    let (key, mut begun) = gate(&registry);
    let app = app(&registry);
    let slow = scrape(&app, Some("2")).await;
    soon(begun.recv()).await.unwrap();
    advance(Duration::from_millis(1799)).await;
    tokio::task::yield_now().await;
    assert!(!slow.is_finished());
    advance(Duration::from_millis(2)).await;
    assert_refused(&done(slow).await);
    key.turn();
    assert_whole(&done(scrape(&app, None).await).await);
    assert_failed(&registry, "late", 1.0);
}

#[tokio::test(start_paused = true)]
async fn readers_that_take_nothing_are_in_no_ones_way_and_are_cut_when_their_time_is_up() {
    let registry = large();
    let app = app(&registry);
    let mut stalled = Vec::new();
    for _ in 0..8 {
        let response = soon(ask(app.clone(), "GET", Some("2"))).await;
        assert_eq!(response.status(), StatusCode::OK);
        stalled.push(response);
    }
    let now = Instant::now();
    for _ in 0..100 {
        assert_whole(&done(scrape(&app, None).await).await);
    }
    // 200 MB, at the pace of sending.
    let took = now.elapsed();
    assert!(
        took < Duration::from_secs(1),
        "there is a turn for each: {took:?}"
    );
    advance(Duration::from_secs(2)).await;
    tokio::task::yield_now().await;
    assert_failed(&registry, "late", 8.0);
    for response in stalled {
        let mut body = response.into_body();
        assert!(
            soon(body.frame()).await.unwrap().is_err(),
            "a part is not taken for the whole"
        );
        for _ in 0..3 {
            assert!(soon(body.frame()).await.is_none(), "it stays ended");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_hangs_up_makes_space() {
    let registry = large();
    let app = app(&registry);
    for _ in 0..6 {
        let now = Instant::now();
        let response = soon(ask(app.clone(), "GET", None)).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(Instant::now(), now, "nothing is in the way");
        drop(response);
    }
    assert_whole(&done(scrape(&app, None).await).await);
    assert_failed(&registry, "gone", 6.0);
}

#[tokio::test]
async fn head_asks_for_no_scrape() {
    let registry = large();
    let (_key, mut begun) = gate(&registry);
    let head = soon(ask(app(&registry), "HEAD", None)).await;
    assert_eq!(head.status(), StatusCode::OK);
    let kind = head.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/plain"), "{kind}");
    assert!(!head.headers().contains_key("content-length"));
    assert!(begun.try_recv().is_err());
}

/// Counts how often it is asked for a gauge, which it does not yield.
struct Asked(Arc<AtomicUsize>);

impl Collector for Asked {
    fn describe(&self) -> Vec<MetricDef> {
        vec![MetricDef::new(Kind::Gauge, "load", "")]
    }

    fn collect(&self, _: &mut Vec<FamilySnapshot>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_scraper_gets_the_families_it_names() {
    let registry = Registry::new();
    registry.counter("orders_total", "").build().unwrap().inc();
    registry.gauge("depth", "").build().unwrap();
    let asked = Arc::<AtomicUsize>::default();
    let load = Asked(Arc::clone(&asked));
    registry.collect_from(Arc::new(load)).unwrap();
    let app = app(&registry);
    let get = async |query: &str, accept: &str| {
        let request = Request::builder().uri(format!("/metrics{query}"));
        let request = request.header("accept", accept).body(Body::empty());
        let response = soon(app.clone().oneshot(request.unwrap())).await.unwrap();
        let (head, body) = response.into_parts();
        (head.status, soon(body.collect()).await.unwrap().to_bytes())
    };
    let text = "# TYPE orders_total counter\norders_total 1\n";
    let open = "# TYPE orders counter\norders_total 1\n# EOF\n";
    let protobuf = "application/vnd.google.protobuf; \
                    proto=io.prometheus.client.MetricFamily; encoding=delimited";
    for (name, accept, want) in [
        ("orders_total", "text/plain", text),
        ("orders_total", "application/openmetrics-text", open),
        ("orders", "application/openmetrics-text", open),
        ("missing", "text/plain", ""),
        ("missing", "application/openmetrics-text", "# EOF\n"),
        ("missing", protobuf, ""),
    ] {
        let (status, body) = get(&format!("?name%5B%5D={name}&x=y"), accept).await;
        assert_eq!(
            (status, &body[..]),
            (StatusCode::OK, want.as_bytes()),
            "{name} {accept}"
        );
    }
    let (_, body) = get("?name[]=orders_total", protobuf).await;
    assert_eq!(
        usize::from(body[0]),
        body.len() - 1,
        "one message after its length"
    );
    assert_eq!(&body[1..15], b"\x0a\x0corders_total");

    let (status, _) = get(&format!("?{}", "name[]=a&".repeat(129)), "*/*").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        asked.load(Ordering::Relaxed),
        0,
        "the load is not requested"
    );
    let (status, body) = get("?name[]=load", "*/*").await;
    assert_eq!((status, body.len()), (StatusCode::OK, 0));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// A server sends what a body has as long as it has something: whoever reads fast, on the same
/// machine say, would keep other requests waiting.
#[tokio::test]
async fn a_page_gives_up_its_turn_again_and_again() {
    let registry = large();
    let response = soon(ask(app(&registry), "GET", None)).await;
    let mut body = response.into_body();
    // The page is completely written by now.
    let whole = soon(ask(app(&registry), "GET", None)).await;
    assert_whole(&soon(read(whole)).await);

    let (mut turn, mut longest, mut turns) = (0, 0, 0);
    let mut body = Pin::new(&mut body);
    let ended = poll_fn(|cx| {
        turn = 0;
        turns += 1;
        loop {
            match body.as_mut().poll_frame(cx) {
                Poll::Ready(Some(frame)) => {
                    turn += frame.unwrap().into_data().unwrap().len();
                    longest = longest.max(turn);
                }
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    });
    soon(ended).await;
    assert!(longest <= 72 * 1024, "{longest} bytes in one turn");
    assert!(turns > 20, "{turns}");
}
