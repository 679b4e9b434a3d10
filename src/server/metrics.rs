//! `/metrics`: content negotiation, and streaming of large pages.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header};

use super::answer::answer;
use super::ending::{Deadline, Failure};
use super::endpoints::Endpoints;
use super::pages::{Content, Page};
use super::stream::{streamed, unread};
use crate::encode::{Encoding, Format, Selection};

pub(super) async fn serve(
    State(endpoints): State<Endpoints>,
    method: Method,
    version: Version,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let selection = match Selection::of_query(uri.query()) {
        Ok(selection) => selection,
        Err(error) => {
            let text = format!("{error}\n");
            return answer(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", text);
        }
    };
    let page = Page {
        content: Content::Own(selection),
        format: Format::negotiate(texts(&headers, header::ACCEPT)),
        encoding: encoding(&endpoints, &headers),
    };
    if method == Method::HEAD {
        return headed(&endpoints, unread(), page.format, page.encoding);
    }
    let deadline = Deadline::new(&headers, endpoints.scrape_timeout);
    answered(&endpoints, version, deadline, &page).await
}

/// Negotiates the encoding with the scraper.
pub(super) fn encoding(endpoints: &Endpoints, headers: &HeaderMap) -> Encoding {
    if endpoints.compress {
        Encoding::negotiate(texts(headers, header::ACCEPT_ENCODING))
    } else {
        Encoding::Identity
    }
}

/// The page, complete or streamed.
pub(super) async fn answered(
    endpoints: &Endpoints,
    version: Version,
    deadline: Deadline,
    page: &Page,
) -> Response {
    // Without chunked encoding, the page ends with the connection: a client of HTTP/1.0 recognises
    // a partial page only by its length.
    let whole = version < Version::HTTP_11;
    let body = match endpoints.pages.join(&endpoints.registry, page, whole) {
        Ok(place) => streamed(Arc::clone(&endpoints.pages), place, deadline).await,
        Err(failure) => Err(failure),
    };
    match body {
        Ok(body) => headed(endpoints, body, page.format, page.encoding),
        Err(failure) => refusal(failure),
    }
}

/// A page with its headers.
pub(super) fn headed(
    endpoints: &Endpoints,
    body: Body,
    format: Format,
    encoding: Encoding,
) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if endpoints.compress {
        let vary = HeaderValue::from_static("accept, accept-encoding");
        headers.insert(header::VARY, vary);
    }
    if let Some(encoding) = encoding.content_encoding() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// The response without a page.
pub(super) fn refusal(failure: Failure) -> Response {
    let (status, text) = match failure {
        Failure::Busy | Failure::Slow => (
            StatusCode::SERVICE_UNAVAILABLE,
            "too many other scrapes are in progress; try again\n",
        ),
        Failure::Large => (
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            "the page is too long for HTTP/1.0, where a client cannot recognise a partial page; \
             use HTTP/1.1 or compression, or select families with `name[]`\n",
        ),
        Failure::Late | Failure::Gone => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the scrape would exceed its timeout; try again, or raise the timeout\n",
        ),
        Failure::Failed => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the metrics cannot be written\n",
        ),
    };
    let mut response = answer(status, "text/plain; charset=utf-8", text.to_owned());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let soon = HeaderValue::from_static("1");
        response.headers_mut().insert(header::RETRY_AFTER, soon);
    }
    response
}

/// The text values of a header; other values match nothing on offer.
fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
}
