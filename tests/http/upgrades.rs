//! After an upgrade a connection is a session, whose length the application reports.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use axum::routing::{any, get};
use hyper_util::rt::TokioIo;
use selfheal::http::{HttpLayer, HttpSession};
use selfheal::registry::Registry;
use selfheal::util::{Clock, ManualClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::wire::{Server, request};

/// Says back what it hears.
async fn talk(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if let Message::Text(text) = message {
            socket.send(Message::Text(text)).await.unwrap();
        }
    }
}

/// A server with a clock that the test moves, and a notification of ended connections.
async fn server() -> (Server, ManualClock, mpsc::UnboundedReceiver<()>) {
    server_of_sample(1.0).await
}

async fn server_of_sample(share: f64) -> (Server, ManualClock, mpsc::UnboundedReceiver<()>) {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let layer = HttpLayer::builder(&registry).clock(clock);
    let layer = layer.sample_rate(share).build().unwrap();
    let (over, notified) = mpsc::unbounded_channel();
    let tell = over.clone();
    let held = async move |session: HttpSession, upgrade: WebSocketUpgrade| -> Response {
        upgrade.on_upgrade(async move |socket| {
            session.hold(talk(socket)).await;
            tell.send(()).unwrap();
        })
    };
    let forgotten = async move |upgrade: WebSocketUpgrade| -> Response {
        upgrade.on_upgrade(async move |socket| {
            talk(socket).await;
            over.send(()).unwrap();
        })
    };
    let kept = Mutex::new(Vec::new());
    let kept = Arc::new(kept);
    let refused = async move |session: HttpSession| {
        kept.lock().unwrap().push(session);
        StatusCode::FORBIDDEN
    };
    let routes = Router::new()
        .route("/held", any(held))
        .route("/forgotten", any(forgotten))
        .route("/refused", get(refused));
    let server = Server::serve(registry, routes.layer(layer)).await;
    (server, hand, notified)
}

fn websocket(path: &str) -> Request<axum::body::Body> {
    let mut asked = request("GET", path);
    for (name, value) in [
        (header::CONNECTION, "upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_VERSION, "13"),
        (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
    ] {
        asked.headers_mut().insert(name, value.parse().unwrap());
    }
    asked
}

/// A WebSocket of the client's side, as RFC 6455 has it, for words of up to 125 bytes.
struct Client(TokioIo<hyper::upgrade::Upgraded>);

impl Client {
    async fn open(server: &Server, path: &str) -> Self {
        let mut client = server.client().await;
        let response = client.send_request(websocket(path)).await.unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        Self(TokioIo::new(hyper::upgrade::on(response).await.unwrap()))
    }

    /// A final frame of text under a mask of zeros, and the answer, which has no mask.
    async fn say(&mut self, word: &str) -> String {
        let length = u8::try_from(word.len()).unwrap();
        let head = [0x81, 0x80 | length, 0, 0, 0, 0];
        self.0.write_all(&head).await.unwrap();
        self.0.write_all(word.as_bytes()).await.unwrap();
        let mut head = [0; 2];
        self.0.read_exact(&mut head).await.unwrap();
        assert_eq!(head, [0x81, length]);
        let mut word = vec![0; length.into()];
        self.0.read_exact(&mut word).await.unwrap();
        String::from_utf8(word).unwrap()
    }
}

fn sessions(server: &Server, path: &str) -> Option<(u64, f64)> {
    let http = server.registry.group::<selfheal::http::HttpMetrics>();
    let session = http.unwrap().session.get(&["GET", path])?.snapshot();
    Some((session.count(), session.sum))
}

#[tokio::test]
async fn a_websocket_is_in_flight_as_long_as_it_lives_and_a_session_then() {
    let (server, hand, mut over) = server().await;
    let mut first = Client::open(&server, "/held").await;
    let mut second = Client::open(&server, "/held").await;
    assert_eq!(server.counted()["GET /held 101"], 2, "at the headers");
    assert_eq!(server.in_flight(), 2);

    hand.advance(Duration::from_secs(60));
    assert_eq!(first.say("hello").await, "hello");
    drop(first);
    over.recv().await.unwrap();
    assert_eq!(server.in_flight(), 1);
    assert_eq!(sessions(&server, "/held"), Some((1, 60.0)));

    hand.advance(Duration::from_secs(30));
    assert_eq!(second.say("still here").await, "still here");
    drop(second);
    over.recv().await.unwrap();
    assert_eq!(sessions(&server, "/held"), Some((2, 150.0)));
    server.assert_counted(&[("GET /held 101", 2)]);
}

#[tokio::test]
async fn a_session_that_no_one_holds_never_begins() {
    let (server, hand, mut over) = server().await;
    let mut client = Client::open(&server, "/forgotten").await;
    server.assert_counted(&[("GET /forgotten 101", 1)]);
    hand.advance(Duration::from_secs(60));
    assert_eq!(client.say("hello").await, "hello");
    drop(client);
    over.recv().await.unwrap();
    server.assert_counted(&[("GET /forgotten 101", 1)]);
    assert_eq!(sessions(&server, "/forgotten"), None);
}

#[tokio::test]
async fn an_upgrade_that_is_refused_is_no_session() {
    let (server, _hand, _over) = server().await;
    let mut client = server.client().await;
    let response = client.send_request(websocket("/refused")).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    server.ask("GET", "/refused").await;
    server.assert_counted(&[("GET /refused 403", 2)]);
    assert_eq!(sessions(&server, "/refused"), None);
}

#[tokio::test]
async fn a_session_of_a_sample_stands_for_all() {
    let (server, hand, mut over) = server_of_sample(0.5).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(Client::open(&server, "/held").await);
    }
    assert_eq!(server.in_flight(), 4, "each, measured or not");
    hand.advance(Duration::from_secs(60));
    drop(clients);
    for _ in 0..4 {
        over.recv().await.unwrap();
    }
    assert_eq!(sessions(&server, "/held"), Some((4, 240.0)));
    assert_eq!(server.in_flight(), 0);
}
