//! The route label is the pattern as the application wrote it, however the router was put
//! together.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use selfheal::http::HttpLayer;
use selfheal::registry::Registry;
use tower::Service;

use crate::wire::Server;

#[tokio::test]
async fn nest_merge_and_fallback() {
    let inner = Router::new()
        .route("/items/{id}", get(|| async { "item" }))
        .route("/", get(|| async { "root" }));
    let routes = Router::new()
        .nest("/api/{version}", inner)
        .merge(Router::new().route("/merged/{*rest}", get(|| async { "merged" })))
        .fallback(|| async { "anything" });
    let server = Server::start(routes).await;
    for path in [
        "/api/v1/items/3",
        "/api/v2/items/4",
        "/api/v1",
        "/merged/a/b",
        "/else",
        "/api/v1/none",
    ] {
        assert_eq!(server.ask("GET", path).await.status(), 200, "{path}");
    }
    server.assert_counted(&[
        ("GET /api/{version} 200", 1),
        ("GET /api/{version}/items/{id} 200", 2),
        ("GET /merged/{*rest} 200", 1),
        ("GET unmatched 200", 2),
    ]);
}

#[tokio::test]
async fn a_method_that_the_route_does_not_have() {
    let server = Server::start(Router::new().route("/orders", get(|| async {}))).await;
    assert_eq!(server.ask("DELETE", "/orders").await.status(), 405);
    assert_eq!(server.ask("PROPFIND", "/orders").await.status(), 405);
    server.assert_counted(&[("DELETE /orders 405", 1), ("other /orders 405", 1)]);
}

#[tokio::test]
async fn a_layer_on_the_nested_router_sees_the_whole_pattern() {
    let registry = Registry::new();
    let layer = HttpLayer::new(&registry).unwrap();
    let inner = Router::new()
        .route("/items/{id}", get(|| async { "item" }))
        .layer(layer);
    let app = Router::new()
        .nest("/api", inner)
        .route("/outside", get(|| async {}));
    let server = Server::serve(registry, app).await;
    server.ask("GET", "/api/items/3").await;
    server.ask("GET", "/outside").await;
    server.assert_counted(&[("GET /api/items/{id} 200", 1)]);
}

#[tokio::test]
async fn a_route_layer_leaves_the_unmatched_alone() {
    let registry = Registry::new();
    let layer = HttpLayer::new(&registry).unwrap();
    let app = Router::new()
        .route("/a", get(|| async {}))
        .route_layer(layer);
    let server = Server::serve(registry, app).await;
    server.ask("GET", "/a").await;
    server.ask("GET", "/b").await;
    server.assert_counted(&[("GET /a 200", 1)]);
}

fn hello() -> impl Service<
    Request,
    Response = Response,
    Error = Infallible,
    Future = impl Future<Output = Result<Response, Infallible>> + Send + 'static,
> + Clone
+ Send
+ Sync
+ 'static {
    tower::service_fn(|_: Request| async { Ok(Response::new(Body::from("hello"))) })
}

#[tokio::test]
async fn a_service_under_a_route() {
    let server = Server::start(Router::new().route_service("/a/{x}", hello())).await;
    assert_eq!(server.ask("GET", "/a/1").await.body(), "hello");
    server.assert_counted(&[("GET /a/{x} 200", 1)]);
}

#[tokio::test]
async fn a_nested_service_matches_inside_of_the_layer() {
    let server = Server::start(Router::new().nest_service("/a", hello())).await;
    assert_eq!(server.ask("GET", "/a/1").await.body(), "hello");
    server.assert_counted(&[("GET /a/{*rest} 200", 1)]);

    let registry = Registry::new();
    let layer = HttpLayer::new(&registry).unwrap();
    let inner = Router::new()
        .route("/{x}", get(|| async { "inner" }))
        .layer(layer);
    let server = Server::serve(registry, Router::new().nest_service("/a", inner)).await;
    assert_eq!(server.ask("GET", "/a/1").await.body(), "inner");
    server.assert_counted(&[("GET /a/{x} 200", 1)]);
}

#[tokio::test]
async fn excluded_paths_are_left_alone() {
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry)
        .exclude("/internal/*")
        .build()
        .unwrap();
    let handler = get(|| async { "ok" });
    let app = Router::new()
        .route("/metrics", handler.clone())
        .route("/internal/{x}", handler.clone())
        .route("/a", handler)
        .layer(layer);
    let server = Server::serve(registry, app).await;
    for path in ["/metrics?name=a", "/internal/heap", "/a", "/livez"] {
        server.ask("GET", path).await;
    }
    server.assert_counted(&[("GET /a 200", 1)]);
}

