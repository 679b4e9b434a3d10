//! What HTTP/2 alone has, frame by frame: RFC 9113, with header blocks of RFC 7541 that refer to
//! no table.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http_body_util::BodyExt;
use selfheal::http::HttpMetrics;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::{Server, answer_once, body_by_hand};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const CANCEL: u32 = 8;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// A request for a path, with more headers; `flags` says whether it ends here.
fn headers(flags: u8, stream: u32, method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let pseudo = [
        (":method", method),
        (":scheme", "http"),
        (":path", path),
        (":authority", "shop.test"),
    ];
    let mut block = Vec::new();
    for (name, value) in pseudo.iter().chain(more) {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend(text.bytes());
        }
    }
    frame(HEADERS, flags | END_HEADERS, stream, &block)
}

fn ask(stream: u32, path: &str) -> Vec<u8> {
    headers(END_STREAM, stream, "GET", path, &[])
}

fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

fn goaway(code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &u64::from(code).to_be_bytes())
}

struct Connection(TcpStream);

impl Connection {
    async fn open(server: &Server) -> Self {
        Self::open_with(server, &[]).await
    }

    async fn open_with(server: &Server, settings: &[u8]) -> Self {
        let mut connection = Self(TcpStream::connect(server.addr).await.unwrap());
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let settings = frame(SETTINGS, 0, 0, settings);
        connection.send(&[preface, &settings[..]].concat()).await;
        connection
    }

    async fn send(&mut self, frames: &[u8]) {
        self.0.write_all(frames).await.unwrap();
    }

    /// The payload of the next frame of this kind.
    async fn next(&mut self, kind: u8) -> Vec<u8> {
        loop {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length.try_into().unwrap()];
            self.0.read_exact(&mut payload).await.unwrap();
            if head[3] == kind {
                return payload;
            }
        }
    }

    async fn ends(mut self) {
        // Closed or reset, whichever the server notices.
        let _ = self.0.read_to_end(&mut Vec::new()).await;
    }
}

/// A server with a route that hangs, and one that takes an upload.
async fn server() -> Server {
    let upload = async |request: Request| match request.into_body().collect().await {
        Ok(_) => StatusCode::OK.into_response(),
        Err(_) => (StatusCode::BAD_REQUEST, "half of it is missing").into_response(),
    };
    let routes = Router::new()
        .route("/hang", get(std::future::pending::<()>))
        .route("/upload", post(upload))
        .route("/big", get(|| async { vec![b'x'; 1_000_000] }));
    Server::start(routes).await
}

/// Count and sum of the sizes of the requests to `/upload`.
fn read(server: &Server) -> (u64, f64) {
    let http = server.registry.group::<HttpMetrics>().unwrap();
    let size = http.request_size.get(&["POST", "/upload"]).unwrap();
    (size.snapshot().count(), size.snapshot().sum)
}

#[tokio::test]
async fn whatever_the_code_of_a_reset_it_is_the_client_that_left() {
    let server = server().await;
    let mut connection = Connection::open(&server).await;
    for (stream, code) in [(1, 0), (3, 2), (5, CANCEL)] {
        connection.send(&ask(stream, "/hang")).await;
        server.has_in_flight(1).await;
        connection.send(&reset(stream, code)).await;
        server.has_in_flight(0).await;
    }
    server.assert_counted(&[("GET /hang 499", 3)]);
}

/// For an error or for none.
#[tokio::test]
async fn a_goaway_of_the_client_lets_its_streams_come_to_their_end() {
    for code in [0, 2] {
        let (body, chunks, _gone) = body_by_hand();
        let server = Server::start(Router::new().route("/", answer_once(body))).await;
        let mut connection = Connection::open(&server).await;
        connection.send(&ask(1, "/")).await;
        chunks.send(Ok("first")).unwrap();
        assert_eq!(connection.next(DATA).await, b"first");
        connection.send(&goaway(code)).await;
        chunks.send(Ok("last")).unwrap();
        assert_eq!(connection.next(DATA).await, b"last");
        drop(chunks);
        assert_eq!(connection.next(DATA).await, b"");
        server.assert_counted(&[("GET / 200", 1)]);
    }
}

