//! Input of the other side never creates series, never panics and never counts twice.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Frame};
use proptest::prelude::*;
use selfheal::grpc::{GrpcClientLayer, GrpcLayer, GrpcMetrics, RequestBody};
use selfheal::registry::Registry;
use tonic::service::Routes;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::echo::Echo;
use crate::properties::shared::Frames;
use crate::wire::series;

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(work)
}

fn request<B>(path: &str, body: B) -> Option<http::Request<B>> {
    let request = http::Request::post(path).header("content-type", "application/grpc");
    request.body(body).ok()
}

/// Reads the answer as a server does: to the trailers and no further.
async fn ask<S, B, R>(service: &S, request: http::Request<B>)
where
    S: Service<http::Request<B>, Response = http::Response<R>> + Clone,
    R: Body,
{
    if let Ok(response) = service.clone().oneshot(request).await {
        let mut body = Box::pin(response.into_body());
        while let Some(Ok(frame)) = body.frame().await
            && frame.is_data()
        {}
    }
}

/// Everything that is recorded adds up to `n` calls, none of which is active.
fn assert_calls(registry: &Registry, n: u64) {
    let sum = |name| series(registry, name).into_values().sum::<u64>();
    assert_eq!(sum("grpc_requests_total"), n);
    assert_eq!(sum("grpc_request_duration_seconds"), n);
    assert_eq!(sum("grpc_streams_active"), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn paths(paths in prop::collection::vec(
        prop_oneof!["/[!-~]{0,40}", "/test.Echo/[A-Z][a-z]{0,3}", "/[a-z.]{1,9}/Unary", Just("/test.Echo/Unary".to_owned())],
        1..40,
    )) {
        let registry = Registry::new();
        let service = GrpcLayer::new(&registry).unwrap().layer(Routes::new(Echo::default()));
        let mut n = 0;
        run(async {
            for path in &paths {
                let body = Full::new(Bytes::from_static(b"\0\0\0\0\x02hi"));
                if let Some(request) = request(path, body) {
                    ask(&service, request).await;
                    n += 1;
                }
            }
        });
        assert_calls(&registry, n);
        for labels in series(&registry, "grpc_streams_active").keys() {
            prop_assert!(["test.Echo Unary", "unknown unknown"].contains(&labels.as_str()), "{}", labels);
        }
    }

    #[test]
    fn statuses_in_headers_and_trailers(
        status in 100_u16..600,
        in_headers in prop::option::of(prop::collection::vec(any::<u8>(), 0..4)),
        in_trailers in prop::option::of("[0-9]{0,3}|[ -~]{0,9}"),
        content in prop::option::of("application/grpc(\\+proto)?|text/html"),
        data in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..5),
    ) {
        let mut head = http::Response::builder().status(status);
        if let Some(value) = &in_headers {
            head = head.header("grpc-status", value.as_slice());
        }
        if let Some(content) = content {
            head = head.header("content-type", content);
        }
        let trailers = in_trailers.map(|value| {
            let mut trailers = http::HeaderMap::new();
            trailers.insert("grpc-status", value.parse().unwrap());
            trailers
        });
        let frames = Frames::new(data.into_iter().map(Bytes::from).collect(), trailers);
        if let Ok(response) = head.body(frames) {
            let registry = Registry::new();
            let answer = |response: http::Response<Frames>| std::future::ready(Ok::<_, Infallible>(response));
            let server = {
                let response = response.clone();
                service_fn(move |_: http::Request<_>| answer(response.clone()))
            };
            let server = GrpcLayer::new(&registry).unwrap().layer(server);
            let client = service_fn(move |_: http::Request<tonic::body::Body>| answer(response.clone()));
            let client = GrpcClientLayer::new(&registry).unwrap().layer(client);
            run(async {
                ask(&server, request("/a.B/C", Frames::default()).unwrap()).await;
                ask(&client, request("/a.B/C", Frames::default()).unwrap()).await;
            });
            assert_calls(&registry, 1);
            let client = series(&registry, "grpc_client_requests_total");
            prop_assert_eq!(client.into_values().sum::<u64>(), 1);
        }
    }

    /// Through tonic's own decoder, which refuses most of these.
    #[test]
    fn request_bodies(data in prop::collection::vec(prop::collection::vec(0_u8..4, 0..30), 0..8)) {
        let registry = Registry::new();
        let service = GrpcLayer::new(&registry).unwrap().layer(Routes::new(Echo::default()));
        run(async {
            for path in ["/test.Echo/Unary", "/test.Echo/Collect", "/test.Echo/Chat"] {
                let data = data.iter().cloned().map(Bytes::from).collect();
                let body = Frames::new(data, None);
                ask(&service, request(path, body).unwrap()).await;
            }
        });
        assert_calls(&registry, 3);
    }
}

