//! Properties of HTTP/1.1, byte by byte.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response, StatusCode, header};
use axum::routing::{any, get, post};
use http_body_util::BodyExt;
use selfheal::http::{HttpLayer, HttpMetrics, HttpSession};
use selfheal::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tower::Layer;

use crate::wire::{Server, Tell, body_by_hand, once};

fn ask(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: shop.test\r\n{more}\r\n")
}

const CLOSE: &str = "connection: close\r\n";

fn statuses(answer: &str) -> Vec<&str> {
    let answers = answer.split("HTTP/1.1 ").skip(1);
    answers.map(|answer| &answer[..3]).collect()
}

/// Count and sum of the sizes of the requests.
fn read(server: &Server, method: &str, path: &str) -> (u64, f64) {
    let http = server.registry.group::<HttpMetrics>().unwrap();
    let size = http.request_size.get(&[method, path]).unwrap().snapshot();
    (size.count(), size.sum)
}

#[tokio::test]
async fn pipelined_requests_are_counted_one_by_one() {
    let routes = Router::new()
        .route("/a/{x}", get(|| async { "a" }))
        .route("/b", post(|body: String| async { body }));
    let server = Server::start(routes).await;
    let all = [
        ask("GET", "/a/1", ""),
        ask("POST", "/b", "content-length: 5\r\n") + "three",
        ask("GET", "/none", ""),
        ask("HEAD", "/a/2", CLOSE),
    ];
    let answer = server.say(all.concat()).await;
    assert_eq!(statuses(&answer), ["200", "200", "404", "200"]);
    server.assert_counted(&[
        ("GET /a/{x} 200", 1),
        ("GET unmatched 404", 1),
        ("HEAD /a/{x} 200", 1),
        ("POST /b 200", 1),
    ]);
    assert_eq!(read(&server, "POST", "/b"), (1, 5.0));
}

#[tokio::test]
async fn a_client_that_hangs_up_behind_pipelined_requests() {
    let (started, begun) = oneshot::channel();
    let (dropped, gone) = oneshot::channel();
    let signals = once((started, Tell(Some(dropped))));
    let hang = get(async move || {
        let (started, _tell) = signals();
        started.send(()).unwrap();
        std::future::pending::<()>().await;
    });
    let routes = Router::new()
        .route("/", get(|| async {}))
        .route("/hang", hang);
    let server = Server::start(routes).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let all = [ask("GET", "/", ""), ask("GET", "/hang", "")];
    stream.write_all(all.concat().as_bytes()).await.unwrap();
    begun.await.unwrap();
    assert_eq!(server.in_flight(), 1);
    drop(stream);
    gone.await.unwrap();
    server.assert_counted(&[("GET / 200", 1), ("GET /hang 499", 1)]);
}

#[tokio::test]
async fn a_body_that_waits_for_100_continue() {
    let routes = Router::new()
        .route("/read", post(|body: String| async { body }))
        .route("/refuse", post(|| async { StatusCode::FORBIDDEN }));
    let server = Server::start(routes).await;
    let expect = "expect: 100-continue\r\ncontent-length: 5\r\nconnection: close\r\n";

    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream
        .write_all(ask("POST", "/read", expect).as_bytes())
        .await
        .unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert!(server.counted().is_empty() && server.in_flight() == 1);
    stream.write_all(b"twice").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(statuses(&answer), ["200"]);

    // Not requested, so that it is never sent.
    let answer = server.say(ask("POST", "/refuse", expect)).await;
    assert_eq!(statuses(&answer), ["403"]);
    server.assert_counted(&[("POST /read 200", 1), ("POST /refuse 403", 1)]);
    assert_eq!(read(&server, "POST", "/read"), (1, 5.0));
    assert_eq!(read(&server, "POST", "/refuse"), (1, 0.0));
}

