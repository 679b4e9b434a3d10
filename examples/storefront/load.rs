//! A bounded client: real HTTP requests over loopback at a steady rate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// The most requests under way at a time; when the shop cannot keep up, requests are left
/// out and counted instead of piling up.
const IN_FLIGHT: usize = 64;

/// What the client has done.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) sent: AtomicU64,
    pub(crate) served: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) left_out: AtomicU64,
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
        // After a stall, the requests that were missed are not sent in a burst.
        due = due.max(target.saturating_sub(u64::from(rps)));
        while due < target {
            due += 1;
            number += 1;
            let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
                tally.left_out.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let (client, tally) = (client.clone(), Arc::clone(&tally));
            tokio::spawn(async move {
                tally.sent.fetch_add(1, Ordering::Relaxed);
                let answer = timeout(Duration::from_secs(5), send(&client, address, number)).await;
                let counter = match answer {
                    Ok(Some(status)) if status < 500 => &tally.served,
                    _ => &tally.failed,
                };
                counter.fetch_add(1, Ordering::Relaxed);
                drop(permit);
            });
        }
    }
}

/// A customer's next request: mostly looking, sometimes buying, now and then lost.
async fn send<C>(client: &Client<C, Body>, address: SocketAddr, number: u64) -> Option<u16>
where
    C: hyper_util::client::legacy::connect::Connect + Clone + Send + Sync + 'static,
{
    let sku = match number % 4 {
        0 => "apple",
        1 => "bread",
        2 => "cheese",
        _ => "coffee",
    };
    let (method, path, body) = match number % 20 {
        0..12 => (Method::GET, "/catalogue".to_owned(), String::new()),
        12..15 => (
            Method::GET,
            format!("/catalogue/{sku}/stock"),
            String::new(),
        ),
        15..18 => (
            Method::POST,
            "/orders".to_owned(),
            format!(r#"{{"sku":"{sku}","pieces":2}}"#),
        ),
        18 => (
            Method::GET,
            format!("/orders/{}", number % 1_000 + 1),
            String::new(),
        ),
        _ => (
            Method::GET,
            format!("/no/such/page/{number}"),
            String::new(),
        ),
    };
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"))
        .header("content-type", "application/json")
        .body(Body::from(body))
        .ok()?;
    let response = client.request(request).await.ok()?;
    let status = response.status().as_u16();
    response.into_body().collect().await.ok()?;
    Some(status)
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
