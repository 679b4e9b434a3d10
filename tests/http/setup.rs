//! The settings of the builder: names, labels, routes, buckets, the type of the bodies.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use selfheal::http::{CountedBody, HttpLayer, HttpLayerBuilder, HttpMetrics, HttpNames, RouteRule};
use selfheal::registry::{DeclareError, Registry, Value};
use tower::{Layer, ServiceExt};

use crate::wire::{counted, lines, timed};

/// Sends requests for these paths through a router of a few routes, under the layer.
async fn pass(
    set_up: impl FnOnce(HttpLayerBuilder) -> HttpLayerBuilder,
    paths: &[&str],
) -> Registry {
    let registry = Registry::new();
    let layer = set_up(HttpLayer::builder(&registry)).build().unwrap();
    let app: Router = Router::new()
        .route("/a/{x}", get(|| async { "a" }))
        .route("/b/{x}", get(|| async { "b" }))
        .route(
            "/fail",
            get(|| async { axum::http::StatusCode::BAD_GATEWAY }),
        )
        .layer(layer)
        .with_state(());
    for path in paths {
        let request = Request::builder().uri(*path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        response.collect().await.unwrap();
    }
    registry
}

#[tokio::test]
async fn the_names_of_opentelemetry() {
    let registry = pass(
        |layer| layer.names([HttpNames::OpenTelemetry]),
        &["/a/1", "/fail", "/none"],
    )
    .await;
    assert_eq!(
        lines(&registry),
        [
            "http_server_active_requests{GET http} 0",
            "http_server_request_body_size_bytes{GET http  404  1.1} 1",
            "http_server_request_body_size_bytes{GET http /a/{x} 200  1.1} 1",
            "http_server_request_body_size_bytes{GET http /fail 502 502 1.1} 1",
            "http_server_request_duration_seconds{GET http  404  1.1} 1",
            "http_server_request_duration_seconds{GET http /a/{x} 200  1.1} 1",
            "http_server_request_duration_seconds{GET http /fail 502 502 1.1} 1",
            "http_server_response_body_size_bytes{GET http  404  1.1} 1",
            "http_server_response_body_size_bytes{GET http /a/{x} 200  1.1} 1",
            "http_server_response_body_size_bytes{GET http /fail 502 502 1.1} 1",
        ]
    );
}

#[tokio::test]
async fn the_names_of_axum_prometheus() {
    let registry = pass(
        |layer| layer.names([HttpNames::AxumPrometheus]),
        &["/a/1", "/none"],
    )
    .await;
    assert_eq!(
        lines(&registry),
        [
            "axum_http_requests_duration_seconds{GET 200 /a/{x}} 1",
            "axum_http_requests_duration_seconds{GET 404 unmatched} 1",
            "axum_http_requests_pending{GET /a/{x}} 0",
            "axum_http_requests_pending{GET unmatched} 0",
            "axum_http_requests_total{GET 200 /a/{x}} 1",
            "axum_http_requests_total{GET 404 unmatched} 1",
            "axum_http_response_body_size{GET /a/{x}} 1",
            "axum_http_response_body_size{GET unmatched} 1",
        ]
    );
}

#[tokio::test]
async fn routes_can_be_grouped_and_have_their_own_buckets() {
    let rule = || RouteRule::new().label("letters").buckets([1.0, 2.0]);
    let registry = pass(
        |layer| layer.route("/a/*", rule()).route("/b/*", rule()),
        &["/a/1", "/b/1", "/a/2", "/fail"],
    )
    .await;
    let counts = counted(&registry);
    assert_eq!((counts["GET letters 200"], counts["GET /fail 502"]), (3, 1));
    let http = registry.group::<HttpMetrics>().unwrap();
    let bounds = |path, status| {
        http.duration
            .get(&["GET", path, status])
            .unwrap()
            .snapshot()
            .bounds
    };
    assert_eq!(*bounds("letters", "200"), [1.0, 2.0]);
    assert_eq!(bounds("/fail", "502").len(), 11);
    let first_byte = http.first_byte.get(&["GET", "letters"]).unwrap();
    assert_eq!(*first_byte.snapshot().bounds, [1.0, 2.0]);
}

#[tokio::test]
async fn a_route_can_have_its_own_sample() {
    let rule = RouteRule::new().sample_rate(0.0);
    let registry = pass(|layer| layer.route("/a/{x}", rule), &["/a/1", "/b/1"]).await;
    assert_eq!(counted(&registry)["GET /a/{x} 200"], 1);
    assert_eq!(timed(&registry)["GET /a/{x} 200"], 0);
    assert_eq!(timed(&registry)["GET /b/{x} 200"], 1);
}

#[tokio::test]
async fn all_buckets_can_be_others() {
    let registry = pass(|layer| layer.buckets([0.5]), &["/a/1"]).await;
    let families = registry.gather();
    for name in [selfheal::http::DURATION, "http_time_to_first_byte_seconds"] {
        let family = families.iter().find(|family| family.def.name == name);
        assert_eq!(family.unwrap().def.buckets, [0.5], "{name}");
    }
}

#[derive(Clone)]
struct Plan(String);

/// A layer outside of it that knows the plan.
async fn know_plan(mut request: Request, next: Next) -> axum::response::Response {
    if let Some(plan) = request.uri().query().map(str::to_owned) {
        request.extensions_mut().insert(Plan(plan));
    }
    next.run(request).await
}

/// A layer inside of it that knows the cache.
async fn know_cache(request: Request, next: Next) -> axum::response::Response {
    let cached = request.extensions().get::<Plan>().is_some();
    let mut response = next.run(request).await;
    if cached {
        response.extensions_mut().insert("hit");
    }
    response
}

#[tokio::test]
async fn labels_from_extensions_have_declared_values_only() {
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry)
        .request_label("plan", ["free", "paid"], |extensions| {
            extensions.get::<Plan>().map(|plan| plan.0.as_str())
        })
        .response_label("cache", ["hit", "miss"], |extensions| {
            extensions.get::<&'static str>().copied()
        })
        .build()
        .unwrap();
    let app: Router = Router::new()
        .route("/", get(|| async {}))
        .layer(from_fn(know_cache))
        .layer(layer)
        .layer(from_fn(know_plan))
        .with_state(());
    for uri in ["/", "/?free", "/?free", "/?x", "/?y"] {
        let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
        app.clone()
            .oneshot(request)
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
    }
    let counts = counted(&registry);
    let expected = [
        ("GET / 200  ", 1),
        ("GET / 200 free hit", 2),
        ("GET / 200 other hit", 2),
    ];
    assert_eq!(
        counts,
        expected.map(|(labels, n)| (labels.to_owned(), n)).into()
    );
}

