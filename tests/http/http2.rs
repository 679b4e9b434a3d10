//! However a stream of HTTP/2 ends, it is recorded as a request of HTTP/1.1 would be.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use axum::routing::{any, get, post};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use selfheal::http::{HttpLayer, HttpMetrics, HttpSession};
use selfheal::registry::Registry;
use selfheal::util::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::wire::{Server, answer_once, body_by_hand, once, request2};

/// Count and sum of a histogram by method and path.
macro_rules! read {
    ($server:expr, $metric:ident, $method:expr, $path:expr) => {{
        let http = $server.registry.group::<HttpMetrics>().unwrap();
        let snapshot = http.$metric.get(&[$method, $path]).unwrap().snapshot();
        (snapshot.count(), snapshot.sum)
    }};
}

#[tokio::test]
async fn a_body_that_fails_or_panics() {
    for word in [Err(std::io::Error::other("the disk is gone")), Ok("panic")] {
        let (body, chunks, gone) = body_by_hand();
        let routes = Router::new()
            .route("/", answer_once(body))
            .route("/other", get(|| async { "alive" }));
        let server = Server::start(routes).await;
        let mut client = server.client2().await;
        let mut response = client.send_request(request2("/")).await.unwrap();
        chunks.send(Ok("first")).unwrap();
        response.frame().await.unwrap().unwrap();
        chunks.send(word).unwrap();
        assert!(response.collect().await.is_err(), "the stream is reset");
        gone.await.unwrap();
        let other = client.send_request(request2("/other")).await.unwrap();
        assert_eq!(other.collect().await.unwrap().to_bytes(), "alive");
        server.assert_counted(&[("GET / 500", 1), ("GET /other 200", 1)]);
    }
}

#[tokio::test]
async fn a_handler_that_panics() {
    async fn handler() -> &'static str {
        tokio::task::yield_now().await;
        panic!("as the test wants it")
    }
    let server = Server::start(Router::new().route("/", get(handler))).await;
    let mut client = server.client2().await;
    assert!(client.send_request(request2("/")).await.is_err());
    server.assert_counted(&[("GET / 500", 1)]);
}

#[tokio::test]
async fn responses_without_a_body() {
    let routes = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/204", any(|| async { StatusCode::NO_CONTENT }))
        .route("/304", any(|| async { StatusCode::NOT_MODIFIED }))
        .route("/empty", get(|| async {}));
    let server = Server::start(routes).await;
    let mut client = server.client2().await;
    for (method, path) in [
        ("GET", "/204"),
        ("GET", "/304"),
        ("GET", "/empty"),
        ("HEAD", "/"),
    ] {
        let mut request = request2(path);
        *request.method_mut() = method.parse().unwrap();
        let response = client.send_request(request).await.unwrap();
        assert!(
            response.collect().await.unwrap().to_bytes().is_empty(),
            "{path}"
        );
    }
    server.assert_counted(&[
        ("GET /204 204", 1),
        ("GET /304 304", 1),
        ("GET /empty 200", 1),
        ("HEAD / 200", 1),
    ]);
}

#[tokio::test]
async fn an_informational_status_as_the_answer() {
    let routes = Router::new().route("/", get(|| async { StatusCode::EARLY_HINTS }));
    let server = Server::start(routes).await;
    let answer = server.client2().await.send_request(request2("/")).await;
    assert!(answer.is_err(), "it stays without the real one");
    server.assert_counted(&[("GET / 500", 1)]);
}

#[tokio::test]
async fn trailers_pass_and_are_no_bytes() {
    let handler = get(|| async {
        let trailers = async {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", "11".parse().unwrap());
            Some(Ok::<_, std::convert::Infallible>(trailers))
        };
        Body::new(Full::new(Bytes::from("hello")).with_trailers(trailers))
    });
    let server = Server::start(Router::new().route("/", handler)).await;
    let mut client = server.client2().await;
    let response = client.send_request(request2("/")).await.unwrap();
    let whole = response.collect().await.unwrap();
    assert_eq!(whole.trailers().unwrap()["x-sum"], "11");
    server.assert_counted(&[("GET / 200", 1)]);
    assert_eq!(read!(server, response_size, "GET", "/"), (1, 5.0));
}

