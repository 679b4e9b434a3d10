//! Which clients get access, and how others are slowed down, in virtual time.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use selfheal::config::{Access, Accesses, Secret};
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

/// As above, where the check stands in the router itself.
#[tokio::test]
async fn probes_of_endpoints_with_credentials_ask_for_none_unless_they_are_said_to() {
    let app = |probes| -> Router {
        let auth = Auth::new().bearer(Secret::new("t0ken"));
        let endpoints = Endpoints::new(Registry::new(), healthy);
        router(endpoints.auth(auth.protect_probes(probes)))
    };
    for path in ["/livez", "/readyz"] {
        assert_eq!(status(app(false), path, None).await, StatusCode::OK);
        let refused = status(app(true), path, None).await;
        assert_eq!(refused, StatusCode::UNAUTHORIZED);
        let known = status(app(true), path, Some("t0ken")).await;
        assert_eq!(known, StatusCode::OK);
    }
}

#[tokio::test]
async fn each_endpoint_is_for_whom_it_is_configured() {
    let paths = ["/metrics", "/health", "/selfheal", "/selfheal/api/status"];
    let statuses = async |access: Accesses, token: Option<&str>| {
        let auth = Auth::new().bearer(Secret::new("t0ken"));
        let endpoints = Endpoints::new(Registry::new(), healthy);
        let app: Router = router(endpoints.access(access).auth(auth));
        let mut found = Vec::new();
        for path in paths {
            found.push(status(app.clone(), path, token).await.as_u16());
        }
        found
    };
    let plain = Accesses::new();
    assert_eq!(statuses(plain, None).await, [401; 4]);
    assert_eq!(statuses(plain, Some("t0ken")).await, [200; 4]);
    for (nth, access) in [
        Accesses::metrics as fn(Accesses, Access) -> Accesses,
        Accesses::health,
        Accesses::page,
        Accesses::api,
    ]
    .iter()
    .enumerate()
    {
        let with = |one: u16, others: u16| {
            let mut all = [others; 4];
            all[nth] = one;
            all
        };
        assert_eq!(
            statuses(access(plain, Access::Open), None).await,
            with(200, 401)
        );
        let off = access(plain, Access::Off);
        assert_eq!(statuses(off, Some("t0ken")).await, with(404, 200));
    }
}

/// Public pages do not reveal the token with which a browser sends commands.
#[tokio::test]
async fn orders_need_credentials_where_all_else_is_open() {
    use http_body_util::BodyExt;

    let auth = Auth::new().bearer(Secret::new("t0ken"));
    let open = Access::Open;
    let access = Accesses::new().page(open).api(open);
    let endpoints = Endpoints::new(Registry::new(), healthy).control(true);
    let app: Router = router(endpoints.access(access).auth(auth));
    for path in ["/selfheal/api/control", "/selfheal/api/control/pause"] {
        let refused = status(app.clone(), path, None).await;
        assert_eq!(refused, StatusCode::UNAUTHORIZED, "{path}");
    }
    let read = async |path: &str, token: &str| {
        let request = Request::builder().uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    };
    let control = read("/selfheal/api/control", "t0ken").await;
    let control: serde_json::Value = serde_json::from_str(&control).unwrap();
    let token = control["token"].as_str().unwrap();
    assert!(!read("/selfheal", "").await.contains(token));
}

/// As in `web.yml` of Prometheus: the configuration has the hash alone.
#[cfg(feature = "bcrypt")]
#[test]
fn a_password_is_known_by_its_hash() {
    use selfheal::config::Server;
    use selfheal::{Config, Selfheal};

    // The hash of `correct horse`, by `htpasswd -nBC 5`.
    let hash = bcrypt::hash("correct horse", 5).unwrap();
    let server = Server::new().listen(crate::ANY);
    let server = server.basic_auth("prometheus", Secret::new(hash.as_str()));
    let heal = Selfheal::new(Config::new().server(server)).unwrap();
    let listener = heal.listen().unwrap();
    let status = |user: &str| {
        use base64::Engine;
        let encoded = base64::engine::general_purpose::STANDARD.encode(user);
        let url = format!("http://{}/metrics", listener.address());
        let request = crate::support::http::Request::get(&url);
        let request = request.header("authorization", &format!("Basic {encoded}"));
        request.send().unwrap().status
    };
    assert_eq!(status("prometheus:correct horse"), 200);
    assert_eq!(status("prometheus:correct horse"), 200);
    assert_eq!(status("prometheus:battery staple"), 401);
    assert_eq!(status("someone:correct horse"), 401);
    assert_eq!(
        status(&format!("prometheus:{hash}")),
        401,
        "the hash lets no one in"
    );
    assert_value(heal.registry(), "selfheal_unauthorized_total", &[], 3.0);
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
