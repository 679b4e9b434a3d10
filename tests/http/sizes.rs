//! One sample of size per body, of what passed, and the time to the headers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Response;
use axum::routing::{get, post};
use http_body_util::BodyExt;
use selfheal::http::{HttpLayer, HttpMetrics};
use selfheal::registry::{Histogram, Registry};
use selfheal::util::Clock;
use tower::ServiceExt;

use crate::wire::{Server, answer_once, body_by_hand, request};

/// Count and sum of a histogram.
fn read(histogram: Option<Histogram>) -> (u64, f64) {
    let snapshot = histogram.expect("it was recorded").snapshot();
    (snapshot.count(), snapshot.sum)
}

fn metrics(server: &Server) -> HttpMetrics {
    (*server.registry.group::<HttpMetrics>().unwrap()).clone()
}

#[tokio::test]
async fn both_bodies_are_measured_as_they_stream() {
    let routes = Router::new().route("/echo", post(|body: Body| async { Response::new(body) }));
    let server = Server::start(routes).await;
    let (body, chunks, _) = body_by_hand();
    let mut request = request("POST", "/echo");
    *request.body_mut() = body;
    let mut client = server.client().await;
    for chunk in ["one", "two", "three"] {
        chunks.send(Ok(chunk)).unwrap();
    }
    drop(chunks);
    let response = client.send_request(request).await.unwrap();
    assert_eq!(response.collect().await.unwrap().to_bytes(), "onetwothree");
    server.assert_counted(&[("POST /echo 200", 1)]);
    let http = metrics(&server);
    assert_eq!(read(http.request_size.get(&["POST", "/echo"])), (1, 11.0));
    assert_eq!(read(http.response_size.get(&["POST", "/echo"])), (1, 11.0));
}

#[tokio::test]
async fn no_body_is_a_sample_of_zero() {
    let routes = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/empty", get(|| async {}));
    let server = Server::start(routes).await;
    server.ask("GET", "/").await;
    server.ask("HEAD", "/").await;
    server.ask("GET", "/empty").await;
    let http = metrics(&server);
    for (method, path, size) in [
        ("GET", "/", 5.0),
        ("HEAD", "/", 0.0),
        ("GET", "/empty", 0.0),
    ] {
        assert_eq!(read(http.request_size.get(&[method, path])), (1, 0.0));
        assert_eq!(read(http.response_size.get(&[method, path])), (1, size));
    }
}

#[tokio::test]
async fn a_request_body_that_no_one_reads_has_passed_nothing() {
    let server = Server::start(Router::new().route("/", post(|| async { "thanks" }))).await;
    let mut request = request("POST", "/");
    *request.body_mut() = Body::from("ignored");
    server.client().await.send_request(request).await.unwrap();
    let http = metrics(&server);
    assert_eq!(read(http.request_size.get(&["POST", "/"])), (1, 0.0));
}

#[tokio::test]
async fn a_response_that_breaks_off_has_the_size_that_was_sent() {
    let (body, chunks, gone) = body_by_hand();
    let server = Server::start(Router::new().route("/", answer_once(body))).await;
    let mut client = server.client().await;
    let mut response = client.send_request(request("GET", "/")).await.unwrap();
    chunks.send(Ok("12345678")).unwrap();
    response.frame().await.unwrap().unwrap();
    drop((response, client));
    gone.await.unwrap();
    server.assert_counted(&[("GET / 499", 1)]);
    assert_eq!(
        read(metrics(&server).response_size.get(&["GET", "/"])),
        (1, 8.0)
    );
}

#[tokio::test]
async fn the_first_byte_and_the_last_are_timed_apart() {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let layer = HttpLayer::builder(&registry).clock(clock).build().unwrap();
    let (body, chunks, _) = body_by_hand();
    let body = crate::wire::once(body);
    let slow = hand.clone();
    let handler = get(async move || {
        slow.advance(Duration::from_secs(2));
        Response::new(body())
    });
    let server = Server::serve(registry, Router::new().route("/", handler).layer(layer)).await;
    let response = server
        .client()
        .await
        .send_request(request("GET", "/"))
        .await
        .unwrap();
    let http = metrics(&server);
    assert_eq!(read(http.first_byte.get(&["GET", "/"])), (1, 2.0));
    hand.advance(Duration::from_secs(5));
    chunks.send(Ok("done")).unwrap();
    drop(chunks);
    assert_eq!(
        response.collect().await.unwrap().to_bytes(),
        Bytes::from("done")
    );
    assert_eq!(read(http.duration.get(&["GET", "/", "200"])), (1, 7.0));
}

/// The state of a request is reused by the next one on its thread.
#[tokio::test]
async fn a_request_has_the_bytes_of_its_own_body_alone() {
    let kept = Arc::new(Mutex::new(None));
    let (keep, take) = (Arc::clone(&kept), kept);
    let routes = Router::new()
        .route("/", get(async || "hello"))
        .route(
            "/keep",
            post(async move |body: Body| drop(keep.lock().unwrap().replace(body))),
        )
        .route(
            "/echo",
            post(async move |body: Body| {
                let kept: Option<Body> = take.lock().unwrap().take();
                kept.unwrap().frame().await.unwrap().unwrap();
                Response::new(body)
            }),
        );
    let registry = Registry::new();
    let layer = HttpLayer::new(&registry).unwrap();
    let app: Router = routes.layer(layer).with_state(());
    let ask = async |method: &str, path: &str, body: Body| {
        let mut asked = request(method, path);
        *asked.body_mut() = body;
        let response = app.clone().oneshot(asked).await.unwrap();
        response.collect().await.unwrap();
    };
    let (body, chunks, _) = body_by_hand();
    chunks.send(Ok("of the first")).unwrap();
    ask("POST", "/keep", body).await;
    ask("POST", "/echo", Body::from("four")).await;
    ask("GET", "/", Body::empty()).await;
    let http = registry.group::<HttpMetrics>().unwrap();
    for (method, path, sum) in [
        ("POST", "/keep", 0.0),
        ("POST", "/echo", 4.0),
        ("GET", "/", 0.0),
    ] {
        let size = http.request_size.get(&[method, path]);
        assert_eq!(read(size), (1, sum), "{method} {path}");
    }
}
