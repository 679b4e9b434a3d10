//! A tonic server of one service, and clients with a connection each.

use std::time::Instant;

use selfheal::grpc::GrpcLayer;
use selfheal::registry::Registry;
use selfheal_benches::Contender;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic::Request;
use tonic::client::Grpc;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};

use super::CLIENTS;

#[path = "../../tests/support/echo.rs"]
mod echo;

pub(crate) async fn contenders() -> Vec<Contender> {
    let layer = GrpcLayer::new(&Registry::new()).unwrap();
    vec![
        contender("grpc, bare", None).await,
        contender("grpc, ours", Some(layer)).await,
    ]
}

async fn contender(name: &'static str, layer: Option<GrpcLayer>) -> Contender {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let routes = Routes::new(echo::Echo::default()).prepare();
    match layer {
        None => tokio::spawn(Server::builder().serve_with_incoming(routes, incoming)),
        Some(layer) => {
            let server = Server::builder().layer(layer);
            tokio::spawn(server.serve_with_incoming(routes, incoming))
        }
    };
    let endpoint = Endpoint::from_shared(format!("http://{addr}")).unwrap();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Grpc::new(endpoint.connect().await.unwrap()));
    }
    Contender::new(name, move |times| {
        let clients = clients.clone();
        async move {
            let start = Instant::now();
            let mut asking = JoinSet::new();
            for client in clients {
                asking.spawn(call(client, times / CLIENTS));
            }
            asking.join_all().await;
            start.elapsed()
        }
    })
}

async fn call(mut client: Grpc<Channel>, times: u32) {
    let path = http::uri::PathAndQuery::from_static("/test.Echo/Unary");
    for _ in 0..times {
        client.ready().await.unwrap();
        let request = Request::new("hello".to_owned());
        let answer = client.unary(request, path.clone(), echo::Text);
        answer.await.unwrap();
    }
}
