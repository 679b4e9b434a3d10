use serde::{Deserialize, Serialize};

/// Who gets an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Access {
    /// Whoever has the credentials; where none are configured, everyone.
    #[default]
    Credentials,
    /// Everyone.
    Open,
    /// No one: it is answered with 404, as a path that there is not.
    Off,
}

/// `[server.access]`: who gets which endpoint. `/livez` and `/readyz` are everyone's, unless
/// [`Server::protect_probes`](super::Server::protect_probes) is set; orders
/// ([`Server::control`](super::Server::control)) always need credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Accesses {
    /// The metrics, and `/federate`. Default: `credentials`.
    pub metrics: Access,
    /// `/health`. Default: `credentials`.
    pub health: Access,
    /// The page with its files and events. Default: `credentials`.
    pub page: Access,
    /// What is below `/api`: status, issues, history, queries. Default: `credentials`.
    pub api: Access,
}

impl Accesses {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets who gets the metrics. Default: [`Access::Credentials`].
    #[must_use]
    pub fn metrics(mut self, access: Access) -> Self {
        self.metrics = access;
        self
    }

    /// Sets who gets `/health`. Default: [`Access::Credentials`].
    #[must_use]
    pub fn health(mut self, access: Access) -> Self {
        self.health = access;
        self
    }

    /// Sets who gets the page. Default: [`Access::Credentials`].
    #[must_use]
    pub fn page(mut self, access: Access) -> Self {
        self.page = access;
        self
    }

    /// Sets who gets what is below `/api`. Default: [`Access::Credentials`].
    #[must_use]
    pub fn api(mut self, access: Access) -> Self {
        self.api = access;
        self
    }
}
