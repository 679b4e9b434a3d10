use std::fmt;

use tonic::Code;

use super::declare::RpcKind;
use crate::exchange::{Ended, Open};

/// The label of every service and method that is not known to be served, so that scanners create
/// one series instead of many.
pub const UNKNOWN: &str = "unknown";

/// The metric names of a layer.
///
/// A layer has one set of names. For two at once, for example during a migration, add two layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrpcNames {
    /// The names of this crate; see [`GrpcMetrics`](super::GrpcMetrics) and
    /// [`GrpcClientMetrics`](super::GrpcClientMetrics).
    #[default]
    Catalog,
    /// The names of Go's `go-grpc-middleware`, for its dashboards and rules:
    /// `grpc_server_started_total`, `grpc_server_handled_total`, `grpc_server_handling_seconds`,
    /// `grpc_server_msg_received_total`, `grpc_server_msg_sent_total`, and the same with
    /// `grpc_client`, by `grpc_type`, `grpc_service` and `grpc_method`; handled calls also by
    /// `grpc_code`, spelt as in Go (`Canceled`). The type is `unary`, `client_stream`,
    /// `server_stream` or `bidi_stream` if the method's kind is declared, else `unknown`.
    GoGrpcMiddleware,
    /// The names of OpenTelemetry's conventions for RPC, 1.45, in Prometheus form: only
    /// `rpc_server_call_duration_seconds` and `rpc_client_call_duration_seconds`, by
    /// `rpc_system_name`, `rpc_method` (`package.Service/Method`), `rpc_status_code` and
    /// `error_type`: the code if it is a failure of the server, on a client any except `OK`. An
    /// unknown method is `_OTHER`.
    OpenTelemetry,
}

/// The labels of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// `package.Service/Method`, as in the path of a call after its first slash.
    path: Box<str>,
    /// The length of the service.
    service: usize,
    pub(super) kind: Option<RpcKind>,
}

impl Name {
    pub(super) fn new(service: &str, method: &str, kind: Option<RpcKind>) -> Self {
        Self {
            path: format!("{service}/{method}").into(),
            service: service.len(),
            kind,
        }
    }

    pub(super) fn unknown() -> Self {
        Self::new(UNKNOWN, UNKNOWN, None)
    }

    pub(super) fn is_unknown(&self) -> bool {
        self.service() == UNKNOWN && self.method() == UNKNOWN
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn service(&self) -> &str {
        self.path.get(..self.service).unwrap_or_default()
    }

    pub(super) fn method(&self) -> &str {
        self.path.get(self.service + 1..).unwrap_or_default()
    }
}

/// A set of names: adds the handles of the series for a method. Called once per method and code,
/// never during a call.
pub(crate) trait Naming: fmt::Debug + Send + Sync {
    /// Adds the handles used before a call ends.
    fn open(&self, name: &Name, handles: &mut Open);

    /// Adds the handles for one code.
    fn end(&self, name: &Name, code: Code, handles: &mut Ended);

    /// Whether it has any histograms: an operator may have disabled them.
    fn samples(&self) -> bool;
}