#[test]
fn twenty_thousand_paths_are_one_series() {
    let registry = Registry::new();
    let service = GrpcLayer::new(&registry)
        .unwrap()
        .layer(Routes::new(Echo::default()).prepare());
    run(async {
        for n in 0..20_000 {
            let path = format!("/scan.Service{n}/Method{n}");
            ask(&service, request(&path, Frames::default()).unwrap()).await;
        }
    });
    let counted = series(&registry, "grpc_requests_total");
    let expected = [("unknown unknown UNIMPLEMENTED".to_owned(), 20_000)];
    assert_eq!(counted, expected.into());
}

/// A proxy that answers every path there is with a message.
#[test]
fn a_server_of_everything_is_learnt_up_to_a_limit() {
    let registry = Registry::new();
    let everything = service_fn(|_: http::Request<_>| {
        let ok = ("grpc-status".parse().unwrap(), "0".parse().unwrap());
        let mut response = http::Response::new(Frames::new(
            vec![Bytes::from_static(&[0; 5])],
            Some([ok].into_iter().collect()),
        ));
        let grpc = http::HeaderValue::from_static("application/grpc");
        response.headers_mut().insert("content-type", grpc);
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let service = GrpcLayer::new(&registry).unwrap().layer(everything);
    run(async {
        for n in 0..5_000 {
            ask(
                &service,
                request(&format!("/a.B/M{n}"), Frames::default()).unwrap(),
            )
            .await;
        }
    });
    let counted = series(&registry, "grpc_requests_total");
    assert_eq!(counted.len(), 1_001);
    assert_eq!(counted["unknown unknown OK"], 4_000);
    assert_calls(&registry, 5_000);
}

#[test]
fn what_is_not_grpc_is_left_alone() {
    let registry = Registry::new();
    let layer = GrpcLayer::builder(&registry).service("test.Echo", ["Unary"]);
    let service = layer.build().unwrap().layer(Routes::new(Echo::default()));
    let with = |method: &str, path: &str, content: &str| {
        let request = http::Request::builder().method(method).uri(path);
        let request = request.header("content-type", content);
        request.body(Frames::default()).unwrap()
    };
    run(async {
        ask(&service, with("GET", "/", "text/html")).await;
        ask(&service, with("OPTIONS", "/test.Echo/Unary", "")).await;
        ask(
            &service,
            with("POST", "/test.Echo/Unary", "application/grpc-web+proto"),
        )
        .await;
        ask(
            &service,
            with("POST", "/missing.Here/Unary", "application/json"),
        )
        .await;
        assert_calls(&registry, 0);
        // tonic ignores the content type, so this one does reach the handler.
        ask(
            &service,
            with("POST", "/test.Echo/Unary", "application/json"),
        )
        .await;
    });
    assert_calls(&registry, 1);

    let anything = service_fn(|_: http::Request<tonic::body::Body>| {
        std::future::ready(Ok::<_, Infallible>(http::Response::new(Frames::default())))
    });
    let client = GrpcClientLayer::new(&registry).unwrap().layer(anything);
    run(ask(&client, with("POST", "/a.B/C", "application/json")));
    assert!(series(&registry, "grpc_client_requests_total").is_empty());
    assert!(series(&registry, "grpc_client_streams_active").is_empty());
}

/// Bytes after the declared length are read as the next message.
#[test]
fn frames_longer_than_declared() {
    let registry = Registry::new();
    let layer = GrpcLayer::builder(&registry).service("test.Echo", ["Unary"]);
    let service = layer.build().unwrap().layer(Routes::new(Echo::default()));
    // Two bytes are declared and seven are sent: `llo` and two more are read as the next header, of
    // a message of at least 0x6c6f0000 bytes, which never comes.
    let body = || Full::new(Bytes::from_static(b"\0\0\0\0\x02hello\0\0"));
    run(ask(&service, request("/test.Echo/Unary", body()).unwrap()));
    let metrics = registry.group::<GrpcMetrics>().unwrap();
    let received = metrics.received.get(&["test.Echo", "Unary"]).unwrap();
    assert_eq!(received.get(), 1);
    assert_calls(&registry, 1);
}

#[test]
fn a_malformed_grpc_status_is_unknown() {
    let values: [&[u8]; 7] = [b"", b"17", b"-1", b"00", b"0 ", b"OK", b"\xff\xfe"];
    for value in values {
        let registry = Registry::new();
        let status = http::HeaderValue::from_bytes(value).unwrap();
        let answer = service_fn(move |_: http::Request<_>| {
            let trailers = http::HeaderMap::from_iter([(
                http::HeaderName::from_static("grpc-status"),
                status.clone(),
            )]);
            std::future::ready(Ok::<_, Infallible>(http::Response::new(Frames::new(
                vec![Bytes::from_static(&[0; 5])],
                Some(trailers),
            ))))
        });
        let layer = GrpcLayer::builder(&registry).service("a.B", ["C"]);
        let service = layer.build().unwrap().layer(answer);
        run(ask(&service, request("/a.B/C", Frames::default()).unwrap()));
        let mut counted = series(&registry, "grpc_requests_total");
        counted.retain(|_, n| *n > 0);
        assert_eq!(
            counted,
            [("a.B C UNKNOWN".to_owned(), 1)].into(),
            "{value:?}"
        );
    }
}

/// A body that never ends is counted as it goes, and nothing of it is kept.
#[test]
fn a_message_of_four_gigabytes() {
    let registry = Registry::new();
    let read = service_fn(
        async |request: http::Request<selfheal::grpc::RequestBody<Endless>>| {
            let mut body = request.into_body();
            for _ in 0..10_000 {
                body.frame().await.unwrap().unwrap();
            }
            Ok::<_, Infallible>(http::Response::new(Frames::default()))
        },
    );
    let layer = GrpcLayer::builder(&registry).service("a.B", ["C"]);
    let service = layer.build().unwrap().layer(read);
    run(ask(&service, request("/a.B/C", Endless(false)).unwrap()));
    let metrics = registry.group::<GrpcMetrics>().unwrap();
    assert_eq!(metrics.received.get(&["a.B", "C"]).unwrap().get(), 1);
    assert_calls(&registry, 1);
}

/// One empty message, the header of the longest there can be, then zeros for ever.
struct Endless(bool);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let begun = std::mem::replace(&mut self.0, true);
        let data: &[u8] = if begun {
            &[0; 1_024]
        } else {
            b"\0\0\0\0\0\0\xff\xff\xff\xff"
        };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(data)))))
    }
}

/// The state of a call is reused by the next one on its thread.
#[test]
fn half_a_message_is_not_finished_by_the_next_call() {
    let registry = Registry::new();
    let answer = service_fn(async |request: http::Request<RequestBody<Frames>>| {
        let data: &[u8] = match request.uri().path() {
            "/test.Echo/Half" => b"\0\0\0\0\x63of 99",
            _ => b"\0\0\0\0\x02hi",
        };
        let frames = Frames::new(vec![Bytes::from_static(data)], None);
        Ok::<_, Infallible>(http::Response::new(frames))
    });
    let layer = GrpcLayer::builder(&registry).service("test.Echo", ["Half", "Whole"]);
    let service = layer.build().unwrap().layer(answer);
    run(async {
        for path in ["/test.Echo/Half", "/test.Echo/Whole"] {
            ask(&service, request(path, Frames::default()).unwrap()).await;
        }
    });
    let sent = series(&registry, "grpc_messages_sent_total");
    assert_eq!((sent["test.Echo Half"], sent["test.Echo Whole"]), (0, 1));
    assert_calls(&registry, 2);
}
