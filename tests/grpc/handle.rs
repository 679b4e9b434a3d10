//! The layers of the handle: in its registry, and what they record counts for its health.

use selfheal::grpc::GrpcNames;
use selfheal::{Config, Selfheal};
use tower::Layer;

use crate::wire::{EchoClient, Server, channel, series};

#[tokio::test]
async fn what_the_server_got_wrong_counts_for_the_health_score_under_any_names() {
    for names in [
        GrpcNames::Catalog,
        GrpcNames::GoGrpcMiddleware,
        GrpcNames::OpenTelemetry,
    ] {
        let heal = Selfheal::new(Config::new()).unwrap();
        let layer = heal
            .grpc_layer()
            .names(names)
            .service("test.Echo", ["Unary"]);
        let layer = layer.build().unwrap();
        // A second layer sees the same calls, which are counted once.
        heal.grpc_layer().build().unwrap();
        let server = Server::with_layer(heal.registry().clone(), layer).await;
        let score = || heal.report().score.low.round().to_string();
        assert_eq!(score(), "100");

        let layer = heal.grpc_client_layer().build().unwrap();
        let mut client = EchoClient::new(layer.layer(channel(server.addr).await));
        for message in ["hello", "hello", "error"] {
            let _ = client.unary(message.to_owned()).await;
        }
        assert_eq!(score(), "100", "an order that is not there was asked for");
        assert!(client.unary("panic".to_owned()).await.is_err());
        assert_eq!(score(), "75", "{names:?}");
        let calls = series(heal.registry(), "grpc_client_requests_total");
        assert_eq!(calls.values().sum::<u64>(), 4);
    }
}
