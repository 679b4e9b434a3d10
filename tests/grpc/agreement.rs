//! A client records the status that its caller gets, whatever a server does on the wire.

use std::net::SocketAddr;
use std::sync::Arc;

use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::HeaderMap;
use hyper::body::Bytes;
use selfheal::grpc::{GrpcClientLayer, GrpcClientService};
use selfheal::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::Layer;

use crate::wire::{EchoClient, Server, all, channel, series};

/// A request and the way to answer it.
type Asked = (RecvStream, SendResponse<Bytes>);

/// A server of HTTP/2 that does this with every request.
async fn serve(act: impl Fn(Asked) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let act = act.clone();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                while let Some(Ok((request, respond))) = connection.accept().await {
                    act((request.into_body(), respond));
                }
            });
        }
    });
    addr
}

struct Client {
    echo: EchoClient<GrpcClientService<Channel>>,
    registry: Registry,
}

impl Client {
    async fn to(addr: SocketAddr) -> Self {
        let registry = Registry::new();
        let layer = GrpcClientLayer::new(&registry).unwrap();
        let echo = EchoClient::new(layer.layer(channel(addr).await));
        Self { echo, registry }
    }

    /// Asserts that the only call is counted with the code that its caller got.
    fn assert_agrees<T>(&self, reported: &Result<T, Status>, what: &str) -> Code {
        let reported = reported.as_ref().map_or_else(Status::code, |_| Code::Ok);
        let counted = series(&self.registry, "grpc_client_requests_total");
        let name = format!("{reported:?}").to_uppercase();
        let counted: Vec<_> = counted.into_iter().collect();
        let [(labels, 1)] = counted.as_slice() else {
            panic!("{what}: {counted:?}");
        };
        let code = labels.rsplit(' ').next().unwrap().replace('_', "");
        assert_eq!(code, name, "{what}");
        let active = series(&self.registry, "grpc_client_streams_active");
        assert_eq!(active.into_values().sum::<u64>(), 0, "{what}");
        reported
    }
}

/// As PROTOCOL-HTTP2.md of gRPC maps them under "Errors".
#[tokio::test]
async fn streams_that_are_reset_before_their_headers() {
    for (reason, code) in [
        (Reason::NO_ERROR, Code::Internal),
        (Reason::PROTOCOL_ERROR, Code::Internal),
        (Reason::INTERNAL_ERROR, Code::Internal),
        (Reason::FLOW_CONTROL_ERROR, Code::Internal),
        (Reason::REFUSED_STREAM, Code::Unavailable),
        (Reason::CANCEL, Code::Cancelled),
        (Reason::COMPRESSION_ERROR, Code::Internal),
        (Reason::ENHANCE_YOUR_CALM, Code::ResourceExhausted),
        (Reason::INADEQUATE_SECURITY, Code::PermissionDenied),
    ] {
        let addr = serve(move |(_, mut respond)| respond.send_reset(reason)).await;
        let mut client = Client::to(addr).await;
        let reported = client.echo.unary("hello".to_owned()).await;
        assert_eq!(
            client.assert_agrees(&reported, &format!("{reason:?}")),
            code
        );
        let error: &dyn std::error::Error = &reported.unwrap_err();
        let mut causes = std::iter::successors(error.source(), |error| error.source());
        let is_there = causes.any(<dyn std::error::Error>::is::<hyper::Error>);
        assert!(is_there, "the error is passed on as it was");
    }
}

#[tokio::test]
async fn streams_that_are_reset_after_a_message() {
    for reason in [
        Reason::NO_ERROR,
        Reason::INTERNAL_ERROR,
        Reason::REFUSED_STREAM,
        Reason::CANCEL,
        Reason::ENHANCE_YOUR_CALM,
    ] {
        let seen = Arc::new(Notify::new());
        let reported = Arc::clone(&seen);
        let addr = serve(move |(_, mut respond)| {
            let mut body = respond.send_response(head(200, &[GRPC]), false).unwrap();
            let message = Bytes::from_static(b"\0\0\0\0\x02hi");
            body.send_data(message, false).unwrap();
            let reported = Arc::clone(&reported);
            tokio::spawn(async move {
                reported.notified().await;
                body.send_reset(reason);
            });
        })
        .await;
        let mut client = Client::to(addr).await;
        let mut messages = client.echo.repeat("1").await.unwrap();
        assert_eq!(messages.message().await.unwrap().unwrap(), "hi");
        seen.notify_one();
        let reported = messages.message().await;
        assert!(reported.is_err(), "{reason:?}");
        client.assert_agrees(&reported, &format!("{reason:?}"));
    }
}

