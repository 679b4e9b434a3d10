//! A server, a client and the readings of a registry.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_core::Stream;
use http_body_util::BodyExt;
use hyper::client::conn::http1::SendRequest;
use hyper::client::conn::http2;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use selfheal::http::{HttpLayer, HttpMetrics, HttpNames};
use selfheal::registry::{Number, Registry, SeriesSnapshot, Value, parse_labels};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

/// The routes under the layer, and a registry of their own.
pub(crate) struct Server {
    pub(crate) registry: Registry,
    pub(crate) addr: SocketAddr,
}

impl Server {
    pub(crate) async fn start(routes: Router) -> Self {
        let registry = Registry::new();
        let layer = HttpLayer::new(&registry).unwrap();
        Self::serve(registry, routes.layer(layer)).await
    }

    /// As [`start`](Self::start), under the layer of [`with_opentelemetry`].
    pub(crate) async fn start_with_opentelemetry(routes: Router) -> Self {
        let (registry, layer) = with_opentelemetry();
        Self::serve(registry, routes.layer(layer)).await
    }

    /// Everything runs on the one thread of the test: when the client has seen something, the
    /// server has done whatever it did in the same poll.
    pub(crate) async fn serve(registry: Registry, app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { registry, addr }
    }

    pub(crate) async fn client(&self) -> SendRequest<Body> {
        let stream = TcpStream::connect(self.addr).await.unwrap();
        let (client, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection.with_upgrades());
        client
    }

