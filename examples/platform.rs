//! A self-healing platform: requests, anomalies, healing actions and models by the names that its
//! dashboards know, `cpu_usage` by pod and `response_time` in milliseconds among them.
//!
//! `cargo run --example platform` serves a few requests to itself and prints its metrics;
//! `-- 127.0.0.1:9898` goes on serving, until it is ended.

use std::error::Error;
use std::time::Duration;

use axum::{Router, http::StatusCode, routing::get};
use selfheal::config::{Config, Service};
use selfheal::groups::{HealingAction, InferenceRun, Recorder};
use selfheal::testing::Reading;
use selfheal::track;
use tokio::net::TcpListener;
use tower::ServiceExt;

async fn predict() -> &'static str {
    let run = InferenceRun::start("detector");
    tokio::time::sleep(Duration::from_millis(8)).await;
    run.success();
    "normal"
}

async fn fail() -> StatusCode {
    let recorder = Recorder::global();
    recorder.anomaly("error_burst", "warning");
    // Actions that the application runs by itself.
    let action = HealingAction::start("drop_cache");
    tokio::time::sleep(Duration::from_millis(2)).await;
    action.success();
    StatusCode::INTERNAL_SERVER_ERROR
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = Service::new("platform").label("pod", "platform-0");
    let config = Config::new()
        .profile("self_healing_platform")
        .service(service);
    let heal = selfheal::install(config)?;
    let app = Router::new()
        .route("/predict", get(predict))
        .route("/fail", get(fail))
        .merge(heal.router())
        .layer(heal.http_layer());

    for path in ["/predict", "/predict", "/predict", "/fail"] {
        let request = axum::extract::Request::get(path).body(axum::body::Body::empty())?;
        let answer = app.clone().oneshot(request).await?;
        let answer = selfheal::testing::read_to_end(answer).await?;
        println!("GET {path}: {}", answer.status());
    }
    Recorder::global().model("detector", 0.94, 0.03);
    let sum: u64 = track::measure(selfheal::groups::Inference::new("batch"), || {
        (1..1_000).sum()
    });
    println!("a batch of {sum}");

    let reading = Reading::of(&heal).to_string();
    let ours = [
        "requests_total",
        "response_time",
        "error_rate",
        "cpu_usage",
        "memory_usage",
        "anomalies",
        "healing_actions",
        "ml_",
        "system_health_score",
    ];
    let lines = reading.lines().filter(|line| !line.contains("_bucket"));
    for line in lines.filter(|line| ours.iter().any(|part| line.starts_with(part))) {
        println!("{line}");
    }
    if let Some(address) = std::env::args().nth(1) {
        let listener = TcpListener::bind(&address).await?;
        println!("look at http://{address}/metrics, ask http://{address}/predict");
        axum::serve(listener, app).await?;
    }
    Ok(())
}
