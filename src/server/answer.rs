//! The common part of all answers of the endpoints.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

/// A response that is not cached, and whose type browsers do not guess.
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
