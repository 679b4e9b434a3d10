//! Metrics under the names of github.com/grpc-ecosystem/go-grpc-middleware, `providers/prometheus`.

use std::marker::PhantomData;

use tonic::Code;

use super::side::{OneSide, Side};
use crate::exchange::{Ended, Open};
use crate::grpc::declare::RpcKind;
use crate::grpc::names::{Name, Naming, UNKNOWN};
use crate::grpc::status;
use crate::registry::{Counter, DeclareError, Family, Group, Histogram, Registry, Text};

const LABELS: [&str; 3] = [TYPE, "grpc_service", "grpc_method"];
const LABELS_AND_CODE: [&str; 4] = [TYPE, "grpc_service", "grpc_method", CODE];
const TYPE: &str = "grpc_type";
const TYPES: [&str; 5] = [
    "unary",
    "client_stream",
    "server_stream",
    "bidi_stream",
    UNKNOWN,
];
const CODE: &str = "grpc_code";

#[derive(Debug)]
pub(super) struct Go<S> {
    started: Family<Counter, [Text; 3]>,
    handled: Family<Counter, [Text; 4]>,
    handling: Family<Histogram, [Text; 3]>,
    received: Family<Counter, [Text; 3]>,
    sent: Family<Counter, [Text; 3]>,
    side: PhantomData<S>,
}

impl<S: OneSide> Group for Go<S> {
    const NAME: &'static str = match S::SIDE {
        Side::Server => "go_grpc_server",
        Side::Client => "go_grpc_client",
    };

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        let name = S::either;
        let help = S::either;
        Ok(Self {
            started: registry
                .counter(
                    name("grpc_server_started_total", "grpc_client_started_total"),
                    help("RPCs started on the server", "RPCs started by the client"),
                )
                .standard_name()
                .only(TYPE, &TYPES)
                .labels(LABELS)?,
            handled: registry
                .counter(
                    name("grpc_server_handled_total", "grpc_client_handled_total"),
                    help(
                        "RPCs completed on the server, by code",
                        "RPCs completed by the client, by code",
                    ),
                )
                .standard_name()
                .only(CODE, &status::GO_NAMES)
                .only(TYPE, &TYPES)
                .labels(LABELS_AND_CODE)?,
            handling: registry
                .histogram(
                    name(
                        "grpc_server_handling_seconds",
                        "grpc_client_handling_seconds",
                    ),
                    help(
                        "Time until an RPC was completely handled by the server",
                        "Time until an RPC of the client was complete",
                    ),
                )
                .standard_name()
                .only(TYPE, &TYPES)
                .labels(LABELS)?,
            received: registry
                .counter(
                    name(
                        "grpc_server_msg_received_total",
                        "grpc_client_msg_received_total",
                    ),
                    help(
                        "Stream messages received on the server",
                        "Stream messages received by the client",
                    ),
                )
                .standard_name()
                .only(TYPE, &TYPES)
                .labels(LABELS)?,
            sent: registry
                .counter(
                    name("grpc_server_msg_sent_total", "grpc_client_msg_sent_total"),
                    help(
                        "Stream messages sent by the server",
                        "Stream messages sent by the client",
                    ),
                )
                .standard_name()
                .only(TYPE, &TYPES)
                .labels(LABELS)?,
            side: PhantomData,
        })
    }
}

impl<S: OneSide> Naming for Go<S> {
    fn open(&self, name: &Name, handles: &mut Open) {
        let labels = labels(name);
        let both = (&self.received, &self.sent);
        let (requests, responses) = S::either(both, (both.1, both.0));
        handles.started.extend(self.started.live(&labels));
        handles.requests.extend(requests.live(&labels));
        handles.responses.extend(responses.live(&labels));
    }

    fn end(&self, name: &Name, code: Code, handles: &mut Ended) {
        let [kind, service, method] = labels(name);
        let row = [kind, service, method, status::go_name(code)];
        handles.requests.extend(self.handled.live(&row));
        let handling = self.handling.live(&[kind, service, method]);
        handles.durations.extend(handling);
    }

    fn samples(&self) -> bool {
        self.handling.is_enabled()
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
    [kind, name.service(), name.method()]
}
