//! However a call ends, it is recorded once, with the code that says how.

use std::time::Duration;

use selfheal::grpc::GrpcLayer;
use selfheal::registry::Registry;
use selfheal::util::{Clock, ManualClock};
use tokio_stream::StreamExt;
use tonic::service::Routes;
use tonic::{Code, Request};

use crate::echo::Echo;
use crate::wire::{EchoClient, Server, by_hand, channel, listen, series};

#[tokio::test]
async fn a_handler_that_panics() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.unary("hello".to_owned()).await.unwrap();
    assert!(client.unary("panic".to_owned()).await.is_err());
    server.assert_counted(&[("test.Echo Unary OK", 1), ("test.Echo Unary UNKNOWN", 1)]);
}

#[tokio::test]
async fn a_stream_that_panics() {
    let server = Server::start().await;
    let mut messages = server.client().await.repeat("2 panic").await.unwrap();
    while let Some(Ok(_)) = messages.next().await {}
    server.assert_counted(&[("test.Echo Repeat UNKNOWN", 1)]);
    // tonic batches messages that are ready, and these two were sent with the third.
    server.assert_messages(&[("test.Echo Repeat", 1)], &[]);
}

#[tokio::test]
async fn a_client_that_hangs_up_before_the_answer() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.unary("hello".to_owned()).await.unwrap();
    let call = tokio::spawn(async move { client.unary("hang".to_owned()).await });
    server.echo.hanging.notified().await;
    assert_eq!(server.active(), 1);
    call.abort();
    server.echo.dropped.notified().await;
    server.assert_counted(&[("test.Echo Unary CANCELLED", 1), ("test.Echo Unary OK", 1)]);
    server.assert_messages(&[("test.Echo Unary", 2)], &[("test.Echo Unary", 1)]);
}

#[tokio::test]
async fn a_client_that_hangs_up_inside_the_stream() {
    let server = Server::start().await;
    let mut messages = server.client().await.repeat("2 hang").await.unwrap();
    assert_eq!(messages.next().await.unwrap().unwrap(), "1");
    server.echo.hanging.notified().await;
    assert_eq!(server.active(), 1);
    drop(messages);
    server.echo.dropped.notified().await;
    server.assert_counted(&[("test.Echo Repeat CANCELLED", 1)]);
    server.assert_messages(&[("test.Echo Repeat", 1)], &[("test.Echo Repeat", 2)]);
}

#[tokio::test]
async fn a_client_that_hangs_up_while_it_is_sending() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let (sender, messages) = by_hand();
    let call = tokio::spawn(async move { client.collect(messages).await });
    sender.send("hello".to_owned()).unwrap();
    sender.send("hang".to_owned()).unwrap();
    server.echo.hanging.notified().await;
    call.abort();
    server.echo.dropped.notified().await;
    // A method without any answer so far.
    server.assert_counted(&[("unknown unknown CANCELLED", 1)]);
    server.assert_messages(&[("unknown unknown", 2)], &[]);
}

/// A server by a clock that the test moves.
async fn with_clock() -> (Server, ManualClock) {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let layer = GrpcLayer::builder(&registry)
        .clock(clock)
        .service("test.Echo", ["Unary"])
        .build();
    (Server::with_layer(registry, layer.unwrap()).await, hand)
}

fn within(timeout: Duration, message: &str) -> Request<String> {
    let mut request = Request::new(message.to_owned());
    request.set_timeout(timeout);
    request
}

#[tokio::test]
async fn a_call_dropped_before_and_at_about_its_deadline() {
    for (waits, status) in [(989, "CANCELLED"), (990, "DEADLINE_EXCEEDED")] {
        let (server, hand) = with_clock().await;
        let mut client = server.client().await;
        let request = within(Duration::from_secs(1), "hang");
        let call = tokio::spawn(async move { client.unary(request).await });
        server.echo.hanging.notified().await;
        hand.advance(Duration::from_millis(waits));
        call.abort();
        server.echo.dropped.notified().await;
        server.assert_counted(&[
            (&format!("test.Echo Unary {status}"), 1),
            ("test.Echo Unary OK", 0),
        ]);
    }
}

#[tokio::test]
async fn a_deadline_that_tonic_keeps() {
    let (server, hand) = with_clock().await;
    let mut client = server.client().await;
    let hanging = server.echo.hanging.clone();
    tokio::spawn(async move {
        hanging.notified().await;
        hand.advance(Duration::from_secs(60));
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(60)).await;
    });
    let error = client.unary(within(Duration::from_secs(60), "hang")).await;
    assert_eq!(
        error.unwrap_err().code(),
        Code::Cancelled,
        "tonic's word for it"
    );
    server.echo.dropped.notified().await;
    server.assert_counted(&[
        ("test.Echo Unary DEADLINE_EXCEEDED", 1),
        ("test.Echo Unary OK", 0),
    ]);
}

/// The limits of tonic's server are above the layer. What it drops by its own timeout, and not
/// by the caller's, is like a caller that has gone, unless the layer knows the timeout.
#[tokio::test(start_paused = true)]
async fn a_timeout_of_the_server() {
    const MINUTE: Duration = Duration::from_secs(60);
    for (set, status) in [(None, "CANCELLED"), (Some(MINUTE), "DEADLINE_EXCEEDED")] {
        let registry = Registry::new();
        let (clock, hand) = Clock::manual();
        let mut layer = GrpcLayer::builder(&registry).clock(clock);
        layer = layer.service("test.Echo", ["Unary"]);
        if let Some(timeout) = set {
            layer = layer.timeout(timeout);
        }
        let (incoming, addr) = listen().await;
        let server = tonic::transport::Server::builder().timeout(MINUTE);
        let server = server.layer(layer.build().unwrap());
        let echo = Echo::default();
        let hanging = echo.hanging.clone();
        tokio::spawn(server.serve_with_incoming(Routes::new(echo), incoming));
        tokio::spawn(async move {
            hanging.notified().await;
            hand.advance(MINUTE); // the paused clock of tokio follows by itself
        });
        let mut client = EchoClient::new(channel(addr).await);
        // Longer than the server's timeout.
        let error = client.unary(within(2 * MINUTE, "hang")).await.unwrap_err();
        assert_eq!(error.code(), Code::Cancelled, "tonic's word for it");
        let mut counted = series(&registry, "grpc_requests_total");
        counted.retain(|_, n| *n > 0);
        let expected = [(format!("test.Echo Unary {status}"), 1)];
        assert_eq!(counted, expected.into());
    }
}
