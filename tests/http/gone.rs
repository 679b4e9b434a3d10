//! Series that were removed or have expired are there again with the next request.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use http_body_util::BodyExt;
use selfheal::http::{HttpLayer, HttpMetrics, HttpNames, HttpSession};
use selfheal::registry::{FamilySettings, Registry, Settings};
use tower::ServiceExt;

use crate::wire::lines;

const HOUR: Duration = Duration::from_secs(3_600);

/// A registry whose families of HTTP expire.
fn expiring() -> Registry {
    let mut settings = Settings::default();
    for name in [
        "http_requests_total",
        "http_request_duration_seconds",
        "http_time_to_first_byte_seconds",
        "http_request_size_bytes",
        "http_response_size_bytes",
        "axum_http_requests_pending",
        "axum_http_requests_total",
    ] {
        let mut family = FamilySettings::default();
        family.expire_after = Some(HOUR);
        settings.metrics.family.insert(name.to_owned(), family);
    }
    Registry::with_settings(settings)
}

fn app(registry: &Registry) -> Router {
    let layer = HttpLayer::builder(registry)
        .names([HttpNames::Catalog, HttpNames::AxumPrometheus])
        .build()
        .unwrap();
    Router::new()
        .route("/", get(|| async { "hello" }))
        .layer(layer)
        .with_state(())
}

async fn ask(app: &Router) {
    let response = app.clone().oneshot(Request::new(Body::empty())).await;
    response.unwrap().collect().await.unwrap();
}

fn line(registry: &Registry, start: &str) -> Vec<String> {
    let lines = lines(registry).into_iter();
    lines.filter(|line| line.starts_with(start)).collect()
}

#[tokio::test]
async fn a_route_that_was_removed_is_exposed_again() {
    let registry = Registry::new();
    let app = app(&registry);
    let metrics = registry.group::<HttpMetrics>().unwrap();
    for _ in 0..3 {
        ask(&app).await;
        ask(&app).await;
        let requests = metrics.requests.get(&["GET", "/", "200"]).unwrap();
        assert_eq!(requests.get(), 2, "from the removal on");
        let first_byte = metrics.first_byte.get(&["GET", "/"]).unwrap();
        assert_eq!(first_byte.snapshot().count(), 2);
        assert!(metrics.requests.remove(&["GET", "/", "200"]));
        assert!(metrics.first_byte.remove(&["GET", "/"]));
    }
    let durations = metrics.duration.get(&["GET", "/", "200"]).unwrap();
    assert_eq!(durations.snapshot().count(), 6, "which was not removed");
}

#[tokio::test]
async fn an_idle_route_expires_and_comes_back() {
    let registry = expiring();
    let app = app(&registry);
    let start = Instant::now();
    let mut now = start;
    let mut expire = |after: Duration| {
        now += after;
        registry.expire(now)
    };
    expire(Duration::ZERO);
    for _ in 0..3 {
        ask(&app).await;
        expire(Duration::from_secs(1));
        assert_eq!(
            line(&registry, "http_requests_total"),
            ["http_requests_total{GET / 200} 1"]
        );
        expire(HOUR / 2);
        assert_eq!(
            line(&registry, "http_requests_total").len(),
            1,
            "half an hour"
        );
        expire(HOUR);
        assert_eq!(line(&registry, "http_requests_total"), [""; 0]);
        assert_eq!(line(&registry, "axum_http_requests_total"), [""; 0]);
    }
}

#[tokio::test]
async fn what_is_in_flight_does_not_expire_and_comes_down_again() {
    let registry = expiring();
    let app = app(&registry);
    let pending = || line(&registry, "axum_http_requests_pending");
    ask(&app).await;
    let response = app.clone().oneshot(Request::new(Body::empty())).await;
    let response = response.unwrap();
    let start = Instant::now();
    for hours in 0..5 {
        registry.expire(start + hours * HOUR);
        assert_eq!(pending(), ["axum_http_requests_pending{GET /} 1"]);
    }
    drop(response);
    assert_eq!(pending(), ["axum_http_requests_pending{GET /} 0"]);
    registry.expire(start + 6 * HOUR);
    registry.expire(start + 8 * HOUR);
    assert_eq!(pending(), [""; 0]);
    ask(&app).await;
    assert_eq!(pending(), ["axum_http_requests_pending{GET /} 0"]);
}

#[tokio::test]
async fn what_is_removed_while_in_flight_does_not_fall_below_zero() {
    let registry = Registry::new();
    let app = app(&registry);
    ask(&app).await;
    let response = app.clone().oneshot(Request::new(Body::empty())).await;
    let pending = registry
        .gauge(
            "axum_http_requests_pending",
            "HTTP requests whose response body has not ended",
        )
        .standard_name()
        .labels::<[selfheal::registry::Text; 2]>(["method", "endpoint"])
        .unwrap();
    assert!(pending.remove(&["GET", "/"]));
    ask(&app).await;
    drop(response);
    assert_eq!(pending.get(&["GET", "/"]).unwrap().get(), 0);
}

#[tokio::test]
async fn a_session_ends_where_it_began() {
    let registry = expiring();
    let layer = HttpLayer::builder(&registry)
        .names([HttpNames::Catalog, HttpNames::AxumPrometheus])
        .build()
        .unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    let upgrade = move |session: HttpSession| async move {
        send.send(session).unwrap();
        axum::http::StatusCode::SWITCHING_PROTOCOLS
    };
    let app: Router = Router::new().route("/", get(upgrade)).layer(layer);
    let request = Request::get("/")
        .header("upgrade", "chat")
        .body(Body::empty());
    app.clone().oneshot(request.unwrap()).await.unwrap();
    let session = receive.recv().unwrap();
    let start = Instant::now();
    let pending = || line(&registry, "axum_http_requests_pending");
    for hours in 0..5 {
        registry.expire(start + hours * HOUR);
        assert_eq!(pending(), ["axum_http_requests_pending{GET /} 1"]);
    }
    drop(session);
    assert_eq!(pending(), ["axum_http_requests_pending{GET /} 0"]);
}
