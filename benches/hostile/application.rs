//! The application: its metrics, the same bytes by a plain handler, and another route.

use std::net::SocketAddr;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use selfheal::encode::{Encoding, Format, encode};
use selfheal::health::{Report, score};
use selfheal::registry::{Family, Histogram, Registry, Text};
use selfheal::server::{Endpoints, router};

const SERIES: usize = 5_000;

fn registry() -> Registry {
    let registry = Registry::new();
    let took: Family<Histogram, [Text; 1]> = registry
        .histogram("took_seconds", "Time")
        .labels(["path"])
        .unwrap();
    for n in 0..SERIES {
        let path = format!("/a/path/{n:0>20}");
        took.observe(&[path], 0.001 * (n % 1_000) as f64);
    }
    registry
}

fn well() -> Report {
    Report::new(score(None, &[]), Vec::new())
}

/// Serves all of it on two workers, as long as the process runs.
pub(crate) fn serve() -> SocketAddr {
    let registry = registry();
    let page = |encoding| {
        let mut page = Vec::new();
        encode(&registry.scrape(), Format::TEXT, encoding, &mut page).unwrap();
        Bytes::from(page)
    };
    let (plain, gzip) = (page(Encoding::Identity), page(Encoding::Gzip));
    println!("a page of {} bytes, {} by gzip", plain.len(), gzip.len());
    let ready = |page: Bytes| {
        get(move || {
            let page = page.clone();
            async move { page.into_response() }
        })
    };
    let app: Router = Router::new()
        .route("/other", get(async || "here\n"))
        .route("/plain", ready(plain))
        .route("/plain.gz", ready(gzip))
        .merge(router(Endpoints::new(registry, well)));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0");
    let listener = runtime.block_on(listener).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || runtime.block_on(async { axum::serve(listener, app).await }));
    address
}
