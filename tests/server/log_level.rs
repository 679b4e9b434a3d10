//! The log level at run time: an order like every other, with the reload handle of
//! `tracing-subscriber`.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use selfheal::config::{Secret, Server};
use selfheal::{Config, Selfheal};
use serde_json::Value;
use tower::ServiceExt;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::reload;

async fn ask(app: &Router, method: &str, path: &str, headers: &[&str], body: &str) -> (u16, Value) {
    let mut request = Request::builder().method(method);
    request = request.uri(format!("/selfheal/api/{path}"));
    for pair in headers
        .iter()
        .map(|header| header.split_once(": ").unwrap())
    {
        request = request.header(pair.0, pair.1);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let answer = app.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn the_log_level_is_set_while_the_application_runs() {
    const KNOWN: &str = "authorization: Bearer t0ken";
    const JSON: &str = "content-type: application/json";
    let server = Server::new().bearer_token(Secret::new("t0ken"));
    let heal = Selfheal::new(Config::new().server(server.control(true))).unwrap();
    heal.healing().unwrap();
    let app: Router = heal.router();
    let (_, control) = ask(&app, "GET", "control", &[KNOWN], "").await;
    let token = format!("x-selfheal-token: {}", control["token"].as_str().unwrap());
    let all = [KNOWN, JSON, &token];
    let set = async |headers: &[&str], level: &str| {
        let body = format!("{{\"filter\":\"{level}\"}}");
        ask(&app, "POST", "control/log-level", headers, &body).await
    };
    let (status, refused) = set(&all, "debug").await;
    assert_eq!(status, 409);
    assert!(refused["error"].as_str().unwrap().contains("log_level"));

    let (_filter, handle) =
        reload::Layer::<_, tracing_subscriber::Registry>::new(LevelFilter::INFO);
    let known = handle.clone();
    heal.log_level(move |level| Ok(handle.reload(level.parse::<LevelFilter>()?)?));
    let level = || known.clone_current().unwrap();
    assert_eq!(set(&[JSON, &token], "debug").await.0, 401);
    assert_eq!(set(&[KNOWN, JSON], "debug").await.0, 403);
    assert_eq!(
        set(
            &[KNOWN, JSON, &token, "origin: https://evil.example"],
            "debug"
        )
        .await
        .0,
        403
    );
    assert_eq!(set(&all, &"x".repeat(257)).await.0, 400);
    assert_eq!(level(), LevelFilter::INFO);
    let (status, followed) = set(&all, "debug").await;
    assert_eq!((status, &followed["by"]), (200, &"bearer token".into()));
    assert_eq!(level(), LevelFilter::DEBUG);
    let (status, refused) = set(&all, "loud").await;
    assert_eq!(status, 409);
    assert!(!refused["error"].as_str().unwrap().is_empty());
    assert_eq!(level(), LevelFilter::DEBUG);

    // Who changed it, and to what.
    let (_, history) = ask(&app, "GET", "history", &[KNOWN], "").await;
    let orders: Vec<&Value> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|record| &record["what"]["controlled"])
        .filter(|decided| decided["control"]["log_level"].is_object())
        .collect();
    let expected = |level: &str| {
        let control = serde_json::json!({ "log_level": { "filter": level } });
        serde_json::json!({ "control": control, "by": { "person": "bearer token" } })
    };
    assert_eq!(orders, [&expected("debug"), &expected("loud")]);

    heal.log_level(|_| panic!("broken"));
    assert_eq!(set(&all, "info").await.0, 409);
}
