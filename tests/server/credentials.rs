//! Who is let in, and how those who are not are slowed down, in virtual time.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use selfheal::config::Secret;
use selfheal::registry::Registry;
use selfheal::server::{Auth, Endpoints, router};
use selfheal::testing::assert_value;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::ServiceExt;

use crate::healthy;

fn guarded(registry: &Registry, probes: bool) -> Router {
    let auth = Auth::new().bearer(Secret::new("t0ken")).counted(registry);
    let endpoints = Endpoints::new(registry.clone(), healthy);
    auth.protect_probes(probes).protect(router(endpoints))
}

async fn status(app: Router, path: &str, token: Option<&str>) -> StatusCode {
    let mut request = Request::builder().uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).unwrap();
    app.oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn probes_ask_for_no_credentials_unless_they_are_said_to() {
    let registry = Registry::new();
    let (open, closed) = (guarded(&registry, false), guarded(&registry, true));
    let nested = Router::new().nest("/ops", open.clone());
    for path in ["/livez", "/readyz"] {
        assert_eq!(status(open.clone(), path, None).await, StatusCode::OK);
        let below = status(nested.clone(), &format!("/ops{path}"), None).await;
        assert_eq!(below, StatusCode::OK);
        let refused = status(closed.clone(), path, None).await;
        assert_eq!(refused, StatusCode::UNAUTHORIZED);
        let known = status(closed.clone(), path, Some("t0ken")).await;
        assert_eq!(known, StatusCode::OK);
    }
    for path in ["/metrics", "/health", "/livez/", "//livez", "/x"] {
        let refused = status(open.clone(), path, Some("token")).await;
        assert_eq!(refused, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_value(&registry, "selfheal_unauthorized_total", &[], 7.0);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_guesses_are_slowed_and_hold_up_no_one_else() {
    let registry = Registry::new();
    let app = guarded(&registry, false);
    let start = Instant::now();
    let mut guesses = JoinSet::new();
    for _ in 0..1_000 {
        let app = app.clone();
        guesses.spawn(async move { status(app, "/health", Some("guess")).await });
    }
    tokio::task::yield_now().await;
    assert_eq!(
        status(app.clone(), "/health", Some("t0ken")).await,
        StatusCode::OK
    );
    assert_eq!(status(app, "/livez", None).await, StatusCode::OK);
    assert_eq!(start.elapsed(), Duration::ZERO, "neither waits");

    let answers = guesses.join_all().await;
    let refused = |wanted| answers.iter().filter(|status| **status == wanted).count();
    assert_eq!(refused(StatusCode::UNAUTHORIZED), 30);
    assert_eq!(refused(StatusCode::TOO_MANY_REQUESTS), 970);
    assert!(start.elapsed() >= Duration::from_secs(2));
    assert_value(&registry, "selfheal_unauthorized_total", &[], 1_000.0);
}
