//! TLS and HTTP/2 over real sockets, with certificates that are made here.

mod authority;
mod hostile;
mod scraped;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, Version};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use selfheal::config;
use selfheal::registry::Registry;
use selfheal::server::{Endpoints, Limits, ListenError, Listener, TlsError, router};
use selfheal::testing::assert_value;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use self::authority::Authority;
use crate::{ANY, healthy};

/// The timeout of any wait.
const LONG: Duration = Duration::from_secs(20);

fn listen(registry: &Registry, files: config::Tls) -> Listener {
    let endpoints = Endpoints::new(registry.clone(), healthy);
    let builder = Listener::builder(ANY, router(endpoints)).counted(registry);
    builder.tls(files).spawn().unwrap()
}

/// A client with these roots, and a certificate of its own if it is given one.
async fn connect(
    address: SocketAddr,
    mut client: ClientConfig,
    protocols: &[&str],
) -> std::io::Result<TlsStream<tokio::net::TcpStream>> {
    client.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let stream = tokio::net::TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(client))
        .connect(name, stream)
        .await
}

/// The answer to a path, over HTTP/2.
async fn by_http_2(
    address: SocketAddr,
    client: ClientConfig,
    paths: &[&str],
) -> Vec<(StatusCode, String)> {
    let stream = connect(address, client, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let http = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = http.await.unwrap();
    tokio::spawn(connection);
    // With an answer, it knows how many requests it may send at a time.
    let first = Request::get("https://localhost/livez");
    let first = sender.send_request(first.body(Body::empty()).unwrap());
    first.await.unwrap();
    // The others at once, on one connection.
    let answers = paths.iter().map(|path| {
        let mut sender = sender.clone();
        let request = Request::get(format!("https://localhost{path}"));
        let request = request.body(Body::empty()).unwrap();
        tokio::spawn(async move {
            sender.ready().await.unwrap();
            let answer = sender.send_request(request).await.unwrap();
            assert_eq!(answer.version(), Version::HTTP_2);
            let status = answer.status();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            (status, String::from_utf8(body.to_vec()).unwrap())
        })
    });
    let mut all = Vec::new();
    for answer in answers.collect::<Vec<_>>() {
        all.push(answer.await.unwrap());
    }
    all
}

/// The answer to a path, over HTTP/1.1; `None` if the handshake fails.
async fn by_http_1(address: SocketAddr, client: ClientConfig, path: &str) -> Option<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let mut stream = connect(address, client, &["http/1.1"]).await.ok()?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    // TLS 1.3 rejects the certificate of a client after the client's side of the handshake.
    stream.read_to_end(&mut answer).await.ok()?;
    Some(String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn it_answers_by_http_2_and_by_http_1() {
    let authority = Authority::new();
    let registry = Registry::new();
    registry.counter("orders_total", "Orders").build().unwrap();
    let listener = listen(&registry, authority.server());
    let address = listener.address();
    let paths = [
        "/metrics",
        "/health",
        "/livez",
        "/readyz",
        "/nothing",
        "/selfheal",
    ];
    let answers = by_http_2(address, authority.client(), &paths).await;
    let statuses: Vec<_> = answers.iter().map(|(status, _)| status.as_u16()).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 404, 200]);
    assert!(answers[0].1.contains("orders_total 0\n"));

    let answer = by_http_1(address, authority.client(), "/metrics")
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("orders_total 0\n"));
    let stranger = Authority::new();
    assert!(connect(address, stranger.client(), &[]).await.is_err());
    tokio::task::spawn_blocking(move || listener.shutdown())
        .await
        .unwrap();
}

/// More requests on one connection than are answered at a time: none is lost.
#[tokio::test]
async fn many_requests_on_one_connection_take_turns() {
    let authority = Authority::new();
    let listener = listen(&Registry::new(), authority.server());
    let answers = by_http_2(listener.address(), authority.client(), &["/health"; 200]).await;
    assert!(answers.iter().all(|(status, _)| *status == StatusCode::OK));
    tokio::task::spawn_blocking(move || listener.shutdown())
        .await
        .unwrap();
}

#[tokio::test]
async fn without_the_certificate_that_is_asked_for_no_one_gets_in() {
    let authority = Authority::new();
    let registry = Registry::new();
    let files = authority.server().client_ca(authority.path("ca.pem"));
    let listener = listen(&registry, files);
    let address = listener.address();
    let known = by_http_1(address, authority.known_client(), "/livez").await;
    assert!(known.unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(by_http_1(address, authority.client(), "/livez").await, None);
    let forged = authority.client_of(&Authority::new());
    assert_eq!(by_http_1(address, forged, "/livez").await, None);
    // The client may notice the refusal before it is counted.
    tokio::task::spawn_blocking(move || listener.shutdown())
        .await
        .unwrap();
    let labels = [("reason", "tls")];
    assert_value(
        &registry,
        "selfheal_connections_refused_total",
        &labels,
        2.0,
    );
}

#[test]
fn files_that_cannot_be_used_are_reported_at_the_start() {
    let authority = Authority::new();
    let spawn = |files: config::Tls| {
        let builder = Listener::builder(ANY, Router::new()).tls(files);
        match builder.spawn().unwrap_err() {
            ListenError::Tls(error) => error,
            other => panic!("{other}"),
        }
    };
    let files = authority.server();
    let missing = spawn(config::Tls::new(authority.path("none.pem"), &files.key));
    assert!(matches!(missing, TlsError::Read { .. }), "{missing}");
    let swapped = spawn(config::Tls::new(&files.key, &files.cert));
    assert!(matches!(swapped, TlsError::Content { .. }), "{swapped}");
    let no_root = spawn(files.clone().client_ca(&files.key));
    assert!(matches!(no_root, TlsError::Content { .. }), "{no_root}");
    let other = Authority::new();
    let strange = spawn(config::Tls::new(&files.cert, other.server().key));
    assert!(matches!(strange, TlsError::Unusable { .. }), "{strange}");
}

#[test]
fn plain_text_and_old_versions_get_no_answer() {
    let authority = Authority::new();
    let registry = Registry::new();
    let listener = listen(&registry, authority.server());
    let said = |listener: &Listener, bytes: &[u8]| {
        let mut stream = TcpStream::connect(listener.address()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut said = [0; 7];
        stream.read_exact(&mut said).unwrap();
        said
    };
    let alert = said(&listener, b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!((alert[0], alert[5]), (21, 2), "{alert:?}");
    for minor in [0, 1, 2] {
        // SSL 3.0, TLS 1.0 and TLS 1.1.
        let alert = said(&listener, &authority::client_hello(minor));
        // A fatal alert: unsupported protocol version.
        assert_eq!((alert[0], alert[5], alert[6]), (21, 2, 70), "{alert:?}");
    }
    listener.shutdown();
    let labels = [("reason", "tls")];
    let refused = "selfheal_connections_refused_total";
    assert_value(&registry, refused, &labels, 4.0);
    // TLS 1.2 would have been answered.
    let other = listen(&Registry::new(), authority.server());
    assert_eq!(said(&other, &authority::client_hello(3))[0], 22);
}
