//! `/metrics`: a scrape, negotiated, and streamed where it is large.

use std::io::{self, Write};

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};

use super::routes::{Endpoints, answer};
use super::stream::{Chunks, streamed, unread};
use super::turns::Failure;
use crate::encode::{Encoding, Format, Selection, encode};
use crate::registry::Registry;

/// Beyond so many series a scrape takes longer than other requests on the same thread should
/// wait (about half a millisecond), and moves to a thread where it may.
const LARGE: usize = 5_000;

pub(super) async fn serve(
    State(endpoints): State<Endpoints>,
    method: Method,
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
        selection,
        format: Format::negotiate(texts(&headers, header::ACCEPT)),
        encoding: if endpoints.compress {
            Encoding::negotiate(texts(&headers, header::ACCEPT_ENCODING))
        } else {
            Encoding::Identity
        },
    };
    let (format, encoding) = (page.format, page.encoding);
    let body = if method == Method::HEAD {
        Ok(unread())
    } else {
        body(&endpoints, &headers, page).await
    };
    let mut response = match body {
        Ok(body) => body.into_response(),
        Err(failure) => return refusal(failure),
    };
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

/// What a scraper asks for.
struct Page {
    selection: Selection,
    format: Format,
    encoding: Encoding,
}

impl Page {
    fn write(&self, registry: &Registry, out: impl Write) -> io::Result<()> {
        let scrape = self.selection.scrape(registry, self.format);
        encode(&scrape, self.format, self.encoding, out).map(|_| ())
    }
}

/// The page, whole or about to be streamed.
async fn body(endpoints: &Endpoints, headers: &HeaderMap, page: Page) -> Result<Body, Failure> {
    let turns = &endpoints.turns;
    let mut ending = turns.ending();
    let deadline = turns.deadline(headers);
    let turn = turns.take(deadline).await;
    let turn = turn.map_err(|failure| ending.failed(failure))?;
    if endpoints.registry.series() > LARGE {
        let registry = endpoints.registry.clone();
        let write = move |out: &mut Chunks| page.write(&registry, out);
        return streamed(write, (turn, ending), deadline).await;
    }
    let mut out = Vec::new();
    match page.write(&endpoints.registry, &mut out) {
        Ok(()) => {
            ending.whole();
            Ok(Body::from(out))
        }
        Err(_) => Err(ending.failed(Failure::Failed)),
    }
}

fn refusal(failure: Failure) -> Response {
    let (status, text) = match failure {
        Failure::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "other scrapes are under way and left no turn for this one; try again\n",
        ),
        Failure::Late | Failure::Gone => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the scrape would take longer than it may; try again, or allow it more time\n",
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

/// The values of a header that are text; anything else asks for nothing that we offer.
fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
}