#[tokio::test]
async fn a_request_body_that_is_read_in_part() {
    let first = async |request: Request| {
        let frame = request.into_body().frame().await.unwrap().unwrap();
        frame.into_data().unwrap().len().to_string()
    };
    let server = Server::start(Router::new().route("/", post(first))).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let head = ask("POST", "/", "content-length: 1000000\r\n");
    stream
        .write_all((head + "1234567").as_bytes())
        .await
        .unwrap();
    let mut answer = vec![0; 1_024];
    let n = stream.read(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer[..n]).ends_with("\r\n\r\n7"));
    server.assert_counted(&[("POST / 200", 1)]);
    assert_eq!(read(&server, "POST", "/"), (1, 7.0));
}

#[tokio::test]
async fn a_client_that_hangs_up_while_it_sends_its_body() {
    let read_all = async |request: Request| {
        request
            .into_body()
            .collect()
            .await
            .map_or(StatusCode::BAD_REQUEST, |_| StatusCode::OK)
    };
    let server = Server::start(Router::new().route("/", post(read_all))).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let head = ask("POST", "/", "content-length: 100\r\n");
    stream.write_all((head + "first").as_bytes()).await.unwrap();
    server.has_in_flight(1).await;
    drop(stream);
    server.has_in_flight(0).await;
    // The handler's body failed, and its answer was passed to the server.
    server.assert_counted(&[("POST / 400", 1)]);
    assert_eq!(read(&server, "POST", "/"), (1, 5.0));
}

/// Each of these the handler sees as a body that fails; its answer is handed to the server,
/// whether or not anybody is left to read it.
#[tokio::test]
async fn an_upload_in_chunks_that_is_broken_off() {
    let read_all = async |request: Request| match request.into_body().collect().await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::BAD_REQUEST,
    };
    let head = ask("POST", "/", "transfer-encoding: chunked\r\n");
    for (rest, how) in [
        ("5\r\nhel", "close"),
        ("5\r\nhel", "half-close"),
        ("3\r\nhel\r\n", "reset"),
        ("3\r\nhel\r\nno size\r\n", "stay"),
    ] {
        let server = Server::start(Router::new().route("/", post(read_all))).await;
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        let sent = head.clone() + rest;
        stream.write_all(sent.as_bytes()).await.unwrap();
        if how != "stay" {
            server.has_in_flight(1).await;
        }
        match how {
            "half-close" => stream.shutdown().await.unwrap(),
            "reset" => stream.set_zero_linger().unwrap(),
            _ => {}
        }
        if how == "close" || how == "reset" {
            drop(stream);
            server.has_in_flight(0).await;
        } else {
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            assert_eq!(statuses(&String::from_utf8(answer).unwrap()), ["400"]);
        }
        server.assert_counted(&[("POST / 400", 1)]);
        assert_eq!(read(&server, "POST", "/"), (1, 3.0), "{how}");
    }
}

/// `nc -N` does so. hyper takes it for a client that has gone, and so may proxies.
#[tokio::test]
async fn a_client_that_closes_its_side_once_it_has_asked() {
    let routes = Router::new().route("/", get(std::future::pending::<()>));
    let server = Server::start(routes).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let asked = ask("GET", "/", "");
    stream.write_all(asked.as_bytes()).await.unwrap();
    server.has_in_flight(1).await;
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty());
    server.assert_counted(&[("GET / 499", 1)]);
}

/// Once with the bytes and this `Content-Length`.
async fn of_length(length: &'static str, chunks: &[&'static str]) -> (Server, String) {
    let (body, sender, gone) = body_by_hand();
    for chunk in chunks {
        sender.send(Ok(chunk)).unwrap();
    }
    drop(sender);
    let body = once(body);
    let handler = get(async move || ([(header::CONTENT_LENGTH, length)], body()));
    let server = Server::start(Router::new().route("/", handler)).await;
    let answer = server.say(ask("GET", "/", CLOSE)).await;
    gone.await.unwrap();
    (server, answer)
}

#[tokio::test]
async fn a_body_longer_than_its_content_length_is_cut_and_complete() {
    let (server, answer) = of_length("5", &["123", "4567"]).await;
    assert!(answer.ends_with("\r\n\r\n12345"), "{answer}");
    server.assert_counted(&[("GET / 200", 1)]);

    // The server never polls this one.
    let (server, answer) = of_length("0", &["123"]).await;
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    server.assert_counted(&[("GET / 200", 1)]);
}

