//! Input of clients never creates series beyond the existing routes.

use std::convert::Infallible;
use std::future::ready;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, Uri};
use axum::routing::get;
use http_body_util::BodyExt;
use proptest::prelude::*;
use selfheal::http::{HttpLayer, HttpMetrics};
use selfheal::registry::Registry;
use tower::{Layer, ServiceExt, service_fn};

use crate::wire::{Server, counted};

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
        .enable_all()
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Straight into the socket: most of it never becomes a request, and what does is one of
    /// the series that there are.
    #[test]
    fn random_bytes_as_a_path(
        paths in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..8)
    ) {
        run(async {
            let server = Server::start(Router::new().route("/a/{x}", get(|| async { "a" }))).await;
            let mut answered = 0;
            for path in &paths {
                let request = [
                    b"GET /".as_slice(),
                    path,
                    b" HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n",
                ];
                let answer = server.say(request.concat()).await;
                let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 400");
                answered += u64::from(!refused);
            }
            let counted = server.counted();
            let known = ["GET /a/{x} 200", "GET unmatched 404"];
            assert!(counted.keys().all(|labels| known.contains(&labels.as_str())), "{counted:?}");
            assert_eq!(counted.values().sum::<u64>(), answered);
            assert_eq!(server.in_flight(), 0);
        });
    }
}

#[test]
fn a_hundred_thousand_header_values() {
    #[derive(Clone)]
    struct Plan(String);

    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry)
        .route_by(|head| head.headers.get("x-route")?.to_str().ok())
        .request_label("plan", ["free"], |extensions| {
            extensions.get::<Plan>().map(|plan| plan.0.as_str())
        });
    let answer =
        service_fn(|_: Request<_>| ready(Ok::<_, Infallible>(Response::new(Body::empty()))));
    let service = layer.build().unwrap().generic().layer(answer);
    run(async {
        for n in 0..100_000 {
            let mut request = Request::new(Body::empty());
            let value = HeaderValue::from_str(&format!("/made-up/{n}")).unwrap();
            request.headers_mut().insert("x-route", value);
            request.extensions_mut().insert(Plan(format!("plan {n}")));
            service.clone().oneshot(request).await.unwrap();
        }
    });
    let counted = counted(&registry);
    assert!(counted.keys().all(|labels| labels.ends_with(" 200 other")));
    assert_eq!(counted.values().sum::<u64>(), 100_000);
    assert!(counted.len() <= 8_193, "{} series", counted.len());
    assert!(counted["GET __overflow__ 200 other"] > 90_000);
}

/// More bytes than `Content-Length` said, and fewer.
#[test]
fn bodies_of_another_length_than_declared() {
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry).route_by(|head| Some(head.uri.path()));
    let answer = service_fn(|request: Request<_>| {
        let sent: &[&str] = match request.uri().path() {
            "/longer" => &["123", "4567"],
            _ => &["123"],
        };
        let chunks = sent.iter().map(|chunk| Ok::<_, Infallible>(*chunk));
        let mut response = Response::new(Body::from_stream(tokio_stream::iter(chunks)));
        let five = HeaderValue::from_static("5");
        response.headers_mut().insert("content-length", five);
        ready(Ok::<_, Infallible>(response))
    });
    let service = layer.build().unwrap().generic().layer(answer);
    run(async {
        for path in ["/longer", "/shorter"] {
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = Uri::from_static(path);
            let response = service.clone().oneshot(request).await.unwrap();
            response.collect().await.unwrap();
        }
    });
    let counted = counted(&registry);
    assert_eq!(counted["GET /longer 200"], 1);
    assert_eq!(counted["GET /shorter 500"], 1);
    let http = registry.group::<HttpMetrics>().unwrap();
    for (path, bytes) in [("/longer", 7.0), ("/shorter", 3.0)] {
        let size = http.response_size.get(&["GET", path]).unwrap().snapshot();
        assert_eq!((size.count(), size.sum), (1, bytes));
    }
    assert_eq!(http.in_flight.get(), 0);
}
