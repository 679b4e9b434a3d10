use std::fmt;

use tonic::Code;

use super::declare::RpcKind;
use crate::exchange::{Ended, Open};

/// The label of every service and method that the server is not known to serve, so that what
/// scanners ask for is one series and not one each.
pub const UNKNOWN: &str = "unknown";

/// Under which names a layer records.
///
/// One layer has one profile. For two at once, on the way from one to the other for example,
/// put on two layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrpcNames {
    /// Those of this crate; see [`GrpcMetrics`](super::GrpcMetrics) and
    /// [`GrpcClientMetrics`](super::GrpcClientMetrics).
    #[default]
    Catalog,
    /// Those of Go's `go-grpc-middleware`, for its dashboards and rules:
    /// `grpc_server_started_total`, `grpc_server_handled_total`,
    /// `grpc_server_handling_seconds`, `grpc_server_msg_received_total`,
    /// `grpc_server_msg_sent_total`, and the same of `grpc_client`, by `grpc_type`,
    /// `grpc_service` and `grpc_method`; what is handled also by `grpc_code`, spelt as Go does
    /// (`Canceled`). The type is `unary`, `client_stream`, `server_stream` or `bidi_stream`
    /// where the kind of the method is declared, and `unknown` where it is not.
    GoGrpcMiddleware,
    /// Those of OpenTelemetry's conventions for RPC, 1.45, as Prometheus names:
    /// `rpc_server_call_duration_seconds` and `rpc_client_call_duration_seconds`, nothing
    /// else, by `rpc_system_name`, `rpc_method` (`package.Service/Method`),
    /// `rpc_status_code` and `error_type`: the code where it says that the server
    /// failed, on a client any but `OK`. A method that is not known is `_OTHER`.
    OpenTelemetry,
}

/// What a call is labelled with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(super) service: Box<str>,
    pub(super) method: Box<str>,
    pub(super) kind: Option<RpcKind>,
}

impl Name {
    pub(super) fn unknown() -> Self {
        Self {
            service: UNKNOWN.into(),
            method: UNKNOWN.into(),
            kind: None,
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        *self.service == *UNKNOWN && *self.method == *UNKNOWN
    }

    #[inline]
    pub(super) fn is(&self, service: &str, method: &str) -> bool {
        *self.method == *method && *self.service == *service
    }
}

/// One profile: the handles of the series that it has for a method. Asked once for each
/// method and code, never on the way of a call.
pub(crate) trait Naming: fmt::Debug + Send + Sync {
    /// Adds the handles that a call uses before it ends.
    fn open(&self, name: &Name, handles: &mut Open);

    /// Adds the handles for one code.
    fn end(&self, name: &Name, code: Code, handles: &mut Ended);

    /// Whether it has histograms at all: an operator may have switched them off.
    fn samples(&self) -> bool;
}
