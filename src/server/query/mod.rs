//! The read-only query API of Prometheus over the history of this process, for `promtool`,
//! Grafana's data source and scripts.
//!
//! It is below the page: the URL for Grafana is that of the page, `http://127.0.0.1:9898` or
//! `http://shop/selfheal`. Parameters come in the URL or, by POST, as a form. Two queries are
//! evaluated at a time and eight are queued; further ones get 503 and `Retry-After`.

mod federate;
mod params;
mod render;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::params::Params;
use super::routes::{Endpoints, answer};
use crate::catalog::Unit;
use crate::promql::{
    LabelSet, METRIC_NAME, Query, QueryError, QueryOptions, QueryRange, Queryable,
};
use crate::rules::GroupStatus;

/// The limit of queries evaluated at a time, since each takes a processor.
const AT_ONCE: usize = 2;

/// The limit of queued queries, and of their wait.
const WAITING: usize = 8;
const PATIENCE: Duration = Duration::from_secs(5);

/// The limit of series, labels and values in a response.
const LISTED: usize = 10_000;

/// The source of the query endpoints: the series of this process, and its rules.
///
/// [`Selfheal`](crate::Selfheal) provides one. Series are read on threads that may block.
pub trait QuerySource: Queryable + Send + Sync + 'static {
    /// The loaded groups of rules, with their state. Default: none.
    fn groups(&self) -> Arc<[GroupStatus]> {
        Arc::default()
    }
}

/// State shared by all query endpoints of a router.
pub(super) struct Queries {
    source: Arc<dyn QuerySource>,
    turns: Arc<Semaphore>,
    waiting: Mutex<usize>,
}

impl Queries {
    pub(super) fn new(source: impl QuerySource) -> Arc<Self> {
        Arc::new(Self {
            source: Arc::new(source),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Mutex::new(0),
        })
    }

    /// Runs CPU-bound work when it is its turn.
    async fn in_turn<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&dyn QuerySource) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let busy = || Fault::new(StatusCode::SERVICE_UNAVAILABLE, "too many queries at once");
        let waits = Waits::enter(self).ok_or_else(busy)?;
        let turn = timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        drop(waits);
        let turn = turn.ok().and_then(Result::ok).ok_or_else(busy)?;
        let source = Arc::clone(&self.source);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(source.as_ref())
        });
        let failed = |_| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the query failed");
        done.await.map_err(failed)
    }
}

/// A queued query, until it is dropped.
struct Waits<'a>(&'a Queries);

impl<'a> Waits<'a> {
    fn enter(queries: &'a Queries) -> Option<Self> {
        let mut waiting = queries.waiting.lock();
        if *waiting >= WAITING {
            return None;
        }
        *waiting += 1;
        Some(Self(queries))
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        *self.0.waiting.lock() -= 1;
    }
}

/// The route for other Prometheus servers, with the prefix `beside`.
pub(super) fn federation(beside: &str) -> Router<Endpoints> {
    Router::new().route(&format!("{beside}federate"), get(federate::federate))
}

/// The routes, with `beside` as the prefix of each path.
pub(super) fn routes(beside: &str) -> Router<Endpoints> {
    let at = |path: &str| format!("{beside}api/v1/{path}");
    Router::new()
        .route(&at("query"), get(query).post(query))
        .route(&at("query_range"), get(query_range).post(query_range))
        .route(&at("series"), get(series).post(series))
        .route(&at("labels"), get(labels).post(labels))
        .route(&at("label/{name}/values"), get(values))
        .route(&at("metadata"), get(metadata))
        .route(&at("rules"), get(rules::rules))
        .route(&at("alerts"), get(rules::alerts))
        .route(&at("status/buildinfo"), get(build_info))
}

/// The error of a query.
pub(super) struct Fault {
    status: StatusCode,
    text: String,
}

impl Fault {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { status, text }
    }

    fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// The error type in Prometheus' API.
    fn kind(&self) -> &'static str {
        match self.status {
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => "bad_data",
            StatusCode::UNPROCESSABLE_ENTITY => "execution",
            StatusCode::SERVICE_UNAVAILABLE => "timeout",
            StatusCode::NOT_FOUND => "not_found",
            _ => "internal",
        }
    }
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        let status = match &error {
            QueryError::Syntax { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = json!({
            "status": "error",
            "errorType": self.kind(),
            "error": self.text,
        });
        let mut response = answer(self.status, "application/json", body.to_string());
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let soon = HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, soon);
        }
        response
    }
}

/// A successful response in Prometheus' envelope.
fn success(data: impl Into<Value>) -> Response {
    let body = json!({ "status": "success", "data": data.into() });
    answer(StatusCode::OK, "application/json", body.to_string())
}

fn queries(endpoints: &Endpoints) -> Result<&Arc<Queries>, Fault> {
    let none = "no recent past of the metrics is kept here";
    let none = || Fault::new(StatusCode::NOT_FOUND, none);
    endpoints.queries.as_ref().ok_or_else(none)
}

fn options(params: &Params) -> Result<QueryOptions, Fault> {
    let mut options = QueryOptions::default();
    if let Some(limit) = params.duration("timeout")? {
        options.timeout = options.timeout.min(limit);
    }
    if let Some(lookback) = params.duration("lookback_delta")? {
        options.lookback = lookback;
    }
    Ok(options)
}

