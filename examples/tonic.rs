//! A tonic server and a client of it that measure themselves, with the metrics on the port of
//! the server.
//!
//! `cargo run --features grpc --example tonic`, then open <http://127.0.0.1:50051/metrics>.
//! Another address is the first argument.

use std::error::Error;

use selfheal::Config;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Endpoint;
use tonic_health::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{FILE_DESCRIPTOR_SET, HealthCheckRequest};
use tower::Layer;

const SERVICE: &str = "shop.v1.Orders";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let heal = selfheal::install(Config::new().namespace("shop"))?;

    // From the descriptor set, the layer knows all methods from the start.
    let layer = heal
        .grpc_layer()
        .descriptor_set(FILE_DESCRIPTOR_SET)?
        .build()?;
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter
        .set_service_status(SERVICE, ServingStatus::Serving)
        .await;
    let app = Routes::new(health)
        .into_axum_router()
        .layer(layer)
        .merge(heal.router());

    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:50051");
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let channel = Endpoint::from_shared(format!("http://{address}"))?
        .connect()
        .await?;
    let layer = heal.grpc_client_layer().build()?;
    let mut client = HealthClient::new(layer.layer(channel));
    let service = |name: &str| HealthCheckRequest {
        service: name.to_owned(),
    };
    client.check(service(SERVICE)).await?;
    if let Err(status) = client.check(service("missing")).await {
        println!("as it should be: {:?}", status.code());
    }
    let mut changes = client.watch(service(SERVICE)).await?.into_inner();
    changes.message().await?;
    reporter
        .set_service_status(SERVICE, ServingStatus::NotServing)
        .await;
    changes.message().await?;
    drop(changes); // a call that its client gives up

    println!("listening on http://{address}/metrics");
    server.await??;
    Ok(())
}
