//! Under the names of OpenTelemetry the status is the one that was sent, and the error says how
//! it ended.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum::routing::get;
use http_body_util::BodyExt;
use selfheal::http::{HttpLayer, HttpNames};
use selfheal::registry::Registry;
use tower::{Layer, ServiceExt};

use crate::wire::{Server, answer_once, body_by_hand, lines, request, request2};

fn layer() -> (Registry, HttpLayer) {
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry).names([HttpNames::OpenTelemetry]);
    let layer = layer.build().unwrap();
    (registry, layer)
}

/// Asserts that one request was timed with these labels, and that none is active.
fn assert_one(registry: &Registry, labels: &str) {
    let lines = lines(registry);
    let durations = lines.iter().filter(|line| line.contains("_duration_"));
    let expected = format!("http_server_request_duration_seconds{{{labels}}} 1");
    assert_eq!(durations.collect::<Vec<_>>(), [&expected]);
    let active = "http_server_active_requests{GET http} 0".to_owned();
    assert!(lines.contains(&active), "{lines:#?}");
}

#[tokio::test]
async fn a_client_that_has_gone_before_and_after_the_headers() {
    let (registry, layer) = layer();
    let hang = get(std::future::pending::<()>);
    let server = Server::serve(registry, Router::new().route("/", hang).layer(layer)).await;
    let mut client = server.client2().await;
    let call = tokio::spawn(async move { client.send_request(request2("/")).await });
    let active =
        || lines(&server.registry).contains(&"http_server_active_requests{GET http} 1".to_owned());
    while !active() {
        tokio::task::yield_now().await;
    }
    call.abort();
    while active() {
        tokio::task::yield_now().await;
    }
    assert_one(&server.registry, "GET http /  client_closed 2");

    let (registry, layer) = self::layer();
    let (body, chunks, gone) = body_by_hand();
    let app = Router::new().route("/", answer_once(body)).layer(layer);
    let server = Server::serve(registry, app).await;
    let mut client = server.client().await;
    let mut response = client.send_request(request("GET", "/")).await.unwrap();
    chunks.send(Ok("first")).unwrap();
    response.frame().await.unwrap().unwrap();
    drop((response, client));
    gone.await.unwrap();
    assert_one(&server.registry, "GET http / 200 client_closed 1.1");
}

#[tokio::test]
async fn a_body_that_fails() {
    let (registry, layer) = layer();
    let (body, chunks, _gone) = body_by_hand();
    let app = Router::new().route("/", answer_once(body)).layer(layer);
    let server = Server::serve(registry, app).await;
    let mut client = server.client().await;
    let mut response = client.send_request(request("GET", "/")).await.unwrap();
    chunks.send(Ok("first")).unwrap();
    response.frame().await.unwrap().unwrap();
    let gone = std::io::Error::other("the disk is gone");
    chunks.send(Err(gone)).unwrap();
    assert!(response.collect().await.is_err());
    assert_one(&server.registry, "GET http / 200 body_error 1.1");
}

#[tokio::test]
async fn a_service_that_fails() {
    let (registry, layer) = layer();
    let fails = tower::service_fn(async |_: Request| {
        Err::<Response<Body>, _>(std::io::Error::other("nobody is there"))
    });
    assert!(
        layer
            .layer(fails)
            .oneshot(request("GET", "/"))
            .await
            .is_err()
    );
    assert_one(&registry, "GET http   service_error 1.1");
}
