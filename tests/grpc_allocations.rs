//! Recording a gRPC call of a method that is known allocates nothing, beside the box that a
//! `Channel` wants around the body of a request.
#![cfg(feature = "grpc")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

use std::convert::Infallible;
use std::future::Ready;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use hyper::body::{Body, Bytes, Frame};
use selfheal::grpc::{GrpcClientLayer, GrpcLayer, GrpcMetrics, GrpcNames, MetricsInterceptor};
use selfheal::registry::Registry;
use tower::{Layer, Service};

/// A message, and the trailers, which a `HeaderMap` of one entry holds in an allocation.
struct Answer {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let trailers = self.trailers.take();
        Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
    }
}

static MESSAGE: Bytes = Bytes::from_static(b"\0\0\0\0\x05hello");

fn map(name: &'static str, value: &'static str) -> HeaderMap {
    let name = HeaderName::from_static(name);
    HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
}

fn answer() -> Answer {
    Answer {
        data: Some(MESSAGE.clone()),
        trailers: Some(map("grpc-status", "0")),
    }
}

/// Reads the request to its end and answers.
#[derive(Clone)]
struct Echo;

impl<B: Body> Service<Request<B>> for Echo {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        read(request.into_body());
        let mut response = Response::new(answer());
        *response.headers_mut() = map("content-type", "application/grpc");
        std::future::ready(Ok(response))
    }
}

fn read(body: impl Body) {
    let mut body = pin!(body);
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut cx) {}
}

fn pass<R: Body>(service: &mut (impl Service<Request<Answer>, Response = Response<R>> + Clone)) {
    let mut request = Request::new(answer());
    *request.uri_mut() = http::Uri::from_static("/test.Echo/Unary");
    *request.headers_mut() = map("content-type", "application/grpc");
    let mut future = pin!(service.clone().call(request));
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut cx) else {
        panic!("a ready answer")
    };
    read(response.into_body());
}

fn allocations(mut work: impl FnMut()) -> u64 {
    const CALLS: u64 = 1_000;
    work();
    let measured = allocation_counter::measure(|| (0..CALLS).for_each(|_| work()));
    assert_eq!(measured.count_total % CALLS, 0, "{measured:?}");
    measured.count_total / CALLS
}

#[test]
fn a_known_method_allocates_nothing() {
    let bare = allocations(|| pass(&mut Echo));
    for names in [
        GrpcNames::Catalog,
        GrpcNames::GoGrpcMiddleware,
        GrpcNames::OpenTelemetry,
    ] {
        let layer = GrpcLayer::builder(&Registry::new()).names(names).build();
        let mut service = layer.unwrap().layer(Echo);
        assert_eq!(allocations(|| pass(&mut service)), bare, "{names:?}");
    }
}

#[test]
fn an_excluded_method_allocates_nothing_not_even_on_a_client() {
    let bare = allocations(|| pass(&mut Echo));
    let server = GrpcLayer::builder(&Registry::new()).exclude("test.Echo");
    let mut server = server.build().unwrap().layer(Echo);
    assert_eq!(allocations(|| pass(&mut server)), bare);
    let client = GrpcClientLayer::builder(&Registry::new()).exclude("test.Echo");
    let mut client = client.build().unwrap().layer(Echo);
    assert_eq!(
        allocations(|| pass(&mut client)),
        bare + 1,
        "the box of the body"
    );
}

#[test]
fn a_client_boxes_the_body() {
    let bare = allocations(|| pass(&mut Echo));
    let layer = GrpcClientLayer::new(&Registry::new()).unwrap();
    let mut service = layer.layer(Echo);
    assert_eq!(allocations(|| pass(&mut service)), bare + 1);
}

#[test]
fn by_hand() {
    let registry = Registry::new();
    let start = || MetricsInterceptor::start_request_in(&registry, "a.B", "C");
    assert_eq!(allocations(|| start().success()), 0);
}

#[test]
fn a_million_distinct_methods_leave_memory_as_it_was() {
    let registry = Registry::new();
    let layer = GrpcLayer::builder(&registry).service("test.Echo", ["Unary"]);
    let mut service = layer.build().unwrap().layer(Refuses);
    let mut cx = Context::from_waker(Waker::noop());
    let mut ask = |n: u32| {
        let mut request = Request::new(answer());
        *request.uri_mut() = format!("/scan.S{n}/M{n}").parse().unwrap();
        *request.headers_mut() = map("content-type", "application/grpc");
        let mut future = pin!(service.call(request));
        let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut cx) else {
            panic!("a ready answer")
        };
        read(response.into_body());
    };
    ask(0);
    let series = registry.series();
    let measured = allocation_counter::measure(|| (1..1_000_000).for_each(ask));
    assert_eq!(measured.bytes_current, 0);
    assert_eq!(registry.series(), series);
    let requests = &registry.group::<GrpcMetrics>().unwrap().requests;
    let counted = requests
        .get(&["unknown", "unknown", "UNIMPLEMENTED"])
        .unwrap();
    assert_eq!(counted.get(), 1_000_000);
}

/// Answers as a router of tonic does for a path that it does not know.
struct Refuses;

impl<B> Service<Request<B>> for Refuses {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let mut response = Response::new(Answer {
            data: None,
            trailers: None,
        });
        *response.headers_mut() = map("grpc-status", "12");
        std::future::ready(Ok(response))
    }
}
