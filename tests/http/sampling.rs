//! Counts stay exact and durations unbiased when only a share of the requests is timed.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use http_body_util::BodyExt;
use selfheal::http::{HttpLayer, HttpMetrics};
use selfheal::registry::Registry;
use selfheal::util::Clock;
use tower::ServiceExt;

use crate::wire::{counted, timed};

/// Each request takes a second by the clock that the layer sees.
async fn ask(rate: f64, requests: usize) -> Registry {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let layer = HttpLayer::builder(&registry)
        .sample_rate(rate)
        .clock(clock)
        .build()
        .unwrap();
    let handler = move || {
        hand.advance(Duration::from_secs(1));
        async { "ok" }
    };
    let app: Router = Router::new()
        .route("/", get(handler))
        .layer(layer)
        .with_state(());
    for _ in 0..requests {
        let response = app
            .clone()
            .oneshot(Request::new(Body::empty()))
            .await
            .unwrap();
        response.collect().await.unwrap();
    }
    registry
}

#[tokio::test]
async fn a_sample_of_one_in_ten_stands_for_all() {
    let registry = ask(0.1, 1_000).await;
    assert_eq!(counted(&registry)["GET / 200"], 1_000);
    assert_eq!(timed(&registry)["GET / 200"], 1_000);
    let http = registry.group::<HttpMetrics>().unwrap();
    let duration = http.duration.get(&["GET", "/", "200"]).unwrap().snapshot();
    assert!((duration.sum - 1_000.0).abs() < 1e-6, "{}", duration.sum);
    for (family, sum) in [
        (&http.first_byte, 1_000.0),
        (&http.request_size, 0.0),
        (&http.response_size, 2_000.0),
    ] {
        let one = family.get(&["GET", "/"]).unwrap().snapshot();
        assert_eq!((one.count(), one.sum), (1_000, sum), "{:?}", family.def());
    }
}

#[tokio::test]
async fn no_sample_leaves_the_counts() {
    let registry = ask(0.0, 20).await;
    assert_eq!(counted(&registry)["GET / 200"], 20);
    let http = registry.group::<HttpMetrics>().unwrap();
    let duration = http.duration.get(&["GET", "/", "200"]).unwrap();
    assert_eq!(duration.snapshot().count(), 0);
    assert_eq!(http.in_flight.get(), 0);
}

#[tokio::test]
async fn every_request_is_timed_by_the_clock_it_was_given() {
    let registry = ask(1.0, 3).await;
    let http = registry.group::<HttpMetrics>().unwrap();
    let duration = http.duration.get(&["GET", "/", "200"]).unwrap().snapshot();
    assert_eq!(duration.count(), 3);
    assert!((duration.sum - 3.0).abs() < 1e-9);
}
