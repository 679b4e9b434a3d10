//! Answers in JSON.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::server::answer::answer;
use crate::util::write_json;

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let mut body = Vec::new();
    match write_json(&mut body, value) {
        Ok(()) => answer(status, "application/json", body),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

pub(super) fn refuse(status: StatusCode, why: &str) -> Response {
    let mut body = Vec::new();
    // Text always serializes as JSON.
    let _ = write_json(&mut body, &serde_json::json!({ "error": why }));
    answer(status, "application/json", body)
}
