//! What the ecosystem ships, on one server: reflection, health, and a service with a method of
//! each kind, all of them declared by descriptor sets or by hand, and called over a socket.

use selfheal::grpc::{GrpcLayer, RpcMethod};
use selfheal::registry::Registry;
use tokio_stream::StreamExt;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::echo::{ECHO, Echo};
use crate::wire::{EchoClient, all, channel, listen, series};

const REFLECTION: &str = "grpc.reflection.v1.ServerReflection ServerReflectionInfo";

fn layer(registry: &Registry) -> GrpcLayer {
    GrpcLayer::builder(registry)
        .descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .unwrap()
        .descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .unwrap()
        .service(
            ECHO,
            [
                RpcMethod::unary("Unary"),
                RpcMethod::client_streaming("Collect"),
                RpcMethod::server_streaming("Repeat"),
                RpcMethod::bidi_streaming("Chat"),
            ],
        )
        .only_declared()
        .build()
        .unwrap()
}

fn asks(request: MessageRequest) -> ServerReflectionRequest {
    ServerReflectionRequest {
        host: String::new(),
        message_request: Some(request),
    }
}

/// Two questions in one stream.
async fn reflect(channel: Channel) {
    let mut reflection = ServerReflectionClient::new(channel);
    let questions = [
        MessageRequest::ListServices(String::new()),
        MessageRequest::FileContainingSymbol("grpc.health.v1.Health".to_owned()),
    ];
    let questions = tokio_stream::iter(questions.map(asks));
    let answers = reflection.server_reflection_info(questions).await.unwrap();
    let mut answers = answers.into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) =
        answers.next().await.unwrap().unwrap().message_response
    else {
        panic!("the first question was for the list")
    };
    assert!(
        list.service
            .iter()
            .any(|service| service.name == "grpc.health.v1.Health")
    );
    assert!(answers.next().await.unwrap().is_ok());
    assert!(answers.next().await.is_none());
}

#[tokio::test]
async fn reflection_health_and_all_four_kinds() {
    let registry = Registry::new();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .unwrap();
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<Echo>().await;
    let routes = Routes::new(Echo::default())
        .add_service(health)
        .add_service(reflection);
    let (incoming, addr) = listen().await;
    let server = tonic::transport::Server::builder().layer(layer(&registry));
    tokio::spawn(server.serve_with_incoming(routes, incoming));
    let channel = channel(addr).await;

    reflect(channel.clone()).await;

    let mut health = HealthClient::new(channel.clone());
    let of_echo = || HealthCheckRequest {
        service: ECHO.to_owned(),
    };
    health.check(of_echo()).await.unwrap();
    let mut watch = health.watch(of_echo()).await.unwrap().into_inner();
    watch.next().await.unwrap().unwrap();

    let mut echo = EchoClient::new(channel);
    echo.unary("one".to_owned()).await.unwrap();
    let words = || tokio_stream::iter(["one", "two", "three"].map(str::to_owned));
    echo.collect(words()).await.unwrap();
    assert_eq!(all(echo.repeat("2").await.unwrap()).await.unwrap().len(), 2);
    assert_eq!(
        all(echo.chat(words()).await.unwrap()).await.unwrap().len(),
        3
    );

    let of = |name| {
        let mut counts = series(&registry, name);
        counts.retain(|_, n| *n > 0);
        counts.into_iter().collect::<Vec<_>>()
    };
    let expected = |rows: &[(&str, u64)]| -> Vec<(String, u64)> {
        rows.iter()
            .map(|(name, n)| ((*name).to_owned(), *n))
            .collect()
    };
    assert_eq!(
        of("grpc_requests_total"),
        expected(&[
            ("grpc.health.v1.Health Check OK", 1),
            (&format!("{REFLECTION} OK"), 1),
            ("test.Echo Chat OK", 1),
            ("test.Echo Collect OK", 1),
            ("test.Echo Repeat OK", 1),
            ("test.Echo Unary OK", 1),
        ])
    );
    assert_eq!(
        of("grpc_messages_received_total"),
        expected(&[
            ("grpc.health.v1.Health Check", 1),
            ("grpc.health.v1.Health Watch", 1),
            (REFLECTION, 2),
            ("test.Echo Chat", 3),
            ("test.Echo Collect", 3),
            ("test.Echo Repeat", 1),
            ("test.Echo Unary", 1),
        ])
    );
    assert_eq!(
        of("grpc_messages_sent_total"),
        expected(&[
            ("grpc.health.v1.Health Check", 1),
            ("grpc.health.v1.Health Watch", 1),
            (REFLECTION, 2),
            ("test.Echo Chat", 3),
            ("test.Echo Collect", 1),
            ("test.Echo Repeat", 2),
            ("test.Echo Unary", 1),
        ])
    );
    assert_eq!(
        of("grpc_streams_active"),
        expected(&[("grpc.health.v1.Health Watch", 1)]),
        "the watch goes on"
    );
}