/// The response begins before the request has ended, and the two go on side by side.
#[tokio::test]
async fn an_echo_that_answers_while_it_is_asked() {
    let routes = Router::new().route("/", post(|body: Body| async { Response::new(body) }));
    let server = Server::start(routes).await;
    let (body, chunks, _gone) = body_by_hand();
    let mut request = request2("/");
    *request.method_mut() = Method::POST;
    *request.body_mut() = body;
    let mut response = server.client2().await.send_request(request).await.unwrap();
    for word in ["one", "three", "eleven"] {
        chunks.send(Ok(word)).unwrap();
        let frame = response.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), word);
        assert!(server.counted().is_empty() && server.in_flight() == 1);
    }
    drop(chunks);
    assert!(response.collect().await.unwrap().to_bytes().is_empty());
    server.assert_counted(&[("POST / 200", 1)]);
    assert_eq!(read!(server, request_size, "POST", "/"), (1, 14.0));
    assert_eq!(read!(server, response_size, "POST", "/"), (1, 14.0));
}

#[tokio::test]
async fn an_event_stream_that_is_reset_is_a_session() {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let layer = HttpLayer::builder(&registry).clock(clock).build().unwrap();
    let (body, events, gone) = body_by_hand();
    let body = once(body);
    let handler = get(async move || {
        (
            [(header::CONTENT_TYPE, "Text/Event-Stream; charset=utf-8")],
            body(),
        )
    });
    let server = Server::serve(registry, Router::new().route("/live", handler).layer(layer)).await;
    let mut client = server.client2().await;
    let mut response = client.send_request(request2("/live")).await.unwrap();
    hand.advance(Duration::from_secs(60));
    events.send(Ok("data: 1\n\n")).unwrap();
    response.frame().await.unwrap().unwrap();
    assert_eq!(server.in_flight(), 1);
    drop(response);
    gone.await.unwrap();
    server.assert_counted(&[("GET /live 200", 1)]);
    assert_eq!(read!(server, session, "GET", "/live"), (1, 60.0));
}

/// RFC 8441: the handshake is a CONNECT with `:protocol`, and the stream is the connection.
#[tokio::test]
async fn a_websocket_on_a_stream() {
    let (over, mut notified) = mpsc::unbounded_channel();
    let held = async move |session: HttpSession, upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async move |socket| {
            session.hold(say_back(socket)).await;
            over.send(()).unwrap();
        })
    };
    let server = Server::start(Router::new().route("/ws", any(held))).await;
    let mut client = server.client2().await;
    // Any answer shows that the server's settings have arrived.
    client.send_request(request2("/none")).await.unwrap();
    let request = Request::connect("http://shop.test/ws")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .extension(hyper::ext::Protocol::from_static("websocket"))
        .body(Body::empty());
    let response = client.send_request(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(server.counted()["CONNECT /ws 200"], 1, "at the headers");
    assert_eq!(server.in_flight(), 1);
    let mut io = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    io.write_all(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i'])
        .await
        .unwrap();
    let mut answer = [0; 4];
    io.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"\x81\x02hi");
    drop(io);
    notified.recv().await.unwrap();
    server.assert_counted(&[("CONNECT /ws 200", 1), ("GET unmatched 404", 1)]);
    assert_eq!(read!(server, session, "CONNECT", "/ws").0, 1);
}

async fn say_back(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if let Message::Text(text) = message {
            socket.send(Message::Text(text)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_takes_all_its_streams_with_it() {
    let (started, mut begun) = mpsc::unbounded_channel();
    let hang = get(async move || {
        started.send(()).unwrap();
        std::future::pending::<()>().await;
    });
    let server = Server::start(Router::new().route("/", hang)).await;
    let client = server.client2().await;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { client.send_request(request2("/")).await })
        })
        .collect();
    drop(client);
    for _ in 0..20 {
        begun.recv().await.unwrap();
    }
    assert_eq!(server.in_flight(), 20);
    for call in &calls {
        call.abort();
    }
    server.has_in_flight(0).await;
    server.assert_counted(&[("GET / 499", 20)]);
}
