//! Calls that are left alone pass like all others and leave nothing behind.

use std::collections::BTreeSet;

use selfheal::grpc::{GrpcClientLayer, GrpcLayer, GrpcNames};
use selfheal::registry::{Registry, parse_labels};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::Layer;

use crate::wire::{EchoClient, Server, all, channel};

/// Every text that is the value of a label somewhere.
fn labels(registry: &Registry) -> BTreeSet<String> {
    let series = registry
        .gather()
        .into_iter()
        .flat_map(|family| family.series);
    let labels = series.flat_map(|series| parse_labels(&series.labels));
    labels.map(|(_, value)| value).collect()
}

#[tokio::test]
async fn probes_leave_no_series_under_any_names() {
    for names in [
        GrpcNames::Catalog,
        GrpcNames::GoGrpcMiddleware,
        GrpcNames::OpenTelemetry,
    ] {
        let registry = Registry::new();
        let layer = GrpcLayer::builder(&registry)
            .exclude("grpc.*")
            .names(names)
            .descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .unwrap()
            .build();
        let server = Server::with_layer(registry, layer.unwrap()).await;
        let mut probe = HealthClient::new(channel(server.addr).await);
        for (service, code) in [("test.Echo", Code::Ok), ("missing", Code::NotFound)] {
            let service = service.to_owned();
            let checked = probe.check(HealthCheckRequest { service }).await;
            assert_eq!(
                checked.map_or_else(|error| error.code(), |_| Code::Ok),
                code
            );
        }
        let watch = probe.watch(HealthCheckRequest::default()).await.unwrap();
        assert!(watch.into_inner().message().await.unwrap().is_some());
        let mut client = server.client().await;
        assert!(client.call("/grpc.missing.Here/Unary").await.is_err());
        assert_eq!(labels(&server.registry), BTreeSet::new(), "{names:?}");

        client.unary("hello".to_owned()).await.unwrap();
        assert!(!labels(&server.registry).is_empty(), "the others count");
    }
}

#[tokio::test]
async fn one_method_of_a_service() {
    let registry = Registry::new();
    let layer = GrpcLayer::builder(&registry).exclude("test.Echo/Unary");
    let server = Server::with_layer(registry, layer.build().unwrap()).await;
    let mut client = server.client().await;
    client.unary("hello".to_owned()).await.unwrap();
    assert!(client.unary("error".to_owned()).await.is_err());
    all(client.repeat("3").await.unwrap()).await.unwrap();
    server.assert_counted(&[("test.Echo Repeat OK", 1)]);
    server.assert_messages(&[("test.Echo Repeat", 1)], &[("test.Echo Repeat", 3)]);
}

#[tokio::test]
async fn on_the_side_of_the_client() {
    let server = Server::start().await;
    let registry = Registry::new();
    let layer = GrpcClientLayer::builder(&registry).exclude("test.Echo/Un*");
    let service = layer.build().unwrap().layer(channel(server.addr).await);
    let mut client = EchoClient::new(service.clone());
    client.unary("hello".to_owned()).await.unwrap();
    // A path in front of the service does not change the service.
    let origin = format!("http://{}/api/v1", server.addr).parse().unwrap();
    let mut behind = EchoClient(tonic::client::Grpc::with_origin(service, origin));
    assert!(behind.unary("hello".to_owned()).await.is_err());
    assert_eq!(labels(&registry), BTreeSet::new());
    all(client.repeat("1").await.unwrap()).await.unwrap();
    assert!(labels(&registry).contains("Repeat"));
}
