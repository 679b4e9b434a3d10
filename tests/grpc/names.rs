//! The labels of calls: the served methods, under the requested names.

use std::collections::BTreeMap;

use axum::Router;
use axum::routing::get;
use selfheal::grpc::{GrpcLayer, GrpcNames, RpcMethod};
use selfheal::registry::{FamilySettings, Registry, Settings, parse_labels};
use tonic::service::Routes;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::Layer;

use crate::echo::Echo;
use crate::wire::{EchoClient, Server, all, channel, listen, series};

#[tokio::test]
async fn the_health_service() {
    let server = Server::start().await;
    let mut client = HealthClient::new(channel(server.addr).await);
    let of = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    client.check(of("test.Echo")).await.unwrap();
    let watch = client.watch(of("test.Echo")).await.unwrap();
    watch.into_inner().message().await.unwrap().unwrap();
    let error = client.check(of("missing")).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let checks: BTreeMap<String, u64> = server.counted();
    assert_eq!(checks["grpc.health.v1.Health Check OK"], 1);
    assert_eq!(checks["grpc.health.v1.Health Check NOT_FOUND"], 1);
}

#[tokio::test]
async fn what_no_one_serves_is_one_series() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for path in [
        "/test.Echo/Nothing",
        "/missing.Here/Unary",
        "/a/b/c/d",
        "/x",
    ] {
        let error = client.call(path).await.unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented, "{path}");
    }
    server.assert_counted(&[("unknown unknown UNIMPLEMENTED", 4)]);
}

#[tokio::test]
async fn errors_of_a_method_that_has_never_worked_are_unknown() {
    let server = Server::start().await;
    let mut client = server.client().await;
    assert!(client.unary("error".to_owned()).await.is_err());
    client.unary("hello".to_owned()).await.unwrap();
    assert!(client.unary("error".to_owned()).await.is_err());
    server.assert_counted(&[
        ("test.Echo Unary NOT_FOUND", 1),
        ("test.Echo Unary OK", 1),
        ("unknown unknown NOT_FOUND", 1),
    ]);
}

#[tokio::test]
async fn a_declared_method_is_known_from_the_start() {
    let registry = Registry::new();
    let layer = GrpcLayer::builder(&registry)
        .descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .unwrap()
        .service("test.Echo", ["Unary"])
        .only_declared()
        .build();
    let server = Server::with_layer(registry, layer.unwrap()).await;
    let zeros: BTreeMap<String, u64> = server.counted();
    assert_eq!(zeros["grpc.health.v1.Health Watch OK"], 0);
    let mut client = server.client().await;
    assert!(client.unary("error".to_owned()).await.is_err());
    all(client.repeat("1").await.unwrap()).await.unwrap();
    let mut counted = server.counted();
    counted.retain(|_, n| *n > 0);
    let expected = [("test.Echo Unary NOT_FOUND", 1), ("unknown unknown OK", 1)];
    assert_eq!(
        counted,
        expected.map(|(name, n)| (name.to_owned(), n)).into()
    );
}

#[tokio::test]
async fn what_an_interceptor_refuses_teaches_nothing() {
    let registry = Registry::new();
    let layer = GrpcLayer::new(&registry).unwrap();
    let refuse = |_: Request<()>| Err::<Request<()>, _>(Status::unauthenticated("who are you?"));
    let stack = tower::ServiceBuilder::new()
        .layer(layer)
        .layer(tonic::service::InterceptorLayer::new(refuse))
        .into_inner();
    let (incoming, addr) = listen().await;
    let server = tonic::transport::Server::builder().layer(stack);
    tokio::spawn(server.serve_with_incoming(Routes::new(Echo::default()), incoming));
    let mut client = EchoClient::new(channel(addr).await);
    for n in 0..20 {
        let error = client.call(&format!("/guess.Service{n}/Method")).await;
        assert_eq!(error.unwrap_err().code(), Code::Unauthenticated);
    }
    let counted = series(&registry, "grpc_requests_total");
    let expected = [("unknown unknown UNAUTHENTICATED".to_owned(), 20)];
    assert_eq!(counted, expected.into());
}

#[tokio::test]
async fn inside_of_an_axum_router() {
    let registry = Registry::new();
    let layer = GrpcLayer::new(&registry).unwrap();
    let app: Router = Routes::new(Echo::default())
        .into_axum_router()
        .route("/hello", get(|| async { "hello" }))
        .layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut client = EchoClient::new(channel(addr).await);
    client.unary("hello".to_owned()).await.unwrap();
    let stream = client.repeat("2 error").await.unwrap();
    assert!(all(stream).await.is_err());
    assert!(client.call("/missing.Here/Unary").await.is_err());

    let plain = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http::<axum::body::Body>();
    let page = plain.get(format!("http://{addr}/hello").parse().unwrap());
    assert_eq!(page.await.unwrap().status(), 200);
    let expected = [
        ("test.Echo Repeat NOT_FOUND", 1),
        ("test.Echo Unary OK", 1),
        ("unknown unknown UNIMPLEMENTED", 1),
    ];
    let counted = series(&registry, "grpc_requests_total");
    assert_eq!(
        counted,
        expected.map(|(name, n)| (name.to_owned(), n)).into()
    );
}

