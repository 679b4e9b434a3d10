//! The layer among others: catchers of panics, timeouts, limits; and a server that shuts down.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use axum::routing::get;
use axum::{BoxError, Router};
use http_body_util::BodyExt;
use selfheal::http::HttpLayer;
use selfheal::registry::Registry;
use tokio::sync::oneshot;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::wire::{
    Server, answer_once, assert_ended, body_by_hand, once, request, request2, with_opentelemetry,
};

fn layer() -> (Registry, HttpLayer) {
    let registry = Registry::new();
    let layer = HttpLayer::new(&registry).unwrap();
    (registry, layer)
}

#[tokio::test]
async fn a_panic_that_is_caught_below_or_above() {
    async fn handler() -> &'static str {
        tokio::task::yield_now().await;
        panic!("as the test wants it")
    }
    for (above, opentelemetry) in [
        (false, "GET http / 500 500 1.1"),
        (true, "GET http /  panic 1.1"),
    ] {
        let (registry, layer) = with_opentelemetry();
        let routes = Router::new().route("/", get(handler));
        let app = if above {
            routes.layer(layer).layer(CatchPanicLayer::new())
        } else {
            routes.layer(CatchPanicLayer::new()).layer(layer)
        };
        let server = Server::serve(registry, app).await;
        assert_eq!(server.ask("GET", "/").await.status(), 500);
        assert_ended(&server.registry, "GET / 500", opentelemetry);
    }
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_tower_http_below_or_above() {
    let second =
        TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(1));
    for (above, expected) in [(false, "GET / 504"), (true, "GET / 499")] {
        let (registry, layer) = layer();
        let routes = Router::new().route("/", get(std::future::pending::<()>));
        let app = if above {
            routes.layer(layer).layer(second)
        } else {
            routes.layer(second).layer(layer)
        };
        let server = Server::serve(registry, app).await;
        assert_eq!(server.ask("GET", "/").await.status(), 504);
        server.assert_counted(&[(expected, 1)]);
    }
}

/// Hangs on `/hang` until it is dropped, and notifies when it has started.
fn service(
    started: oneshot::Sender<()>,
) -> impl Service<Request, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let started = once(started);
    tower::service_fn(move |request: Request| {
        let hangs = request.uri().path() == "/hang";
        if hangs {
            started().send(()).unwrap();
        }
        async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }
    })
}

/// The layer around a service of tower that can fail, called with `/hang` and then with `/`.
async fn hang_then_ask<S>(limit: impl FnOnce(oneshot::Sender<()>) -> S) -> (Registry, BoxError)
where
    S: Service<Request, Response = Response<Body>, Error = BoxError, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry).route_by(|head| Some(head.uri.path()));
    let (started, begun) = oneshot::channel();
    let service = layer.build().unwrap().layer(limit(started));
    let hanging = tokio::spawn(service.clone().oneshot(request("GET", "/hang")));
    begun.await.unwrap();
    let error = service.oneshot(request("GET", "/")).await.unwrap_err();
    hanging.abort();
    assert!(hanging.await.unwrap_err().is_cancelled());
    (registry, error)
}

#[tokio::test]
async fn a_load_that_is_shed_is_an_error_of_the_service() {
    let (registry, error) = hang_then_ask(|started| {
        ServiceBuilder::new()
            .load_shed()
            .concurrency_limit(1)
            .service(service(started))
    })
    .await;
    assert!(
        error.is::<tower::load_shed::error::Overloaded>(),
        "passed on as it is"
    );
    let counted = crate::wire::counted(&registry);
    assert_eq!((counted["GET / 500"], counted["GET /hang 499"]), (1, 1));
    assert_eq!(counted.len(), 2);
}

/// Time is paused while anything can run, and then jumps to the next timeout.
#[tokio::test(start_paused = true)]
async fn a_timeout_behind_a_buffer_is_an_error_of_the_service() {
    let (registry, layer) = layer();
    let (started, begun) = oneshot::channel();
    let service = ServiceBuilder::new()
        .layer(layer)
        .buffer(8)
        .timeout(Duration::from_secs(1))
        .service(service(started));
    let error = service.oneshot(request("GET", "/hang")).await.unwrap_err();
    assert!(error.is::<tower::timeout::error::Elapsed>(), "{error}");
    begun.await.unwrap();
    let counted = crate::wire::counted(&registry);
    assert_eq!(counted, [("GET unmatched 500".to_owned(), 1)].into());
}

/// As axum wants it: what handles the error is below the layer, and its answer counts.
#[tokio::test]
async fn an_error_that_axum_handles_below_the_layer_is_an_answer() {
    let (registry, layer) = layer();
    let (started, begun) = oneshot::channel();
    let started = once(started);
    let hang = get(async move || {
        started().send(()).unwrap();
        std::future::pending::<()>().await;
    });
    let shed = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(async |_: BoxError| {
            StatusCode::SERVICE_UNAVAILABLE
        }))
        .load_shed()
        .layer(tower::limit::GlobalConcurrencyLimitLayer::new(1));
    let routes = Router::new()
        .route("/", get(|| async {}))
        .route("/hang", hang);
    let server = Server::serve(registry, routes.layer(shed).layer(layer)).await;
    let mut client = server.client().await;
    let hanging = tokio::spawn(async move { client.send_request(request("GET", "/hang")).await });
    begun.await.unwrap();
    assert_eq!(server.ask("GET", "/").await.status(), 503);
    hanging.abort();
    server.has_in_flight(0).await;
    server.assert_counted(&[("GET / 503", 1), ("GET /hang 499", 1)]);
}

/// A stream of HTTP/2 too, whose connection is sent a GOAWAY.
#[tokio::test]
async fn a_graceful_shutdown_waits_for_what_is_in_flight() {
    let (registry, layer) = layer();
    let (body, chunks, _gone) = body_by_hand();
    let (second, stream, _gone) = body_by_hand();
    let app = Router::new()
        .route("/", answer_once(body))
        .route("/2", answer_once(second))
        .layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serve = axum::serve(listener, app).with_graceful_shutdown(async { stopped.await.unwrap() });
    let serving = tokio::spawn(serve.into_future());
    let server = Server { registry, addr };
    let mut client = server.client().await;
    let mut response = client.send_request(request("GET", "/")).await.unwrap();
    chunks.send(Ok("first")).unwrap();
    response.frame().await.unwrap().unwrap();
    let mut client2 = server.client2().await;
    let response2 = client2.send_request(request2("/2")).await.unwrap();
    stop.send(()).unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!serving.is_finished() && server.in_flight() == 2);
    for chunks in [chunks, stream] {
        chunks.send(Ok("last")).unwrap();
    }
    assert_eq!(response.collect().await.unwrap().to_bytes(), "last");
    assert_eq!(response2.collect().await.unwrap().to_bytes(), "last");
    serving.await.unwrap().unwrap();
    server.assert_counted(&[("GET / 200", 1), ("GET /2 200", 1)]);
}
