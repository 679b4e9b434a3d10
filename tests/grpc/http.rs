//! What is beneath gRPC and beside it: data frames cut anywhere, answers that are no gRPC, plain
//! HTTP, gRPC-Web, and the layer for HTTP on the same router.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::{any, get};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use selfheal::grpc::{GrpcClientLayer, GrpcLayer, GrpcMetrics};
use selfheal::http::HttpLayer;
use selfheal::registry::Registry;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::Layer;

use crate::echo::Echo;
use crate::wire::{EchoClient, Server, all, channel, series};

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    addr
}

/// One request as it is, over HTTP/2.
async fn send(addr: SocketAddr, request: http::Request<Body>) -> Response<hyper::body::Incoming> {
    let io = TokioIo::new(TcpStream::connect(addr).await.unwrap());
    let shake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
    let (mut client, connection) = shake.await.unwrap();
    tokio::spawn(connection);
    client.send_request(request).await.unwrap()
}

fn post(addr: SocketAddr, path: &str, content: &str, body: Body) -> http::Request<Body> {
    let request = http::Request::post(format!("http://{addr}{path}"));
    request.header("content-type", content).body(body).unwrap()
}

/// Each byte in a frame of its own.
fn byte_by_byte(bytes: &'static [u8]) -> Body {
    let bytes = bytes
        .chunks(1)
        .map(|byte| Ok::<_, Infallible>(Bytes::from_static(byte)));
    Body::from_stream(tokio_stream::iter(bytes))
}

fn counts(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    let owned = expected.iter().map(|(name, n)| ((*name).to_owned(), *n));
    owned.collect()
}

#[tokio::test]
async fn a_request_byte_by_byte() {
    let server = Server::start().await;
    let body = byte_by_byte(b"\0\0\0\0\x05hello\0\0\0\0\0\0\0\0\0\x03you");
    let asked = post(server.addr, "/test.Echo/Collect", "application/grpc", body);
    let whole = send(server.addr, asked).await.collect().await.unwrap();
    assert_eq!(whole.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(whole.to_bytes(), &b"\0\0\0\0\x08helloyou"[..]);
    server.assert_counted(&[("test.Echo Collect OK", 1)]);
    server.assert_messages(&[("test.Echo Collect", 3)], &[("test.Echo Collect", 1)]);
}

/// A client of an axum server that answers every call with this.
async fn answered(
    answer: impl Fn() -> Response<Body> + Clone + Send + Sync + 'static,
) -> (Registry, Result<(), Status>) {
    let addr = serve(Router::new().fallback(any(async move || answer()))).await;
    let registry = Registry::new();
    let layer = GrpcClientLayer::new(&registry).unwrap();
    let mut echo = EchoClient::new(layer.layer(channel(addr).await));
    let result = async {
        let messages = all(echo.repeat("3").await?).await?;
        assert_eq!(messages, ["one", "two"]);
        Ok(())
    };
    let result = result.await;
    assert!(
        series(&registry, "grpc_client_streams_active")
            .values()
            .all(|n| *n == 0)
    );
    (registry, result)
}

const MESSAGES: &[u8] = b"\0\0\0\0\x03one\0\0\0\0\x03two";

fn grpc(body: Body, status: &'static [u8]) -> Response<Body> {
    let trailers = async move {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_bytes(status).unwrap());
        trailers.insert("grpc-message", "50%25 of %E2%82%AC".parse().unwrap());
        Some(Ok(trailers))
    };
    let mut response = Response::new(Body::new(body.with_trailers(trailers)));
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(header::CONTENT_TYPE, grpc);
    response
}

#[tokio::test]
async fn a_response_byte_by_byte() {
    let (registry, result) = answered(|| grpc(byte_by_byte(MESSAGES), b"0")).await;
    result.unwrap();
    let counted = series(&registry, "grpc_client_requests_total");
    assert_eq!(counted, counts(&[("test.Echo Repeat OK", 1)]));
    let received = series(&registry, "grpc_client_messages_received_total");
    assert_eq!(received["test.Echo Repeat"], 2);
}

#[tokio::test]
async fn the_code_is_what_tonic_returns_to_its_caller_and_the_message_passes() {
    let statuses: [(&[u8], &str); 7] = [
        (b"5", "NOT_FOUND"),
        (b"16", "UNAUTHENTICATED"),
        (b"17", "UNKNOWN"),
        (b"", "UNKNOWN"),
        (b"abc", "UNKNOWN"),
        (b"99999999999999999999", "UNKNOWN"),
        (b"\xff", "UNKNOWN"),
    ];
    for (status, name) in statuses {
        let (registry, result) = answered(move || grpc(Body::from(MESSAGES), status)).await;
        let error = result.unwrap_err();
        assert_eq!(error.message(), "50% of \u{20ac}");
        assert_eq!(
            format!("{:?}", error.code()).to_uppercase(),
            name.replace('_', "")
        );
        let counted = series(&registry, "grpc_client_requests_total");
        assert_eq!(counted, counts(&[(&format!("test.Echo Repeat {name}"), 1)]));
    }
}

