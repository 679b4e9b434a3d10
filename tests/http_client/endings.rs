//! However an outgoing request ends, it is recorded once, in the right series.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::routing::{any, get};
use futures_core::Stream;
use http_body_util::{BodyExt, Full};
use selfheal::http_client::{HttpClientLayer, HttpClientMetrics};
use selfheal::registry::Registry;
use selfheal::util::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tower::timeout::Timeout;
use tower::{Layer, Service, ServiceExt};

use crate::wire::{assert_counted, client, request, serve, text};

#[tokio::test]
async fn responses_read_to_their_end() {
    let routes = Router::new()
        .route("/", any(|| async { "hello" }))
        .route("/204", get(|| async { StatusCode::NO_CONTENT }))
        .route("/429", get(|| async { StatusCode::TOO_MANY_REQUESTS }));
    let addr = serve(routes).await;
    let registry = Registry::new();
    let client = client(&registry, |layer| layer);
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/"),
        ("BREW", "/"),
        ("HEAD", "/"),
        ("GET", "/204"),
        ("GET", "/429"),
    ] {
        let response = client
            .clone()
            .oneshot(request(method, addr, path))
            .await
            .unwrap();
        text(response).await;
    }
    assert_counted(
        &registry,
        &[
            "{GET here 200} 2",
            "{GET here 204} 1",
            "{GET here 429} 1",
            "{HEAD here 200} 1",
            "{other here 200} 1",
        ],
    );
    let metrics = registry.group::<HttpClientMetrics>().unwrap();
    let size = metrics
        .response_size
        .get(&["GET", "here"])
        .unwrap()
        .snapshot();
    assert_eq!((size.count(), size.sum), (4, 10.0));
}

/// Sends one chunk, and then nothing more for ever.
struct OneChunk(Option<Bytes>);

impl Stream for OneChunk {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        match self.0.take() {
            Some(chunk) => std::task::Poll::Ready(Some(Ok(chunk))),
            None => std::task::Poll::Pending,
        }
    }
}

#[tokio::test]
async fn the_end_of_the_body_counts_and_a_caller_may_have_enough_of_it() {
    let stream = || async { Body::from_stream(OneChunk(Some(Bytes::from_static(b"first")))) };
    let addr = serve(Router::new().route("/", get(stream))).await;
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let client = client(&registry, |layer| layer.clock(clock));
    let mut response = client.oneshot(request("GET", addr, "/")).await.unwrap();
    response.frame().await.unwrap().unwrap();
    let metrics = registry.group::<HttpClientMetrics>().unwrap();
    assert!(
        metrics.requests.is_empty(),
        "headers and a chunk are not the end"
    );
    assert_eq!(metrics.in_flight.get(&["here"]).unwrap().get(), 1);
    assert_eq!(
        metrics
            .first_byte
            .get(&["GET", "here"])
            .unwrap()
            .snapshot()
            .count(),
        1
    );
    hand.advance(Duration::from_secs(3));
    drop(response);
    assert_counted(&registry, &["{GET here 200} 1"]);
    let duration = metrics
        .duration
        .get(&["GET", "here", "200"])
        .unwrap()
        .snapshot();
    assert!((duration.sum - 3.0).abs() < 1e-9);
}

/// A server that answers the first connection with these bytes and closes it.
pub(crate) async fn answer_with(bytes: &'static [u8]) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1_024];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(bytes).await.unwrap();
    });
    addr
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    let addr = answer_with(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nfirst").await;
    let registry = Registry::new();
    let client = client(&registry, |layer| layer);
    let response = client.oneshot(request("GET", addr, "/")).await.unwrap();
    assert!(response.collect().await.is_err());
    assert_counted(&registry, &["{GET here body_error} 1"]);
}

