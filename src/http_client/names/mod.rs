//! The metric names of outgoing requests.

mod api;
mod catalog;
mod otel;

use std::fmt;
use std::sync::Arc;

pub use catalog::HttpClientMetrics;

use super::hosts::{Host, OTHER};
use super::outcome::Outcome;
use crate::exchange::{Ended, Open};
use crate::registry::{DeclareError, Registry};
use crate::util::Verb;

/// The metric names of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpClientNames {
    /// The names of this module; see [`HttpClientMetrics`].
    #[default]
    Catalog,
    /// The names of API calls in general, which [`ApiCall`](crate::groups::ApiCall) records too:
    /// `api_calls_total`, `api_request_duration_seconds` and the others of
    /// [`ApiMetrics`](crate::groups::ApiMetrics). The host is the label `api`; a status of 400 or
    /// more is an error, 429 a rate limit.
    Api,
    /// The names of OpenTelemetry's semantic conventions for HTTP clients, in Prometheus form:
    /// `http_client_request_duration_seconds` by `http_request_method`, `server_address`,
    /// `server_port`, `http_response_status_code`, `error_type` and `network_protocol_version`, and
    /// `http_client_active_requests` by the first three. The address is the host as declared, else
    /// `other`. The port is the declared one or, for a host declared without, that of the request;
    /// beyond 100 combinations of port and method of a host it is left out. An unknown method is
    /// `_OTHER`.
    ///
    /// The status is present whenever headers were received. `error_type` is the status from 400
    /// on, or the `status` in the table of [the module](crate::http_client), where `error` becomes
    /// `_OTHER`. The conventions advise against `cancelled` as an error if the caller intended it;
    /// a dropped future cannot be distinguished from a timeout above the layer.
    OpenTelemetry,
}

/// The labels shared by the requests of a series.
#[derive(Debug)]
pub(crate) struct Name {
    pub(super) verb: Verb,
    pub(super) host: Option<Host>,
    /// The port, if one of the name sets has it as a label.
    pub(super) port: Option<u16>,
}

impl Name {
    pub(super) fn is(&self, verb: Verb, port: Option<u16>) -> bool {
        self.verb == verb && self.port == port
    }

    fn label(&self) -> &str {
        self.host.as_ref().map_or(OTHER, |host| &host.label)
    }
}

/// A set of names. Called once per series, never during a request.
pub(crate) trait Naming: fmt::Debug + Send + Sync {
    /// Adds the handles used before a request ends.
    fn open(&self, name: &Name, handles: &mut Open);

    /// Adds the handles for an outcome.
    fn end(&self, name: &Name, outcome: Outcome, handles: &mut Ended);
}

impl HttpClientNames {
    pub(super) fn declare(
        self,
        registry: &Registry,
        buckets: Option<&[f64]>,
    ) -> Result<Arc<dyn Naming>, DeclareError> {
        Ok(match self {
            Self::Catalog => Arc::new(catalog::declare(registry, buckets)?),
            Self::Api => Arc::new(api::Api::declare(registry)?),
            Self::OpenTelemetry => Arc::new(otel::Otel::declare(registry, buckets)?),
        })
    }
}
