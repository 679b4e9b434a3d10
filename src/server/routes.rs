//! The paths of the endpoints, and who answers there.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;

use super::answer::answer;
use super::endpoints::Endpoints;
use super::{api, links, metrics, page, siblings};
#[cfg(feature = "rules")]
use super::{query, webhook};
use crate::config::{Access, HEALTH_PATH, LIVENESS_PATH, READINESS_PATH};
use crate::health::{Check, Status};
use crate::util::{Printable, Unrecorded, write_json};

/// The endpoints as an axum router, to merge into an application's own or to serve by a
/// [`Listener`](super::Listener).
///
/// It has no fallback, so it can be merged into any router without the same paths;
/// [`Endpoints::at`] moves them if there is a conflict.
pub fn router<S>(endpoints: Endpoints) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let at = |path: &str| format!("{}{path}", endpoints.prefix);
    let probes = Router::new()
        .route(&at(LIVENESS_PATH), get(livez))
        .route(&at(READINESS_PATH), get(readyz));
    let metrics = Router::new().route(&at(&endpoints.metrics_path), get(metrics::serve));
    let metrics = if endpoints.siblings.is_some() {
        let merged = format!("{}siblings", endpoints.beside());
        metrics.route(&merged, get(siblings::serve))
    } else {
        metrics
    };
    let health = Router::new().route(&at(HEALTH_PATH), get(health));
    let mut page = if endpoints.prefix.is_empty() {
        Router::new().route(&endpoints.page_path, get(index))
    } else {
        let index = Router::new().route(&at(""), get(index));
        index.route(&at("/"), get(self::index))
    };
    let beside = endpoints.beside();
    for (name, media_type, content) in page::FILES {
        let file = async move || page::file(media_type, content);
        page = page.route(&format!("{beside}{name}"), get(file));
    }
    let streams = |render| {
        let live = page::Live::new(Arc::clone(&endpoints.health), render);
        get(async move || page::events(&live))
    };
    let events = streams(page::live_sections);
    page = page.route(&format!("{beside}{}", page::EVENTS), events);
    let (api, orders) = api::routes(&beside, streams(page::facts));
    // An incoming alert acts like a command.
    #[cfg(feature = "rules")]
    let orders = if endpoints.receiver.is_some() {
        orders.merge(webhook::routes(&beside))
    } else {
        orders
    };
    #[cfg(feature = "rules")]
    let (api, metrics) = if endpoints.queries.is_some() {
        let metrics = metrics.merge(query::federation(&beside));
        (api.merge(query::routes(&beside)), metrics)
    } else {
        (api, metrics)
    };
    let auth = &endpoints.auth;
    let asked = match auth {
        Some(auth) if auth.protects_probes() => Access::Credentials,
        _ => Access::Open,
    };
    let access = endpoints.access;
    let (mut open, mut closed) = (Router::new(), Router::new());
    for (routes, access) in [
        (probes, asked),
        (metrics, access.metrics),
        (health, access.health),
        (page, access.page),
        (api, access.api),
        // Commands are never open to everyone.
        (orders, Access::Credentials),
    ] {
        match access {
            Access::Credentials => closed = closed.merge(routes),
            Access::Open => open = open.merge(routes),
            Access::Off => {}
        }
    }
    if let Some(auth) = auth.clone() {
        closed = auth.cover(closed);
    }
    let recorded = endpoints.recorded;
    let routes = open.merge(closed).with_state(endpoints);
    if recorded {
        return routes;
    }
    // Only for the routes: unmatched requests belong to the application.
    routes.route_layer(from_fn(async |request: Request, next: Next| {
        let mark = Unrecorded::announce().await;
        (Extension(mark), next.run(request).await)
    }))
}

async fn health(State(endpoints): State<Endpoints>) -> Response {
    let report = endpoints.health.report();
    let status = if report.status == Status::Down {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    let mut json = Vec::new();
    match write_json(&mut json, &report) {
        Ok(()) => answer(status, "application/json", json),
        Err(error) => answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain; charset=utf-8",
            format!("the health report cannot be written: {error}\n"),
        ),
    }
}

async fn livez(State(endpoints): State<Endpoints>) -> Response {
    verdict(&endpoints.health.live())
}

async fn readyz(State(endpoints): State<Endpoints>) -> Response {
    verdict(&endpoints.health.ready())
}

fn verdict(check: &Check) -> Response {
    let (status, text) = if check.ok {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{}\n", Printable(&check.reason)),
        )
    };
    answer(status, "text/plain; charset=utf-8", text)
}

async fn index(State(endpoints): State<Endpoints>, request: Request) -> Response {
    let report = endpoints.health.report();
    let links = [
        (&*endpoints.metrics_path, "metrics"),
        (HEALTH_PATH, "health"),
        (LIVENESS_PATH, "livez"),
        (READINESS_PATH, "readyz"),
    ]
    .map(|(path, what)| {
        let path = format!("{}{path}", endpoints.prefix);
        (links::relative(&request, &path), what)
    });
    let beside = links::relative(&request, &endpoints.beside());
    let namespace = endpoints.registry.settings().namespace.clone();
    let place = page::Place {
        beside: &beside,
        links: &links,
        token: endpoints.shown_token(),
        charts: endpoints.is_queried().then_some(&*namespace),
        configuration: endpoints.configuration.as_deref(),
    };
    page::serve(&report, &place, endpoints.clock.wall())
}
