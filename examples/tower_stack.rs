//! A tower service without axum, on hyper alone: the layer with bodies of any type and a
//! classifier of its own.
//!
//! `cargo run --example tower_stack`, then open <http://127.0.0.1:3000/metrics>. Another
//! address is the first argument.

use std::convert::Infallible;
use std::error::Error;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use selfheal::encode::{self, Encoding, Format};
use selfheal::http::{CountedBody, HttpLayer};
use selfheal::registry::Registry;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    let layer = HttpLayer::builder(&registry)
        .route_by(|request| Some(Route::of(request.uri.path())?.pattern()))
        .build()?
        .generic();
    let service = ServiceBuilder::new()
        .layer(layer)
        .service(service_fn(move |request| answer(registry.clone(), request)));

    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:3000");
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}/metrics", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let connection = server.serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                eprintln!("a connection ended early: {error}");
            }
        });
    }
}

/// The routes of this service. Whatever routes requests can label them.
enum Route<'a> {
    Metrics,
    Echo,
    Greet(&'a str),
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Option<Self> {
        match path {
            "/metrics" => Some(Self::Metrics),
            "/echo" => Some(Self::Echo),
            _ => path.strip_prefix("/greet/").map(Self::Greet),
        }
    }

    fn pattern(&self) -> &'static str {
        match self {
            Self::Metrics => "/metrics",
            Self::Echo => "/echo",
            Self::Greet(_) => "/greet/{name}",
        }
    }
}

/// The layer hands in the body that it counts.
async fn answer(
    registry: Registry,
    request: Request<CountedBody<Incoming>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let (status, body) = match (request.method(), Route::of(&path)) {
        (&Method::GET, Some(Route::Metrics)) => (StatusCode::OK, page(&registry)),
        (&Method::POST, Some(Route::Echo)) => match request.into_body().collect().await {
            Ok(body) => (StatusCode::OK, body.to_bytes()),
            Err(_) => (StatusCode::BAD_REQUEST, Bytes::new()),
        },
        (&Method::GET, Some(Route::Greet(name))) => {
            (StatusCode::OK, format!("Hello, {name}!\n").into())
        }
        (_, Some(_)) => (StatusCode::METHOD_NOT_ALLOWED, Bytes::new()),
        (_, None) => (StatusCode::NOT_FOUND, Bytes::new()),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    Ok(response)
}

fn page(registry: &Registry) -> Bytes {
    let mut page = Vec::new();
    // Writing to memory does not fail.
    let _ = encode::encode(
        &registry.scrape(),
        Format::negotiate(None),
        Encoding::Identity,
        &mut page,
    );
    page.into()
}