#[tokio::test]
async fn an_error_of_the_connection_ends_all_its_streams() {
    let server = server().await;
    let mut connection = Connection::open(&server).await;
    let both = [ask(1, "/hang"), ask(3, "/hang")].concat();
    connection.send(&both).await;
    server.has_in_flight(2).await;
    let stray = frame(DATA, 0, 7, b"of no stream");
    connection.send(&stray).await;
    connection.next(GOAWAY).await;
    server.has_in_flight(0).await;
    server.assert_counted(&[("GET /hang 499", 2)]);
}

/// CVE-2023-44487: the server breaks such a connection off, and hands on what it has begun.
#[tokio::test]
async fn streams_that_are_reset_as_fast_as_they_come() {
    let server = server().await;
    let mut connection = Connection::open(&server).await;
    let stream = |n: u32| [ask(2 * n + 1, "/hang"), reset(2 * n + 1, CANCEL)].concat();
    connection
        .send(&(0..1_000).flat_map(stream).collect::<Vec<_>>())
        .await;
    connection.ends().await;
    server.has_in_flight(0).await;
    let counted = server.counted();
    assert!(counted.keys().all(|series| series == "GET /hang 499"));
    assert!(counted.values().sum::<u64>() <= 1_000);
}

/// Of the handler's answer to the body that fails there is no stream to take the body, unlike on a
/// connection of HTTP/1.1.
#[tokio::test]
async fn an_upload_that_is_broken_off() {
    let server = server().await;
    let mut connection = Connection::open(&server).await;
    for stream in [1, 3] {
        let head = headers(0, stream, "POST", "/upload", &[]);
        let part = frame(DATA, 0, stream, b"first");
        connection.send(&[head, part].concat()).await;
        server.has_in_flight(1).await;
        if stream == 1 {
            connection.send(&reset(stream, CANCEL)).await;
            server.has_in_flight(0).await;
        }
    }
    drop(connection);
    server.has_in_flight(0).await;
    server.assert_counted(&[("POST /upload 499", 2)]);
    assert_eq!(read(&server).0, 2);
}

/// RFC 9113, section 8.1.1: the server resets the stream.
#[tokio::test]
async fn an_upload_of_another_length_than_declared() {
    for length in ["3", "30"] {
        let server = server().await;
        let mut connection = Connection::open(&server).await;
        let head = headers(0, 1, "POST", "/upload", &[("content-length", length)]);
        let all = frame(DATA, END_STREAM, 1, b"hello");
        connection.send(&[head, all].concat()).await;
        assert_eq!(connection.next(RST_STREAM).await, [0, 0, 0, 1]);
        drop(connection);
        server.has_in_flight(0).await;
        server.assert_counted(&[("POST /upload 499", 1)]);
    }
}

#[tokio::test]
async fn padding_and_trailers_of_an_upload_are_no_bytes_of_it() {
    let server = server().await;
    let mut connection = Connection::open(&server).await;
    let head = headers(0, 1, "POST", "/upload", &[]);
    let padded = frame(DATA, 8, 1, b"\x03hello\0\0\0");
    let trailers = frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\0\x01x\x01y");
    connection.send(&[head, padded, trailers].concat()).await;
    connection.next(HEADERS).await;
    server.assert_counted(&[("POST /upload 200", 1)]);
    assert_eq!(read(&server), (1, 5.0));
}

/// With a window of nothing the server keeps what it was handed.
#[tokio::test]
async fn a_body_in_one_piece_is_out_of_sight_once_it_is_handed_over() {
    let server = server().await;
    let no_window = [0, 4, 0, 0, 0, 0];
    let mut connection = Connection::open_with(&server, &no_window).await;
    connection.send(&ask(1, "/big")).await;
    connection.next(HEADERS).await;
    connection.send(&reset(1, CANCEL)).await;
    drop(connection);
    server.has_in_flight(0).await;
    server.assert_counted(&[("GET /big 200", 1)]);
}
