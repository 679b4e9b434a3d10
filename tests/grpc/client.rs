//! Every call a client makes is recorded once, as the client saw it end.

use std::collections::BTreeMap;
use std::time::Duration;

use selfheal::grpc::{GrpcClientLayer, GrpcClientService, GrpcNames, RpcMethod};
use selfheal::registry::Registry;
use tokio_stream::StreamExt;
use tonic::codec::CompressionEncoding;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tower::Layer;

use crate::wire::{EchoClient, Server, all, by_hand, channel, series};

/// A client of a real server, and what it has recorded.
struct Client {
    echo: EchoClient<GrpcClientService<Channel>>,
    registry: Registry,
}

impl Client {
    fn over(channel: Channel) -> Self {
        let registry = Registry::new();
        let layer = GrpcClientLayer::new(&registry).unwrap();
        let echo = EchoClient::new(layer.layer(channel));
        Self { echo, registry }
    }

    fn of(&self, name: &str) -> BTreeMap<String, u64> {
        let mut series = series(&self.registry, name);
        series.retain(|_, n| *n > 0);
        series
    }

    /// Asserts that this is the one call that was counted, with so many messages each way.
    fn assert_one(&self, labels: &str, sent: u64, received: u64) {
        let expected = [(labels.to_owned(), 1)].into();
        assert_eq!(self.of("grpc_client_requests_total"), expected);
        let messages = |name| self.of(name).into_values().sum::<u64>();
        assert_eq!(messages("grpc_client_messages_sent_total"), sent, "sent");
        assert_eq!(
            messages("grpc_client_messages_received_total"),
            received,
            "received"
        );
        assert_eq!(messages("grpc_client_request_duration_seconds"), 1, "timed");
        assert!(self.of("grpc_client_streams_active").is_empty());
    }
}

async fn both() -> (Server, Client) {
    let server = Server::start().await;
    let client = Client::over(channel(server.addr).await);
    (server, client)
}

fn words(n: usize) -> impl tokio_stream::Stream<Item = String> {
    tokio_stream::iter((0..n).map(|n| format!("word {n}")))
}

#[tokio::test]
async fn each_kind_of_method() {
    let (_server, mut client) = both().await;
    client.echo.unary("hello".to_owned()).await.unwrap();
    client.assert_one("test.Echo Unary OK", 1, 1);

    let (_server, mut client) = both().await;
    client.echo.collect(words(5)).await.unwrap();
    client.assert_one("test.Echo Collect OK", 5, 1);

    let (_server, mut client) = both().await;
    all(client.echo.repeat("4").await.unwrap()).await.unwrap();
    client.assert_one("test.Echo Repeat OK", 1, 4);

    let (_server, mut client) = both().await;
    all(client.echo.chat(words(3)).await.unwrap())
        .await
        .unwrap();
    client.assert_one("test.Echo Chat OK", 3, 3);
}

#[tokio::test]
async fn errors_in_the_headers_and_in_the_trailers() {
    let (_server, mut client) = both().await;
    assert!(client.echo.unary("error".to_owned()).await.is_err());
    client.assert_one("test.Echo Unary NOT_FOUND", 1, 0);

    let (_server, mut client) = both().await;
    let stream = client.echo.repeat("2 error").await.unwrap();
    assert!(all(stream).await.is_err());
    client.assert_one("test.Echo Repeat NOT_FOUND", 1, 2);

    let (_server, mut client) = both().await;
    assert!(client.echo.call("/test.Echo/Nothing").await.is_err());
    client.assert_one("test.Echo Nothing UNIMPLEMENTED", 1, 0);
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    // Bound but without a listener: no other process has the port, and it refuses connections.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let addr = socket.local_addr().unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{addr}")).unwrap();
    let mut client = Client::over(endpoint.connect_lazy());
    let error = client.echo.unary("hello".to_owned()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    client.assert_one("test.Echo Unary UNAVAILABLE", 0, 0);
}

/// A channel to the server through a TCP proxy, which breaks when it is aborted.
async fn through_a_proxy(server: &Server) -> (Client, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let behind = server.addr;
    let proxy = tokio::spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = tokio::net::TcpStream::connect(behind).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    });
    (Client::over(channel(addr).await), proxy)
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer() {
    let server = Server::start().await;
    let (client, proxy) = through_a_proxy(&server).await;
    let mut echo = client.echo.clone();
    let call = tokio::spawn(async move { echo.unary("hang".to_owned()).await });
    server.echo.hanging.notified().await;
    proxy.abort();
    assert!(call.await.unwrap().is_err());
    client.assert_one("test.Echo Unary UNAVAILABLE", 1, 0);
}