#[tokio::test]
async fn around_one_generated_server() {
    let registry = Registry::new();
    let layer = GrpcLayer::new(&registry).unwrap();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let routes = Routes::new(layer.layer(Echo::default())).add_service(health);
    let (incoming, addr) = listen().await;
    tokio::spawn(tonic::transport::Server::builder().serve_with_incoming(routes, incoming));
    let mut client = EchoClient::new(channel(addr).await);
    client.unary("hello".to_owned()).await.unwrap();
    let mut health = HealthClient::new(channel(addr).await);
    health.check(HealthCheckRequest::default()).await.unwrap();
    let counted = series(&registry, "grpc_requests_total");
    assert_eq!(counted, [("test.Echo Unary OK".to_owned(), 1)].into());
}

async fn a_few_calls(names: GrpcNames) -> Server {
    let registry = Registry::new();
    let layer = GrpcLayer::builder(&registry)
        .names(names)
        .service(
            "test.Echo",
            [
                RpcMethod::unary("Unary"),
                RpcMethod::client_streaming("Collect"),
                RpcMethod::server_streaming("Repeat"),
            ],
        )
        .build();
    let server = Server::with_layer(registry, layer.unwrap()).await;
    let mut client = server.client().await;
    client.unary("hello".to_owned()).await.unwrap();
    assert!(client.unary("error".to_owned()).await.is_err());
    all(client.repeat("3").await.unwrap()).await.unwrap();
    let chat = client.chat(tokio_stream::iter(["a".to_owned()]));
    all(chat.await.unwrap()).await.unwrap();
    assert!(client.call("/missing.Here/Unary").await.is_err());
    server
}

#[tokio::test]
async fn the_names_of_go_grpc_middleware() {
    let server = a_few_calls(GrpcNames::GoGrpcMiddleware).await;
    let of = |name| {
        let mut series = series(&server.registry, name);
        series.retain(|_, n| *n > 0);
        series
    };
    let map = |expected: &[(&str, u64)]| -> BTreeMap<String, u64> {
        let owned = expected.iter().map(|(name, n)| ((*name).to_owned(), *n));
        owned.collect()
    };
    let by_method = map(&[
        ("server_stream test.Echo Repeat", 1),
        ("unary test.Echo Unary", 2),
        ("unknown test.Echo Chat", 1),
        ("unknown unknown unknown", 1),
    ]);
    assert_eq!(of("grpc_server_started_total"), by_method);
    assert_eq!(of("grpc_server_handling_seconds"), by_method);
    let mut received = by_method;
    received.remove("unknown unknown unknown"); // its body was not read
    assert_eq!(of("grpc_server_msg_received_total"), received);
    assert_eq!(
        of("grpc_server_handled_total"),
        map(&[
            ("server_stream test.Echo Repeat OK", 1),
            ("unary test.Echo Unary NotFound", 1),
            ("unary test.Echo Unary OK", 1),
            ("unknown test.Echo Chat OK", 1),
            ("unknown unknown unknown Unimplemented", 1),
        ])
    );
    assert_eq!(
        of("grpc_server_msg_sent_total"),
        map(&[
            ("server_stream test.Echo Repeat", 3),
            ("unary test.Echo Unary", 1),
            ("unknown test.Echo Chat", 1),
        ])
    );
    assert!(of("grpc_requests_total").is_empty());
}

#[tokio::test]
async fn the_names_of_opentelemetry() {
    let server = a_few_calls(GrpcNames::OpenTelemetry).await;
    let families = server.registry.gather();
    let labels = parse_labels(&families[0].series[0].labels);
    let names: Vec<_> = labels.into_iter().map(|(name, _)| name).collect();
    let expected = [
        "rpc_system_name",
        "rpc_method",
        "rpc_status_code",
        "error_type",
    ];
    assert_eq!(names, expected);
    let mut counted = series(&server.registry, "rpc_server_call_duration_seconds");
    counted.retain(|_, n| *n > 0);
    let expected = [
        ("grpc _OTHER UNIMPLEMENTED UNIMPLEMENTED", 1),
        ("grpc test.Echo/Chat OK ", 1),
        ("grpc test.Echo/Repeat OK ", 1),
        ("grpc test.Echo/Unary NOT_FOUND ", 1),
        ("grpc test.Echo/Unary OK ", 1),
    ];
    assert_eq!(
        counted,
        expected.map(|(name, n)| (name.to_owned(), n)).into()
    );
}

#[tokio::test]
async fn what_is_switched_off_is_not_recorded() {
    let mut settings = Settings::default();
    for name in [
        "grpc_request_duration_seconds",
        "grpc_streams_active",
        "grpc_messages_sent_total",
    ] {
        let mut off = FamilySettings::default();
        off.enabled = false;
        settings.metrics.family.insert(name.to_owned(), off);
    }
    let registry = Registry::with_settings(settings);
    let layer = GrpcLayer::new(&registry).unwrap();
    let server = Server::with_layer(registry, layer).await;
    server
        .client()
        .await
        .unary("hello".to_owned())
        .await
        .unwrap();
    let names: Vec<_> = server
        .registry
        .gather()
        .into_iter()
        .filter(|family| !family.series.is_empty())
        .map(|family| family.def.name.to_string())
        .collect();
    assert_eq!(
        names,
        ["grpc_messages_received_total", "grpc_requests_total"]
    );
}
