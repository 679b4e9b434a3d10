use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::{HeaderValue, StatusCode, header};

use super::turns::Turns;
use super::{metrics, page};
use crate::config::{HEALTH_PATH, LIVENESS_PATH, READINESS_PATH};
use crate::health::{Check, Source, Status};
use crate::registry::Registry;
use crate::util::{Clock, Printable, Unrecorded, write_json};

/// What the endpoints show, and where.
#[derive(Clone)]
pub struct Endpoints {
    pub(super) registry: Registry,
    health: Arc<dyn Source>,
    clock: Clock,
    metrics_path: String,
    pub(super) compress: bool,
    pub(super) turns: Turns,
    recorded: bool,
}

impl Endpoints {
    /// Endpoints for a registry and a source of health reports.
    #[must_use]
    pub fn new(registry: Registry, health: impl Source) -> Self {
        Self {
            turns: Turns::new(&registry),
            registry,
            health: Arc::new(health),
            clock: Clock::system(),
            metrics_path: "/metrics".to_owned(),
            compress: true,
            recorded: false,
        }
    }

    /// Sets the path of the metrics. Default: `/metrics`. A path that does not start with a
    /// slash gets one; the path of another endpoint is left alone and `/metrics` stays.
    #[must_use]
    pub fn metrics_path(mut self, path: &str) -> Self {
        let path = format!("/{}", path.trim_start_matches('/'));
        let plain = path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/_-.~".contains(&b));
        if plain && ![HEALTH_PATH, LIVENESS_PATH, READINESS_PATH, "/"].contains(&path.as_str()) {
            self.metrics_path = path;
        }
        self
    }

    /// Whether a scrape is compressed when the scraper asks for it. Default: yes.
    #[must_use]
    pub fn compress(mut self, compress: bool) -> Self {
        self.compress = compress;
        self
    }

    /// Sets the longest that a scrape may take, from the request to the last byte. A scraper
    /// that says that it waits for less gets less. Default: 10 s, which is how long Prometheus
    /// waits.
    #[must_use]
    pub fn scrape_timeout(mut self, limit: Duration) -> Self {
        self.turns.limit = limit;
        self
    }

    /// Whether the HTTP layer of an application that merges or nests the router records requests
    /// to it, too. Default: no; its responses say that they are
    /// [`Unrecorded`](crate::util::Unrecorded).
    #[must_use]
    pub fn recorded(mut self, recorded: bool) -> Self {
        self.recorded = recorded;
        self
    }

    /// Sets the clock by which the page says how long ago something was.
    /// Default: that of the system.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints")
            .field("registry", &self.registry)
            .field("metrics_path", &self.metrics_path)
            .field("compress", &self.compress)
            .finish_non_exhaustive()
    }
}

/// The endpoints as an axum router, to be merged into an application's own or served by a
/// [`Listener`](super::Listener).
pub fn router<S>(endpoints: Endpoints) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let recorded = endpoints.recorded;
    let routes = Router::new()
        .route(&endpoints.metrics_path, get(metrics::serve))
        .route(HEALTH_PATH, get(health))
        .route(LIVENESS_PATH, get(livez))
        .route(READINESS_PATH, get(readyz))
        .route("/", get(index))
        .with_state(endpoints);
    if recorded {
        return routes;
    }
    // Of the routes alone: what matches none of them is the application's.
    routes.route_layer(map_response(async |response: Response| {
        (Extension(Unrecorded), response)
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

async fn index(State(endpoints): State<Endpoints>) -> Response {
    let report = endpoints.health.report();
    let links = [
        (endpoints.metrics_path.as_str(), "metrics"),
        (HEALTH_PATH, "health"),
        (LIVENESS_PATH, "livez"),
        (READINESS_PATH, "readyz"),
    ];
    let page = page::render(&report, &links, endpoints.clock.wall());
    let mut response = answer(StatusCode::OK, "text/html; charset=utf-8", page);
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    );
    response
}

/// An answer that no cache keeps and no browser takes for something else.
pub(super) fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl IntoResponse,
) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, body).into_response()
}