#[tokio::test]
async fn no_one_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let registry = Registry::new();
    let client = client(&registry, |layer| layer);
    let error = client.oneshot(request("GET", addr, "/")).await.unwrap_err();
    assert!(
        error.is::<hyper_util::client::legacy::Error>(),
        "passed on as it is"
    );
    assert_counted(&registry, &["{GET here connection_refused} 1"]);
    let metrics = registry.group::<HttpClientMetrics>().unwrap();
    for family in [&metrics.response_size, &metrics.first_byte] {
        let one = family.get(&["GET", "here"]).unwrap().snapshot();
        assert_eq!(one.count(), 0, "there was no response");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http() {
    let addr = answer_with(b"SSH-2.0-OpenSSH_9.6\r\n").await;
    let registry = Registry::new();
    let client = client(&registry, |layer| {
        layer.error_kind(|error| {
            let error = error.downcast_ref::<hyper::Error>()?;
            error.is_parse().then_some("not_http")
        })
    });
    assert!(client.oneshot(request("GET", addr, "/")).await.is_err());
    assert_counted(&registry, &["{GET here not_http} 1"]);
}

#[tokio::test]
async fn a_caller_that_gives_up() {
    let addr = serve(Router::new().route("/", get(std::future::pending::<()>))).await;
    let registry = Registry::new();
    let mut client = client(&registry, |layer| layer);
    let mut answer = Box::pin(client.call(request("GET", addr, "/")));
    tokio::select! {
        biased;
        _ = &mut answer => panic!("there is none"),
        () = tokio::task::yield_now() => {}
    }
    drop(answer);
    assert_counted(&registry, &["{GET here cancelled} 1"]);
}

/// Time is paused while anything can run, and then jumps to the next timeout.
#[tokio::test(start_paused = true)]
async fn a_timeout_below_the_layer_is_an_error_of_its_kind() {
    let never = tower::service_fn(async |_: hyper::Request<Body>| {
        std::future::pending::<Result<hyper::Response<Body>, Infallible>>().await
    });
    let registry = Registry::new();
    let layer = selfheal::http_client::HttpClientLayer::builder(&registry)
        .host("slow.test", "slow")
        .error_kind(|error| {
            error
                .is::<tower::timeout::error::Elapsed>()
                .then_some("timeout")
        })
        .build()
        .unwrap();
    let service = tower::Layer::layer(&layer, Timeout::new(never, Duration::from_secs(1)));
    let request = hyper::Request::builder()
        .uri("http://slow.test/")
        .body(Body::empty())
        .unwrap();
    assert!(service.oneshot(request).await.is_err());
    assert_counted(&registry, &["{GET slow timeout} 1"]);
}

#[tokio::test]
async fn a_client_that_panics() {
    async fn broken(_: hyper::Request<Body>) -> Result<hyper::Response<Body>, Infallible> {
        panic!("as the test wants it")
    }
    let registry = Registry::new();
    let layer = selfheal::http_client::HttpClientLayer::builder(&registry)
        .build()
        .unwrap();
    let service = tower::Layer::layer(&layer, tower::service_fn(broken));
    let request = hyper::Request::new(Body::empty());
    assert!(tokio::spawn(service.oneshot(request)).await.is_err());
    assert_counted(&registry, &["{GET other panic} 1"]);
}

#[tokio::test]
async fn a_body_that_panics() {
    struct Panics;

    impl Stream for Panics {
        type Item = Result<Bytes, Infallible>;

        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            panic!("as the test wants it")
        }
    }

    let registry = Registry::new();
    let answer = tower::service_fn(async |_: hyper::Request<Body>| {
        Ok::<_, Infallible>(hyper::Response::new(Body::from_stream(Panics)))
    });
    let mut service = HttpClientLayer::new(&registry).unwrap().layer(answer);
    let request = hyper::Request::new(Body::empty());
    let response = service.call(request).await.unwrap();
    assert!(tokio::spawn(response.collect()).await.is_err());
    assert_counted(&registry, &["{GET other panic} 1"]);
}

/// Nothing needs to ask for the frame after the last, nor to drop what is over.
#[tokio::test]
async fn the_last_byte_is_the_end_whoever_keeps_the_response() {
    let registry = Registry::new();
    let path = tower::service_fn(async |request: hyper::Request<Body>| {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        Ok::<_, Infallible>(hyper::Response::new(Full::new(Bytes::from(path))))
    });
    let mut service = HttpClientLayer::new(&registry).unwrap().layer(path);
    let ask = |uri: &str| {
        hyper::Request::builder()
            .uri(uri)
            .body(Body::empty())
            .unwrap()
    };
    let _nothing = service.call(ask("/")).await.unwrap();
    assert_counted(&registry, &["{GET other 200} 1"]);
    let mut hello = service.call(ask("/hello")).await.unwrap();
    assert_eq!(
        hello.frame().await.unwrap().unwrap().into_data().unwrap(),
        "hello"
    );
    assert_counted(&registry, &["{GET other 200} 2"]);
}