#[tokio::test]
async fn a_connection_that_breaks_inside_the_stream() {
    let server = Server::start().await;
    let (mut client, proxy) = through_a_proxy(&server).await;
    let mut stream = client.echo.repeat("2 hang").await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), "1");
    assert_eq!(stream.next().await.unwrap().unwrap(), "2");
    proxy.abort();
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::Unknown, "tonic's word for it");
    client.assert_one("test.Echo Repeat UNAVAILABLE", 1, 2);
}

#[tokio::test]
async fn a_caller_that_does_not_wait_for_the_end() {
    let (server, mut client) = both().await;
    let mut stream = client.echo.repeat("2 hang").await.unwrap();
    stream.next().await.unwrap().unwrap();
    let active = client.of("grpc_client_streams_active");
    assert_eq!(active, [("test.Echo Repeat".to_owned(), 1)].into());
    drop(stream);
    client.assert_one("test.Echo Repeat CANCELLED", 1, 2);

    let mut echo = client.echo.clone();
    let call = tokio::spawn(async move { echo.unary("hang".to_owned()).await });
    server.echo.hanging.notified().await; // that of the stream
    server.echo.hanging.notified().await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let counted = client.of("grpc_client_requests_total");
    assert_eq!(counted["test.Echo Unary CANCELLED"], 1);
    assert!(client.of("grpc_client_streams_active").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_the_channel_keeps() {
    let (_server, mut client) = both().await;
    let mut request = Request::new("hang".to_owned());
    request.set_timeout(Duration::from_secs(60));
    // The paused clock advances when nothing else is left to do.
    assert!(client.echo.unary(request).await.is_err());
    client.assert_one("test.Echo Unary DEADLINE_EXCEEDED", 1, 0);
}

#[tokio::test]
async fn compressed_messages() {
    let (server, client) = both().await;
    let mut echo = client.echo.clone();
    echo.0 = echo
        .0
        .send_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Gzip);
    let large = "all work and no play ".repeat(2_000);
    let answer = echo.unary(large.clone()).await.unwrap();
    assert_eq!(answer.metadata().get("grpc-encoding").unwrap(), "gzip");
    assert_eq!(answer.into_inner(), large);
    client.assert_one("test.Echo Unary OK", 1, 1);
    server.assert_messages(&[("test.Echo Unary", 1)], &[("test.Echo Unary", 1)]);

    let (server, client) = both().await;
    let mut echo = client.echo.clone();
    echo.0 = echo
        .0
        .send_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Gzip);
    let (sender, messages) = by_hand();
    for n in 0..200 {
        sender.send(large[n..].to_owned()).unwrap();
    }
    drop(sender);
    assert_eq!(
        all(echo.chat(messages).await.unwrap()).await.unwrap().len(),
        200
    );
    client.assert_one("test.Echo Chat OK", 200, 200);
    server.assert_messages(&[("test.Echo Chat", 200)], &[("test.Echo Chat", 200)]);
}

#[tokio::test]
async fn large_messages_are_cut_into_many_frames() {
    let (server, mut client) = both().await;
    let large = "x".repeat(3_000_000);
    let answer = client.echo.unary(large.clone()).await.unwrap();
    assert_eq!(answer.into_inner().len(), large.len());
    client.assert_one("test.Echo Unary OK", 1, 1);
    server.assert_messages(&[("test.Echo Unary", 1)], &[("test.Echo Unary", 1)]);
}

