use axum::Router;

use super::Selfheal;
use crate::server::{Auth, Endpoints, Limits, ListenError, Listener, router};

impl Selfheal {
    /// The endpoints as a router to merge into an application's own: the metrics (by default
    /// at `/metrics`), `/health`, `/livez`, `/readyz` and a page at `/`. Merge it in, or nest it,
    /// before a layer that measures the application is put on, which leaves these routes out
    /// (see [`Http::exclude_endpoints`](crate::config::Http::exclude_endpoints)).
    ///
    /// Merged, they are as open as the application's other routes: the credentials of the
    /// configuration guard the [listener](Self::listen) alone.
    pub fn router<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        router(self.endpoints())
    }

    /// Serves the endpoints on a thread of its own, at the address and with the credentials and
    /// limits of the configuration; by default 127.0.0.1:9898, without credentials. Needs no
    /// async code in the program.
    ///
    /// # Errors
    /// The address is in use, or not ours to bind.
    pub fn listen(&self) -> Result<Listener, ListenError> {
        let server = &self.config().server;
        let mut router = router(self.endpoints());
        let mut auth = Auth::new()
            .protect_probes(server.protect_probes)
            .counted(self.registry());
        if let Some(credentials) = &server.basic_auth {
            auth = auth.basic(credentials.clone());
        }
        if let Some(token) = &server.bearer_token {
            auth = auth.bearer(token.clone());
        }
        if server.basic_auth.is_some() || server.bearer_token.is_some() {
            router = auth.protect(router);
        }
        let limits = Limits {
            connections: server.max_connections,
            request: server.request_timeout,
            ..Limits::default()
        };
        Listener::spawn(server.listen, router, limits)
    }

    fn endpoints(&self) -> Endpoints {
        let metrics = &self.config().metrics;
        let server = &self.config().server;
        Endpoints::new(
            self.registry().clone(),
            std::sync::Arc::clone(&self.inner.health),
        )
        .metrics_path(&metrics.path)
        .compress(metrics.gzip)
        .recorded(!self.config().http.exclude_endpoints)
        .scrape_timeout(server.request_timeout)
        .clock(self.clock().clone())
    }
}
