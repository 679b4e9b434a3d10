//! Operator commands, through `/api/control/…`.
//!
//! A browser sends credentials with any request, even one that another site's page makes. So a
//! command is accepted only with the token given to the page itself, which no page of another
//! origin can read, and if the browser's headers do not name another origin.

use std::fmt::Write as _;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::{HeaderMap, Request, StatusCode, header};

use super::answers::{json, refuse};
use super::operator::{Details, NotDone, Operator};
use crate::config::Secret;
use crate::server::auth::Caller;

/// The header with the token.
pub(in crate::server) const TOKEN: &str = "x-selfheal-token";

/// The size limit of a command's body, in bytes.
const LONGEST: usize = 4 * 1024;

/// The state for accepting commands.
pub(in crate::server) struct Control {
    token: Secret,
    /// The token as text, for the page.
    shown: String,
}

impl Control {
    /// Creates a new token; `None` if the system has no random numbers.
    pub(in crate::server) fn new() -> Option<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok()?;
        let shown = bytes.iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Some(Self {
            token: Secret::new(&*shown),
            shown,
        })
    }

    /// The token, for clients that may read the page.
    pub(in crate::server) fn token(&self) -> &str {
        &self.shown
    }

    /// Executes the command of a request to `/api/control/VERB`.
    pub(super) async fn follow(
        &self,
        operator: &dyn Operator,
        verb: &str,
        request: Request<Body>,
    ) -> Response {
        let (head, body) = request.into_parts();
        let Some(Caller(by)) = head.extensions.get() else {
            return refuse(StatusCode::FORBIDDEN, "control needs credentials");
        };
        if !same_origin(&head.headers) {
            return refuse(
                StatusCode::FORBIDDEN,
                "this request comes from another origin",
            );
        }
        let given = head.headers.get(TOKEN).map(http::HeaderValue::as_bytes);
        if !self.token.matches(given.unwrap_or_default()) {
            return refuse(
                StatusCode::FORBIDDEN,
                "the token is missing or expired; get it from `GET /api/control` and send it as \
                 `X-Selfheal-Token`",
            );
        }
        let kind = head.headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/json") {
            let text = "send JSON, as `application/json`";
            return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, text);
        }
        let Ok(body) = to_bytes(body, LONGEST).await else {
            let text = "the command is too long or incomplete";
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, text);
        };
        let details = serde_json::from_slice::<Details>(&body);
        let details = details.map_err(|error| NotDone::Fault(error.to_string()));
        match details.and_then(|details| operator.control(verb, &details, by)) {
            Ok(()) => json(
                StatusCode::OK,
                &serde_json::json!({ "done": verb, "by": by }),
            ),
            Err(NotDone::Fault(why)) => refuse(StatusCode::BAD_REQUEST, &why),
            Err(NotDone::Refused(why)) => refuse(StatusCode::CONFLICT, &why),
        }
    }
}

/// Whether the browser's headers name this origin. Other clients send none.
fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let site = text(header::HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| site != "same-origin") {
        return false;
    }
    let Some(origin) = text(header::ORIGIN) else {
        return true;
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == text(header::HOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_origin_may_ask() {
        let same = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs.iter().map(|(name, value)| {
                (
                    header::HeaderName::from_static(name),
                    http::HeaderValue::from_static(value),
                )
            });
            same_origin(&headers.collect())
        };
        assert!(same(&[("host", "shop:9898")]), "no browser");
        assert!(same(&[
            ("host", "shop:9898"),
            ("origin", "http://shop:9898"),
            ("sec-fetch-site", "same-origin")
        ]));
        for evil in ["http://evil", "null", "http://shop", "shop:9898", ""] {
            assert!(!same(&[("host", "shop:9898"), ("origin", evil)]), "{evil}");
        }
        for site in ["cross-site", "same-site", "none"] {
            assert!(!same(&[("host", "shop:9898"), ("sec-fetch-site", site)]));
        }
    }

    #[test]
    fn each_process_has_a_token_of_its_own() {
        let (one, other) = (Control::new().unwrap(), Control::new().unwrap());
        assert_ne!(one.token(), other.token());
        assert_eq!(one.token().len(), 64);
    }
}