#[tokio::test]
async fn an_origin_with_a_path() {
    let server = Server::start().await;
    let origin = format!("http://{}/api/v1", server.addr).parse().unwrap();
    let registry = Registry::new();
    let layer = GrpcClientLayer::new(&registry).unwrap();
    let service = layer.layer(channel(server.addr).await);
    let mut echo = EchoClient(tonic::client::Grpc::with_origin(service, origin));
    let error = echo.unary("hello".to_owned()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    let counted = series(&registry, "grpc_client_requests_total");
    assert_eq!(
        counted,
        [("test.Echo Unary UNIMPLEMENTED".to_owned(), 1)].into()
    );
}

#[tokio::test]
async fn the_other_names() {
    let server = Server::start().await;
    let registry = Registry::new();
    for names in [GrpcNames::GoGrpcMiddleware, GrpcNames::OpenTelemetry] {
        let layer = GrpcClientLayer::builder(&registry)
            .names(names)
            .service("test.Echo", [RpcMethod::bidi_streaming("Chat")])
            .build()
            .unwrap();
        let mut echo = EchoClient::new(layer.layer(channel(server.addr).await));
        all(echo.chat(words(3)).await.unwrap()).await.unwrap();
    }
    for (name, labels, n) in [
        ("grpc_client_started_total", "bidi_stream test.Echo Chat", 1),
        (
            "grpc_client_handled_total",
            "bidi_stream test.Echo Chat OK",
            1,
        ),
        (
            "grpc_client_handling_seconds",
            "bidi_stream test.Echo Chat",
            1,
        ),
        (
            "grpc_client_msg_sent_total",
            "bidi_stream test.Echo Chat",
            3,
        ),
        (
            "grpc_client_msg_received_total",
            "bidi_stream test.Echo Chat",
            3,
        ),
        (
            "rpc_client_call_duration_seconds",
            "grpc test.Echo/Chat OK ",
            1,
        ),
    ] {
        assert_eq!(
            series(&registry, name),
            [(labels.to_owned(), n)].into(),
            "{name}"
        );
    }
}

/// Its worker ran on that runtime, so that nothing is handed a call any more.
#[tokio::test]
async fn a_channel_whose_runtime_has_ended() {
    let server = Server::start().await;
    let addr = server.addr;
    let orphan = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(channel(addr))
    });
    let mut client = Client::over(orphan.join().unwrap());
    assert!(client.echo.unary("hello".to_owned()).await.is_err());
    client.assert_one("unknown unknown UNAVAILABLE", 0, 0);
    assert!(client.echo.chat(words(3)).await.is_err());
    let expected = [("unknown unknown UNAVAILABLE".to_owned(), 2)].into();
    assert_eq!(client.of("grpc_client_requests_total"), expected);
}

/// The error's own status counts, and the error is returned unchanged.
#[tokio::test]
async fn a_service_that_is_never_ready() {
    let registry = Registry::new();
    let (mut service, mut inner) = tower_test::mock::spawn_layer::<
        http::Request<tonic::body::Body>,
        http::Response<tonic::body::Body>,
        _,
    >(GrpcClientLayer::new(&registry).unwrap());
    inner.allow(0);
    assert!(
        service
            .poll_ready::<http::Request<tonic::body::Body>>()
            .is_pending()
    );
    inner.send_error(tonic::Status::resource_exhausted("no space"));
    let std::task::Poll::Ready(Err(error)) =
        service.poll_ready::<http::Request<tonic::body::Body>>()
    else {
        panic!("an error")
    };
    assert!(error.to_string().contains("no space"), "{error}");
    let counted = series(&registry, "grpc_client_requests_total");
    let expected = [("unknown unknown RESOURCE_EXHAUSTED".to_owned(), 1)].into();
    assert_eq!(counted, expected);
}
