//! An upload that its client breaks off is no failure of the server, whatever is made of it.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use axum::routing::post;
use http_body_util::BodyExt;
use selfheal::health::{Contributor, Traffic};
use selfheal::http::{CountedBody, HttpLayer, HttpNames};
use selfheal::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::{Layer, ServiceExt, service_fn};

use crate::wire::{Server, body_by_hand, counted, lines};

/// As axum's `Multipart` and proxies do.
async fn fail(request: Request) -> StatusCode {
    match request.into_body().collect().await {
        Ok(_) => StatusCode::INSUFFICIENT_STORAGE,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn echo(body: Body) -> Response<Body> {
    Response::new(body)
}

fn routes() -> Router {
    Router::new()
        .route("/fail", post(fail))
        .route("/echo", post(echo))
}

/// Sends half of an upload, and is gone.
async fn break_off(server: &Server, path: &str) {
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: shop.test\r\ncontent-length: 10\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    server.has_in_flight(1).await;
    if path == "/echo" {
        // The first half is on its way back by now.
        let mut answer = Vec::new();
        while !answer.windows(5).any(|bytes| bytes == b"hello") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
        }
    }
    drop(stream);
    server.has_in_flight(0).await;
}

#[tokio::test]
async fn an_answer_or_an_end_that_only_reports_a_broken_upload() {
    let server = Server::start(routes()).await;
    break_off(&server, "/fail").await;
    break_off(&server, "/echo").await;
    server.assert_counted(&[("POST /echo 499", 1), ("POST /fail 499", 1)]);
    let http = server.registry.group::<selfheal::http::HttpMetrics>();
    let size = http.unwrap().request_size.get(&["POST", "/fail"]).unwrap();
    assert_eq!((size.snapshot().count(), size.snapshot().sum), (1, 5.0));
}

/// The state of a request is reused by the next one on its thread.
#[tokio::test]
async fn a_failure_after_an_upload_that_was_broken_off_is_one() {
    let server = Server::start(routes()).await;
    break_off(&server, "/fail").await;
    let whole = "POST /fail HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\
                 content-length: 5\r\n\r\nhello";
    assert!(server.say(whole).await.starts_with("HTTP/1.1 507"));
    server.assert_counted(&[("POST /fail 499", 1), ("POST /fail 507", 1)]);
}

#[tokio::test]
async fn a_failure_of_the_server_is_one_though_there_was_an_upload() {
    let server = Server::start(routes()).await;
    let whole = "POST /fail HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\
                 content-length: 5\r\n\r\nhello";
    assert!(server.say(whole).await.starts_with("HTTP/1.1 507"));
    server.assert_counted(&[("POST /fail 507", 1)]);
}

/// Counts are exact where nothing is timed, and so is the share that was served well.
#[tokio::test]
async fn whether_or_not_it_is_in_the_sample() {
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry)
        .names([HttpNames::Catalog, HttpNames::OpenTelemetry])
        .sample_rate(0.0)
        .build()
        .unwrap();
    let app = routes().layer(layer.clone());
    let server = Server::serve(registry, app).await;
    break_off(&server, "/fail").await;
    let counted = counted(&server.registry);
    assert_eq!(counted, [("POST /fail 499".to_owned(), 1)].into());
    assert_eq!(layer.traffic(), Some(Traffic { good: 1, total: 1 }));
}