#[tokio::test]
async fn answers_that_are_no_grpc() {
    for (status, code, name) in [
        (200, Code::Unknown, "UNKNOWN"),
        (400, Code::Internal, "INTERNAL"),
        (401, Code::Unauthenticated, "UNAUTHENTICATED"),
        (403, Code::PermissionDenied, "PERMISSION_DENIED"),
        (404, Code::Unimplemented, "UNIMPLEMENTED"),
        (429, Code::Unavailable, "UNAVAILABLE"),
        (502, Code::Unavailable, "UNAVAILABLE"),
        (500, Code::Unknown, "UNKNOWN"),
    ] {
        let page = move || {
            let status = StatusCode::from_u16(status).unwrap();
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            response
        };
        let (registry, result) = answered(page).await;
        assert_eq!(result.unwrap_err().code(), code, "of tonic for {status}");
        let counted = series(&registry, "grpc_client_requests_total");
        assert_eq!(counted, counts(&[(&format!("test.Echo Repeat {name}"), 1)]));
    }
}

#[tokio::test]
async fn plain_http_to_a_server_of_grpc() {
    let server = Server::start().await;
    let page = http::Request::get(format!("http://{}/", server.addr)).body(Body::empty());
    send(server.addr, page.unwrap()).await;
    let addr = server.addr;
    send(
        addr,
        post(
            addr,
            "/test.Echo/Unary",
            "application/json",
            Body::from("{}"),
        ),
    )
    .await;
    assert!(series(&server.registry, "grpc_requests_total").is_empty());
    assert_eq!(server.active(), 0);
}

/// Whichever of the two is outside.
#[tokio::test]
async fn the_layers_for_http_and_for_grpc_on_one_router() {
    for grpc_outside in [false, true] {
        let registry = Registry::new();
        let http = HttpLayer::new(&registry).unwrap();
        let grpc = GrpcLayer::builder(&registry).service("test.Echo", ["Unary", "Repeat"]);
        let grpc = grpc.build().unwrap();
        let routes = Routes::new(Echo::default()).into_axum_router();
        let routes = routes.route("/hello/{name}", get(async || "hello"));
        let app = if grpc_outside {
            routes.layer(http).layer(grpc)
        } else {
            routes.layer(grpc).layer(http)
        };
        let addr = serve(app).await;
        let mut echo = EchoClient::new(channel(addr).await);
        echo.unary("hello".to_owned()).await.unwrap();
        assert!(all(echo.repeat("2 error").await.unwrap()).await.is_err());
        let page = http::Request::get(format!("http://{addr}/hello/you")).body(Body::empty());
        send(addr, page.unwrap()).await.collect().await.unwrap();

        let mut counted = series(&registry, "grpc_requests_total");
        counted.retain(|_, n| *n > 0);
        let expected = [("test.Echo Repeat NOT_FOUND", 1), ("test.Echo Unary OK", 1)];
        assert_eq!(counted, counts(&expected));
        // For HTTP a call is a request of the service's only route, with status 200 whatever its
        // code.
        let expected = [
            ("GET /hello/{name} 200", 1),
            ("POST /test.Echo/{*rest} 200", 2),
        ];
        assert_eq!(series(&registry, "http_requests_total"), counts(&expected));
        let in_flight = series(&registry, "http_requests_in_flight");
        assert_eq!(in_flight, counts(&[("", 0)]));
        let sent = series(&registry, "grpc_messages_sent_total");
        assert_eq!((sent["test.Echo Unary"], sent["test.Echo Repeat"]), (1, 2));
    }
}

/// The translator turns gRPC-Web, whose trailers are in its body, into gRPC and back.
#[tokio::test]
async fn grpc_web_is_seen_below_its_translator_and_not_above() {
    for below in [true, false] {
        let registry = Registry::new();
        let layer = GrpcLayer::new(&registry).unwrap();
        let routes = Routes::new(Echo::default()).into_axum_router();
        let web = tonic_web::GrpcWebLayer::new();
        let app = if below {
            routes.layer(layer).layer(web)
        } else {
            routes.layer(web).layer(layer)
        };
        let addr = serve(app).await;
        let body = Body::from(&b"\0\0\0\0\x02hi"[..]);
        let asked = post(addr, "/test.Echo/Unary", "application/grpc-web+proto", body);
        let whole = send(addr, asked).await.collect().await.unwrap();
        let bytes = whole.to_bytes();
        assert!(bytes.starts_with(b"\0\0\0\0\x02hi\x80"), "{bytes:?}");
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("grpc-status:0"), "{text}");

        let expected: &[_] = if below {
            &[("test.Echo Unary OK", 1)]
        } else {
            &[]
        };
        assert_eq!(series(&registry, "grpc_requests_total"), counts(expected));
        let metrics = registry.group::<GrpcMetrics>().unwrap();
        let unary = ["test.Echo", "Unary"];
        let messages = [&metrics.received, &metrics.sent].map(|family| family.get(&unary));
        let messages = messages.map(|counter| counter.map_or(0, |counter| counter.get()));
        assert_eq!(messages, if below { [1, 1] } else { [0, 0] });
    }
}

/// A catch-all that answers everything teaches the layer no methods.
#[tokio::test]
async fn a_web_page_for_every_path_is_no_method() {
    let registry = Registry::new();
    let layer = GrpcLayer::new(&registry).unwrap();
    let page = async |_: Request| {
        Response::new(
            Full::new(Bytes::from_static(b"<html>"))
                .map_err(axum::Error::new)
                .boxed(),
        )
    };
    let addr = serve(Router::new().fallback(page).layer(layer)).await;
    for n in 0..20 {
        let path = format!("/guess.Service{n}/Method");
        let body = Body::from(&b"\0\0\0\0\0"[..]);
        send(addr, post(addr, &path, "application/grpc", body))
            .await
            .collect()
            .await
            .unwrap();
    }
    let counted = series(&registry, "grpc_requests_total");
    assert_eq!(counted, counts(&[("unknown unknown UNKNOWN", 20)]));
}
