//! Routes that are declared to stream: what they send is a session, what they refuse is not.

use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use http_body_util::BodyExt;
use selfheal::http::{HttpLayer, HttpMetrics, HttpNames, RouteRule};
use selfheal::registry::Registry;
use selfheal::util::{Clock, ManualClock};

use crate::wire::{Server, answer_once, body_by_hand, lines, once, request, request2};

/// A server by a clock that the test moves, whose routes under `/logs` are declared to stream.
async fn server(routes: Router) -> (Server, ManualClock) {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let layer = HttpLayer::builder(&registry)
        .clock(clock)
        .route("/logs/*", RouteRule::new().session())
        .build()
        .unwrap();
    (Server::serve(registry, routes.layer(layer)).await, hand)
}

/// Count and sum of a histogram by method and path, where it has the series.
macro_rules! read {
    ($server:expr, $metric:ident, $path:expr) => {{
        let http = $server.registry.group::<HttpMetrics>().unwrap();
        let histogram = http.$metric.get(&["GET", $path]);
        histogram.map(|histogram| (histogram.snapshot().count(), histogram.snapshot().sum))
    }};
}

fn seconds(server: &Server, path: &str, status: &str) -> f64 {
    let http = server.registry.group::<HttpMetrics>().unwrap();
    let duration = http.duration.get(&["GET", path, status]).unwrap();
    duration.snapshot().sum
}

#[tokio::test]
async fn the_tail_of_a_log_until_its_reader_has_had_enough() {
    let (body, lines, gone) = body_by_hand();
    let routes = Router::new().route("/logs/{job}/tail", answer_once(body));
    let (server, hand) = server(routes).await;
    let mut client = server.client().await;
    let asked = request("GET", "/logs/7/tail");
    let mut response = client.send_request(asked).await.unwrap();
    assert_eq!(server.counted()["GET /logs/{job}/tail 200"], 1);
    assert_eq!(server.in_flight(), 1, "the stream goes on");

    hand.advance(Duration::from_secs(3_600));
    lines.send(Ok("{\"line\":1}\n")).unwrap();
    response.frame().await.unwrap().unwrap();
    drop((response, client));
    gone.await.unwrap();
    server.assert_counted(&[("GET /logs/{job}/tail 200", 1)]);
    let path = "/logs/{job}/tail";
    assert!(seconds(&server, path, "200").abs() < f64::EPSILON);
    assert_eq!(read!(server, session, path), Some((1, 3_600.0)));
    assert_eq!(read!(server, first_byte, path), Some((1, 0.0)));
    assert_eq!(read!(server, response_size, path), Some((1, 11.0)));
}

#[tokio::test]
async fn a_watch_on_a_stream_of_http2_that_fails() {
    let (body, events, gone) = body_by_hand();
    let (server, hand) = server(Router::new().route("/logs/watch", answer_once(body))).await;
    let mut client = server.client2().await;
    let asked = request2("/logs/watch");
    let mut response = client.send_request(asked).await.unwrap();
    hand.advance(Duration::from_secs(60));
    events.send(Ok("one")).unwrap();
    response.frame().await.unwrap().unwrap();
    let lost = std::io::Error::other("the log is gone");
    events.send(Err(lost)).unwrap();
    assert!(response.collect().await.is_err());
    gone.await.unwrap();
    server.assert_counted(&[("GET /logs/watch 200", 1)]);
    assert_eq!(read!(server, session, "/logs/watch"), Some((1, 60.0)));
}

/// With the length in its headers, which its body does not know.
#[tokio::test]
async fn a_download_of_minutes() {
    let (body, chunks, gone) = body_by_hand();
    let body = once(body);
    let handler = get(async move || ([(header::CONTENT_LENGTH, "6")], body()));
    let (server, hand) = server(Router::new().route("/logs/all", handler)).await;
    let mut client = server.client().await;
    let asked = request("GET", "/logs/all");
    let mut response = client.send_request(asked).await.unwrap();
    chunks.send(Ok("one")).unwrap();
    response.frame().await.unwrap().unwrap();
    hand.advance(Duration::from_secs(300));
    chunks.send(Ok("two")).unwrap();
    response.frame().await.unwrap().unwrap();
    gone.await.unwrap();
    server.assert_counted(&[("GET /logs/all 200", 1)]);
    assert_eq!(read!(server, session, "/logs/all"), Some((1, 300.0)));
}

#[tokio::test]
async fn what_is_no_stream_stays_a_request() {
    let (refusal, chunks, _) = body_by_hand();
    let refusal = once(refusal);
    let refuse = get(async move || (StatusCode::FORBIDDEN, refusal()));
    let routes = Router::new()
        .route("/logs/list", get(|| async { "[]" }))
        .route("/logs/none", get(|| async { StatusCode::NO_CONTENT }))
        .route("/logs/secret", refuse);
    let (server, hand) = server(routes).await;
    for (method, path) in [("GET", "list"), ("HEAD", "list"), ("GET", "none")] {
        server.ask(method, &format!("/logs/{path}")).await;
    }
    let mut client = server.client().await;
    let asked = request("GET", "/logs/secret");
    let response = client.send_request(asked).await.unwrap();
    assert!(!server.counted().contains_key("GET /logs/secret 403"));
    hand.advance(Duration::from_secs(2));
    chunks.send(Ok("no")).unwrap();
    drop(chunks);
    response.collect().await.unwrap();
    server.assert_counted(&[
        ("GET /logs/list 200", 1),
        ("GET /logs/none 204", 1),
        ("GET /logs/secret 403", 1),
        ("HEAD /logs/list 200", 1),
    ]);
    assert!((seconds(&server, "/logs/secret", "403") - 2.0).abs() < f64::EPSILON);
    for path in ["/logs/list", "/logs/none", "/logs/secret"] {
        assert_eq!(read!(server, session, path), None);
    }
}

/// Other names know no sessions: the request is there, its life is not.
#[tokio::test]
async fn a_stream_under_other_names() {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let layer = HttpLayer::builder(&registry)
        .names([HttpNames::AxumPrometheus])
        .clock(clock)
        .route("/logs", RouteRule::new().session());
    let (body, chunks, gone) = body_by_hand();
    let routes = Router::new().route("/logs", answer_once(body));
    let server = Server::serve(registry, routes.layer(layer.build().unwrap())).await;
    let mut client = server.client().await;
    let mut response = client.send_request(request("GET", "/logs")).await.unwrap();
    hand.advance(Duration::from_secs(60));
    chunks.send(Ok("one")).unwrap();
    response.frame().await.unwrap().unwrap();
    drop((response, client));
    gone.await.unwrap();
    let families = server.registry.gather();
    let sum = families.iter().find_map(|family| {
        let is_duration = family.def.name == "axum_http_requests_duration_seconds";
        match &family.series.first()?.value {
            selfheal::registry::Value::Histogram(histogram) if is_duration => Some(histogram.sum),
            _ => None,
        }
    });
    assert_eq!(sum, Some(0.0));
    assert_eq!(
        lines(&server.registry),
        [
            "axum_http_requests_duration_seconds{GET 200 /logs} 1",
            "axum_http_requests_pending{GET /logs} 0",
            "axum_http_requests_total{GET 200 /logs} 1",
            "axum_http_response_body_size{GET /logs} 1",
        ]
    );
}
