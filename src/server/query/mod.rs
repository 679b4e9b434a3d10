//! The read-only query API of Prometheus over the history of this process, for `promtool`,
//! Grafana's data source and scripts.
//!
//! It is below the page: the URL for Grafana is that of the page, `http://127.0.0.1:9898` or
//! `http://shop/selfheal`. Parameters come in the URL or, by POST, as a form. Two queries are
//! evaluated at a time and eight are queued; further ones get 503 and `Retry-After`.

mod fault;
mod federate;
mod params;
mod render;
mod rules;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde_json::json;

use self::fault::{Fault, success};
use self::params::{LISTED, Params};
pub(super) use self::source::Queries;
pub use self::source::QuerySource;
use super::endpoints::Endpoints;
use crate::catalog::Unit;
use crate::promql::{LabelSet, Query, QueryOptions, QueryRange};
use crate::util::{millis, unix_millis};

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

async fn query(State(endpoints): State<Endpoints>, params: Params) -> Result<Response, Fault> {
    let query = Query::parse(params.needed("query")?)?;
    let now = unix_millis(endpoints.clock.wall());
    let time = params.time("time")?.unwrap_or(now);
    let (options, limit) = (options(&params)?, params.limit()?);
    let queries = Queries::of(endpoints.queries.as_ref())?;
    let answer = queries.in_turn(move |source| query.instant(source, time, &options));
    Ok(render::answer(&answer.await??, time, limit))
}

async fn query_range(
    State(endpoints): State<Endpoints>,
    params: Params,
) -> Result<Response, Fault> {
    let query = Query::parse(params.needed("query")?)?;
    let needed = |name: &str| {
        let time = params.time(name)?;
        time.ok_or_else(|| Fault::bad(format!("`{name}` is missing")))
    };
    let (start, end) = (needed("start")?, needed("end")?);
    let step = millis(params.duration("step")?.unwrap_or_default());
    if step == 0 {
        return Err(Fault::bad("`step` must be above zero"));
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
    let queries = Queries::of(endpoints.queries.as_ref())?;
    let range = QueryRange { start, end, step };
    let answer = queries.in_turn(move |source| query.range(source, range, &options));
    Ok(render::answer(&answer.await??, end, limit))
}

/// The matching label sets, sorted, without duplicates.
async fn found(endpoints: &Endpoints, params: &Params) -> Result<Vec<LabelSet>, Fault> {
    let selections = params.selections(unix_millis(endpoints.clock.wall()))?;
    let found = Queries::of(endpoints.queries.as_ref())?.in_turn(move |source| {
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

async fn series(State(endpoints): State<Endpoints>, params: Params) -> Result<Response, Fault> {
    if params.all("match[]").next().is_none() {
        return Err(Fault::bad("no `match[]` is given"));
    }
    let mut found = found(&endpoints, &params).await?;
    found.truncate(params.limit()?);
    Ok(success(
        found.iter().map(render::labels).collect::<Vec<_>>(),
    ))
}

async fn labels(State(endpoints): State<Endpoints>, params: Params) -> Result<Response, Fault> {
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
    params: Params,
) -> Result<Response, Fault> {
    let found = found(&endpoints, &params).await?;
    let values: BTreeSet<&str> = found
        .iter()
        .filter_map(|labels| labels.get(&name))
        .collect();
    let values: Vec<_> = values.into_iter().take(params.limit()?).collect();
    Ok(success(values))
}

/// The type, help and unit of each declared metric, by name.
async fn metadata(State(endpoints): State<Endpoints>, params: Params) -> Result<Response, Fault> {
    let (wanted, limit) = (params.get("metric"), params.limit()?);
    let settings = endpoints.registry.settings();
    let mut all = BTreeMap::new();
    for def in endpoints.registry.catalog() {
        let name = def.name_in(&settings.namespace).into_owned();
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

#[cfg(test)]
mod tests;
