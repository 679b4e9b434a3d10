use std::time::SystemTime;

use axum::Router;

use super::Selfheal;
use super::unused::Part;
use crate::health::{Contributor, Note};
use crate::server::{Auth, Endpoints, Limits, ListenError, Listener, PathError, Siblings, router};

/// Reports that the listener is open to everyone.
struct Exposed(SystemTime);

impl Contributor for Exposed {
    fn recent(&self) -> Vec<Note> {
        let text = "other machines can read the endpoints in plain text and without credentials; \
                    set `server.tls` and `server.bearer_token`, unless the network protects them";
        vec![Note::new(self.0, "configuration", text.to_owned())]
    }
}

impl Selfheal {
    /// Returns the endpoints as a router to merge into the application's own: the metrics (by
    /// default at `/metrics`), `/health`, `/livez`, `/readyz` and a page at `/selfheal`
    /// ([`Server::page_path`](crate::config::Server::page_path)). It has no fallback; `/` and
    /// unmatched paths stay the application's. If the application uses one of these paths, use
    /// [`router_at`](Self::router_at).
    ///
    /// It can be nested too: with `nest("/ops", heal.router())` the page is at `/ops/selfheal`.
    ///
    /// Merge or nest it before adding a layer that measures the application. The layer does not
    /// count requests to it as traffic, wherever it is mounted (see
    /// [`Http::exclude_endpoints`](crate::config::Http::exclude_endpoints)). If the configuration
    /// has credentials, they are required as on the [listener](Self::listen): on every route except
    /// `/livez` and `/readyz`.
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.inner.taken.add(Part::Merged);
        router(self.merged())
    }

    /// Returns the endpoints as [`router`](Self::router) does, but all below one path: with `/ops`,
    /// the metrics are at `/ops/metrics`, and the page at `/ops` and `/ops/`.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use selfheal::{Config, Selfheal};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let heal = Selfheal::new(Config::new())?;
    /// let app: Router = Router::new()
    ///     .route("/", get(|| async { "the shop" }))
    ///     .route("/health", get(|| async { "a health check of our own" }))
    ///     .merge(heal.router_at("/ops")?)
    ///     .layer(heal.http_layer());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The path is not plain (letters, digits, `-`, `_`, `.`, `~` and single slashes), for example
    /// because it has an axum parameter.
    pub fn router_at<S>(&self, path: &str) -> Result<Router<S>, PathError>
    where
        S: Clone + Send + Sync + 'static,
    {
        let endpoints = self.merged().at(path)?;
        self.inner.taken.add(Part::Below);
        Ok(router(endpoints))
    }

    /// Serves the endpoints on a separate thread, at the address and with the credentials and
    /// limits of the configuration; by default on 127.0.0.1:9898, without credentials, the page at
    /// `/`. The program needs no async code.
    ///
    /// The listener answers from now on, even if the application does not serve yet: `/readyz` is
    /// 200 at once. With
    /// [`Service::wait_until_serving`](crate::config::Service::wait_until_serving) it is 503 until
    /// the application calls [`serving`](Self::serving). In both cases it is 503 again once the
    /// server given to `serving` has ended.
    ///
    /// # Errors
    /// The address is in use or cannot be bound, or the TLS files cannot be used.
    pub fn listen(&self) -> Result<Listener, ListenError> {
        let server = &self.config().server;
        let mut endpoints = self.endpoints("/");
        let mut other = Router::new();
        if let Some(auth) = self.auth() {
            // Unknown paths are reported only to clients that may know the existing ones.
            other = auth.clone().protect(other);
            endpoints = endpoints.auth(auth);
        }
        let router = router(endpoints).fallback_service(other);
        let limits = Limits {
            connections: server.max_connections,
            request: server.request_timeout,
            ..Limits::default()
        };
        let mut listener = Listener::builder(server.listen, router)
            .limits(limits)
            .counted(self.registry());
        if let Some(tls) = &server.tls {
            listener = listener.tls(tls.clone());
        }
        for address in &server.listen_also {
            listener = listener.also(address.clone());
        }
        let listener = listener.spawn()?;
        if server.is_open() {
            let now = self.clock().wall();
            self.inner.health.add(std::sync::Arc::new(Exposed(now)));
        }
        #[cfg(feature = "healing")]
        self.inner.healing.lend(listener.runtime());
        self.inner.taken.add(Part::Listener);
        self.inner.health.application.is_apart();
        Ok(listener)
    }

    /// The required credentials, unless everyone may read.
    fn auth(&self) -> Option<Auth> {
        let server = &self.config().server;
        if server.basic_auth.is_none() && server.bearer_token.is_none() {
            return None;
        }
        let mut auth = Auth::new()
            .protect_probes(server.protect_probes)
            .counted(self.registry());
        if let Some(credentials) = &server.basic_auth {
            auth = auth.basic(credentials.clone());
        }
        if let Some(token) = &server.bearer_token {
            auth = auth.bearer(token.clone());
        }
        Some(auth)
    }

    /// The endpoints for a router of the application.
    fn merged(&self) -> Endpoints {
        let endpoints = self.endpoints(&self.config().server.page_path);
        match self.auth() {
            Some(auth) => endpoints.auth(auth),
            None => endpoints,
        }
    }

    /// The configured sibling processes, which require the same credentials as this one.
    fn siblings(&self) -> Siblings {
        let server = &self.config().server;
        let siblings = Siblings::new(server.siblings.iter().cloned());
        let siblings = siblings.path(&self.config().metrics.path);
        match (&server.bearer_token, &server.basic_auth) {
            (Some(token), _) => siblings.bearer(token),
            (None, Some(known)) => siblings.basic(known),
            (None, None) => siblings,
        }
    }

    fn endpoints(&self, page: &str) -> Endpoints {
        let metrics = &self.config().metrics;
        let server = &self.config().server;
        let endpoints = Endpoints::new(
            self.registry().clone(),
            std::sync::Arc::clone(&self.inner.health),
        )
        .paths(&metrics.path, page)
        .compress(metrics.gzip)
        .recorded(!self.config().http.exclude_endpoints)
        .scrape_timeout(server.request_timeout)
        .clock(self.clock().clone())
        .access(server.access)
        .configuration(self.config())
        .control(server.control);
        let endpoints = if server.siblings.is_empty() {
            endpoints
        } else {
            endpoints.siblings(self.siblings())
        };
        #[cfg(feature = "healing")]
        let endpoints = endpoints.operator(self.operator());
        #[cfg(feature = "rules")]
        let endpoints = endpoints.queries(self.queries()).receiver(self.receiver());
        endpoints
    }
}