    /// A client of HTTP/2, whose clones share one connection.
    pub(crate) async fn client2(&self) -> http2::SendRequest<Body> {
        let stream = TcpStream::connect(self.addr).await.unwrap();
        let (client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }

    /// Sends these bytes, and reads what comes until the server closes the connection.
    pub(crate) async fn say(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        // A server that refuses the first half may not wait for the second.
        let _ = stream.write_all(bytes.as_ref()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// One request on a connection of its own, its response read to the end.
    pub(crate) async fn ask(&self, method: &str, path: &str) -> Response<Bytes> {
        let response = self
            .client()
            .await
            .send_request(request(method, path))
            .await
            .unwrap();
        let (head, body) = response.into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }

    /// How often each series of `http_requests_total` was counted.
    pub(crate) fn counted(&self) -> BTreeMap<String, u64> {
        counted(&self.registry)
    }

    /// Asserts that these and no other requests have been counted, each timed too, and that
    /// none is in flight.
    pub(crate) fn assert_counted(&self, expected: &[(&str, u64)]) {
        assert_counted(&self.registry, expected);
    }

    /// Lets the server work until so many requests are in flight.
    pub(crate) async fn has_in_flight(&self, n: i64) {
        const TURNS: usize = 1_000_000;
        for _ in 0..TURNS {
            if self.in_flight() == n {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("{} in flight and not {n}", self.in_flight());
    }

    pub(crate) fn in_flight(&self) -> i64 {
        in_flight(&self.registry)
    }
}

/// A layer that records under the names of the catalogue and under those of OpenTelemetry, where
/// the status is the one that was sent and the error says how the request ended.
pub(crate) fn with_opentelemetry() -> (Registry, HttpLayer) {
    let registry = Registry::new();
    let names = [HttpNames::Catalog, HttpNames::OpenTelemetry];
    let layer = HttpLayer::builder(&registry).names(names).build().unwrap();
    (registry, layer)
}

/// Asserts that one request has ended, which the catalogue has as `GET /path 200` and
/// OpenTelemetry as `GET http /path 200 error 1.1`.
pub(crate) fn assert_ended(registry: &Registry, catalog: &str, opentelemetry: &str) {
    assert_counted(registry, &[(catalog, 1)]);
    let mut lines = lines(registry);
    lines.retain(|line| line.starts_with("http_server_"));
    lines.retain(|line| !line.contains("_size_"));
    assert_eq!(
        lines,
        [
            "http_server_active_requests{GET http} 0".to_owned(),
            format!("http_server_request_duration_seconds{{{opentelemetry}}} 1"),
        ]
    );
}

fn assert_counted(registry: &Registry, expected: &[(&str, u64)]) {
    let expected = expected.iter();
    let expected = expected.map(|(labels, n)| ((*labels).to_owned(), *n));
    let expected: BTreeMap<String, u64> = expected.collect();
    assert_eq!(counted(registry), expected);
    assert_eq!(timed(registry), expected);
    assert_eq!(in_flight(registry), 0, "requests in flight");
}

fn in_flight(registry: &Registry) -> i64 {
    let metrics = registry.group::<HttpMetrics>().unwrap();
    metrics.in_flight.get()
}

pub(crate) fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "shop.test")
        .body(Body::empty())
        .unwrap()
}

/// For HTTP/2, which wants to know the host from the URI.
pub(crate) fn request2(path: &str) -> Request<Body> {
    let uri = format!("http://shop.test{path}");
    Request::builder().uri(uri).body(Body::empty()).unwrap()
}

pub(crate) fn counted(registry: &Registry) -> BTreeMap<String, u64> {
    series(registry, "http_requests_total")
}

/// How many observations each series of the duration holds.
pub(crate) fn timed(registry: &Registry) -> BTreeMap<String, u64> {
    series(registry, "http_request_duration_seconds")
}

/// The series of a family, as `GET /path 200`, and their counts.
fn series(registry: &Registry, name: &str) -> BTreeMap<String, u64> {
    let families = registry.gather();
    let family = families.iter().find(|family| family.def.name == name);
    let series = family.map(|family| family.series.as_slice());
    series
        .unwrap_or_default()
        .iter()
        .filter_map(count)
        .collect()
}

/// Every series as `name{value value} count`, floating-point ones aside.
pub(crate) fn lines(registry: &Registry) -> Vec<String> {
    let mut lines = Vec::new();
    for family in registry.gather() {
        for (labels, n) in family.series.iter().filter_map(count) {
            lines.push(format!("{}{{{labels}}} {n}", family.def.name));
        }
    }
    lines.sort();
    lines
}

/// The values of the labels, and the whole number or the count of observations.
fn count(series: &SeriesSnapshot) -> Option<(String, u64)> {
    let labels = parse_labels(&series.labels).into_iter();
    let values: Vec<String> = labels.map(|(_, value)| value).collect();
    let n = match &series.value {
        Value::Number(Number::U64(n)) => *n,
        Value::Number(Number::I64(n)) => u64::try_from(*n).expect("none is below zero"),
        Value::Histogram(histogram) => histogram.count(),
        _ => return None,
    };
    Some((values.join(" "), n))
}

/// Hands out its value the first time it is asked.
pub(crate) fn once<T>(value: T) -> impl Fn() -> T + Clone {
    let value = Arc::new(Mutex::new(Some(value)));
    move || value.lock().unwrap().take().expect("asked once")
}

/// A route that answers once, with this body.
pub(crate) fn answer_once(body: Body) -> axum::routing::MethodRouter {
    let body = once(body);
    get(async move || Response::new(body()))
}

/// A body that sends what the test puts in at the other end, and says when it is dropped.
pub(crate) fn body_by_hand() -> (Body, mpsc::UnboundedSender<Chunk>, oneshot::Receiver<()>) {
    let (chunks, received) = mpsc::unbounded_channel();
    let (dropped, notified) = oneshot::channel();
    let by_hand = ByHand {
        received,
        _dropped: Tell(Some(dropped)),
    };
    (Body::from_stream(by_hand), chunks, notified)
}

pub(crate) type Chunk = Result<&'static str, std::io::Error>;

struct ByHand {
    received: mpsc::UnboundedReceiver<Chunk>,
    _dropped: Tell,
}

impl Stream for ByHand {
    type Item = Chunk;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Chunk>> {
        let polled = self.received.poll_recv(cx);
        if let std::task::Poll::Ready(Some(Ok("panic"))) = polled {
            panic!("the body panics on request");
        }
        polled
    }
}

/// Notifies when it is dropped.
pub(crate) struct Tell(pub(crate) Option<oneshot::Sender<()>>);

impl Drop for Tell {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(());
        }
    }
}
