//! Under which names outgoing requests are recorded.

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

/// Under which names a layer records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpClientNames {
    /// Those of this module; see [`HttpClientMetrics`].
    #[default]
    Catalog,
    /// Those of calls to other services in general, which
    /// [`ApiCall`](crate::groups::ApiCall) records too: `api_calls_total`,
    /// `api_request_duration_seconds` and the others of
    /// [`ApiMetrics`](crate::groups::ApiMetrics). The label of the host is the `api`; a status
    /// of 400 or more is an error, 429 a rate limit.
    Api,
    /// Those of OpenTelemetry's semantic conventions for HTTP clients, as Prometheus names:
    /// `http_client_request_duration_seconds` by `http_request_method`, `server_address`,
    /// `server_port`, `http_response_status_code`, `error_type` and `network_protocol_version`,
    /// and `http_client_active_requests` by the first three. The address is the host as it was
    /// declared, `other` where it was not. The port is the one that was declared or, of a declared
    /// host, that of the request; after 100 ports times methods of a host it is left out. An
    /// unknown method is `_OTHER`.
    ///
    /// The status is there whenever headers came. `error_type` is the status from 400 on, or what
    /// the table of [the module](crate::http_client) has as `status`, where the fallback `error` is
    /// `_OTHER`. The conventions would rather not have `cancelled` as an error if the caller meant
    /// it; a future that is dropped cannot be distinguished from a time-out above the layer.
    OpenTelemetry,
}

/// What the requests of a series have in common.
#[derive(Debug)]
pub(crate) struct Name {
    pub(super) verb: Verb,
    pub(super) host: Option<Host>,
    /// The port, where one of the names has it as a label.
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

/// One set of names. Asked once for each series, never on the way of a request.
pub(crate) trait Naming: fmt::Debug + Send + Sync {
    /// Adds the handles that a request uses before it ends.
    fn open(&self, name: &Name, handles: &mut Open);

    /// Adds the handles for one way to end.
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