#[tokio::test]
async fn a_body_shorter_than_its_content_length_has_failed() {
    let (server, answer) = of_length("5", &["123"]).await;
    assert!(!answer.contains("\r\n\r\n12345"), "it breaks off: {answer}");
    server.assert_counted(&[("GET / 500", 1)]);
}

/// No server sends these as its answer, and hyper does not either.
#[tokio::test]
async fn an_informational_status_as_the_answer() {
    let handler = |status: u16| any(move || async move { StatusCode::from_u16(status).unwrap() });
    let routes = Router::new()
        .route("/100", handler(100))
        .route("/103", handler(103));
    let server = Server::start(routes).await;
    for path in ["/100", "/103"] {
        let answer = server.say(ask("GET", path, CLOSE)).await;
        assert_eq!(statuses(&answer), ["500"]);
    }
    server.assert_counted(&[("GET /100 500", 1), ("GET /103 500", 1)]);
}

#[tokio::test]
async fn a_tunnel_by_connect() {
    async fn tunnel(session: HttpSession, mut request: Request) -> Response<Body> {
        assert_eq!(request.method(), Method::CONNECT);
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(session.hold(async move {
            let mut io = hyper_util::rt::TokioIo::new(upgrade.await.unwrap());
            let mut word = [0; 4];
            io.read_exact(&mut word).await.unwrap();
            io.write_all(&word).await.unwrap();
        }));
        Response::new(Body::empty())
    }
    let registry = Registry::new();
    let layer = HttpLayer::new(&registry).unwrap();
    let server = Server::serve(registry, Router::new().fallback(tunnel).layer(layer)).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let connect = "CONNECT supplier.test:443 HTTP/1.1\r\nhost: supplier.test\r\n\r\n";
    stream.write_all(connect.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    assert_eq!(server.counted()["CONNECT unmatched 200"], 1);
    assert_eq!(server.in_flight(), 1, "as a session");
    stream.write_all(b"ping").await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("\r\n\r\nping"), "{rest}");
    server.assert_counted(&[("CONNECT unmatched 200", 1)]);
    let http = server.registry.group::<HttpMetrics>().unwrap();
    let session = http.session.get(&["CONNECT", "unmatched"]).unwrap();
    assert_eq!(session.snapshot().count(), 1);
}

#[tokio::test]
async fn what_is_no_http_is_no_request() {
    let server = Server::start(Router::new().route("/", get(|| async {}))).await;
    for bytes in [
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/1.1\r\nhost",
    ] {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
    }
    let old = server.say("GET / HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200"), "{old}");
    server.assert_counted(&[("GET / 200", 1)]);
}

/// The server answers these itself.
#[tokio::test]
async fn what_the_server_refuses_is_no_request() {
    let server = Server::start(Router::new().route("/", get(|| async {}))).await;
    let long = "x".repeat(100_000);
    let many = "x: y\r\n".repeat(200);
    for (asked, status) in [
        (ask("GET", &format!("/{long}"), ""), "414"),
        (ask("GET", "/", &many), "431"),
        (
            ask("POST", "/", "content-length: 1\r\ncontent-length: 2\r\n"),
            "400",
        ),
    ] {
        assert_eq!(statuses(&server.say(asked).await), [status]);
    }
    server.assert_counted(&[]);
}

/// A body that is over before it begins, and does not say how long it is.
#[derive(Default)]
struct Over;

impl hyper::body::Body for Over {
    type Data = hyper::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_body_that_is_over_from_the_start_is_never_asked_for() {
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry).route_by(|_| Some("/"));
    let answer = tower::service_fn(async |_: Request| {
        Ok::<_, std::convert::Infallible>(Response::new(Over))
    });
    let service = layer.build().unwrap().layer(answer);
    let server = Server::serve(registry, Router::new().fallback_service(service)).await;
    let answer = server.say(ask("GET", "/", CLOSE)).await;
    assert_eq!(statuses(&answer), ["200"]);
    server.assert_counted(&[("GET / 200", 1)]);
}
