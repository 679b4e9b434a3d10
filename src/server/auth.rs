use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::config::{BasicAuth, LIVENESS_PATH, READINESS_PATH, Secret};
use crate::registry::{Counter, Registry};

/// The interval of responses to unauthenticated requests, after the first [`AT_ONCE`].
const PACE: Duration = Duration::from_millis(100);
const AT_ONCE: u32 = 10;

/// The longest delay of such a response; later ones get 429 at once. With the interval, this bounds
/// the number waiting.
const PATIENCE: Duration = Duration::from_secs(2);

/// The credentials that the endpoints require. If both kinds are set, either is accepted. Secrets
/// are compared in constant time and never shown.
///
/// `/livez` and `/readyz` require none, unless [`protect_probes`](Self::protect_probes) is set:
/// probes seldom have credentials, and these endpoints reveal only a yes or no.
///
/// Missing or wrong credentials get 401: the first ten at once, then ten per second, each delayed
/// by at most 2 s; further ones get 429 with `Retry-After`. All clones share this rate. Right
/// credentials are never delayed, though a password known only by its hash must first succeed once;
/// guesses are hashed on a blocking thread, one at a time and within the rate. This makes guessing
/// visible, not impossible: use a long random token.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is protected until `protect` or `Endpoints::auth` is called"]
pub struct Auth {
    basic: Option<BasicAuth>,
    bearer: Option<Secret>,
    protect_probes: bool,
    refused: Option<Counter>,
    /// When the next refusal is due, not counting [`AT_ONCE`].
    due: Arc<Mutex<Option<Instant>>>,
    /// The password that last matched the hash, so that not every scrape computes a hash.
    found: Arc<Mutex<Option<Secret>>>,
    /// Only one hash is computed at a time.
    hashing: Arc<tokio::sync::Mutex<()>>,
}

impl Auth {
    /// Creates it without credentials: all requests are refused until some are set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets credentials of HTTP basic authentication, as `basic_auth` in Prometheus' scrape
    /// configuration. Default: none.
    pub fn basic(mut self, credentials: BasicAuth) -> Self {
        self.basic = Some(credentials);
        self
    }

    /// Sets a bearer token, as `authorization` in Prometheus' scrape configuration. Default: none.
    pub fn bearer(mut self, token: Secret) -> Self {
        self.bearer = Some(token);
        self
    }

    /// Whether `/livez` and `/readyz` require credentials too. Default: no.
    pub fn protect_probes(mut self, protect: bool) -> Self {
        self.protect_probes = protect;
        self
    }

    /// Counts unauthenticated requests in `selfheal_unauthorized_total` of `registry`. Default: not
    /// counted.
    pub fn counted(mut self, registry: &Registry) -> Self {
        let refused = registry.counter(
            "selfheal_unauthorized_total",
            "Requests to the endpoints whose credentials were missing or wrong",
        );
        // Nothing is counted if the application has another metric of that name.
        self.refused = refused.build().ok();
        self
    }

    /// Adds the check to every route of `router` except the probes, and to its fallback.
    pub fn protect(self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self, check_path))
    }

    /// Whether probes require credentials too.
    pub(super) fn protects_probes(&self) -> bool {
        self.protect_probes
    }

    /// Adds the check to `routes`, wherever they are mounted later.
    pub(super) fn cover<S>(self, routes: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        routes.route_layer(middleware::from_fn_with_state(self, check))
    }

    /// Checks the credentials of a request as far as possible without hashing.
    fn caller(&self, headers: &HeaderMap) -> Option<Known> {
        let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, credentials) = given.split_once(' ')?;
        let credentials = credentials.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            let known = self.bearer.as_ref()?;
            let right = known.matches(credentials.as_bytes());
            return right.then(|| Known::Right(Caller("bearer token".to_owned())));
        }
        let known = self.basic.as_ref();
        let known = known.filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let decoded = STANDARD.decode(credentials).unwrap_or_default();
        let mut parts = decoded.splitn(2, |byte| *byte == b':');
        let (name, password) = (parts.next()?, parts.next()?);
        let caller = Caller(known.username.clone());
        let right = if known.hash().is_none() {
            known.matches(name, password)
        } else {
            let found = self.found.lock().clone();
            // Takes as long as the guess requires, whatever it is compared with.
            let same = found.unwrap_or_default().matches(&decoded);
            if !same {
                let guess = String::from_utf8(decoded).ok()?;
                return Some(Known::Guess(guess));
            }
            same
        };
        right.then_some(Known::Right(caller))
    }

    /// Whether a guess is right: name, colon and password.
    async fn is_right(&self, guess: String) -> Option<Caller> {
        let known = self.basic.clone()?;
        let caller = Caller(known.username.clone());
        let hashing = self.hashing.lock().await;
        let secret = Secret::new(guess.as_str());
        let right = tokio::task::spawn_blocking(move || {
            let (name, password) = guess.split_once(':')?;
            known
                .matches(name.as_bytes(), password.as_bytes())
                .then_some(())
        });
        right.await.ok().flatten()?;
        drop(hashing);
        *self.found.lock() = Some(secret);
        Some(caller)
    }

    fn covers(&self, path: &str) -> bool {
        self.protect_probes || ![LIVENESS_PATH, READINESS_PATH].contains(&path)
    }

    /// The delay of a refusal that is due now; `None` if too many are waiting.
    fn delay(&self, now: Instant) -> Option<Duration> {
        let mut due = self.due.lock();
        let next = due.map_or(now, |due| due.max(now)) + PACE;
        let delay = (next - now).saturating_sub(PACE * AT_ONCE);
        if delay > PATIENCE {
            return None;
        }
        *due = Some(next);
        Some(delay)
    }

    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static(if self.basic.is_some() {
            "Basic realm=\"selfheal\", charset=\"UTF-8\""
        } else {
            "Bearer realm=\"selfheal\""
        })
    }
}

