//! The crate's endpoints are not traffic of the application.

use axum::routing::get;
use axum::{Extension, Router};
use http_body_util::BodyExt;
use selfheal::Selfheal;
use selfheal::config::{Config, Http};
use selfheal::http::Unrecorded;

use crate::wire::{Server, answer_once, body_by_hand, request};

const ENDPOINTS: [&str; 5] = ["/metrics", "/health", "/livez", "/readyz", "/selfheal"];

fn handle(config: Http) -> Selfheal {
    Selfheal::new(Config::new().http(config)).unwrap()
}

async fn serve(heal: &Selfheal, routes: Router) -> Server {
    let app = routes.layer(heal.http_layer());
    Server::serve(heal.registry().clone(), app).await
}

/// Merged in after the layer, they would bring a fallback that is not measured.
#[tokio::test]
async fn what_matches_nothing_beside_the_endpoints_of_the_handle() {
    let heal = handle(Http::new());
    let routes = Router::new().route("/orders/{id}", get(|| async { "an order" }));
    let server = serve(&heal, routes.merge(heal.router())).await;
    let others = ["/orders/7", "/wp-login.php", "/"];
    for path in others.iter().chain(&ENDPOINTS) {
        server.ask("GET", path).await;
    }
    server.assert_counted(&[("GET /orders/{id} 200", 1), ("GET unmatched 404", 2)]);
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
    for path in ["/selfheal", "/livez", "/ops/livez"] {
        server.ask("GET", path).await;
    }
    server.assert_counted(&[
        ("GET /selfheal 200", 1),
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

/// Paths and fallbacks of all kinds that an application may have of its own.
#[tokio::test]
async fn merged_they_leave_the_rest_to_the_application() {
    let own = || get(|| async { "the shop" });
    for routes in [
        Router::new().route("/", own()),
        Router::new().fallback(own()),
        Router::new().route("/", own()).fallback(own()),
        Router::new().route("/{*path}", own()).route("/", own()),
        Router::new().route("/{page}", own()).fallback(own()),
        Router::new()
            .fallback_service(own())
            .method_not_allowed_fallback(own()),
        Router::new().nest("/{shop}", Router::new().route("/", own())),
    ] {
        let heal = handle(Http::new());
        let server = serve(&heal, routes.merge(heal.router())).await;
        for path in ENDPOINTS {
            let answer = server.ask("GET", path).await;
            assert_eq!(answer.status(), 200, "{path}");
            assert_ne!(answer.body(), "the shop", "{path}");
        }
        let answer = server.ask("GET", "/").await;
        assert!(answer.status() == 404 || answer.body() == "the shop");
    }
}

/// The addresses that the links of a page lead to, as a browser resolves them.
fn links(page: &str, at: &str) -> Vec<String> {
    let targets = page.split("<a href=\"").skip(1);
    let targets = targets.filter_map(|rest| rest.split('"').next());
    let folder = at.rsplit_once('/').map_or("", |(folder, _)| folder);
    let resolve = |target: &str| {
        let mut parts: Vec<&str> = match target.strip_prefix('/') {
            Some(_) => Vec::new(),
            None => folder.split('/').filter(|part| !part.is_empty()).collect(),
        };
        for part in target.split('/').filter(|part| !part.is_empty()) {
            match part {
                ".." => drop(parts.pop()),
                "." => {}
                part => parts.push(part),
            }
        }
        format!("/{}", parts.join("/"))
    };
    targets.map(resolve).collect()
}

#[tokio::test]
async fn the_links_of_the_page_lead_to_the_endpoints_wherever_it_is_mounted() {
    let shop = || Router::new().route("/", get(|| async { "the shop" }));
    let heal = handle(Http::new());
    let root = Selfheal::new(Config::new().server(selfheal::config::Server::new().page_path("/")))
        .unwrap();
    for (routes, pages, mount) in [
        (shop().merge(heal.router()), vec!["/selfheal"], ""),
        (
            shop().nest("/ops", heal.router()),
            vec!["/ops/selfheal"],
            "/ops",
        ),
        (
            shop().nest("/a", Router::new().nest("/b", heal.router())),
            vec!["/a/b/selfheal"],
            "/a/b",
        ),
        (
            shop().merge(heal.router_at("/ops").unwrap()),
            vec!["/ops", "/ops/"],
            "/ops",
        ),
        (
            shop().nest("/x", heal.router_at("a/b/").unwrap()),
            vec!["/x/a/b", "/x/a/b/"],
            "/x/a/b",
        ),
        (
            shop().nest_service("/ops", heal.router::<()>()),
            vec!["/ops/selfheal"],
            "/ops",
        ),
        (shop().nest("/ops", root.router()), vec!["/ops"], "/ops"),
        (
            shop().nest_service("/ops", root.router::<()>()),
            vec!["/ops", "/ops/"],
            "/ops",
        ),
    ] {
        let server = serve(&heal, routes).await;
        for page in pages {
            let answer = server.ask("GET", page).await;
            assert_eq!(answer.status(), 200, "{page}");
            let text = String::from_utf8(answer.body().to_vec()).unwrap();
            let want = ENDPOINTS[..4].iter().map(|path| format!("{mount}{path}"));
            assert_eq!(links(&text, page), want.collect::<Vec<_>>(), "{page}");
            for link in links(&text, page) {
                assert_eq!(server.ask("GET", &link).await.status(), 200, "{link}");
            }
        }
    }
}

/// The scrape is not in flight, and what only serves the crate has no series.
#[tokio::test]
async fn their_own_requests_are_nowhere_on_the_page() {
    let heal = handle(Http::new());
    let routes = Router::new()
        .nest("/ops", heal.router())
        .merge(heal.router_at("/x/y").unwrap())
        .merge(heal.router());
    let server = serve(&heal, routes).await;
    for _ in 0..2 {
        for mount in ["", "/ops", "/x/y"] {
            for path in &ENDPOINTS[..4] {
                server.ask("GET", &format!("{mount}{path}")).await;
                server.ask("HEAD", &format!("{mount}{path}")).await;
            }
            let page = server.ask("GET", &format!("{mount}/metrics")).await;
            let page = String::from_utf8(page.body().to_vec()).unwrap();
            let mut own = page.lines().filter(|line| line.starts_with("http_"));
            // A gauge without labels exists from the start.
            let quiet = own.all(|line| line == "http_requests_in_flight 0");
            assert!(quiet, "{mount}: {page}");
        }
    }
}

/// A path that only ends like an endpoint is the application's.
#[tokio::test]
async fn paths_of_the_application_that_look_like_endpoints_are_traffic() {
    let heal = handle(Http::new());
    let own = || get(|| async { "the shop" });
    let api = Router::new()
        .route("/metrics", own())
        .route("/health", own());
    let routes = Router::new()
        .nest("/api", api.clone())
        .nest_service("/v2", api)
        .route("/shop/selfheal", own())
        .merge(heal.router());
    let server = serve(&heal, routes).await;
    for path in [
        "/api/metrics",
        "/api/health",
        "/v2/metrics",
        "/shop/selfheal",
        "/metrics",
    ] {
        server.ask("GET", path).await;
    }
    server.assert_counted(&[
        ("GET /api/health 200", 1),
        ("GET /api/metrics 200", 1),
        ("GET /shop/selfheal 200", 1),
        ("GET /v2/{*rest} 200", 1),
    ]);
}

#[tokio::test]
async fn credentials_are_asked_for_wherever_the_endpoints_are_mounted() {
    use selfheal::config::{Secret, Server as Settings};
    for protect in [false, true] {
        let settings = Settings::new()
            .bearer_token(Secret::new("t0ken"))
            .protect_probes(protect);
        let heal = Selfheal::new(Config::new().server(settings)).unwrap();
        let routes = Router::new()
            .route("/", get(|| async { "the shop" }))
            .nest("/ops", heal.router())
            .nest_service("/svc", heal.router::<()>())
            .merge(heal.router_at("/x").unwrap())
            .merge(heal.router());
        let server = serve(&heal, routes).await;
        for mount in ["", "/ops", "/svc", "/x"] {
            for path in &ENDPOINTS[..4] {
                let probe = path.ends_with('z');
                let path = format!("{mount}{path}");
                let want = if probe && !protect { 200 } else { 401 };
                assert_eq!(server.ask("GET", &path).await.status(), want, "{path}");
                let mut known = request("GET", &path);
                let token = "Bearer t0ken".parse().unwrap();
                known.headers_mut().insert("authorization", token);
                let answer = server.client().await.send_request(known).await.unwrap();
                assert_eq!(answer.status(), 200, "{path}");
            }
        }
        assert_eq!(server.ask("GET", "/").await.body(), "the shop");
        assert_eq!(server.ask("GET", "/nothing").await.status(), 404);
    }
}

/// Around the whole router, before axum has matched a route.
#[tokio::test]
async fn with_the_layer_around_the_whole_router_they_are_no_traffic_either() {
    use axum::Extension as Ext;
    use tower::Layer;

    let heal = handle(Http::new());
    let routes = Router::new()
        .route("/orders/{id}", get(|| async { "an order" }))
        .nest("/ops", heal.router())
        .nest_service("/svc", heal.router::<()>())
        .merge(heal.router_at("/x/y").unwrap())
        .merge(heal.router())
        .layer(Ext(()));
    let app = Router::new().fallback_service(heal.http_layer().layer(routes));
    let server = Server::serve(heal.registry().clone(), app).await;
    for mount in ["", "/ops", "/svc", "/x/y"] {
        for path in &ENDPOINTS[..4] {
            let path = format!("{mount}{path}");
            assert_eq!(server.ask("GET", &path).await.status(), 200, "{path}");
        }
    }
    for page in ["/selfheal", "/ops/selfheal", "/svc/selfheal", "/x/y"] {
        assert_eq!(server.ask("GET", page).await.status(), 200, "{page}");
    }
    server.ask("GET", "/orders/7").await;
    server.ask("GET", "/wp-login.php").await;
    let counted = crate::wire::counted(heal.registry());
    assert_eq!(counted.values().sum::<u64>(), 2, "{counted:?}");
}

/// Nested behind the layer of a router that is nested itself, as of a second service.
#[tokio::test]
async fn with_the_layer_on_a_router_that_is_nested_they_are_no_traffic_either() {
    let heal = handle(Http::new());
    let shop = Router::new()
        .route("/orders/{id}", get(|| async { "an order" }))
        .merge(heal.router())
        .nest("/ops", heal.router())
        .layer(heal.http_layer());
    let app = Router::new().nest("/shop", shop);
    let server = Server::serve(heal.registry().clone(), app).await;
    for mount in ["/shop", "/shop/ops"] {
        for path in ENDPOINTS {
            let path = format!("{mount}{path}");
            assert_eq!(server.ask("GET", &path).await.status(), 200, "{path}");
        }
    }
    server.ask("GET", "/shop/orders/7").await;
    server.assert_counted(&[("GET /shop/orders/{id} 200", 1)]);
}
