//! The label values by set of names and by rules for routes.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Request, Response, Version};
use axum::routing::{any, get};
use http_body_util::BodyExt;
use selfheal::http::{HttpLayer, HttpLayerBuilder, HttpNames, RouteRule};
use selfheal::registry::{Profile, Registry, Settings};
use selfheal::testing::assert_value;
use selfheal::util::Clock;
use tower::ServiceExt;

use crate::wire::{counted, lines};

/// Sends the requests through these routes under the layer.
async fn pass(
    routes: Router,
    set_up: impl FnOnce(HttpLayerBuilder) -> HttpLayerBuilder,
    requests: impl IntoIterator<Item = (&str, &str, Version)>,
) -> Registry {
    let registry = Registry::new();
    let layer = set_up(HttpLayer::builder(&registry)).build().unwrap();
    let app: Router = routes.layer(layer).with_state(());
    for (method, path, version) in requests {
        let request = Request::builder().method(method).uri(path).version(version);
        let request = request.body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        response.collect().await.unwrap();
    }
    registry
}

fn gets<'p>(paths: &'p [&'p str]) -> impl Iterator<Item = (&'static str, &'p str, Version)> {
    paths.iter().map(|path| ("GET", *path, Version::HTTP_11))
}

#[tokio::test]
async fn opentelemetry_knows_protocols_and_has_a_word_of_its_own_for_other_methods() {
    let registry = pass(
        Router::new().route("/x", any(async || {})),
        |layer| layer.names([HttpNames::OpenTelemetry]),
        [
            ("GET", "/x", Version::HTTP_11),
            ("GET", "/x", Version::HTTP_2),
            ("GET", "/x", Version::HTTP_10),
            ("GET", "/x", Version::HTTP_2),
            ("PROPFIND", "/x", Version::HTTP_11),
        ],
    )
    .await;
    let mut lines = lines(&registry);
    lines.retain(|line| line.contains("duration") || line.contains("active"));
    assert_eq!(
        lines,
        [
            "http_server_active_requests{GET http} 0",
            "http_server_active_requests{_OTHER http} 0",
            "http_server_request_duration_seconds{GET http /x 200  1.0} 1",
            "http_server_request_duration_seconds{GET http /x 200  1.1} 1",
            "http_server_request_duration_seconds{GET http /x 200  2} 2",
            "http_server_request_duration_seconds{_OTHER http /x 200  1.1} 1",
        ]
    );
}

/// An alias is rendered, and never recorded beside its metric.
#[tokio::test]
async fn the_aliases_of_a_profile_are_those_of_what_is_recorded() {
    let (clock, hand) = Clock::manual();
    let slow = get(async move || hand.advance(Duration::from_secs(2)));
    let mut settings = Settings::default();
    settings.profiles = vec![Profile::new("self_healing_platform")];
    let registry = Registry::with_settings(settings);
    let layer = HttpLayer::builder(&registry).clock(clock).build().unwrap();
    let app: Router = Router::new().route("/", slow).layer(layer);
    let request = Request::builder().uri("/").body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    response.collect().await.unwrap();
    let own = [("method", "GET"), ("path", "/"), ("status", "200")];
    let of_alias = [("method", "GET"), ("endpoint", "/"), ("status", "200")];
    assert_value(&registry, "http_requests_total", &own, 1.0);
    assert_value(&registry, "requests_total", &of_alias, 1.0);
    assert_value(&registry, "http_request_duration_seconds_sum", &own, 2.0);
    let endpoint = [("endpoint", "/")];
    assert_value(&registry, "response_time_histogram_sum", &endpoint, 2_000.0);
    let catalog = registry.catalog();
    assert!(catalog.iter().all(|def| def.name != "requests_total"));
}

#[derive(Clone)]
struct Cache(String);

#[tokio::test]
async fn a_response_label_is_that_of_each_response() {
    let route = get(async |Path(cache): Path<String>| {
        let mut response = Response::new(Body::empty());
        if cache != "none" {
            response.extensions_mut().insert(Cache(cache));
        }
        response
    });
    let registry = pass(
        Router::new().route("/{cache}", route),
        |layer| {
            layer.response_label("cache", ["hit", "miss"], |extensions| {
                extensions.get::<Cache>().map(|cache| cache.0.as_str())
            })
        },
        gets(&["/hit", "/miss", "/hit", "/odd", "/none"]),
    )
    .await;
    let expected = [("", 1), ("hit", 2), ("miss", 1), ("other", 1)];
    let expected = expected.map(|(cache, n)| (format!("GET /{{cache}} 200 {cache}"), n));
    assert_eq!(counted(&registry), expected.into());
}

#[tokio::test]
async fn of_rules_that_fit_the_first_counts() {
    let rule = |label: &str| RouteRule::new().label(label);
    let registry = pass(
        Router::new()
            .route("/a/b", get(async || {}))
            .route("/a/c", get(async || {})),
        |layer| layer.route("/a/b", rule("one")).route("/a/*", rule("all")),
        gets(&["/a/b", "/a/c"]),
    )
    .await;
    let expected = [("GET all 200", 1), ("GET one 200", 1)];
    assert_eq!(
        counted(&registry),
        expected.map(|(labels, n)| (labels.to_owned(), n)).into()
    );
}
