//! The layer of the handle, and its reading of the traffic.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use http_body_util::BodyExt;
use selfheal::config::Http;
use selfheal::health::{Contributor, Traffic};
use selfheal::http::{HttpLayer, HttpMetrics, HttpNames};
use selfheal::registry::{DeclareError, FamilySettings, Registry, Settings};
use selfheal::{Config, Selfheal};
use tower::ServiceExt;

use crate::wire::{counted, lines};

async fn pass(layer: HttpLayer, paths: &[&'static str]) {
    let routes = Router::new()
        .route("/", get(|| async {}))
        .route("/502", get(|| async { StatusCode::BAD_GATEWAY }));
    let app: Router = routes.layer(layer).with_state(());
    for path in paths {
        let request = Request::builder().uri(*path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        response.collect().await.unwrap();
    }
}

#[tokio::test]
async fn the_handle_has_one_layer_set_up_by_whoever_asks_first() {
    let heal = Selfheal::new(Config::new()).unwrap();
    let layer = heal
        .http_layer_with(|layer| layer.request_label("plan", ["free"], |_| Some("free")))
        .unwrap();
    pass(layer, &["/"]).await;
    pass(heal.http_layer(), &["/"]).await;
    assert_eq!(counted(heal.registry())["GET / 200 free"], 2);
    let error = heal.http_layer_with(|layer| layer).unwrap_err();
    assert!(matches!(error, DeclareError::Clash { .. }), "{error}");
}

#[tokio::test]
async fn buckets_of_the_configuration_are_those_of_both_times() {
    let config = Config::new().http(Http::new().buckets([0.5, 30.0]));
    let heal = Selfheal::new(config).unwrap();
    pass(heal.http_layer(), &["/"]).await;
    let http = heal.registry().group::<HttpMetrics>().unwrap();
    let duration = http.duration.get(&["GET", "/", "200"]).unwrap();
    let first_byte = http.first_byte.get(&["GET", "/"]).unwrap();
    for time in [duration, first_byte] {
        assert_eq!(*time.snapshot().bounds, [0.5, 30.0]);
    }
}

#[tokio::test]
async fn buckets_of_the_configuration_are_those_of_other_names_too() {
    let config = Config::new().http(Http::new().buckets([0.07, 30.0]));
    let heal = Selfheal::new(config).unwrap();
    let names = [HttpNames::OpenTelemetry, HttpNames::AxumPrometheus];
    let layer = heal.http_layer_with(|layer| layer.names(names)).unwrap();
    pass(layer, &["/"]).await;
    let families = heal.registry().gather();
    for (name, bounds) in [
        ("http_server_request_duration_seconds", [0.07, 30.0]),
        ("axum_http_requests_duration_seconds", [0.07, 30.0]),
    ] {
        let family = families.iter().find(|family| *family.def.name == *name);
        assert_eq!(*family.unwrap().def.buckets, bounds, "{name}");
    }
}

#[tokio::test]
async fn a_clash_with_the_application_is_counted_and_nothing_else() {
    let heal = Selfheal::new(Config::new()).unwrap();
    let registry = heal.registry();
    registry
        .counter("http_requests_total", "Mine")
        .build()
        .unwrap()
        .inc();
    pass(heal.http_layer(), &["/", "/502"]).await;
    let lines = lines(registry);
    assert!(
        lines.contains(&"http_requests_total{} 1".to_owned()),
        "{lines:#?}"
    );
    assert!(
        lines.contains(&"selfheal_collectors_skipped_total{} 1".to_owned()),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn what_clients_get_wrong_is_served_well() {
    for names in [
        HttpNames::Catalog,
        HttpNames::OpenTelemetry,
        HttpNames::AxumPrometheus,
    ] {
        let registry = Registry::new();
        let layer = HttpLayer::builder(&registry)
            .names([names])
            .build()
            .unwrap();
        pass(layer.clone(), &["/", "/", "/none", "/502"]).await;
        assert_eq!(
            layer.traffic(),
            Some(Traffic { good: 3, total: 4 }),
            "{names:?}"
        );
    }
}

#[tokio::test]
async fn requests_count_for_the_health_score_under_any_names() {
    for names in [
        HttpNames::Catalog,
        HttpNames::OpenTelemetry,
        HttpNames::AxumPrometheus,
    ] {
        let heal = Selfheal::new(Config::new()).unwrap();
        let layer = heal.http_layer_with(|layer| layer.names([names])).unwrap();
        let score = || heal.report().score.low.round().to_string();
        assert_eq!(score(), "100");
        pass(layer, &["/", "/", "/none", "/502"]).await;
        assert_eq!(score(), "75", "{names:?}");
    }
}

#[tokio::test]
async fn layers_of_one_registry_and_one_set_of_names_are_counted_together() {
    let registry = Registry::new();
    let layer = || HttpLayer::builder(&registry);
    let (first, second) = (layer().build().unwrap(), layer().build().unwrap());
    let other = layer().names([HttpNames::OpenTelemetry]).build().unwrap();
    pass(first.clone(), &["/", "/502"]).await;
    pass(second, &["/"]).await;
    pass(other.clone(), &["/"]).await;
    assert_eq!(first.traffic(), Some(Traffic { good: 2, total: 3 }));
    assert_eq!(other.traffic(), Some(Traffic { good: 1, total: 1 }));
}

#[tokio::test]
async fn traffic_is_known_without_the_counter_of_requests() {
    let mut settings = Settings::default();
    let mut off = FamilySettings::default();
    off.enabled = false;
    settings
        .metrics
        .family
        .insert("http_requests_total".to_owned(), off);
    let layer = HttpLayer::new(&Registry::with_settings(settings)).unwrap();
    pass(layer.clone(), &["/", "/502"]).await;
    assert_eq!(layer.traffic(), Some(Traffic { good: 1, total: 2 }));
}
