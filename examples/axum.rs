//! An axum service that is measured, with the metrics on its own port.
//!
//! `cargo run --example axum`, then open <http://127.0.0.1:3000/metrics>. Another address is
//! the first argument.

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::response::sse::{Event, Sse};
use axum::routing::{get, post};
use futures_core::Stream;
use selfheal::Config;
use selfheal::http::{HttpNames, RouteRule};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let heal = selfheal::install(Config::new().namespace("shop"))?;

    // `heal.http_layer()` is enough; this shows the other settings.
    let layer = heal.http_layer_with(|layer| {
        layer
            .names([HttpNames::Catalog, HttpNames::OpenTelemetry])
            .request_label("plan", ["free", "paid"], |extensions| {
                extensions.get::<Plan>().map(|plan| plan.0.as_str())
            })
            .route(
                "/assets/*",
                RouteRule::new().label("assets").sample_rate(0.1),
            )
            .route("/reports/*", RouteRule::new().buckets([1.0, 10.0, 60.0]))
            .exclude("/internal/*")
    })?;

    let api = Router::new()
        .route("/orders/{id}", get(order))
        .route("/orders", post(place));
    let app = Router::new()
        .nest("/api", api)
        .route("/assets/{*file}", get(async |file: Path<String>| file.0))
        .route("/reports/{year}", get(report))
        .route("/live", get(live))
        .route("/internal/debug", get(async || "not measured"))
        .merge(heal.router()) // before the layer, so that it has the unmatched in sight
        .layer(layer)
        .layer(from_fn(know_plan)); // outside of the layer: the request label is read there

    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:3000");
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}/metrics", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// What the customer pays. A real service would take it from a session.
#[derive(Clone)]
struct Plan(String);

async fn know_plan(mut request: Request, next: Next) -> Response {
    let plan = request.headers().get("x-plan");
    if let Some(plan) = plan.and_then(|plan| plan.to_str().ok()) {
        let plan = Plan(plan.to_owned());
        request.extensions_mut().insert(plan);
    }
    next.run(request).await
}

async fn order(Path(id): Path<u32>) -> Result<String, StatusCode> {
    if id == 0 {
        return Err(StatusCode::NOT_FOUND);
    }
    Ok(format!("order {id}\n"))
}

async fn place(body: String) -> (StatusCode, String) {
    (StatusCode::CREATED, body)
}

async fn report(Path(year): Path<u16>) -> String {
    tokio::time::sleep(Duration::from_millis(200)).await;
    format!("the report of {year}\n")
}

/// Counts up once a second for as long as someone listens. Its hours are no latency: the
/// request is recorded at its headers, and then it is a session.
async fn live() -> Sse<impl Stream<Item = Result<Event, axum::Error>>> {
    let ticks = tokio::time::interval(Duration::from_secs(1));
    Sse::new(Ticks(ticks, 0))
}

struct Ticks(tokio::time::Interval, u64);

impl Stream for Ticks {
    type Item = Result<Event, axum::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_tick(cx).map(|_| {
            self.1 += 1;
            Some(Ok(Event::default().data(self.1.to_string())))
        })
    }
}