async fn query(
    State(endpoints): State<Endpoints>,
    request: Request<Body>,
) -> Result<Response, Fault> {
    let params = Params::read(request).await?;
    let query = Query::parse(params.needed("query")?)?;
    let now = params::millis(endpoints.clock.wall());
    let time = params.time("time")?.unwrap_or(now);
    let (options, limit) = (options(&params)?, params.limit()?);
    let queries = queries(&endpoints)?;
    let answer = queries.in_turn(move |source| query.instant(source, time, &options));
    Ok(render::answer(&answer.await??, time, limit))
}

async fn query_range(
    State(endpoints): State<Endpoints>,
    request: Request<Body>,
) -> Result<Response, Fault> {
    let params = Params::read(request).await?;
    let query = Query::parse(params.needed("query")?)?;
    let needed = |name: &str| {
        let time = params.time(name)?;
        time.ok_or_else(|| Fault::bad(format!("`{name}` is missing")))
    };
    let (start, end) = (needed("start")?, needed("end")?);
    let step = params.duration("step")?.unwrap_or_default().as_millis();
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    if step == 0 {
        return Err(Fault::bad("`step` is to be longer than zero"));
    }
    if end < start {
        return Err(Fault::bad("`end` is before `start`"));
    }
    let (options, limit) = (options(&params)?, params.limit()?);
    if (end.saturating_sub(start)) / step >= i64::try_from(options.max_steps).unwrap_or(i64::MAX) {
        return Err(Fault::bad(format!(
            "more than {} points for each series; choose a longer `step`",
            options.max_steps
        )));
    }
    let queries = queries(&endpoints)?;
    let range = QueryRange { start, end, step };
    let answer = queries.in_turn(move |source| query.range(source, range, &options));
    Ok(render::answer(&answer.await??, end, limit))
}

/// The matching label sets, sorted, without duplicates.
async fn found(endpoints: &Endpoints, params: &Params) -> Result<Vec<LabelSet>, Fault> {
    let selections = params.selections(params::millis(endpoints.clock.wall()))?;
    let found = queries(endpoints)?.in_turn(move |source| {
        let mut found = BTreeSet::new();
        for selection in &selections {
            source.select(selection, &mut |series| {
                found.insert(series.labels);
                if found.len() < LISTED {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(found)
    });
    let internal = |error: Box<dyn std::error::Error + Send + Sync>| {
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    };
    Ok(found.await?.map_err(internal)?.into_iter().collect())
}

async fn series(
    State(endpoints): State<Endpoints>,
    request: Request<Body>,
) -> Result<Response, Fault> {
    let params = Params::read(request).await?;
    if params.all("match[]").next().is_none() {
        return Err(Fault::bad("no `match[]` is given"));
    }
    let mut found = found(&endpoints, &params).await?;
    found.truncate(params.limit()?);
    Ok(success(
        found.iter().map(render::labels).collect::<Vec<_>>(),
    ))
}

async fn labels(
    State(endpoints): State<Endpoints>,
    request: Request<Body>,
) -> Result<Response, Fault> {
    let params = Params::read(request).await?;
    let found = found(&endpoints, &params).await?;
    let names: BTreeSet<&str> = found
        .iter()
        .flat_map(LabelSet::iter)
        .map(|(name, _)| name)
        .collect();
    let names: Vec<_> = names.into_iter().take(params.limit()?).collect();
    Ok(success(names))
}

async fn values(
    State(endpoints): State<Endpoints>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Result<Response, Fault> {
    let params = Params::read(request).await?;
    let found = found(&endpoints, &params).await?;
    let values: BTreeSet<&str> = found
        .iter()
        .filter_map(|labels| labels.get(&name))
        .collect();
    let values: Vec<_> = values.into_iter().take(params.limit()?).collect();
    Ok(success(values))
}

/// The type, help and unit of each declared metric, by name.
async fn metadata(
    State(endpoints): State<Endpoints>,
    request: Request<Body>,
) -> Result<Response, Fault> {
    let params = Params::read(request).await?;
    let (wanted, limit) = (params.get("metric"), params.limit()?);
    let namespace = endpoints.registry.settings().namespace.clone();
    let mut all = BTreeMap::new();
    for def in endpoints.registry.catalog() {
        let name = match namespace.as_str() {
            namespace if def.namespaced && !namespace.is_empty() => {
                format!("{namespace}_{}", def.name)
            }
            _ => def.name.to_string(),
        };
        if wanted.is_none_or(|wanted| wanted == name) && all.len() < limit {
            let unit = def.unit.map_or("", Unit::as_str);
            let known = json!([{ "type": def.kind.as_openmetrics(), "help": def.help.as_ref(), "unit": unit }]);
            all.insert(name, known);
        }
    }
    Ok(success(json!(all)))
}

/// The Prometheus version of this query API, which Grafana reads.
async fn build_info() -> Response {
    success(json!({
        "version": "3.5.0",
        "application": "selfheal",
        "revision": env!("CARGO_PKG_VERSION"),
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
        "features": {},
    }))
}

/// The label that every series has.
const ANY: &str = METRIC_NAME;

#[cfg(test)]
mod tests;
