//! Recording a request on a warm route allocates nothing, and whatever clients send, memory stays
//! as it was.
#![cfg(feature = "http")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "this is a test")]

use std::convert::Infallible;
use std::future::Ready;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::routing::get;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Frame};
use hyper::{Method, Request, Response, StatusCode};
use selfheal::http::{CountedBody, HttpLayer, HttpMetrics, RouteRule};
use selfheal::registry::Registry;
#[cfg(feature = "server")]
use selfheal::{Config, Selfheal};
use tower::{Layer, Service, ServiceExt};

/// Answers with a body of one frame, or with the status that the request's URI names.
#[derive(Clone)]
struct Answer;

impl<B> Service<Request<B>> for Answer {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut response = Response::new(Full::new(Bytes::from_static(b"hello")));
        if request.method() == Method::DELETE {
            *response.status_mut() = StatusCode::FORBIDDEN;
        }
        std::future::ready(Ok(response))
    }
}

/// One request, its response body read to the end. Nothing in here but the layer allocates.
fn pass(
    service: &mut (impl Service<Request<Full<Bytes>>, Response = Response<impl Body>> + Clone),
    method: &Method,
) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut request = Request::new(Full::new(Bytes::from_static(b"a body")));
    *request.method_mut() = method.clone();
    let mut clone = service.clone();
    let mut future = std::pin::pin!(clone.call(request));
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut cx) else {
        panic!("a ready answer")
    };
    let mut body = std::pin::pin!(response.into_body());
    while let Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut cx) {}
}

#[test]
fn a_warm_route_allocates_nothing() {
    let registry = Registry::new();
    let bare = HttpLayer::builder(&registry);
    for layer in [
        bare.clone().build().unwrap(),
        bare.clone().sample_rate(0.1).build().unwrap(),
        bare.route("*", RouteRule::new().label("all"))
            .build()
            .unwrap(),
    ] {
        let mut service = layer.generic().layer(Answer);
        let methods = [Method::GET, Method::POST, Method::DELETE];
        for method in &methods {
            pass(&mut service, method);
        }
        let measured = allocation_counter::measure(|| {
            for method in methods.iter().cycle().take(3_000) {
                pass(&mut service, method);
            }
        });
        assert_eq!(measured.count_total, 0, "{measured:?}");
    }
}

/// The cost of any layer in axum: it boxes the service and the future once more. Beyond
/// that, only a body that is to be watched is boxed.
#[test]
fn in_axum_only_bodies_are_boxed() {
    let registry = Registry::new();
    let routes = || {
        Router::new()
            .route(
                "/{id}",
                get(|| async { "hello" }).post(|body: String| async { body }),
            )
            .route("/empty/{id}", get(|| async {}))
    };
    let bare = routes().with_state(());
    let layered = routes()
        .layer(tower::layer::util::Identity::new())
        .with_state(());
    let ours = routes()
        .layer(HttpLayer::new(&registry).unwrap())
        .with_state(());
    for (method, path, bodies) in [("GET", "/1", 1), ("GET", "/empty/1", 0), ("POST", "/1", 2)] {
        let count = |app: &Router| {
            ask(app, method, path);
            allocation_counter::measure(|| ask(app, method, path)).count_total
        };
        let (bare, layered, ours) = (count(&bare), count(&layered), count(&ours));
        assert_eq!(
            ours,
            layered + bodies,
            "{method} {path}, {bare} without a layer"
        );
    }
}

fn ask(app: &Router, method: &str, path: &str) {
    let body = if method == "POST" { "a body" } else { "" };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(axum::body::Body::from(body))
        .unwrap();
    let answer = async {
        let response = app.clone().oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap();
    };
    let mut answer = std::pin::pin!(answer);
    let mut cx = Context::from_waker(Waker::noop());
    // An endpoint of the crate yields once, and nothing waits for longer than that.
    assert!(
        answer.as_mut().poll(&mut cx).is_ready() || answer.as_mut().poll(&mut cx).is_ready(),
        "nothing to wait for"
    );
}

