//! Clients that speak HTTP/2 by hand: what tonic's own would never send.

use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, SendStream};
use hyper::body::Bytes;
use selfheal::grpc::GrpcLayer;
use selfheal::registry::Registry;
use tokio::net::TcpStream;

use crate::wire::{Server, series};

struct Raw {
    send: SendRequest<Bytes>,
    connection: tokio::task::JoinHandle<()>,
}

impl Raw {
    async fn to(server: &Server) -> Self {
        let socket = TcpStream::connect(server.addr).await.unwrap();
        let (send, connection) = h2::client::handshake(socket).await.unwrap();
        let connection = tokio::spawn(async move {
            let _ = connection.await;
        });
        Self { send, connection }
    }

    async fn call(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let mut request = http::Request::post(format!("http://test.example{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send = self.send.clone().ready().await.unwrap();
        let request = request.body(()).unwrap();
        self.send.send_request(request, false).unwrap()
    }
}

const GRPC: (&str, &str) = ("content-type", "application/grpc");

/// The `grpc-status` of an answer that is read to its end.
async fn status(response: ResponseFuture) -> String {
    let (head, mut body) = response.await.unwrap().into_parts();
    let in_headers = head.headers.get("grpc-status").cloned();
    while let Some(data) = body.data().await {
        let read = data.unwrap().len();
        body.flow_control().release_capacity(read).unwrap();
    }
    let trailers = body.trailers().await.unwrap().unwrap_or_default();
    let status = in_headers.or_else(|| trailers.get("grpc-status").cloned());
    status.unwrap().to_str().unwrap().to_owned()
}

fn messages(texts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.push(0);
        bytes.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

#[tokio::test]
async fn messages_cut_into_single_bytes_with_empty_frames_between() {
    let server = Server::start().await;
    let mut raw = Raw::to(&server).await;
    let (response, mut body) = raw.call("/test.Echo/Collect", &[GRPC]).await;
    for byte in messages(&["one", "", "three"]) {
        body.send_data(Bytes::from(vec![byte]), false).unwrap();
        body.send_data(Bytes::new(), false).unwrap();
    }
    body.send_data(Bytes::new(), true).unwrap();
    assert_eq!(status(response).await, "0");
    server.assert_counted(&[("test.Echo Collect OK", 1)]);
    server.assert_messages(&[("test.Echo Collect", 3)], &[("test.Echo Collect", 1)]);
}

const BR: (&str, &str) = ("grpc-encoding", "br");
const GZIP: (&str, &str) = ("grpc-encoding", "gzip");
const LATE: (&str, &str) = ("grpc-timeout", "soon");
const JSON: (&str, &str) = ("content-type", "application/json");

type Headers = &'static [(&'static str, &'static str)];

/// By headers and body: the `grpc-status` that tonic answers, how the call is counted, and how
/// many whole messages have come.
#[tokio::test]
async fn what_tonic_refuses_has_the_code_of_its_answer() {
    let one = || messages(&["one"]);
    let two = || messages(&["one", "two"]);
    let odd: [(Headers, Vec<u8>, &str); 12] = [
        (&[GRPC], two()[..15].into(), "13 INTERNAL 1"),
        (&[GRPC], b"\x01\0\0\0\x01x".into(), "13 INTERNAL 1"),
        (&[GRPC], b"\x07\0\0\0\x01x".into(), "13 INTERNAL 1"),
        (&[GRPC, BR], b"\x01\0\0\0\x01x".into(), "12 UNIMPLEMENTED 0"),
        (&[GRPC, GZIP], b"\x01\0\0\0\x01x".into(), "13 INTERNAL 1"),
        (&[GRPC], b"\0\xff\0\0\0x".into(), "11 OUT_OF_RANGE 0"),
        (&[GRPC], Vec::new(), "13 INTERNAL 0"),
        (&[GRPC], two(), "0 OK 2"),
        (
            &[GRPC],
            b"\0\0\0\0\x02\xff\xfe".into(),
            "3 INVALID_ARGUMENT 1",
        ),
        (&[GRPC, LATE], one(), "0 OK 1"),
        (&[JSON], one(), "0 OK 1"),
        (&[], one(), "0 OK 1"),
    ];
    for (headers, bytes, expected) in odd {
        let registry = Registry::new();
        let layer = GrpcLayer::builder(&registry).service("test.Echo", ["Unary"]);
        let server = Server::with_layer(registry, layer.build().unwrap()).await;
        let mut raw = Raw::to(&server).await;
        let (response, mut body) = raw.call("/test.Echo/Unary", headers).await;
        let what = format!("{headers:?} {bytes:?}");
        body.send_data(bytes.into(), true).unwrap();
        let reported = status(response).await;
        let received = series(&server.registry, "grpc_messages_received_total");
        let received = received["test.Echo Unary"];
        let mut counted = server.counted();
        counted.retain(|_, n| *n > 0);
        assert_eq!(counted.values().sum::<u64>(), 1, "{what}");
        let labels = counted.into_keys().next().unwrap();
        let code = labels.strip_prefix("test.Echo Unary ").unwrap();
        assert_eq!(format!("{reported} {code} {received}"), expected, "{what}");
        assert_eq!(server.active(), 0, "{what}");
    }
}

/// For any reason: the caller has gone.
#[tokio::test]
async fn a_client_that_resets_the_stream_has_cancelled() {
    for reason in [
        Reason::NO_ERROR,
        Reason::CANCEL,
        Reason::INTERNAL_ERROR,
        Reason::ENHANCE_YOUR_CALM,
    ] {
        let server = Server::start().await;
        let mut raw = Raw::to(&server).await;
        let (response, mut body) = raw.call("/test.Echo/Repeat", &[GRPC]).await;
        body.send_data(messages(&["1 hang"]).into(), true).unwrap();
        let answer = response.await.unwrap();
        server.echo.hanging.notified().await;
        body.send_reset(reason);
        server.echo.dropped.notified().await;
        server.assert_counted(&[("test.Echo Repeat CANCELLED", 1)]);
        drop(answer);
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_cancels_each_of_its_streams_once() {
    let server = Server::start().await;
    let mut raw = Raw::to(&server).await;
    let mut open = Vec::new();
    for n in 1..=5 {
        let (response, mut body) = raw.call("/test.Echo/Repeat", &[GRPC]).await;
        body.send_data(messages(&["1 hang"]).into(), true).unwrap();
        open.push(response.await.unwrap());
        server.echo.hanging.notified().await;
        assert_eq!(server.active(), n);
    }
    raw.connection.abort();
    // Possibly notified once for all that are dropped in one poll.
    while server.active() > 0 {
        server.echo.dropped.notified().await;
    }
    server.assert_counted(&[("test.Echo Repeat CANCELLED", 5)]);
}
