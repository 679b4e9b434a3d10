use serde::{Deserialize, Serialize};

use super::settings::settings;

/// The clients that may use an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Access {
    /// Clients with valid credentials; every client if no credentials are configured.
    #[default]
    Credentials,
    /// Every client.
    Open,
    /// No client: the endpoint answers 404, as an unknown path does.
    Off,
}

settings! {
    /// `[server.access]`: access control per endpoint. `/livez` and `/readyz` are open to every
    /// client unless [`Server::protect_probes`](super::Server::protect_probes) is set; operator
    /// commands ([`Server::control`](super::Server::control)) always need credentials.
    #[derive(Copy, Eq)]
    #[non_exhaustive]
    pub struct Accesses {
        /// The metrics endpoint and `/federate`. Default: `credentials`.
        pub metrics: Access,
        /// `/health`. Default: `credentials`.
        pub health: Access,
        /// The status page, its assets and its event stream. Default: `credentials`.
        pub page: Access,
        /// Everything below `/api`: status, issues, history, queries. Default: `credentials`.
        pub api: Access,
    }
}
