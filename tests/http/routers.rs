//! Routers put together in every way: each request is counted by each layer on its way, once.

use axum::Router;
use axum::routing::{get, post};
use selfheal::http::HttpLayer;
use selfheal::registry::Registry;

use crate::wire::Server;

/// Two layers of one registry.
fn layers() -> (Registry, HttpLayer, HttpLayer) {
    let registry = Registry::new();
    let layer = || HttpLayer::new(&registry).unwrap();
    let (first, second) = (layer(), layer());
    (registry, first, second)
}

#[tokio::test]
async fn a_layer_on_the_outer_and_one_on_the_nested_router_count_twice() {
    let (registry, outside, inside) = layers();
    let inner = Router::new()
        .route("/items/{id}", get(|| async { "item" }))
        .layer(inside);
    let app = Router::new()
        .nest("/api", inner)
        .route("/outside", get(|| async {}))
        .layer(outside);
    let server = Server::serve(registry, app).await;
    server.ask("GET", "/api/items/3").await;
    server.ask("GET", "/outside").await;
    server.assert_counted(&[("GET /api/items/{id} 200", 2), ("GET /outside 200", 1)]);
}

#[tokio::test]
async fn one_layer_put_on_twice_counts_twice() {
    let (registry, layer, _) = layers();
    let app = Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(layer.clone())
        .layer(layer);
    let server = Server::serve(registry, app).await;
    assert_eq!(server.ask("GET", "/").await.body(), "hello");
    server.assert_counted(&[("GET / 200", 2)]);
}

#[tokio::test]
async fn a_fallback_of_its_own_on_each_side_of_the_layer() {
    let (registry, layer, other) = layers();
    let app = Router::new()
        .route("/a", get(|| async {}))
        .fallback(|| async { "anything" })
        .layer(layer);
    let server = Server::serve(registry.clone(), app).await;
    assert_eq!(server.ask("GET", "/none").await.body(), "anything");
    server.assert_counted(&[("GET unmatched 200", 1)]);

    // A fallback that is set after the layer is outside of it.
    let app = Router::new()
        .route("/a", get(|| async {}))
        .layer(other)
        .fallback(|| async { "anything" });
    let server = Server::serve(registry, app).await;
    assert_eq!(server.ask("GET", "/none").await.body(), "anything");
    server.assert_counted(&[("GET unmatched 200", 1)]);
}

#[tokio::test]
async fn a_fallback_for_methods_has_the_path_that_matched() {
    let (registry, layer, _) = layers();
    let app = Router::new()
        .route("/orders/{id}", get(|| async {}))
        .method_not_allowed_fallback(|| async {
            (axum::http::StatusCode::METHOD_NOT_ALLOWED, "no")
        })
        .layer(layer);
    let server = Server::serve(registry, app).await;
    assert_eq!(server.ask("PUT", "/orders/1").await.body(), "no");
    server.ask("BREW", "/orders/1").await;
    server.assert_counted(&[("PUT /orders/{id} 405", 1), ("other /orders/{id} 405", 1)]);
}

#[tokio::test]
async fn a_layer_on_the_methods_of_one_route() {
    let (registry, layer, _) = layers();
    let app = Router::new()
        .route("/a/{x}", get(|| async {}).post(|| async {}).layer(layer))
        .route("/b", post(|| async {}));
    let server = Server::serve(registry, app).await;
    for (method, path) in [
        ("GET", "/a/1"),
        ("POST", "/a/2"),
        ("PUT", "/a/3"),
        ("POST", "/b"),
    ] {
        server.ask(method, path).await;
    }
    server.assert_counted(&[
        ("GET /a/{x} 200", 1),
        ("POST /a/{x} 200", 1),
        ("PUT /a/{x} 405", 1),
    ]);
}

#[tokio::test]
async fn what_matches_nothing_in_two_merged_routers_with_layers() {
    let (registry, first, second) = layers();
    let app = Router::new()
        .route("/a", get(|| async {}))
        .layer(first)
        .merge(Router::new().route("/b", get(|| async {})).layer(second));
    let server = Server::serve(registry, app).await;
    for path in ["/a", "/b", "/none"] {
        server.ask("GET", path).await;
    }
    server.assert_counted(&[
        ("GET /a 200", 1),
        ("GET /b 200", 1),
        ("GET unmatched 404", 1),
    ]);
}
