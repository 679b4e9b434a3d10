//! The application: its metrics, the same bytes by a plain handler, and another route.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use selfheal::encode::{Encoding, Format, encode};
use selfheal::health::{Report, score};
use selfheal::registry::{Family, Histogram, Registry, Text};
use selfheal::server::{Endpoints, router};

const SERIES: usize = 5_000;

/// The other route is asked so often.
const EVERY: Duration = Duration::from_millis(2);

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

/// How long each request waited, in seconds.
#[derive(Default)]
pub(crate) struct Waits(Vec<f64>);

impl Waits {
    pub(crate) fn add(&mut self, mut more: Self) {
        self.0.append(&mut more.0);
        self.0.sort_by(f64::total_cmp);
    }

    /// The value below which so many of a thousand are.
    pub(crate) fn quantile(&self, of_1000: usize) -> f64 {
        let at = self.0.len() * of_1000 / 1_000;
        self.0.get(at).copied().unwrap_or(f64::NAN)
    }
}

/// Asks the other route for so long, on one connection.
pub(crate) fn asked(address: SocketAddr, time: Duration) -> Waits {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut waits = Waits::default();
    let mut answer = [0; 1_024];
    let begin = Instant::now();
    let mut due = begin;
    while begin.elapsed() < time {
        sleep(due.saturating_duration_since(Instant::now()));
        stream
            .write_all(b"GET /other HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        let mut length = 0;
        while !answer[..length].ends_with(b"here\n") {
            let read = stream.read(&mut answer[length..]).unwrap();
            assert!(read > 0, "the server hung up");
            length += read;
        }
        waits.0.push(due.elapsed().as_secs_f64());
        due += EVERY;
    }
    waits
}
