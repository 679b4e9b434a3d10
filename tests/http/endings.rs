//! However a request ends, it is recorded once, in the right series.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, StatusCode, header};
use axum::routing::{any, get, post};
use http_body_util::BodyExt;
use selfheal::http::HttpMetrics;
use tokio::sync::oneshot;
use tower::{Layer, ServiceExt};

use crate::wire::{
    Server, Tell, answer_once, assert_ended, body_by_hand, once, request, with_opentelemetry,
};

#[tokio::test]
async fn a_whole_body() {
    let routes = Router::new()
        .route("/orders/{id}", get(|| async { "an order" }))
        .route("/orders", post(|| async { StatusCode::CREATED }));
    let server = Server::start(routes).await;
    assert_eq!(server.ask("GET", "/orders/7").await.body(), "an order");
    server.ask("GET", "/orders/8").await;
    server.ask("POST", "/orders").await;
    server.assert_counted(&[("GET /orders/{id} 200", 2), ("POST /orders 201", 1)]);
}

#[tokio::test]
async fn the_end_of_the_body_is_the_end_of_the_request() {
    let (body, chunks, _dropped) = body_by_hand();
    let server = Server::start(Router::new().route("/", answer_once(body))).await;
    let mut client = server.client().await;
    let mut response = client.send_request(request("GET", "/")).await.unwrap();
    chunks.send(Ok("first")).unwrap();
    response.frame().await.unwrap().unwrap();
    assert!(
        server.counted().is_empty(),
        "headers and a chunk are not the end"
    );
    assert_eq!(server.in_flight(), 1);
    drop(chunks);
    assert!(response.frame().await.is_none());
    server.assert_counted(&[("GET / 200", 1)]);
}

#[tokio::test]
async fn a_length_known_beforehand_ends_with_its_last_byte() {
    // hyper drops such a body after the last byte without polling for the end.
    let (body, chunks, _dropped) = body_by_hand();
    let body = once(body);
    let handler = get(async move || ([(header::CONTENT_LENGTH, "5")], body()));
    let server = Server::start(Router::new().route("/", handler)).await;
    let mut client = server.client().await;
    let response = client.send_request(request("GET", "/")).await.unwrap();
    chunks.send(Ok("12345")).unwrap();
    assert_eq!(response.collect().await.unwrap().to_bytes(), "12345");
    server.ask("GET", "/nowhere").await; // by now the server has let go of the body
    server.assert_counted(&[("GET / 200", 1), ("GET unmatched 404", 1)]);
}

#[tokio::test]
async fn a_client_that_hangs_up_before_the_headers() {
    let (started, begun) = oneshot::channel();
    let (dropped, gone) = oneshot::channel();
    let signals = once((started, Tell(Some(dropped))));
    let handler = get(async move || {
        let (started, _tell) = signals();
        started.send(()).unwrap();
        std::future::pending::<()>().await;
    });
    let server = Server::start_with_opentelemetry(Router::new().route("/slow", handler)).await;
    let mut client = server.client().await;
    let answer = tokio::spawn(async move { client.send_request(request("GET", "/slow")).await });
    begun.await.unwrap();
    assert_eq!(server.in_flight(), 1);
    answer.abort(); // drops the client, which closes the connection
    gone.await.unwrap();
    let ended = "GET http /slow  client_closed 1.1";
    assert_ended(&server.registry, "GET /slow 499", ended);
    let http = server.registry.group::<HttpMetrics>().unwrap();
    let first_byte = http.first_byte.get(&["GET", "/slow"]).unwrap();
    assert_eq!(first_byte.snapshot().count(), 0, "there was none");
}

#[tokio::test]
async fn a_client_that_hangs_up_inside_the_body() {
    let (body, chunks, gone) = body_by_hand();
    let server =
        Server::start_with_opentelemetry(Router::new().route("/stream", answer_once(body))).await;
    let mut client = server.client().await;
    let mut response = client
        .send_request(request("GET", "/stream"))
        .await
        .unwrap();
    chunks.send(Ok("first")).unwrap();
    response.frame().await.unwrap().unwrap();
    drop((response, client));
    gone.await.unwrap();
    let ended = "GET http /stream 200 client_closed 1.1";
    assert_ended(&server.registry, "GET /stream 499", ended);
}

