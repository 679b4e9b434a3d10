//! An axum router of 20 routes, and clients that keep their connections.

use std::convert::identity;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use selfheal::http::HttpLayer;
use selfheal::registry::Registry;
use selfheal::util::Clock;
use selfheal_benches::Contender;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tower::util::MapResponseLayer;

use super::CLIENTS;

pub(crate) async fn contenders() -> Vec<Contender> {
    let layer = || HttpLayer::builder(&Registry::new());
    let ours = layer().build().unwrap();
    let counter = layer().clock(Clock::tsc()).build().unwrap();
    let nothing = MapResponseLayer::new(identity::<Response>);
    vec![
        contender("http, bare", routes()).await,
        contender("http, ours", routes().layer(ours)).await,
        contender(
            "http, timed by the counter of the processor",
            routes().layer(counter),
        )
        .await,
        contender("http, a layer that does nothing", routes().layer(nothing)).await,
    ]
}

fn routes() -> Router {
    (0..20).fold(Router::new(), |router, n| {
        router.route(&format!("/resource{n}/{{id}}"), get(|| async { "hello" }))
    })
}

async fn contender(name: &'static str, app: Router) -> Contender {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let io = TokioIo::new(stream);
        let (client, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        clients.push(Arc::new(Mutex::new(client)));
    }
    Contender::new(name, move |times| {
        let clients = clients.clone();
        async move {
            let start = Instant::now();
            let mut asking = JoinSet::new();
            for client in clients {
                asking.spawn(async move { ask(&mut *client.lock().await, times / CLIENTS).await });
            }
            asking.join_all().await;
            start.elapsed()
        }
    })
}

async fn ask(client: &mut SendRequest<Body>, times: u32) {
    for _ in 0..times {
        let request = Request::get("/resource7/42").header("host", "load.test");
        client.ready().await.unwrap();
        let response = client.send_request(request.body(Body::empty()).unwrap());
        response.await.unwrap().collect().await.unwrap();
    }
}