/// The memory that is still allocated after `work`, in bytes.
fn left_behind(work: impl FnOnce()) -> i64 {
    allocation_counter::measure(work).bytes_current
}

#[test]
fn a_million_distinct_paths_and_methods_leave_memory_as_it_was() {
    let registry = Registry::new();
    let layer = HttpLayer::new(&registry).unwrap();
    let mut service = layer.generic().layer(Answer);
    let mut cx = Context::from_waker(Waker::noop());
    let mut ask = |n: u32| {
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.method_mut() = Method::from_bytes(format!("M{n}").as_bytes()).unwrap();
        *request.uri_mut() = format!("/{n}/x?{n}").parse().unwrap();
        let mut future = std::pin::pin!(service.call(request));
        let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut cx) else {
            panic!("a ready answer")
        };
        let mut body = std::pin::pin!(response.into_body());
        while let Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut cx) {}
    };
    ask(0);
    let series = registry.series();
    assert_eq!(left_behind(|| (1..1_000_000).for_each(ask)), 0);
    assert_eq!(registry.series(), series);
    let requests = &registry.group::<HttpMetrics>().unwrap().requests;
    let counted = requests.get(&["other", "unmatched", "200"]).unwrap();
    assert_eq!(counted.get(), 1_000_000);
}

/// Sends the same frame for ever.
#[derive(Clone)]
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0; 1_024])))))
    }
}

#[test]
fn bodies_that_never_end_leave_memory_as_it_was() {
    const FRAMES: usize = 100_000;
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry).route_by(|_| Some("/endless"));
    let echo = tower::service_fn(|request: Request<CountedBody<Endless>>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(request.into_body())))
    });
    let mut service = layer.build().unwrap().generic().layer(echo);
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = std::pin::pin!(service.call(Request::new(Endless)));
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut cx) else {
        panic!("a ready answer")
    };
    let mut body = Box::pin(response.into_body());
    let left = left_behind(|| {
        for _ in 0..FRAMES {
            let frame = body.as_mut().poll_frame(&mut cx);
            assert!(matches!(frame, Poll::Ready(Some(Ok(_)))));
        }
    });
    assert_eq!(left, 0);
    let metrics = registry.group::<HttpMetrics>().unwrap();
    assert_eq!(metrics.in_flight.get(), 1, "it goes on");
    drop(body);
    assert_eq!(metrics.in_flight.get(), 0);
    let counted = metrics.requests.get(&["GET", "/endless", "499"]).unwrap();
    assert_eq!(counted.get(), 1);
    for size in [&metrics.request_size, &metrics.response_size] {
        let size = size.get(&["GET", "/endless"]).unwrap().snapshot();
        assert_eq!((size.count(), size.sum), (1, FRAMES as f64 * 1_024.0));
    }
}

#[test]
fn the_counter_sees_allocations() {
    let measured = allocation_counter::measure(|| drop(std::hint::black_box(Box::new(1_u8))));
    assert_eq!(measured.count_total, 1);
}

/// The traffic is two numbers for the score, and the probes ask for no traffic at all.
#[test]
#[cfg(feature = "server")]
fn what_probes_and_the_score_cost_does_not_depend_on_how_many_series_there_are() {
    let allocated = |series: usize| {
        let heal = Selfheal::new(Config::new()).unwrap();
        let layer = heal.http_layer();
        let metrics = heal.registry().group::<HttpMetrics>().unwrap();
        for n in 0..series {
            metrics.requests.inc(&["GET", &format!("/{n}"), "200"]);
        }
        let app: Router = heal.router().layer(layer);
        let score = || {
            let scrape = heal
                .registry()
                .scrape_only(|name, _| name.starts_with("system_health_"));
            assert_eq!(scrape.families().len(), 3);
        };
        let work: [&dyn Fn(); 3] = [
            &|| ask(&app, "GET", "/livez"),
            &|| ask(&app, "GET", "/readyz"),
            &score,
        ];
        work.map(|work| {
            work();
            let measured = allocation_counter::measure(work);
            (measured.count_total, measured.bytes_total)
        })
    };
    assert_eq!(allocated(5_000), allocated(5));
}
