//! Metrics under the names of OpenTelemetry's semantic conventions for RPC metrics, 1.45, where
//! they became stable: the attributes `rpc.system.name`, `rpc.method`, `rpc.status_code` (until
//! 1.44 `rpc.response.status_code`) and `error.type`. `server.address` and `server.port` are left
//! out, since a `Channel` does not reveal its target.

use std::marker::PhantomData;

use tonic::Code;

use super::side::{OneSide, Side};
use crate::exchange::{Ended, Open};
use crate::grpc::names::{Name, Naming};
use crate::grpc::status;
use crate::registry::{DeclareError, Family, Group, Histogram, Registry, Text};

const LABELS: [&str; 4] = ["rpc_system_name", "rpc_method", CODE, "error_type"];
const CODE: &str = "rpc_status_code";

/// The buckets that the conventions recommend for both histograms.
const BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

#[derive(Debug)]
pub(super) struct Otel<S> {
    duration: Family<Histogram, [Text; 4]>,
    side: PhantomData<S>,
}

impl<S: OneSide> Group for Otel<S> {
    const NAME: &'static str = match S::SIDE {
        Side::Server => "otel_rpc_server",
        Side::Client => "otel_rpc_client",
    };

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        let name = S::either(
            "rpc_server_call_duration_seconds",
            "rpc_client_call_duration_seconds",
        );
        let help = S::either(
            "Duration of an incoming remote procedure call",
            "Duration of an outgoing remote procedure call",
        );
        let duration = registry.histogram(name, help).standard_name();
        Ok(Self {
            duration: duration.buckets(&BUCKETS).labels(LABELS)?,
            side: PhantomData,
        })
    }
}

impl<S: OneSide> Naming for Otel<S> {
    fn open(&self, _: &Name, _: &mut Open) {}

    fn end(&self, name: &Name, code: Code, handles: &mut Ended) {
        let method = if name.is_unknown() {
            "_OTHER".to_owned()
        } else {
            name.path().to_owned()
        };
        let failed = S::either(is_error_of_server(code), code != Code::Ok);
        let code = status::name(code);
        // An empty label value means that the label is absent.
        let error = if failed { code } else { "" };
        let duration = self.duration.live(&["grpc", &method, code, error]);
        handles.durations.extend(duration);
    }

    fn samples(&self) -> bool {
        self.duration.is_enabled()
    }
}

/// The codes that are errors on a server; the others are caused by the caller.
fn is_error_of_server(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}
