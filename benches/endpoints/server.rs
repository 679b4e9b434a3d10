//! The application, the listener of its endpoints, and one that has the same bytes in memory.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use selfheal::config::Server;
use selfheal::encode::{Encoding, Format, encode};
use selfheal::registry::{Counter, Family, Registry, Text};
use selfheal::server::{Limits, Listener};
use selfheal::{Config, Selfheal};

const SERIES: usize = 1_000;

pub(crate) const ANY: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// An application with so many series.
pub(crate) fn application() -> Selfheal {
    let server = Server::new().listen(ANY);
    let heal = Selfheal::new(Config::new().server(server)).unwrap();
    let orders: Family<Counter, [Text; 1]> = heal
        .registry()
        .counter("orders_total", "Orders by what is bought")
        .labels(["article"])
        .unwrap();
    for n in 0..SERIES {
        orders.add(&[format!("article-{n:0>20}")], n as u64);
    }
    heal
}

/// All of it, as long as the process runs.
pub(crate) struct Served {
    pub(crate) application: SocketAddr,
    pub(crate) listener: SocketAddr,
    pub(crate) plain: SocketAddr,
    _listeners: [Listener; 2],
}

impl Served {
    /// The application on two workers.
    pub(crate) fn start() -> Self {
        let heal = application();
        let listener = heal.listen().unwrap();
        let pages = [Encoding::Identity, Encoding::Gzip].map(|encoding| page(&heal, encoding));
        println!(
            "a page of {} bytes, {} by gzip",
            pages[0].len(),
            pages[1].len()
        );
        let plain = Router::new()
            .route("/metrics", get(ready))
            .with_state(pages);
        let plain = Listener::spawn(ANY, plain, Limits::default()).unwrap();
        let app: Router = Router::new().route("/other", get(async || "here\n"));
        let app = app.layer(heal.http_layer());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let socket = runtime
            .block_on(tokio::net::TcpListener::bind(ANY))
            .unwrap();
        let application = socket.local_addr().unwrap();
        std::thread::spawn(move || runtime.block_on(async { axum::serve(socket, app).await }));
        Self {
            application,
            listener: listener.address(),
            plain: plain.address(),
            _listeners: [listener, plain],
        }
    }
}

fn page(heal: &Selfheal, encoding: Encoding) -> Bytes {
    let registry: &Registry = heal.registry();
    let mut page = Vec::new();
    encode(&registry.scrape(), Format::TEXT, encoding, &mut page).unwrap();
    Bytes::from(page)
}

async fn ready(State(pages): State<[Bytes; 2]>, headers: HeaderMap) -> Response {
    let [identity, gzip] = pages;
    let asked = headers.get(header::ACCEPT_ENCODING);
    if asked.is_some_and(|encoding| encoding == "gzip") {
        gzip.into_response()
    } else {
        identity.into_response()
    }
}
