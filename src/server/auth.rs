use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::config::{BasicAuth, Secret};

/// Who may read the endpoints. Where both kinds of credentials are set, either will do.
/// Secrets are compared in constant time and never shown.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is protected until `protect` is called"]
pub struct Auth {
    basic: Option<BasicAuth>,
    bearer: Option<Secret>,
}

impl Auth {
    /// Nobody has credentials: nobody is let in, until some are set.
    pub fn new() -> Self {
        Self::default()
    }

    /// HTTP basic authentication, as `basic_auth` in Prometheus' scrape configuration.
    /// Default: none.
    pub fn basic(mut self, credentials: BasicAuth) -> Self {
        self.basic = Some(credentials);
        self
    }

    /// A bearer token, as `authorization` in Prometheus' scrape configuration. Default: none.
    pub fn bearer(mut self, token: Secret) -> Self {
        self.bearer = Some(token);
        self
    }

    /// Puts the check in front of every route of `router` and of its fallback.
    pub fn protect(self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self, check))
    }

    fn allows(&self, headers: &HeaderMap) -> bool {
        let Some(given) = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
        else {
            return false;
        };
        let Some((scheme, credentials)) = given.split_once(' ') else {
            return false;
        };
        let credentials = credentials.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            let known = self.bearer.as_ref();
            return known.is_some_and(|token| token.matches(credentials.as_bytes()));
        }
        let Some(known) = self
            .basic
            .as_ref()
            .filter(|_| scheme.eq_ignore_ascii_case("basic"))
        else {
            return false;
        };
        let decoded = STANDARD.decode(credentials).unwrap_or_default();
        let mut parts = decoded.splitn(2, |byte| *byte == b':');
        match (parts.next(), parts.next()) {
            (Some(username), Some(password)) => known.matches(username, password),
            _ => false,
        }
    }

    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static(if self.basic.is_some() {
            "Basic realm=\"selfheal\", charset=\"UTF-8\""
        } else {
            "Bearer realm=\"selfheal\""
        })
    }
}

async fn check(State(auth): State<Auth>, request: Request, next: Next) -> Response {
    if auth.allows(request.headers()) {
        return next.run(request).await;
    }
    let headers = [(header::WWW_AUTHENTICATE, auth.challenge())];
    (
        StatusCode::UNAUTHORIZED,
        headers,
        "credentials are missing or wrong\n",
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(auth: &Auth, authorization: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        auth.allows(&headers)
    }

    #[test]
    fn basic_takes_name_and_password_together() {
        let known = BasicAuth {
            username: "prometheus".to_owned(),
            password: Secret::new("a:b"),
        };
        let auth = Auth::new().basic(known);
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert!(allows(&auth, &header("prometheus:a:b")));
        for wrong in ["prometheus:a", "other:a:b", "prometheus", ":", ""] {
            assert!(!allows(&auth, &header(wrong)), "{wrong}");
        }
        assert!(!allows(&auth, "Basic %%%"));
        assert!(!auth.allows(&HeaderMap::new()));
    }

    #[test]
    fn bearer_takes_the_token_and_does_not_show_it() {
        let auth = Auth::new().bearer(Secret::new("t0ken"));
        assert!(allows(&auth, "bearer t0ken"));
        assert!(!allows(&auth, "Bearer t0ke") && !allows(&auth, "Basic t0ken"));
        assert!(!format!("{auth:?}").contains("t0ken"));
    }

    #[test]
    fn without_known_credentials_nobody_is_let_in() {
        assert!(!allows(&Auth::new(), "Bearer ") && !allows(&Auth::new(), "Basic Og=="));
    }
}
