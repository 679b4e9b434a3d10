//! The envelope of an answer: success, or the error.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::promql::QueryError;
use crate::server::answer::answer;

/// The error of a query.
pub(in crate::server) struct Fault {
    pub(super) status: StatusCode,
    pub(super) text: String,
}

impl Fault {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { status, text }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
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
pub(super) fn success(data: impl Into<Value>) -> Response {
    let body = json!({ "status": "success", "data": data.into() });
    answer(StatusCode::OK, "application/json", body.to_string())
}
