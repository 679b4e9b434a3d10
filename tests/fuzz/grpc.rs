//! What holds for whatever comes over the wire of gRPC: shared by the fuzz targets and the
//! tests of every day. Everything goes through the layer, as it would in a server.

use std::convert::Infallible;
use std::future::{Pending, Ready, pending, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use selfheal::grpc::{GrpcLayer, GrpcMetrics};
use selfheal::registry::Registry;
use selfheal::util::Clock;
use tower_layer::Layer;
use tower_service::Service;

/// Cut anywhere, the frames are counted as if they came in one piece. The first half of the
/// input says where to cut the second.
pub(crate) fn frames(input: &[u8]) {
    let (cuts, bytes) = input.split_at(input.len() / 2);
    let mut data = Vec::new();
    let mut rest = bytes;
    for cut in cuts {
        let (chunk, after) = rest.split_at(usize::from(*cut).min(rest.len()));
        data.push(Bytes::copy_from_slice(chunk));
        rest = after;
    }
    data.push(Bytes::copy_from_slice(rest));
    let frames = Frames::new(data, None);

    let registry = Registry::new();
    let layer = GrpcLayer::builder(&registry).service("a.B", ["C"]).build();
    answered(&mut layer.unwrap().layer(Answers(None)), frames);
    let metrics = registry.group::<GrpcMetrics>().unwrap();
    let received = metrics.received.get(&["a.B", "C"]).unwrap().get();
    assert_eq!(received, messages(bytes));
}

fn messages(mut bytes: &[u8]) -> u64 {
    let mut messages = 0;
    while let Some((header, rest)) = bytes.split_first_chunk::<5>() {
        let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
        let Some((_, rest)) = rest.split_at_checked(length as usize) else {
            break;
        };
        messages += 1;
        bytes = rest;
    }
    messages
}

/// A code is recorded by its name, and what is no code as `UNKNOWN`.
pub(crate) fn status(value: &[u8]) {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    let Ok(header) = HeaderValue::from_bytes(value) else {
        return;
    };
    let code = (0..17).find(|code: &usize| code.to_string().as_bytes() == value);
    let name = code.map_or("UNKNOWN", |code| NAMES[code]);

    let registry = Registry::new();
    let layer = GrpcLayer::builder(&registry).service("a.B", ["C"]).build();
    let mut service = layer.unwrap().layer(Answers(Some(header)));
    answered(&mut service, Frames::default());
    assert_eq!(counted(&registry, name), 1, "{name}");
}

/// A call that is dropped at once has run out of time if it was given none, and was cancelled
/// otherwise; so it was if its timeout means nothing.
pub(crate) fn timeout(value: &[u8]) {
    let Ok(header) = HeaderValue::from_bytes(value) else {
        return;
    };
    let none = match value {
        [digits @ .., b'H' | b'M' | b'S' | b'm' | b'u' | b'n'] => {
            (1..=8).contains(&digits.len()) && digits.iter().all(|digit| *digit == b'0')
        }
        _ => false,
    };
    let registry = Registry::new();
    let (clock, _hand) = Clock::manual();
    let layer = GrpcLayer::builder(&registry)
        .service("a.B", ["C"])
        .clock(clock);
    let mut service = layer.build().unwrap().layer(Hangs);
    let mut request = request(Frames::default());
    request.headers_mut().insert("grpc-timeout", header);
    drop(service.call(request));
    let name = if none {
        "DEADLINE_EXCEEDED"
    } else {
        "CANCELLED"
    };
    assert_eq!(counted(&registry, name), 1, "{name}");
}

/// Bytes are a descriptor set or are refused; what they declare is there at zero.
pub(crate) fn descriptor_set(bytes: &[u8]) {
    let registry = Registry::new();
    if let Ok(builder) = GrpcLayer::builder(&registry).descriptor_set(bytes) {
        builder.build().unwrap();
        let requests = &registry.group::<GrpcMetrics>().unwrap().requests;
        for series in requests.snapshot().series {
            assert!(series.labels.ends_with("status=\"OK\""), "{series:?}");
        }
    }
}

fn counted(registry: &Registry, status: &str) -> u64 {
    let metrics = registry.group::<GrpcMetrics>().unwrap();
    let series = metrics.requests.get(&["a.B", "C", status]);
    series.map_or(0, |series| series.get())
}

fn request(body: Frames) -> Request<Frames> {
    let mut request = Request::new(body);
    *request.uri_mut() = http::Uri::from_static("/a.B/C");
    let grpc = HeaderValue::from_static("application/grpc");
    request.headers_mut().insert("content-type", grpc);
    request
}

/// One call, its answer read to the end. Nothing in here ever waits.
fn answered<S, R>(service: &mut S, frames: Frames)
where
    S: Service<Request<Frames>, Response = Response<R>>,
    R: Body,
{
    let mut future = pin!(service.call(request(frames)));
    let mut cx = Context::from_waker(Waker::noop());
    if let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut cx) {
        read(response.into_body());
    }
}

fn read(body: impl Body) {
    let mut body = pin!(body);
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut cx) {}
}

/// Reads the request to its end and answers with a `grpc-status` in the trailers.
struct Answers(Option<HeaderValue>);

impl<B: Body> Service<Request<B>> for Answers {
    type Response = Response<Frames>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Frames>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        read(request.into_body());
        let status = HeaderName::from_static("grpc-status");
        let trailers = self.0.take().map(|value| (status, value));
        let trailers = trailers.map(|entry| HeaderMap::from_iter([entry]));
        ready(Ok(Response::new(Frames::new(Vec::new(), trailers))))
    }
}

struct Hangs;

impl<B> Service<Request<B>> for Hangs {
    type Response = Response<Frames>;
    type Error = Infallible;
    type Future = Pending<Result<Response<Frames>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        pending()
    }
}

/// A body of these frames.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frames {
    data: std::vec::IntoIter<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Frames {
    pub(crate) fn new(data: Vec<Bytes>, trailers: Option<HeaderMap>) -> Self {
        let data = data.into_iter();
        Self { data, trailers }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(data) = self.data.next() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let trailers = self.trailers.take();
        Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
    }
}