#[tokio::test]
async fn a_body_that_fails() {
    let (body, chunks, _dropped) = body_by_hand();
    let server =
        Server::start_with_opentelemetry(Router::new().route("/", answer_once(body))).await;
    let mut client = server.client().await;
    let mut response = client.send_request(request("GET", "/")).await.unwrap();
    assert_eq!(response.status(), 200);
    chunks.send(Ok("first")).unwrap();
    response.frame().await.unwrap().unwrap();
    chunks
        .send(Err(std::io::Error::other("the disk is gone")))
        .unwrap();
    assert!(
        response.collect().await.is_err(),
        "the client sees it break off"
    );
    let ended = "GET http / 200 body_error 1.1";
    assert_ended(&server.registry, "GET / 500", ended);
}

#[tokio::test]
async fn a_handler_that_panics() {
    async fn handler() -> &'static str {
        tokio::task::yield_now().await;
        panic!("as the test wants it")
    }
    let server = Server::start(Router::new().route("/", get(handler))).await;
    let mut client = server.client().await;
    assert!(client.send_request(request("GET", "/")).await.is_err());
    server.assert_counted(&[("GET / 500", 1)]);
}

#[tokio::test]
async fn a_body_that_panics() {
    let (body, chunks, _dropped) = body_by_hand();
    let server = Server::start(Router::new().route("/", answer_once(body))).await;
    let mut client = server.client().await;
    let response = client.send_request(request("GET", "/")).await.unwrap();
    chunks.send(Ok("panic")).unwrap();
    assert!(response.collect().await.is_err());
    server.assert_counted(&[("GET / 500", 1)]);
}

#[tokio::test]
async fn a_service_that_panics_before_it_has_a_future() {
    let service = tower::service_fn(
        |_: Request| -> std::future::Ready<Result<Response<Body>, Infallible>> {
            panic!("as the test wants it")
        },
    );
    let server = Server::start(Router::new().route_service("/", service)).await;
    let mut client = server.client().await;
    assert!(client.send_request(request("GET", "/")).await.is_err());
    server.assert_counted(&[("GET / 500", 1)]);
}

#[tokio::test]
async fn a_service_that_fails() {
    let (registry, layer) = with_opentelemetry();
    let fails = tower::service_fn(async |_: Request| {
        Err::<Response<Body>, _>(std::io::Error::other("connection refused"))
    });
    let answer = layer.layer(fails).oneshot(request("GET", "/")).await;
    assert!(answer.is_err());
    let ended = "GET http   service_error 1.1";
    assert_ended(&registry, "GET unmatched 500", ended);
}

#[tokio::test]
async fn responses_that_http_gives_no_body() {
    let body = || Body::from("never sent");
    let answer = move |status: StatusCode| async move { (status, body()) };
    let routes = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/204", any(move || answer(StatusCode::NO_CONTENT)))
        .route("/304", any(move || answer(StatusCode::NOT_MODIFIED)))
        .route("/empty", get(|| async {}));
    let server = Server::start(routes).await;
    let head = server.ask("HEAD", "/").await;
    assert_eq!(
        (
            head.headers()[header::CONTENT_LENGTH].as_bytes(),
            head.body().len()
        ),
        (&b"5"[..], 0)
    );
    for path in ["/204", "/304", "/empty"] {
        assert!(server.ask("GET", path).await.body().is_empty());
    }
    server.assert_counted(&[
        ("GET /204 204", 1),
        ("GET /304 304", 1),
        ("GET /empty 200", 1),
        ("HEAD / 200", 1),
    ]);
}

#[tokio::test]
async fn a_client_that_stays_for_many_requests() {
    let server = Server::start(Router::new().route("/", get(|| async { "hello" }))).await;
    let mut client = server.client().await;
    for _ in 0..50 {
        client.ready().await.unwrap();
        let response = client.send_request(request("GET", "/")).await.unwrap();
        assert_eq!(response.collect().await.unwrap().to_bytes(), "hello");
    }
    server.assert_counted(&[("GET / 200", 50)]);
}
