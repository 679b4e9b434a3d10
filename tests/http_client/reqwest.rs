//! A client of `reqwest` under the layer, over real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use ::reqwest::{Client, Method, Request};
use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use selfheal::http_client::{
    HttpClientLayer, HttpClientLayerBuilder, HttpClientMetrics, ReqwestClient,
};
use selfheal::registry::Registry;
use tokio::net::TcpListener;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::endings::answer_with;
use crate::wire::{assert_counted, serve, text};

fn builder(registry: &Registry) -> HttpClientLayerBuilder {
    HttpClientLayer::builder(registry).host("127.0.0.1", "here")
}

fn client(registry: &Registry) -> ReqwestClient {
    builder(registry).build().unwrap().reqwest(Client::new())
}

fn to(addr: SocketAddr, path: &str) -> Request {
    let url = format!("http://{addr}{path}").parse().unwrap();
    Request::new(Method::GET, url)
}

#[tokio::test]
async fn it_is_the_client_that_it_was_and_every_request_is_counted() {
    let routes = Router::new()
        .route("/stock", get(async || "twelve lamps"))
        .route("/busy", get(async || StatusCode::TOO_MANY_REQUESTS))
        .route("/moved", get(async || Redirect::to("/stock")))
        .route("/echo", post(async |body: String| body));
    let addr = serve(routes).await;
    let registry = Registry::new();
    let mut client = client(&registry);

    let response = client.execute(to(addr, "/stock")).await.unwrap();
    assert_eq!(response.url().path(), "/stock");
    assert_eq!(response.content_length(), Some(12));
    assert_eq!(response.text().await.unwrap(), "twelve lamps");

    let moved = client.execute(to(addr, "/moved")).await.unwrap();
    assert_eq!(moved.url().path(), "/stock", "it has followed");
    moved.bytes().await.unwrap();

    let post = client.get_ref().post(format!("http://{addr}/echo"));
    let post = post.body("what is sent").build().unwrap();
    let ready = ServiceExt::<Request>::ready(&mut client).await.unwrap();
    let echoed = ready.call(post).await.unwrap();
    assert_eq!(echoed.text().await.unwrap(), "what is sent");

    let busy = client.execute(to(addr, "/busy")).await.unwrap();
    assert!(busy.error_for_status().is_err());
    assert_counted(
        &registry,
        &["{GET here 200} 2", "{GET here 429} 1", "{POST here 200} 1"],
    );
    let metrics = registry.group::<HttpClientMetrics>().unwrap();
    let size = metrics.response_size.get(&["GET", "here"]).unwrap();
    assert!((size.snapshot().sum - 24.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn errors_have_kinds() {
    let registry = Registry::new();
    let client = client(&registry);

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let missing = closed.local_addr().unwrap();
    drop(closed);
    let error = client.execute(to(missing, "/")).await.unwrap_err();
    assert!(error.is_connect());

    let silent = serve(Router::new().route("/", get(std::future::pending::<()>))).await;
    let mut request = to(silent, "/");
    *request.timeout_mut() = Some(Duration::from_millis(1));
    let error = client.execute(request).await.unwrap_err();
    assert!(error.is_timeout());

    let broken = answer_with(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort").await;
    let response = client.execute(to(broken, "/")).await.unwrap();
    assert!(response.bytes().await.is_err());

    drop(client.execute(to(silent, "/")));
    assert_counted(
        &registry,
        &[
            "{GET here body_error} 1",
            "{GET here cancelled} 1",
            "{GET here connection_refused} 1",
            "{GET here timeout} 1",
        ],
    );
}

#[tokio::test]
async fn the_application_names_its_errors_first() {
    let registry = Registry::new();
    let layer = builder(&registry)
        .error_kind(|error| error.is::<reqwest::Error>().then_some("own"))
        .build();
    let client = layer.unwrap().reqwest(Client::new());
    let silent = serve(Router::new().route("/", get(std::future::pending::<()>))).await;
    let mut request = to(silent, "/");
    *request.timeout_mut() = Some(Duration::from_millis(1));
    client.execute(request).await.unwrap_err();
    assert_counted(&registry, &["{GET here own} 1"]);
}

/// As the documentation of the module advises for other versions of `reqwest`.
#[tokio::test]
async fn a_closure_makes_a_service_of_any_client() {
    let addr = serve(Router::new().route("/", get(async || "hello"))).await;
    let registry = Registry::new();
    let client = Client::new();
    let mut service = ServiceBuilder::new()
        .layer(builder(&registry).build().unwrap())
        .service(service_fn(move |request: http::Request<reqwest::Body>| {
            let client = client.clone();
            async move {
                client
                    .execute(request.try_into()?)
                    .await
                    .map(http::Response::from)
            }
        }));
    let request = http::Request::get(format!("http://{addr}/"));
    let request = request.body(reqwest::Body::default()).unwrap();
    let response = service.ready().await.unwrap().call(request).await.unwrap();
    assert_eq!(text(response).await, "hello");
    assert_counted(&registry, &["{GET here 200} 1"]);
}
