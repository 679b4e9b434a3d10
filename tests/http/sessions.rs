//! Sessions that continue after the headers: event streams, upgrades, and the streams of HTTP/2.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, StatusCode, header};
use axum::routing::get;
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use selfheal::http::{HttpLayer, HttpMetrics};
use selfheal::registry::Registry;
use selfheal::util::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

use crate::wire::{Server, answer_once, body_by_hand, once, request, request2};

#[tokio::test]
async fn an_event_stream_is_recorded_at_its_headers_and_lives_on_as_a_session() {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let layer = HttpLayer::builder(&registry).clock(clock).build().unwrap();
    let (body, events, gone) = body_by_hand();
    let body = once(body);
    let handler = get(async move || ([(header::CONTENT_TYPE, "text/event-stream")], body()));
    let server = Server::serve(registry, Router::new().route("/live", handler).layer(layer)).await;
    let mut client = server.client().await;
    let mut response = client.send_request(request("GET", "/live")).await.unwrap();
    assert_eq!(server.counted()["GET /live 200"], 1);
    assert_eq!(server.in_flight(), 1, "the stream goes on");

    hand.advance(Duration::from_secs(3_600));
    events.send(Ok("data: 1\n\n")).unwrap();
    response.frame().await.unwrap().unwrap();
    drop((response, client));
    gone.await.unwrap();
    // The client ends such a stream, which is not a fault.
    server.assert_counted(&[("GET /live 200", 1)]);
    let http = server.registry.group::<HttpMetrics>().unwrap();
    let duration = http
        .duration
        .get(&["GET", "/live", "200"])
        .unwrap()
        .snapshot();
    assert!(
        duration.sum.abs() < f64::EPSILON,
        "the hour is no latency: {}",
        duration.sum
    );
    let session = http.session.get(&["GET", "/live"]).unwrap().snapshot();
    assert_eq!((session.count(), session.sum), (1, 3_600.0));
    let size = http
        .response_size
        .get(&["GET", "/live"])
        .unwrap()
        .snapshot();
    assert_eq!((size.count(), size.sum), (1, 9.0));
}

#[tokio::test]
async fn an_upgrade_is_over_at_its_headers() {
    async fn upgrade(mut request: Request) -> Response<Body> {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.unwrap());
            let mut word = [0; 4];
            io.read_exact(&mut word).await.unwrap();
            io.write_all(&word).await.unwrap();
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "echo")
            .body(Body::empty())
            .unwrap()
    }
    let server = Server::start(Router::new().route("/ws", get(upgrade))).await;
    let mut asked = request("GET", "/ws");
    asked
        .headers_mut()
        .insert(header::CONNECTION, "upgrade".parse().unwrap());
    asked
        .headers_mut()
        .insert(header::UPGRADE, "echo".parse().unwrap());
    let response = server.client().await.send_request(asked).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    server.assert_counted(&[("GET /ws 101", 1)]);
    let mut io = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    io.write_all(b"ping").await.unwrap();
    let mut word = [0; 4];
    io.read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"ping", "the connection lives on");
    server.assert_counted(&[("GET /ws 101", 1)]);
}

#[tokio::test]
async fn streams_of_one_http2_connection_are_requests_of_their_own() {
    let (body, chunks, gone) = body_by_hand();
    let routes = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/204", get(|| async { StatusCode::NO_CONTENT }))
        .route("/stream", answer_once(body));
    let server = Server::start(routes).await;
    let mut client = server.client2().await;

    let mut open = client.send_request(request2("/stream")).await.unwrap();
    chunks.send(Ok("first")).unwrap();
    open.frame().await.unwrap().unwrap();
    for _ in 0..10 {
        let response = client.send_request(request2("/")).await.unwrap();
        assert_eq!(response.collect().await.unwrap().to_bytes(), "hello");
    }
    client.send_request(request2("/204")).await.unwrap();
    let mut head = request2("/");
    *head.method_mut() = axum::http::Method::HEAD;
    client.send_request(head).await.unwrap();
    client.send_request(request2("/none")).await.unwrap();
    assert_eq!(server.in_flight(), 1, "the open stream");

    drop(open); // resets the stream; the connection lives on
    gone.await.unwrap();
    server.assert_counted(&[
        ("GET / 200", 10),
        ("GET /204 204", 1),
        ("GET /stream 499", 1),
        ("GET unmatched 404", 1),
        ("HEAD / 200", 1),
    ]);
}

#[tokio::test]
async fn an_http2_stream_that_is_reset_before_its_headers() {
    let (started, begun) = oneshot::channel();
    let (dropped, gone) = oneshot::channel();
    let signals = once((started, crate::wire::Tell(Some(dropped))));
    let handler = get(async move || {
        let (started, _tell) = signals();
        started.send(()).unwrap();
        std::future::pending::<()>().await;
    });
    let server = Server::start(Router::new().route("/slow", handler)).await;
    let mut client = server.client2().await;
    let answer = tokio::spawn({
        let mut client = client.clone();
        async move { client.send_request(request2("/slow")).await }
    });
    begun.await.unwrap();
    answer.abort();
    gone.await.unwrap();
    let other = client.send_request(request2("/other")).await.unwrap();
    assert_eq!(other.status(), 404, "the connection lives on");
    server.assert_counted(&[("GET /slow 499", 1), ("GET unmatched 404", 1)]);
}
