//! The content of the page as JSON, and operator commands.
//!
//! Every path is described in [`openapi.json`](OPENAPI), which is served beside them.

mod answers;
mod control;
mod operator;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use http::{Request, StatusCode};
use serde::Deserialize;

use self::answers::{json, refuse};
pub(super) use self::control::Control;
pub use self::operator::{Details, NotDone, Operator};
use super::answer::answer;
use super::endpoints::Endpoints;

/// The OpenAPI description of the endpoints below `/api`.
const OPENAPI: &str = include_str!("openapi.json");

/// The limit of records in a response.
const MOST: usize = 1_000;

/// The routes to read, and those of commands, with `beside` as the prefix of each path. `events`
/// streams the changes of the status.
pub(super) fn routes(
    beside: &str,
    events: MethodRouter<Endpoints>,
) -> (Router<Endpoints>, Router<Endpoints>) {
    let at = |path: &str| format!("{beside}api/{path}");
    let orders = Router::new()
        .route(&at("control"), get(token))
        .route(&at("control/{verb}"), post(order));
    let read = Router::new()
        .route(&at("status"), get(status))
        .route(&at("events"), events)
        .route(&at("issues"), get(issues))
        .route(&at("explain/{component}/{issue_type}"), get(explain))
        .route(&at("history"), get(history))
        .route(
            &at("openapi.json"),
            get(async || answer(StatusCode::OK, "application/json", OPENAPI)),
        );
    (read, orders)
}

async fn status(State(endpoints): State<Endpoints>) -> Response {
    json(StatusCode::OK, &endpoints.health.report())
}

async fn issues(State(endpoints): State<Endpoints>) -> Response {
    json(StatusCode::OK, &endpoints.health.report().open)
}

async fn explain(
    State(endpoints): State<Endpoints>,
    Path((component, issue_type)): Path<(String, String)>,
) -> Response {
    let operator = endpoints.operator.as_ref();
    match operator.and_then(|operator| operator.explain(&component, &issue_type)) {
        Some(explained) => answer(StatusCode::OK, "application/json", explained),
        None => refuse(
            StatusCode::NOT_FOUND,
            "there is no open issue with this key",
        ),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    component: Option<String>,
    limit: Option<usize>,
}

async fn history(
    State(endpoints): State<Endpoints>,
    Query(query): Query<HistoryQuery>,
) -> Response {
    let most = query.limit.unwrap_or(100).min(MOST);
    let operator = endpoints.operator.as_ref();
    let records = operator.map(|operator| operator.history(query.component.as_deref(), most));
    let records = records.unwrap_or_default();
    // Each is JSON already.
    let body = format!("[{}]", records.join(","));
    answer(StatusCode::OK, "application/json", body)
}

async fn token(State(endpoints): State<Endpoints>) -> Response {
    match &endpoints.control {
        Some(control) => json(
            StatusCode::OK,
            &serde_json::json!({
                "token": control.token(),
                "verbs": endpoints.operator.as_deref().map_or(&[][..], Operator::verbs),
            }),
        ),
        None => switched_off(),
    }
}

async fn order(
    State(endpoints): State<Endpoints>,
    Path(verb): Path<String>,
    request: Request<Body>,
) -> Response {
    match (&endpoints.control, &endpoints.operator) {
        (Some(control), Some(operator)) => control.follow(operator.as_ref(), &verb, request).await,
        _ => switched_off(),
    }
}

fn switched_off() -> Response {
    refuse(
        StatusCode::FORBIDDEN,
        "control is disabled; set `server.control = true` and credentials",
    )
}

#[cfg(test)]
mod tests;
