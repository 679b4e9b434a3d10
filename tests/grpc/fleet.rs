//! A channel to many servers, and servers that go away while they are busy.

use std::collections::BTreeMap;

use selfheal::grpc::{GrpcClientLayer, GrpcClientService, GrpcLayer};
use selfheal::registry::Registry;
use tokio::net::TcpSocket;
use tokio::sync::oneshot;
use tokio_stream::StreamExt;
use tonic::Code;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tower::Layer;

use crate::echo::Echo;
use crate::wire::{EchoClient, Server, by_hand, channel, listen, series};

type Client = EchoClient<GrpcClientService<Channel>>;

fn client(registry: &Registry, channel: Channel) -> Client {
    EchoClient::new(GrpcClientLayer::new(registry).unwrap().layer(channel))
}

fn calls(registry: &Registry, name: &str) -> BTreeMap<String, u64> {
    let mut calls = series(registry, name);
    calls.retain(|_, n| *n > 0);
    calls
}

fn assert_calls(registry: &Registry, side: &str, expected: &[(&str, u64)]) {
    let counted = calls(registry, &format!("{side}_requests_total"));
    let expected = expected.iter().map(|(name, n)| ((*name).to_owned(), *n));
    assert_eq!(counted, expected.collect(), "{side}");
    let active = calls(registry, &format!("{side}_streams_active"));
    assert!(active.is_empty(), "{side} {active:?}");
}

fn layer(registry: &Registry) -> GrpcLayer {
    let layer = GrpcLayer::builder(registry).service("test.Echo", ["Unary", "Repeat", "Chat"]);
    layer.build().unwrap()
}

/// A stream that is open may end well; a call that comes too late is not sent, and that is
/// no caller who gave up, though tonic calls it cancelled.
#[tokio::test]
async fn a_server_that_stops_and_waits_for_its_streams() {
    let (theirs, ours) = (Registry::new(), Registry::new());
    let (incoming, addr) = listen().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tonic::transport::Server::builder()
        .layer(layer(&theirs))
        .serve_with_incoming_shutdown(Routes::new(Echo::default()), incoming, async {
            stopped.await.unwrap();
        });
    let server = tokio::spawn(server);
    let mut client = client(&ours, channel(addr).await);
    let (sender, messages) = by_hand();
    let mut answers = client.chat(messages).await.unwrap();
    sender.send("before".to_owned()).unwrap();
    assert_eq!(answers.next().await.unwrap().unwrap(), "before");
    stop.send(()).unwrap();
    let mut late = 0;
    while client.unary("late".to_owned()).await.is_ok() {
        late += 1;
    }
    sender.send("after".to_owned()).unwrap();
    assert_eq!(answers.next().await.unwrap().unwrap(), "after");
    drop(sender);
    assert!(answers.next().await.is_none());
    server.await.unwrap().unwrap();
    let mut expected = vec![("test.Echo Chat OK", 1), ("test.Echo Unary OK", late)];
    expected.retain(|(_, n)| *n > 0);
    assert_calls(&theirs, "grpc", &expected);
    expected.push(("test.Echo Unary UNAVAILABLE", 1));
    assert_calls(&ours, "grpc_client", &expected);
}

/// The server has no time to say anything: what it did is cancelled, and what was asked of it
/// unavailable, whether the answer had begun or not.
#[tokio::test]
async fn a_server_that_is_gone_in_the_middle() {
    let (theirs, ours) = (Registry::new(), Registry::new());
    let layer = layer(&theirs);
    let echo = Echo::default();
    let hanging = echo.hanging.clone();
    let (tell, notified) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (incoming, addr) = listen().await;
            let server = tonic::transport::Server::builder().layer(layer);
            tokio::spawn(server.serve_with_incoming(Routes::new(echo), incoming));
            tell.send(addr).unwrap();
            stopped.await.unwrap();
        });
    });
    let mut client = client(&ours, channel(notified.await.unwrap()).await);
    let mut stream = client.repeat("2 hang").await.unwrap();
    stream.next().await.unwrap().unwrap();
    stream.next().await.unwrap().unwrap();
    hanging.notified().await;
    let mut other = client.clone();
    let waiting = tokio::spawn(async move { other.unary("hang".to_owned()).await });
    hanging.notified().await;
    stop.send(()).unwrap();
    assert!(stream.next().await.unwrap().is_err());
    assert!(waiting.await.unwrap().is_err());
    server.join().unwrap();
    let expected = [
        ("test.Echo Repeat CANCELLED", 1),
        ("test.Echo Unary CANCELLED", 1),
    ];
    assert_calls(&theirs, "grpc", &expected);
    let expected = [
        ("test.Echo Repeat UNAVAILABLE", 1),
        ("test.Echo Unary UNAVAILABLE", 1),
    ];
    assert_calls(&ours, "grpc_client", &expected);
}

/// A reserved port that refuses connections, as long as the socket is kept.
fn missing() -> (TcpSocket, Endpoint) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let endpoint = endpoint(socket.local_addr().unwrap());
    (socket, endpoint)
}

fn endpoint(addr: std::net::SocketAddr) -> Endpoint {
    Endpoint::from_shared(format!("http://{addr}")).unwrap()
}

/// The balancer chooses by chance and does not try again, so that calls to the one that is not
/// there fail.
#[tokio::test]
async fn a_channel_that_balances_over_three_one_of_which_is_not_there() {
    let (one, two) = (Server::start().await, Server::start().await);
    let (_socket, three) = missing();
    let endpoints = [endpoint(one.addr), endpoint(two.addr), three];
    let ours = Registry::new();
    let mut client = client(&ours, Channel::balance_list(endpoints.into_iter()));
    let (mut ok, mut refused) = (0, 0);
    for _ in 0..40 {
        match client.unary("hello".to_owned()).await {
            Ok(_) => ok += 1,
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable);
                refused += 1;
            }
        }
    }
    let mut expected = vec![
        ("test.Echo Unary OK", ok),
        ("test.Echo Unary UNAVAILABLE", refused),
    ];
    expected.retain(|(_, n)| *n > 0);
    assert_calls(&ours, "grpc_client", &expected);
    let theirs = [&one, &two].map(|server| calls(&server.registry, "grpc_requests_total"));
    let theirs: u64 = theirs.iter().flat_map(BTreeMap::values).sum();
    assert_eq!(theirs, ok);
}