const GRPC: (&str, &str) = ("content-type", "application/grpc");

fn head(status: u16, headers: &[(&'static str, &'static str)]) -> http::Response<()> {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(()).unwrap()
}

const CODES: [&str; 16] = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
];
const MALFORMED: [&str; 7] = ["", "17", "-1", "00", "0 0", "OK", "99999999999"];

#[tokio::test]
async fn codes_in_the_headers_and_in_the_trailers_malformed_ones_too() {
    for status in CODES.into_iter().chain(MALFORMED) {
        let answer = head(200, &[GRPC, ("grpc-status", status)]);
        let addr = serve(move |(_, mut respond)| {
            respond.send_response(answer.clone(), true).unwrap();
        })
        .await;
        let mut client = Client::to(addr).await;
        let reported = client.echo.unary("hello".to_owned()).await;
        let in_headers = client.assert_agrees(&reported, status);

        let addr = serve(move |(_, mut respond)| {
            let mut body = respond.send_response(head(200, &[GRPC]), false).unwrap();
            let message = Bytes::from_static(b"\0\0\0\0\x02hi");
            body.send_data(message, false).unwrap();
            let trailer = [("grpc-status".parse().unwrap(), status.parse().unwrap())];
            let trailers: HeaderMap = trailer.into_iter().collect();
            body.send_trailers(trailers).unwrap();
        })
        .await;
        let mut client = Client::to(addr).await;
        let reported = match client.echo.repeat("1").await {
            Ok(messages) => all(messages).await,
            Err(status) => Err(status),
        };
        assert_eq!(
            client.assert_agrees(&reported, status),
            in_headers,
            "{status}"
        );
    }
}

/// What proxies answer on the way, without a body. What they say in a page, tonic tries to read as
/// messages, and returns that as an error; it is counted by the HTTP status, as without the page.
#[tokio::test]
async fn answers_that_are_no_grpc() {
    for status in [
        200, 204, 301, 400, 401, 403, 404, 418, 429, 500, 502, 503, 504,
    ] {
        let addr = serve(move |(_, mut respond)| {
            respond.send_response(head(status, &[]), true).unwrap();
        })
        .await;
        let mut client = Client::to(addr).await;
        let reported = client.echo.unary("hello".to_owned()).await;
        let reported = client.assert_agrees(&reported, &format!("{status}"));

        let addr = serve(move |(_, mut respond)| {
            let html = head(status, &[("content-type", "text/html")]);
            let mut body = respond.send_response(html, false).unwrap();
            body.send_data(Bytes::from_static(b"<html>"), true).unwrap();
        })
        .await;
        let mut client = Client::to(addr).await;
        let page = client.echo.unary("hello".to_owned()).await.unwrap_err();
        assert_eq!(page.code(), Code::Internal, "{status}");
        let counted = series(&client.registry, "grpc_client_requests_total");
        let labels = counted.into_keys().next().unwrap().replace('_', "");
        let name = format!("{reported:?}").to_uppercase();
        assert_eq!(labels, format!("test.Echo Unary {name}"), "{status}");
    }
}

/// The caller gets an error that it does not fit, and the layer sees that the rest is dropped.
#[tokio::test]
async fn an_answer_that_the_caller_cannot_take_is_cancelled() {
    let server = Server::start().await;
    let registry = Registry::new();
    let layer = GrpcClientLayer::new(&registry).unwrap();
    let mut echo = EchoClient::new(layer.layer(channel(server.addr).await));
    echo.0 = echo.0.max_decoding_message_size(1_000);
    let reported = echo.unary("x".repeat(100_000)).await.unwrap_err();
    assert_eq!(reported.code(), Code::OutOfRange);
    let counted = series(&registry, "grpc_client_requests_total");
    assert_eq!(
        counted,
        [("test.Echo Unary CANCELLED".to_owned(), 1)].into()
    );
}

/// The layer sees an `OK`, and cannot know that there should have been a message.
#[tokio::test]
async fn an_ok_without_the_message_of_a_unary_call() {
    let addr = serve(|(_, mut respond)| {
        let ok = head(200, &[GRPC, ("grpc-status", "0")]);
        respond.send_response(ok, true).unwrap();
    })
    .await;
    let mut client = Client::to(addr).await;
    let reported = client.echo.unary("hello".to_owned()).await.unwrap_err();
    assert_eq!(reported.code(), Code::Internal);
    let counted = series(&client.registry, "grpc_client_requests_total");
    assert_eq!(counted, [("test.Echo Unary OK".to_owned(), 1)].into());
}
