//! The names of OpenTelemetry's semantic conventions for RPC metrics, 1.40: the attributes
//! `rpc.system.name`, `rpc.method`, `rpc.response.status_code` and `error.type`.

use tonic::Code;

use crate::grpc::names::{Ended, Handles, Name, Naming};
use crate::grpc::status;
use crate::registry::{DeclareError, Family, Group, Histogram, Registry, Text};

const LABELS: [&str; 4] = [
    "rpc_system_name",
    "rpc_method",
    "rpc_response_status_code",
    "error_type",
];

/// The buckets that the conventions advise for both histograms.
const BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

#[derive(Debug)]
pub(super) struct Server(Family<Histogram, [Text; 4]>);

impl Group for Server {
    const NAME: &'static str = "otel_rpc_server";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        registry
            .histogram(
                "rpc_server_call_duration_seconds",
                "Duration of an incoming remote procedure call",
            )
            .standard_name()
            .buckets(&BUCKETS)
            .labels(LABELS)
            .map(Self)
    }
}

impl Naming for Server {
    fn handles(&self, _: &Name) -> Handles {
        Handles::default()
    }

    /// On a server only these codes say that it failed; the others are its answer to what the
    /// caller did.
    fn ended(&self, name: &Name, code: Code) -> Ended {
        let failed = matches!(
            code,
            Code::Unknown
                | Code::DeadlineExceeded
                | Code::Unimplemented
                | Code::Internal
                | Code::Unavailable
                | Code::DataLoss
        );
        ended(&self.0, name, code, failed)
    }
}

#[derive(Debug)]
pub(super) struct Client(Family<Histogram, [Text; 4]>);

impl Group for Client {
    const NAME: &'static str = "otel_rpc_client";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        registry
            .histogram(
                "rpc_client_call_duration_seconds",
                "Duration of an outgoing remote procedure call",
            )
            .standard_name()
            .buckets(&BUCKETS)
            .labels(LABELS)
            .map(Self)
    }
}

impl Naming for Client {
    fn handles(&self, _: &Name) -> Handles {
        Handles::default()
    }

    fn ended(&self, name: &Name, code: Code) -> Ended {
        ended(&self.0, name, code, code != Code::Ok)
    }
}

fn ended(durations: &Family<Histogram, [Text; 4]>, name: &Name, code: Code, failed: bool) -> Ended {
    let method = if name.is_unknown() {
        "_OTHER".to_owned()
    } else {
        format!("{}/{}", name.service, name.method)
    };
    let code = status::name(code);
    // A label without a value is a label that is not there.
    let error = if failed { code } else { "" };
    Ended {
        handled: None,
        duration: Some(durations.with(&["grpc", &method, code, error])),
    }
}
