//! Series that were removed are there again with the next request.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::{Request, Response};
use selfheal::http_client::{HttpClientLayer, HttpClientMetrics};
use selfheal::registry::{FamilySettings, Registry, Settings};
use tower::{Layer, ServiceExt, service_fn};

const LABELS: [&str; 3] = ["GET", "other", "200"];

async fn ask(layer: &HttpClientLayer) {
    let answer = service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::new(Body::from("hello")))
    });
    let response = layer.layer(answer).oneshot(Request::new(Body::empty()));
    response.await.unwrap().collect().await.unwrap();
}

#[tokio::test]
async fn a_host_that_was_removed_is_exposed_again() {
    let registry = Registry::new();
    let layer = HttpClientLayer::new(&registry).unwrap();
    let metrics = registry.group::<HttpClientMetrics>().unwrap();
    for _ in 0..3 {
        ask(&layer).await;
        assert_eq!(metrics.requests.get(&LABELS).unwrap().get(), 1);
        assert_eq!(metrics.in_flight.get(&["other"]).unwrap().get(), 0);
        assert!(metrics.requests.remove(&LABELS) && metrics.in_flight.remove(&["other"]));
    }
}

#[tokio::test]
async fn an_idle_host_expires_and_comes_back() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let mut settings = Settings::default();
    let mut family = FamilySettings::default();
    family.expire_after = Some(HOUR);
    settings
        .metrics
        .family
        .insert("http_client_requests_total".to_owned(), family);
    let registry = Registry::with_settings(settings);
    let layer = HttpClientLayer::new(&registry).unwrap();
    let metrics = registry.group::<HttpClientMetrics>().unwrap();
    let mut now = Instant::now();
    for _ in 0..3 {
        ask(&layer).await;
        registry.expire(now);
        assert_eq!(metrics.requests.get(&LABELS).map(|one| one.get()), Some(1));
        now += 2 * HOUR;
        registry.expire(now);
        now += 2 * HOUR;
        registry.expire(now);
        assert!(metrics.requests.get(&LABELS).is_none());
    }
}