#[test]
fn what_cannot_be_declared_is_an_error() {
    let registry = Registry::new();
    let layer = || HttpLayer::builder(&registry);
    let values = (0..300).map(|n| n.to_string());
    let error = layer()
        .request_label("many", values, |_| None)
        .build()
        .unwrap_err();
    assert!(
        matches!(&error, DeclareError::Label { label, .. } if label == "many"),
        "{error}"
    );
    let error = layer()
        .request_label("le", ["x"], |_| None)
        .build()
        .unwrap_err();
    assert!(matches!(error, DeclareError::Label { .. }), "{error}");
    let error = layer().names([]).build().unwrap_err();
    assert!(matches!(error, DeclareError::NoNames { .. }), "{error}");
    assert!(error.to_string().contains("HTTP layer"), "{error}");
    let rule = RouteRule::new().buckets([2.0, 1.0]);
    let error = layer().route("/", rule).build().unwrap_err();
    assert!(matches!(error, DeclareError::Metric { .. }), "{error}");
    assert!(
        layer().build().is_ok(),
        "nothing of the failures is left behind"
    );
    let error = layer()
        .request_label("plan", ["x"], |_| None)
        .build()
        .unwrap_err();
    assert!(matches!(error, DeclareError::Clash { .. }), "{error}");
}

#[tokio::test]
async fn any_tower_service_with_bodies_of_any_type() {
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry)
        .route_by(|head| match head.uri.path() {
            "/echo" => Some("/echo"),
            path => path.strip_prefix("/hostile/"),
        })
        .build()
        .unwrap();
    let echo = tower::service_fn(async |request: Request<CountedBody<Full<Bytes>>>| {
        let bytes = request.into_body().collect().await.unwrap().to_bytes();
        Ok::<_, Infallible>(Response::new(Full::new(bytes)))
    });
    let service = layer.generic().layer(echo);
    let ask = async |path: String| {
        let body = Full::new(Bytes::from_static(b"twelve bytes"));
        let request = Request::builder().uri(path).body(body).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        response.collect().await.unwrap().to_bytes()
    };
    assert_eq!(ask("/echo".to_owned()).await, "twelve bytes");
    ask("/none".to_owned()).await;
    for n in 0..10_000 {
        ask(format!("/hostile/{n}")).await;
    }
    let counts = counted(&registry);
    assert_eq!(
        (counts["GET /echo 200"], counts["GET unmatched 200"]),
        (1, 1)
    );
    assert_eq!(counts.values().sum::<u64>(), 10_002);
    assert!(
        counts.len() <= 8_193,
        "even a classifier that makes routes up is bounded"
    );
    let sizes = registry.group::<HttpMetrics>().unwrap();
    let size = sizes
        .request_size
        .get(&["GET", "/echo"])
        .unwrap()
        .snapshot();
    assert_eq!((size.count(), size.sum), (1, 12.0));
    let overflow = registry.gather().into_iter().any(|family| {
        family.def.name == "http_requests_total"
            && family.series.iter().any(|series| {
                series.labels.contains("__overflow__")
                    && series.value != Value::Number(selfheal::registry::Number::U64(0))
            })
    });
    assert!(overflow);
}
