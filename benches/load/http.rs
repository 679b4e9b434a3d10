//! An axum router of 20 routes, and clients that keep their connections.

#[path = "../shop.rs"]
mod shop;

use std::convert::{Infallible, identity};
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::{Router, ServiceExt};
use http_body_util::BodyExt;
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
use tower::{Layer, Service};

use super::CLIENTS;
use shop::{routes, seventh};

pub(crate) async fn contenders() -> Vec<Contender> {
    let layer = || HttpLayer::builder(&Registry::new());
    let ours = layer().build().unwrap();
    let counter = layer().clock(Clock::tsc()).build().unwrap();
    let nothing = MapResponseLayer::new(identity::<Response>);
    let around = layer().clock(Clock::tsc()).route_by(seventh);
    let around = around.build().unwrap().layer(ready(routes()));
    vec![
        contender("http, bare", ready(routes())).await,
        contender("http, ours", ready(routes().layer(ours))).await,
        contender(
            "http, timed by the counter of the processor",
            ready(routes().layer(counter)),
        )
        .await,
        contender("http, so timed and around the router", around).await,
        contender(
            "http, a layer that does nothing",
            ready(routes().layer(nothing)),
        )
        .await,
    ]
}

/// Makes axum put the layers on now and not at each request, as it does for a router that it serves.
fn ready(router: Router) -> Router {
    router.with_state(())
}

async fn contender<S>(name: &'static str, app: S) -> Contender
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app.into_make_service()).await });
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
        let request = hyper::Request::get("/resource7/42").header("host", "load.test");
        client.ready().await.unwrap();
        let response = client.send_request(request.body(Body::empty()).unwrap());
        response.await.unwrap().collect().await.unwrap();
    }
}
