//! What the crate serves about the application is no traffic of it.

use axum::routing::get;
use axum::{Extension, Router};
use http_body_util::BodyExt;
use selfheal::Selfheal;
use selfheal::config::{Config, Http};
use selfheal::http::Unrecorded;

use crate::wire::{Server, answer_once, body_by_hand, request};

const ENDPOINTS: [&str; 5] = ["/metrics", "/health", "/livez", "/readyz", ""];

fn handle(config: Http) -> Selfheal {
    Selfheal::new(Config::new().http(config)).unwrap()
}

async fn serve(heal: &Selfheal, routes: Router) -> Server {
    let app = routes.layer(heal.http_layer());
    Server::serve(heal.registry().clone(), app).await
}

/// Merged in after the layer, they would bring a fallback that nobody measures.
#[tokio::test]
async fn what_matches_nothing_beside_the_endpoints_of_the_handle() {
    let heal = handle(Http::new());
    let routes = Router::new().route("/orders/{id}", get(|| async { "an order" }));
    let server = serve(&heal, routes.merge(heal.router())).await;
    let others = ["/orders/7", "/wp-login.php", "/"];
    for path in others.iter().chain(&ENDPOINTS[..4]) {
        server.ask("GET", path).await;
    }
    server.assert_counted(&[("GET /orders/{id} 200", 1), ("GET unmatched 404", 1)]);
}

/// Nested, the paths are others, and `/` is the application's own.
#[tokio::test]
async fn endpoints_that_are_nested() {
    let heal = handle(Http::new());
    let routes = Router::new()
        .route("/", get(|| async { "the shop" }))
        .nest("/ops", heal.router());
    let server = serve(&heal, routes).await;
    let mut client = server.client2().await;
    for path in ENDPOINTS.map(|path| format!("/ops{path}")) {
        assert_eq!(server.ask("GET", &path).await.status(), 200, "{path}");
        assert_eq!(server.ask("HEAD", &path).await.status(), 200, "{path}");
        let response = client.send_request(crate::wire::request2(&path)).await;
        response.unwrap().collect().await.unwrap();
    }
    server.ask("GET", "/").await;
    server.ask("GET", "/ops/none").await;
    server.assert_counted(&[("GET / 200", 1), ("GET unmatched 404", 1)]);
}

/// A service that is not ready because its answers say so would never be ready again.
#[tokio::test]
async fn a_refusal_about_the_service_is_no_failure_of_it() {
    let heal = handle(Http::new());
    heal.set_not_ready(Some("the cache is cold"));
    let routes = Router::new().nest("/ops", heal.router());
    let server = serve(&heal, routes).await;
    let before = heal.report().score.low;
    for _ in 0..10 {
        assert_eq!(server.ask("GET", "/ops/readyz").await.status(), 503);
    }
    assert_eq!(heal.report().score.low.to_bits(), before.to_bits());
    server.assert_counted(&[]);
}

#[tokio::test]
async fn endpoints_are_traffic_where_the_configuration_wants_it() {
    let heal = handle(Http::new().exclude_endpoints(false));
    let routes = Router::new().nest("/ops", heal.router());
    let server = serve(&heal, routes.merge(heal.router())).await;
    for path in ["/", "/livez", "/ops/livez"] {
        server.ask("GET", path).await;
    }
    server.assert_counted(&[
        ("GET / 200", 1),
        ("GET /livez 200", 1),
        ("GET /ops/livez 200", 1),
    ]);
}

/// Until its headers it is in flight; of its body nothing is known.
#[tokio::test]
async fn a_route_that_says_so_itself() {
    let (body, chunks, _gone) = body_by_hand();
    let stream = answer_once(body);
    let stream = stream.layer(axum::middleware::map_response(
        async |response: axum::response::Response| (Extension(Unrecorded), response),
    ));
    let server = Server::start(Router::new().route("/debug", stream)).await;
    let mut client = server.client().await;
    let asked = request("GET", "/debug");
    let response = client.send_request(asked).await.unwrap();
    assert_eq!(server.in_flight(), 0);
    chunks.send(Ok("all empty")).unwrap();
    drop(chunks);
    let body = response.collect().await.unwrap().to_bytes();
    assert_eq!(body, "all empty");
    server.assert_counted(&[]);
}