/// The result of checking credentials without hashing.
enum Known {
    /// They are right.
    Right(Caller),
    /// Name, colon and password, whose hash must be computed.
    Guess(String),
}

/// The user of a request's credentials.
#[derive(Clone, Debug)]
pub(super) struct Caller(pub(super) String);

async fn check_path(auth: State<Auth>, request: Request, next: Next) -> Response {
    if auth.covers(request.uri().path()) {
        return check(auth, request, next).await;
    }
    next.run(request).await
}

async fn check(State(auth): State<Auth>, mut request: Request, next: Next) -> Response {
    let guess = match auth.caller(request.headers()) {
        Some(Known::Right(caller)) => {
            request.extensions_mut().insert(caller);
            return next.run(request).await;
        }
        Some(Known::Guess(guess)) => Some(guess),
        None => None,
    };
    let refuse = || {
        if let Some(refused) = &auth.refused {
            refused.inc();
        }
    };
    let Some(delay) = auth.delay(Instant::now()) else {
        refuse();
        let headers = [(header::RETRY_AFTER, PATIENCE.as_secs().to_string())];
        let text = "too many requests without credentials; try again with them\n";
        return (StatusCode::TOO_MANY_REQUESTS, headers, text).into_response();
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if let Some(guess) = guess
        && let Some(caller) = auth.is_right(guess).await
    {
        request.extensions_mut().insert(caller);
        return next.run(request).await;
    }
    refuse();
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
        matches!(auth.caller(&headers), Some(Known::Right(_)))
    }

    /// The hash is computed once, off the worker; then the password is known.
    #[cfg(feature = "bcrypt")]
    #[tokio::test(start_paused = true)]
    async fn a_hash_is_computed_for_a_guess_and_not_for_each_request() {
        let known = BasicAuth {
            username: "prometheus".to_owned(),
            password: Secret::new(bcrypt::hash("a:b", 4).unwrap()),
        };
        let auth = Auth::new().basic(known);
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert!(
            !allows(&auth, &header("prometheus:a:b")),
            "not known so far"
        );
        for wrong in ["prometheus:a", "other:a:b"] {
            assert!(auth.is_right(wrong.to_owned()).await.is_none(), "{wrong}");
        }
        assert!(auth.is_right("prometheus:a:b".to_owned()).await.is_some());
        assert!(allows(&auth, &header("prometheus:a:b")));
        for wrong in ["prometheus:a", "other:a:b", "prometheus", ":", ""] {
            assert!(!allows(&auth, &header(wrong)), "{wrong}");
        }
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
        assert!(auth.caller(&HeaderMap::new()).is_none());
    }

    #[test]
    fn bearer_takes_the_token_and_does_not_show_it() {
        let auth = Auth::new().bearer(Secret::new("t0ken"));
        assert!(allows(&auth, "bearer t0ken"));
        assert!(!allows(&auth, "Bearer t0ke") && !allows(&auth, "Basic t0ken"));
        assert!(!format!("{auth:?}").contains("t0ken"));
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_keep_a_pace_and_few_wait() {
        let auth = Auth::new();
        let now = Instant::now();
        let delays: Vec<_> = (0..100).map(|_| auth.clone().delay(now)).collect();
        assert_eq!(delays[9], Some(Duration::ZERO));
        assert_eq!(delays[10], Some(PACE));
        assert_eq!(delays[29], Some(PATIENCE));
        assert!(delays[30..].iter().all(Option::is_none));
        assert_eq!(auth.delay(now + PACE), Some(PATIENCE));
        let later = now + Duration::from_secs(60);
        assert_eq!(auth.delay(later), Some(Duration::ZERO));
    }

    #[test]
    fn without_known_credentials_no_one_is_let_in() {
        assert!(!allows(&Auth::new(), "Bearer ") && !allows(&Auth::new(), "Basic Og=="));
    }
}
