//! The timeouts of a channel, each with the code that says what happened. Time stands still until
//! everything is idle, and then jumps.

use std::collections::BTreeMap;
use std::io::Error;
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use selfheal::grpc::GrpcClientLayer;
use selfheal::registry::Registry;
use tokio::net::{TcpListener, TcpStream};
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use tower::{Layer, service_fn};

use crate::wire::{EchoClient, Server, series};

const PATIENCE: Duration = Duration::from_secs(3);

/// The status that the caller of a unary call gets that never ends, and what is counted.
async fn hang(channel: Channel) -> (Code, BTreeMap<String, u64>) {
    let registry = Registry::new();
    let layer = GrpcClientLayer::new(&registry).unwrap();
    let mut echo = EchoClient::new(layer.layer(channel));
    let reported = echo.unary("hang".to_owned()).await.unwrap_err().code();
    let active = series(&registry, "grpc_client_streams_active");
    assert_eq!(active.into_values().sum::<u64>(), 0);
    (reported, series(&registry, "grpc_client_requests_total"))
}

fn one(code: &str) -> BTreeMap<String, u64> {
    [(format!("test.Echo Unary {code}"), 1)].into()
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_takes_too_long() {
    let never = service_fn(|_: Uri| std::future::pending::<Result<TokioIo<TcpStream>, Error>>());
    let endpoint = Endpoint::from_static("http://nowhere.test").connect_timeout(PATIENCE);
    let (reported, counted) = hang(endpoint.connect_with_connector_lazy(never)).await;
    assert_eq!(reported, Code::Unknown, "tonic's word for it");
    assert_eq!(counted, one("UNAVAILABLE"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long() {
    let server = Server::start().await;
    let endpoint = Endpoint::from_shared(format!("http://{}", server.addr)).unwrap();
    let channel = endpoint.timeout(PATIENCE).connect_lazy();
    let (reported, counted) = hang(channel).await;
    assert_eq!(reported, Code::Cancelled, "tonic's word for it");
    assert_eq!(counted, one("DEADLINE_EXCEEDED"));
}

/// The connection is open, and its peer is silent.
#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_a_ping() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mute = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let _connection = h2::server::handshake(socket).await.unwrap();
        std::future::pending::<()>().await;
    });
    let endpoint = Endpoint::from_shared(format!("http://{addr}")).unwrap();
    let endpoint = endpoint.http2_keep_alive_interval(PATIENCE);
    let channel = endpoint.keep_alive_timeout(PATIENCE).connect_lazy();
    let (reported, counted) = hang(channel).await;
    assert_eq!(reported, Code::Unavailable);
    assert_eq!(counted, one("UNAVAILABLE"));
    mute.abort();
}
