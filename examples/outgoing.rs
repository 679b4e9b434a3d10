//! A service that calls another one, and the metrics of its outgoing requests.
//!
//! `cargo run --features http-client --example outgoing`, then look at
//! <http://127.0.0.1:3000/metrics>. Another address is the first argument.

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use selfheal::Config;
use selfheal::http_client::HttpClientNames;
use tokio::net::TcpListener;
use tower::timeout::TimeoutLayer;
use tower::timeout::error::Elapsed;
use tower::{Service, ServiceBuilder, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let heal = selfheal::install(Config::new().namespace("shop"))?;

    let supplier = TcpListener::bind("127.0.0.1:0").await?;
    let supplier_at = supplier.local_addr()?;
    let routes = Router::new()
        .route("/stock", get(async || "12"))
        .route("/busy", get(async || StatusCode::TOO_MANY_REQUESTS))
        .route("/slow", get(std::future::pending::<()>));
    tokio::spawn(async move { axum::serve(supplier, routes).await });
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;

    let layer = heal
        .http_client_layer()
        .host(supplier_at.to_string(), "supplier")
        .host(closed.to_string(), "closed-shop")
        .names([HttpClientNames::Catalog, HttpClientNames::Api])
        .error_kind(|error| error.is::<Elapsed>().then_some("timeout"))
        .build()?;
    // The timeout is below the layer, so that it is an error of its own kind.
    let mut client = ServiceBuilder::new()
        .layer(layer)
        .layer(TimeoutLayer::new(Duration::from_millis(200)))
        .service(Client::builder(TokioExecutor::new()).build_http::<Body>());

    for uri in [
        format!("http://{supplier_at}/stock"),
        format!("http://{supplier_at}/busy"),
        format!("http://{supplier_at}/slow"),
        format!("http://{closed}/"),
    ] {
        let request = Request::builder().uri(&uri).body(Body::empty())?;
        match client.ready().await?.call(request).await {
            Ok(response) => {
                let status = response.status();
                let body = response.into_body().collect().await?.to_bytes();
                println!("{uri}: {status} {}", String::from_utf8_lossy(&body));
            }
            Err(error) => println!("{uri}: {error}"),
        }
    }

    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:3000");
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}/metrics", listener.local_addr()?);
    axum::serve(listener, heal.router()).await?;
    Ok(())
}
