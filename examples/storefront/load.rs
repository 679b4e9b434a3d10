//! A bounded client: real HTTP requests over loopback at a steady rate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

/// The most requests under way at a time; when the shop cannot keep up, requests are left
/// out and counted instead of piling up.
const IN_FLIGHT: usize = 64;

/// How long a customer waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// One customer in so many follows a dead link.
const DEAD_LINK: u64 = 200;

/// The client's counts: each request that was sent ends as one of the five others.
#[derive(Default)]
pub(crate) struct Tally {
    sent: AtomicU64,
    served: AtomicU64,
    not_found: AtomicU64,
    bad_gateway: AtomicU64,
    unavailable: AtomicU64,
    failed: AtomicU64,
    left_out: AtomicU64,
    /// The newest order, which a customer may ask for; 0 before the first.
    order: AtomicU64,
}

impl Tally {
    fn end(&self, status: Option<StatusCode>) {
        let counter = match status {
            Some(StatusCode::NOT_FOUND) => &self.not_found,
            Some(StatusCode::BAD_GATEWAY) => &self.bad_gateway,
            Some(StatusCode::SERVICE_UNAVAILABLE) => &self.unavailable,
            Some(status) if status.is_success() => &self.served,
            _ => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits for the answers that are still due.
    pub(crate) async fn settle(&self) {
        let ends = [
            &self.served,
            &self.not_found,
            &self.bad_gateway,
            &self.unavailable,
            &self.failed,
        ];
        let ended = || -> u64 { ends.iter().map(|end| end.load(Ordering::Relaxed)).sum() };
        while self.sent.load(Ordering::Relaxed) > ended() {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// How the requests ended, and why each end but the first is expected.
    pub(crate) fn print(&self) {
        println!(
            "\nrequests: {} sent, of which",
            self.sent.load(Ordering::Relaxed)
        );
        let waits = PATIENCE.as_secs();
        for (count, end) in [
            (&self.served, "were served".to_owned()),
            (
                &self.not_found,
                format!("were answered 404: one customer in {DEAD_LINK} follows a dead link"),
            ),
            (
                &self.bad_gateway,
                "were answered 502: the supplier was broken, and healing had not yet turned to \
                 the other"
                    .to_owned(),
            ),
            (
                &self.unavailable,
                "were answered 503: the till was jammed, and no alert about it had come".to_owned(),
            ),
            (
                &self.failed,
                format!("failed: no answer within {waits} s, or another status"),
            ),
        ] {
            println!("{:>8} {end}", count.load(Ordering::Relaxed));
        }
        println!(
            "{:>8} more were not sent: {IN_FLIGHT} were under way already",
            self.left_out.load(Ordering::Relaxed)
        );
    }
}

/// Sends requests until it is dropped with its task, `rps` of them a second.
pub(crate) async fn run(address: SocketAddr, rps: u32, tally: Arc<Tally>) {
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let permits = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut tick = interval(Duration::from_millis(10));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let started = Instant::now();
    let mut due = 0_u64;
    let mut number = 0_u64;
    loop {
        tick.tick().await;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let target = millis.saturating_mul(u64::from(rps)) / 1_000;
        // Requests missed during a stall are not sent in a burst afterwards.
        due = due.max(target.saturating_sub(u64::from(rps)));
        while due < target {
            due += 1;
            number += 1;
            let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
                tally.left_out.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let (client, tally) = (client.clone(), Arc::clone(&tally));
            tally.sent.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let answer = timeout(PATIENCE, send(&client, address, number, &tally.order)).await;
                tally.end(answer.ok().flatten());
                drop(permit);
            });
        }
    }
}

/// A customer's next request: mostly looking, sometimes buying, now and then lost.
async fn send<C>(
    client: &Client<C, Body>,
    address: SocketAddr,
    number: u64,
    order: &AtomicU64,
) -> Option<StatusCode>
where
    C: hyper_util::client::legacy::connect::Connect + Clone + Send + Sync + 'static,
{
    let sku = match number % 4 {
        0 => "apple",
        1 => "bread",
        2 => "cheese",
        _ => "coffee",
    };
    let look = |path| (Method::GET, path, String::new());
    let (method, path, body) = match (number % 20, order.load(Ordering::Relaxed)) {
        _ if number.is_multiple_of(DEAD_LINK) => look(format!("/no/such/page/{number}")),
        (12..15, _) => look(format!("/catalogue/{sku}/stock")),
        (15..18, _) => (
            Method::POST,
            "/orders".to_owned(),
            format!(r#"{{"sku":"{sku}","pieces":2}}"#),
        ),
        (18..20, newest @ 1..) => look(format!("/orders/{newest}")),
        _ => look("/catalogue".to_owned()),
    };
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"))
        .header("content-type", "application/json")
        .body(Body::from(body))
        .ok()?;
    let response = client.request(request).await.ok()?;
    let status = response.status();
    let body = response.into_body().collect().await.ok()?.to_bytes();
    if status == StatusCode::CREATED {
        let made: Made = serde_json::from_slice(&body).ok()?;
        order.fetch_max(made.id, Ordering::Relaxed);
    }
    Some(status)
}

/// What a customer keeps of the answer to an order.
#[derive(Deserialize)]
struct Made {
    id: u64,
}

/// Fetches a page of the shop as text.
pub(crate) async fn fetch(address: SocketAddr, path: &str) -> Option<String> {
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::get(format!("http://{address}{path}"))
        .body(Body::empty())
        .ok()?;
    let answer = async {
        let response = client.request(request).await.ok()?;
        let bytes = response.into_body().collect().await.ok()?.to_bytes();
        String::from_utf8(bytes.to_vec()).ok()
    };
    timeout(Duration::from_secs(5), answer).await.ok()?
}
