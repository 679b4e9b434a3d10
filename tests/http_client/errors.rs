//! Why there was no response, and what is one request and what are many.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::response::Redirect;
use axum::routing::{get, post};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use selfheal::http_client::HttpClientLayer;
use selfheal::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;

use crate::wire::{assert_counted, client, request, serve, text};

#[tokio::test]
async fn a_name_that_no_one_has() {
    let registry = Registry::new();
    let client = client(&registry, |layer| layer);
    // A name cannot have an empty part, so that the lookup fails before it asks a server.
    let request = hyper::Request::get("http://no..body/").body(Body::empty());
    assert!(client.oneshot(request.unwrap()).await.is_err());
    assert_counted(&registry, &["{GET other dns} 1"]);
}

/// A connector whose handshake is refused, with the error of those for TLS.
#[derive(Clone)]
struct BadCertificate;

#[derive(Debug, thiserror::Error)]
#[error("unknown issuer")]
struct TlsError;

impl Service<hyper::Uri> for BadCertificate {
    type Response = hyper_util::rt::TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: hyper::Uri) -> Self::Future {
        let error = std::io::Error::new(std::io::ErrorKind::InvalidData, TlsError);
        std::future::ready(Err(error))
    }
}

#[tokio::test]
async fn an_error_inside_an_error_of_io_can_be_named() {
    let registry = Registry::new();
    let layer = HttpClientLayer::builder(&registry)
        .error_kind(|error| error.is::<TlsError>().then_some("tls"));
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build(BadCertificate);
    let client = layer.build().unwrap().layer(client);
    let request = hyper::Request::get("http://secure.test/").body(Body::empty());
    assert!(client.oneshot(request.unwrap()).await.is_err());
    assert_counted(&registry, &["{GET other tls} 1"]);
}

#[tokio::test]
async fn a_server_that_hangs_up_without_a_word() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1_024];
        let _ = stream.read(&mut request).await.unwrap();
    });
    let registry = Registry::new();
    let client = client(&registry, |layer| {
        layer.error_kind(|error| {
            let error = error.downcast_ref::<hyper::Error>()?;
            error.is_incomplete_message().then_some("connection_lost")
        })
    });
    assert!(client.oneshot(request("GET", addr, "/")).await.is_err());
    assert_counted(&registry, &["{GET here connection_lost} 1"]);
}

/// Above the layer each step is a request, below it all of them are one.
#[tokio::test]
async fn redirects() {
    let routes = Router::new()
        .route("/", get(|| async { Redirect::permanent("/there") }))
        .route("/there", get(|| async { "there" }));
    let addr = serve(routes).await;
    let follow = FollowRedirectLayer::new();
    let bare = || Client::builder(TokioExecutor::new()).build_http::<Body>();

    let registry = Registry::new();
    let layer = |registry| {
        HttpClientLayer::builder(registry)
            .host("127.0.0.1", "here")
            .build()
    };
    let above = ServiceBuilder::new()
        .layer(follow.clone())
        .layer(layer(&registry).unwrap())
        .service(bare());
    let response = above.oneshot(request("GET", addr, "/")).await.unwrap();
    assert_eq!(text(response).await, "there");
    assert_counted(&registry, &["{GET here 200} 1", "{GET here 308} 1"]);

    let registry = Registry::new();
    let below = ServiceBuilder::new()
        .layer(layer(&registry).unwrap())
        .layer(follow)
        .service(bare());
    let response = below.oneshot(request("GET", addr, "/")).await.unwrap();
    assert_eq!(text(response).await, "there");
    assert_counted(&registry, &["{GET here 200} 1"]);
}

/// A server of one page that counts its connections.
async fn counting_connections() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut request = [0; 1_024];
                while let Ok(1..) = stream.read(&mut request).await {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    (addr, connections)
}

#[tokio::test]
async fn requests_on_one_connection_are_counted_one_by_one() {
    let (addr, connections) = counting_connections().await;
    let registry = Registry::new();
    let mut client = client(&registry, |layer| layer);
    for _ in 0..20 {
        let response = client.call(request("GET", addr, "/")).await.unwrap();
        assert_eq!(text(response).await, "hello");
    }
    assert_counted(&registry, &["{GET here 200} 20"]);
    assert!(connections.load(Ordering::Relaxed) < 20, "some were reused");
}

/// The body of a request fails on its way out: there is no response, but an error.
#[tokio::test]
async fn a_request_body_that_fails() {
    struct Fails;

    impl hyper::body::Body for Fails {
        type Data = hyper::body::Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
            let lost = std::io::ErrorKind::BrokenPipe.into();
            Poll::Ready(Some(Err(lost)))
        }
    }

    let addr = serve(Router::new().route("/", post(std::future::pending::<()>))).await;
    let registry = Registry::new();
    let client = client(&registry, |layer| layer);
    let mut request = request("POST", addr, "/");
    *request.body_mut() = Body::new(Fails);
    assert!(client.oneshot(request).await.is_err());
    assert_counted(&registry, &["{POST here connection_lost} 1"]);
}

/// The request was meant to be made, and its caller sees that it failed.
#[tokio::test]
async fn a_service_that_is_never_ready() {
    #[derive(Clone)]
    struct Closed;

    impl Service<hyper::Request<Body>> for Closed {
        type Response = hyper::Response<Body>;
        type Error = std::io::Error;
        type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Err(std::io::Error::other("closed")))
        }

        fn call(&mut self, _: hyper::Request<Body>) -> Self::Future {
            std::future::ready(Ok(hyper::Response::new(Body::empty())))
        }
    }

    let registry = Registry::new();
    let layer = HttpClientLayer::builder(&registry).build().unwrap();
    let request = hyper::Request::get("http://here.test/").body(Body::empty());
    let error = layer
        .layer(Closed)
        .oneshot(request.unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "closed");
    assert_counted(&registry, &["{other other error} 1"]);
}

/// As a buffer whose worker has ended: it is not handed the request.
#[tokio::test]
async fn a_client_that_is_never_ready() {
    let registry = Registry::new();
    let layer = HttpClientLayer::builder(&registry).host("api.test", "api");
    let layer = layer.build().unwrap();
    let (mut service, mut inner) =
        tower_test::mock::spawn_layer::<hyper::Request<Body>, hyper::Response<Body>, _>(layer);
    inner.allow(0);
    assert!(service.poll_ready::<hyper::Request<Body>>().is_pending());
    assert_counted(&registry, &[]);
    inner.send_error(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
    let Poll::Ready(Err(error)) = service.poll_ready::<hyper::Request<Body>>() else {
        panic!("an error")
    };
    assert!(
        error.to_string().contains("broken pipe"),
        "handed on as it is: {error}"
    );
    assert_counted(&registry, &["{other other connection_lost} 1"]);
}
