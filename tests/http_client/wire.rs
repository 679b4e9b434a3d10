//! A server under the control of the test, and a client with the layer.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use selfheal::http_client::{HttpClientLayer, HttpClientLayerBuilder, HttpClientService};
use selfheal::registry::{Number, Registry, SeriesSnapshot, Value, parse_labels};
use tokio::net::TcpListener;
use tower::Layer;

pub(crate) type Service = HttpClientService<Client<HttpConnector, Body>>;

pub(crate) async fn serve(routes: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    addr
}

/// A client under a layer that knows this machine as `here`.
pub(crate) fn client(
    registry: &Registry,
    set_up: impl FnOnce(HttpClientLayerBuilder) -> HttpClientLayerBuilder,
) -> Service {
    let builder = HttpClientLayer::builder(registry).host("127.0.0.1", "here");
    let client = Client::builder(TokioExecutor::new()).build_http();
    set_up(builder).build().unwrap().layer(client)
}

pub(crate) fn request(method: &str, addr: SocketAddr, path: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(format!("http://{addr}{path}"))
        .body(Body::empty())
        .unwrap()
}

pub(crate) async fn text<B>(response: Response<B>) -> String
where
    B: hyper::body::Body<Error: std::fmt::Debug>,
{
    let bytes = response.collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Every series of the families whose name starts with `prefix`, as `name{value value} count`.
pub(crate) fn lines(registry: &Registry, prefix: &str) -> Vec<String> {
    let mut lines: Vec<String> = registry
        .gather()
        .iter()
        .filter(|family| family.def.name.starts_with(prefix))
        .flat_map(|family| {
            let name = &family.def.name;
            family.series.iter().map(move |series| line(name, series))
        })
        .collect();
    lines.sort();
    lines
}

fn line(name: &str, series: &SeriesSnapshot) -> String {
    let labels = parse_labels(&series.labels).into_iter();
    let values: Vec<String> = labels.map(|(_, value)| value).collect();
    let n = match &series.value {
        Value::Number(Number::U64(n)) => n.to_string(),
        Value::Number(number) => number.as_f64().to_string(),
        Value::Histogram(histogram) => histogram.count().to_string(),
        other => panic!("no number and not a histogram: {other:?}"),
    };
    format!("{name}{{{}}} {n}", values.join(" "))
}

/// Asserts that these and no other requests have been counted, each timed too, and that none
/// is in flight.
pub(crate) fn assert_counted(registry: &Registry, expected: &[&str]) {
    let of = |name: &str| {
        let stem = name.to_owned();
        let lines = lines(registry, name).into_iter();
        lines
            .map(|line| line[stem.len()..].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("http_client_requests_total"), expected);
    assert_eq!(of("http_client_duration_seconds"), expected);
    let in_flight = of("http_client_requests_in_flight");
    assert!(
        in_flight.iter().all(|line| line.ends_with(" 0")),
        "{in_flight:?}"
    );
}