#[tokio::test]
async fn a_layer_on_a_nested_router_excludes_what_axum_has_left_of_the_path() {
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry)
        .exclude("/api/a")
        .exclude("/b");
    let inner = Router::new()
        .route("/a", get(|| async {}))
        .route("/b", get(|| async {}))
        .layer(layer.build().unwrap());
    let server = Server::serve(registry, Router::new().nest("/api", inner)).await;
    server.ask("GET", "/api/a").await;
    server.ask("GET", "/api/b").await;
    server.assert_counted(&[("GET /api/a 200", 1)]);
}

#[tokio::test]
async fn two_layers_on_one_registry_share_the_series() {
    let registry = Registry::new();
    let layer = || HttpLayer::new(&registry).unwrap();
    let app = Router::new()
        .route("/a", get(|| async {}))
        .layer(layer())
        .merge(Router::new().route("/b", get(|| async {})).layer(layer()));
    let server = Server::serve(registry.clone(), app).await;
    server.ask("GET", "/a").await;
    server.ask("GET", "/b").await;
    server.assert_counted(&[("GET /a 200", 1), ("GET /b 200", 1)]);
}

/// Existing files and the requests of scanners are distinguished by the status, and both from
/// what nothing is mounted for.
#[tokio::test]
async fn what_a_service_is_mounted_for_has_the_pattern_of_the_mount() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.js"), "1").unwrap();
    let files = || tower_http::services::ServeDir::new(folder.path());
    let own = || get(|| async { "ok" });
    let routes = Router::new()
        .route("/", own())
        .nest_service("/assets", files())
        .nest("/v1", Router::new().nest_service("/docs", files()))
        .nest_service("/api", Router::new().route("/orders/{id}", own()));
    let server = Server::start(routes).await;
    for path in [
        "/",
        "/assets/app.js",
        "/assets/app.js",
        "/assets/.env",
        "/v1/docs/app.js",
        "/api/orders/7",
        "/api/none",
        "/wp-login.php",
    ] {
        server.ask("GET", path).await;
    }
    server.assert_counted(&[
        ("GET / 200", 1),
        ("GET /api/{*rest} 200", 1),
        ("GET /api/{*rest} 404", 1),
        ("GET /assets/{*rest} 200", 2),
        ("GET /assets/{*rest} 404", 1),
        ("GET /v1/docs/{*rest} 200", 1),
        ("GET unmatched 404", 1),
    ]);
}

/// Where axum says nothing of a mount: a fallback, a layer around the whole router.
#[tokio::test]
async fn a_mount_is_named_by_one_call_where_axum_does_not() {
    use axum::ServiceExt;
    use selfheal::http::RouteRule;
    use tower_layer::Layer;

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app.js"), "1").unwrap();
    let files = || tower_http::services::ServeDir::new(folder.path());

    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry).mount("/").build().unwrap();
    let app = Router::new().fallback_service(files()).layer(layer);
    let server = Server::serve(registry, app).await;
    for path in ["/app.js", "/none"] {
        server.ask("GET", path).await;
    }
    server.assert_counted(&[("GET /{*rest} 200", 1), ("GET /{*rest} 404", 1)]);

    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry)
        .mount("/assets")
        .route("/assets/*", RouteRule::new().label("files"))
        .build()
        .unwrap();
    let app = Router::new().nest_service("/assets", files());
    let app = layer.layer(app);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let make = ServiceExt::<axum::extract::Request>::into_make_service(app);
        axum::serve(listener, make).await
    });
    let server = Server {
        registry,
        addr: address,
    };
    for path in ["/assets/app.js", "/none"] {
        server.ask("GET", path).await;
    }
    server.assert_counted(&[("GET files 200", 1), ("GET unmatched 404", 1)]);
}

/// The recipe of the docs.
#[tokio::test]
async fn a_rule_for_what_is_mounted_fits_the_pattern_of_the_mount() {
    use selfheal::http::RouteRule;
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry)
        .route("/assets/*", RouteRule::new().label("/assets"))
        .build()
        .unwrap();
    let app = Router::new().nest_service("/assets", hello()).layer(layer);
    let server = Server::serve(registry, app).await;
    server.ask("GET", "/assets/app.js").await;
    server.assert_counted(&[("GET /assets 200", 1)]);
}
