//! Series that were removed or have expired are there again with the next call.

use std::time::{Duration, Instant};

use selfheal::grpc::{GrpcLayer, GrpcMetrics, MetricsInterceptor};
use selfheal::registry::{FamilySettings, Registry, Settings};

use crate::wire::Server;

const METHOD: [&str; 2] = ["test.Echo", "Unary"];
const OK: [&str; 3] = ["test.Echo", "Unary", "OK"];

#[tokio::test]
async fn a_method_that_was_removed_is_exposed_again() {
    let registry = Registry::new();
    let layer = GrpcLayer::new(&registry).unwrap();
    let server = Server::with_layer(registry, layer).await;
    let metrics = server.registry.group::<GrpcMetrics>().unwrap();
    let mut client = server.client().await;
    for _ in 0..3 {
        client.unary("hello".to_owned()).await.unwrap();
        assert_eq!(metrics.requests.get(&OK).unwrap().get(), 1);
        assert_eq!(metrics.received.get(&METHOD).unwrap().get(), 1);
        assert_eq!(metrics.sent.get(&METHOD).unwrap().get(), 1);
        assert_eq!(metrics.active.get(&METHOD).unwrap().get(), 0);
        assert!(metrics.requests.remove(&OK));
        assert!(metrics.received.remove(&METHOD) && metrics.sent.remove(&METHOD));
        assert!(metrics.active.remove(&METHOD));
    }
}

#[test]
fn an_idle_method_expires_and_comes_back() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let mut settings = Settings::default();
    for name in ["grpc_requests_total", "grpc_streams_active"] {
        let mut family = FamilySettings::default();
        family.expire_after = Some(HOUR);
        settings.metrics.family.insert(name.to_owned(), family);
    }
    let registry = Registry::with_settings(settings);
    let metrics = registry.group::<GrpcMetrics>().unwrap();
    let start = || MetricsInterceptor::start_request_in(&registry, METHOD[0], METHOD[1]);
    let active = || metrics.active.get(&METHOD).map(|active| active.get());
    let mut now = Instant::now();
    for _ in 0..3 {
        let call = start();
        for _ in 0..4 {
            registry.expire(now);
            now += 2 * HOUR;
            assert_eq!(active(), Some(1), "under way, and so in use");
        }
        call.success();
        assert_eq!(metrics.requests.get(&OK).map(|one| one.get()), Some(1));
        assert_eq!(active(), Some(0));
        for _ in 0..2 {
            registry.expire(now);
            now += 2 * HOUR;
        }
        assert!(metrics.requests.get(&OK).is_none() && active().is_none());
    }
}
