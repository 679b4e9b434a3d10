//! What clients send never creates series beyond the routes that there are.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Uri};
use axum::routing::get;
use http_body_util::BodyExt;
use proptest::prelude::*;
use selfheal::http::{HttpLayer, HttpMetrics};
use selfheal::registry::Registry;
use tower::ServiceExt;

use crate::wire::counted;

/// `(method, path)` pairs sent through a router of two routes.
async fn send(requests: Vec<(Method, Uri)>) -> Registry {
    let registry = Registry::new();
    let layer = HttpLayer::new(&registry).unwrap();
    let app: Router = Router::new()
        .route("/a/{x}", get(|| async { "a" }))
        .route("/b", get(|| async { "b" }))
        .layer(layer)
        .with_state(());
    for (method, uri) in requests {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let response = app.clone().oneshot(request).await.unwrap();
        response.collect().await.unwrap();
    }
    registry
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(work)
}

proptest! {
    #[test]
    fn random_paths_and_methods(
        sent in prop::collection::vec(("[A-Za-z]{1,12}", "/[!-~]{0,40}"), 1..60)
    ) {
        let requests: Vec<(Method, Uri)> = sent
            .iter()
            .filter_map(|(method, path)| {
                Some((Method::from_bytes(method.as_bytes()).ok()?, path.parse().ok()?))
            })
            .collect();
        let n = requests.len() as u64;
        let registry = run(send(requests));
        let counted = counted(&registry);
        prop_assert_eq!(counted.values().sum::<u64>(), n);
        for labels in counted.keys() {
            let known: Vec<&str> = labels.split(' ').collect();
            prop_assert!(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "other"].contains(&known[0]), "{}", labels);
            prop_assert!(["/a/{x}", "/b", "unmatched"].contains(&known[1]), "{}", labels);
        }
        prop_assert_eq!(registry.group::<HttpMetrics>().unwrap().in_flight.get(), 0);
    }
}

#[test]
fn a_hundred_thousand_paths_are_one_series() {
    let requests = (0..100_000)
        .map(|n| (Method::GET, format!("/scan/{n}.php?x={n}").parse().unwrap()))
        .collect();
    let registry = run(send(requests));
    let counted = counted(&registry);
    assert_eq!(counted.len(), 1);
    assert_eq!(counted["GET unmatched 404"], 100_000);
}
