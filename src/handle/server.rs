use std::time::SystemTime;

use axum::Router;

use super::Selfheal;
use super::unused::Part;
use crate::health::{Contributor, Note};
use crate::server::{Auth, Endpoints, Limits, ListenError, Listener, PathError, Siblings, router};

/// Says that the listener is everyone's.
struct Exposed(SystemTime);

impl Contributor for Exposed {
    fn recent(&self) -> Vec<Note> {
        let text = "other machines read the endpoints in plain text and without credentials; set \
                    `server.tls` and `server.bearer_token`, where the network does not see to it";
        vec![Note::new(self.0, "configuration", text.to_owned())]
    }
}

impl Selfheal {
    /// The endpoints as a router to merge into an application's own: the metrics (by default
    /// at `/metrics`), `/health`, `/livez`, `/readyz` and a page at `/selfheal`
    /// ([`Server::page_path`](crate::config::Server::page_path)). It has these paths and no
    /// fallback; `/` and what matches nothing stay the application's. An application that has one
    /// of the paths itself takes [`router_at`](Self::router_at).
    ///
    /// It can be nested as well: by `nest("/ops", heal.router())` the page is at `/ops/selfheal`.
    ///
    /// Merge it in, or nest it, before a layer that measures the application is put on. Requests
    /// to it are no traffic of the application, wherever it is mounted: the layer leaves them out
    /// (see [`Http::exclude_endpoints`](crate::config::Http::exclude_endpoints)). Where the
    /// configuration has credentials, they are asked for here as on the
    /// [listener](Self::listen): on every route but `/livez` and `/readyz`.
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.inner.taken.add(Part::Merged);
        router(self.merged())
    }

    /// The endpoints as [`router`](Self::router) has them, to be merged too, but all below one path:
    /// at `/ops`, the metrics are `/ops/metrics`, and the page answers at `/ops` and `/ops/`.
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
    /// The path is not plain, as one with a parameter of axum's: letters, digits, `-`, `_`, `.`,
    /// `~` and single slashes are.
    pub fn router_at<S>(&self, path: &str) -> Result<Router<S>, PathError>
    where
        S: Clone + Send + Sync + 'static,
    {
        let endpoints = self.merged().at(path)?;
        self.inner.taken.add(Part::Below);
        Ok(router(endpoints))
    }

    /// Serves the endpoints on a thread of its own, at the address and with the credentials and
    /// limits of the configuration; by default 127.0.0.1:9898, without credentials, the page at
    /// `/`. Needs no async code in the program.
    ///
    /// The listener answers from now on, whether or not the application serves: `/readyz` is 200
    /// at once. With [`Service::wait_until_serving`](crate::config::Service::wait_until_serving) it
    /// is 503 until the application calls [`serving`](Self::serving), and, with or without,
    /// 503 again when the server that was handed over there has ended.
    ///
    /// # Errors
    /// The address is in use, or not ours to bind; or the files of TLS cannot be used.
    pub fn listen(&self) -> Result<Listener, ListenError> {
        let server = &self.config().server;
        let mut endpoints = self.endpoints("/");
        let mut other = Router::new();
        if let Some(auth) = self.auth() {
            // What there is not is said to those alone who may know what there is.
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

    /// Who may read, if not everyone.
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

    /// The processes of the configuration, which ask for what this one asks for.
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
