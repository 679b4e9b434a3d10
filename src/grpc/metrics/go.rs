//! The names of github.com/grpc-ecosystem/go-grpc-middleware, `providers/prometheus`.

use tonic::Code;

use crate::grpc::declare::RpcKind;
use crate::grpc::names::{Ended, Handles, Name, Naming, UNKNOWN};
use crate::grpc::status;
use crate::registry::{Counter, DeclareError, Family, Group, Histogram, Registry, Text};

const LABELS: [&str; 3] = ["grpc_type", "grpc_service", "grpc_method"];
const LABELS_AND_CODE: [&str; 4] = ["grpc_type", "grpc_service", "grpc_method", "grpc_code"];

/// What one side records.
#[derive(Debug)]
struct Families {
    started: Family<Counter, [Text; 3]>,
    handled: Family<Counter, [Text; 4]>,
    handling: Family<Histogram, [Text; 3]>,
    received: Family<Counter, [Text; 3]>,
    sent: Family<Counter, [Text; 3]>,
}

impl Families {
    fn ended(&self, name: &Name, code: Code) -> Ended {
        let [kind, service, method] = labels(name);
        let labels = [kind, service, method, status::go_name(code)];
        Ended {
            handled: Some(self.handled.with(&labels)),
            duration: None,
        }
    }
}

fn labels(name: &Name) -> [&str; 3] {
    let kind = match name.kind {
        Some(RpcKind::Unary) => "unary",
        Some(RpcKind::ClientStreaming) => "client_stream",
        Some(RpcKind::ServerStreaming) => "server_stream",
        Some(RpcKind::BidiStreaming) => "bidi_stream",
        None => UNKNOWN,
    };
    [kind, &name.service, &name.method]
}

#[derive(Debug)]
pub(super) struct Server(Families);

impl Group for Server {
    const NAME: &'static str = "go_grpc_server";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self(Families {
            started: registry
                .counter("grpc_server_started_total", "RPCs started on the server")
                .standard_name()
                .labels(LABELS)?,
            handled: registry
                .counter(
                    "grpc_server_handled_total",
                    "RPCs completed on the server, by code",
                )
                .standard_name()
                .labels(LABELS_AND_CODE)?,
            handling: registry
                .histogram(
                    "grpc_server_handling_seconds",
                    "Time until an RPC was completely handled by the server",
                )
                .standard_name()
                .labels(LABELS)?,
            received: registry
                .counter(
                    "grpc_server_msg_received_total",
                    "Stream messages received on the server",
                )
                .standard_name()
                .labels(LABELS)?,
            sent: registry
                .counter(
                    "grpc_server_msg_sent_total",
                    "Stream messages sent by the server",
                )
                .standard_name()
                .labels(LABELS)?,
        }))
    }
}

impl Naming for Server {
    fn handles(&self, name: &Name) -> Handles {
        let (families, labels) = (&self.0, labels(name));
        Handles {
            started: Some(families.started.with(&labels)),
            active: None,
            requests: Some(families.received.with(&labels)),
            responses: Some(families.sent.with(&labels)),
            duration: Some(families.handling.with(&labels)),
        }
    }

    fn ended(&self, name: &Name, code: Code) -> Ended {
        self.0.ended(name, code)
    }
}

#[derive(Debug)]
pub(super) struct Client(Families);

impl Group for Client {
    const NAME: &'static str = "go_grpc_client";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self(Families {
            started: registry
                .counter("grpc_client_started_total", "RPCs started by the client")
                .standard_name()
                .labels(LABELS)?,
            handled: registry
                .counter(
                    "grpc_client_handled_total",
                    "RPCs completed by the client, by code",
                )
                .standard_name()
                .labels(LABELS_AND_CODE)?,
            handling: registry
                .histogram(
                    "grpc_client_handling_seconds",
                    "Time until an RPC of the client was complete",
                )
                .standard_name()
                .labels(LABELS)?,
            received: registry
                .counter(
                    "grpc_client_msg_received_total",
                    "Stream messages received by the client",
                )
                .standard_name()
                .labels(LABELS)?,
            sent: registry
                .counter(
                    "grpc_client_msg_sent_total",
                    "Stream messages sent by the client",
                )
                .standard_name()
                .labels(LABELS)?,
        }))
    }
}

impl Naming for Client {
    fn handles(&self, name: &Name) -> Handles {
        let (families, labels) = (&self.0, labels(name));
        Handles {
            started: Some(families.started.with(&labels)),
            active: None,
            requests: Some(families.sent.with(&labels)),
            responses: Some(families.received.with(&labels)),
            duration: Some(families.handling.with(&labels)),
        }
    }

    fn ended(&self, name: &Name, code: Code) -> Ended {
        self.0.ended(name, code)
    }
}
