//! `/siblings`: the merged metrics of several processes of one machine, such as the workers of a
//! pre-forking server.

mod ask;
mod gather;
mod merge;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, Version};

pub(super) use self::gather::Gathered;
pub use self::gather::Siblings;
use super::answer::answer;
use super::ending::{Deadline, Failure};
use super::endpoints::Endpoints;
use super::metrics;
use super::pages::{Content, Page};
use super::stream::unread;
use crate::encode::Format;

pub(super) async fn serve(
    State(endpoints): State<Endpoints>,
    method: Method,
    version: Version,
    headers: HeaderMap,
) -> Response {
    let Some(siblings) = &endpoints.siblings else {
        return answer(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "");
    };
    let deadline = Deadline::new(&headers, endpoints.scrape_timeout);
    let (format, encoding) = (Format::TEXT, metrics::encoding(&endpoints, &headers));
    if method == Method::HEAD {
        return metrics::headed(&endpoints, unread(), format, encoding);
    }
    let Some(gathered) = siblings.gather(deadline).await else {
        return metrics::refusal(Failure::Busy);
    };
    let page = Page {
        content: Content::Siblings(Arc::new(gathered)),
        format,
        encoding,
    };
    metrics::answered(&endpoints, version, deadline, &page).await
}

#[cfg(test)]
mod tests;