/// OpenTelemetry records both the status sent and the error.
#[tokio::test]
async fn under_the_names_of_opentelemetry() {
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry).names([HttpNames::OpenTelemetry]);
    let app = routes().layer(layer.build().unwrap());
    let server = Server::serve(registry, app).await;
    let (body, chunks, _gone) = body_by_hand();
    let mut request = crate::wire::request2("/fail");
    *request.method_mut() = axum::http::Method::POST;
    *request.body_mut() = body;
    let lost = std::io::Error::other("the client fails");
    chunks.send(Ok("hello")).unwrap();
    chunks.send(Err(lost)).unwrap();
    let mut client = server.client2().await;
    assert!(client.send_request(request).await.is_err());
    let series = "http_server_request_duration_seconds{POST http /fail 500 client_closed 2} 1";
    for _ in 0..100_000 {
        if lines(&server.registry).iter().any(|line| line == series) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{:#?}", lines(&server.registry));
}

/// Any tower service: its error is what it has read.
#[tokio::test]
async fn a_service_that_hands_the_error_on() {
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry).route_by(|_| Some("/"));
    let read_all = service_fn(async |request: Request<CountedBody<Body>>| {
        let all = request.into_body().collect().await?;
        Ok::<_, axum::Error>(Response::new(Body::from(all.to_bytes())))
    });
    let service = layer.build().unwrap().generic().layer(read_all);
    let ask = async |chunks: Vec<Result<Bytes, std::io::Error>>| {
        let body = Body::from_stream(tokio_stream::iter(chunks));
        service.clone().oneshot(Request::new(body)).await
    };
    let whole = ask(vec![Ok(Bytes::from("hello"))]).await.unwrap();
    assert_eq!(whole.collect().await.unwrap().to_bytes(), "hello");
    let lost = std::io::Error::other("the client fails");
    let broken = ask(vec![Ok(Bytes::from("hel")), Err(lost)]).await;
    assert!(broken.is_err());
    let expected = [("GET / 200", 1), ("GET / 499", 1)];
    let expected = expected.map(|(labels, n)| (labels.to_owned(), n));
    assert_eq!(counted(&registry), expected.into());
}

/// Sends a whole request, and reads the whole answer.
async fn upload(server: &Server, path: &str, headers: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n{headers}\
         content-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The client is there, and is sent what the handler made of it.
#[tokio::test]
async fn a_body_that_a_layer_outside_cuts_is_no_client_that_has_gone() {
    async fn detail(request: Request) -> (StatusCode, &'static str) {
        (fail(request).await, "this is wrong with it")
    }
    let registry = Registry::new();
    let app = routes()
        .route("/detail", post(detail))
        .route("/extract", post(async |_: Bytes| "all of it"))
        .layer(HttpLayer::new(&registry).unwrap())
        .layer(tower_http::decompression::RequestDecompressionLayer::new())
        .layer(tower_http::limit::RequestBodyLimitLayer::new(64))
        .layer(axum::extract::DefaultBodyLimit::disable());
    let server = Server::serve(registry, app).await;
    let chunked = format!(
        "POST /fail HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n80\r\n{}\r\n0\r\n\r\n",
        "x".repeat(128)
    );
    assert!(server.say(&chunked).await.starts_with("HTTP/1.1 500"));
    for path in ["/fail", "/detail"] {
        let answer = upload(
            &server,
            path,
            "content-encoding: gzip\r\n",
            b"no gzip at all",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    }
    let answer = upload(
        &server,
        "/extract",
        "content-encoding: gzip\r\n",
        b"\x1f\x8b\x08",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let garbled = "POST /fail HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\
                   transfer-encoding: chunked\r\n\r\nno length\r\nhello\r\n";
    assert!(server.say(garbled).await.starts_with("HTTP/1.1 500"));
    server.assert_counted(&[
        ("POST /detail 500", 1),
        ("POST /extract 400", 1),
        ("POST /fail 500", 3),
    ]);
}

#[tokio::test]
async fn a_client_that_goes_is_noticed_through_the_layers_outside() {
    let registry = Registry::new();
    let app = routes()
        .layer(HttpLayer::new(&registry).unwrap())
        .layer(tower_http::decompression::RequestDecompressionLayer::new())
        .layer(tower_http::limit::RequestBodyLimitLayer::new(64));
    let server = Server::serve(registry, app).await;
    break_off(&server, "/fail").await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    let head = "POST /fail HTTP/1.1\r\nhost: shop.test\r\ncontent-encoding: gzip\r\n\
                content-length: 30\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"\x1f\x8b\x08").await.unwrap();
    server.has_in_flight(1).await;
    drop(stream);
    server.has_in_flight(0).await;
    server.assert_counted(&[("POST /fail 499", 2)]);
}
