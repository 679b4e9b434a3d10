//! The names of github.com/grpc-ecosystem/go-grpc-middleware, `providers/prometheus`.

use std::marker::PhantomData;

use tonic::Code;

use super::side::{OneSide, Side};
use crate::grpc::declare::RpcKind;
use crate::grpc::names::{Ended, Handles, Name, Naming, UNKNOWN};
use crate::grpc::status;
use crate::registry::{Counter, DeclareError, Family, Group, Histogram, Registry, Text};

const LABELS: [&str; 3] = ["grpc_type", "grpc_service", "grpc_method"];
const LABELS_AND_CODE: [&str; 4] = ["grpc_type", "grpc_service", "grpc_method", CODE];
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
                .labels(LABELS)?,
            side: PhantomData,
        })
    }
}

impl<S: OneSide> Naming for Go<S> {
    fn handles(&self, name: &Name) -> Handles {
        let labels = labels(name);
        let (received, sent) = (self.received.live(&labels), self.sent.live(&labels));
        let (requests, responses) = S::either((received.clone(), sent.clone()), (sent, received));
        Handles {
            started: self.started.live(&labels),
            active: None,
            requests,
            responses,
        }
    }

    fn ended(&self, name: &Name, code: Code) -> Ended {
        let [kind, service, method] = labels(name);
        Ended {
            handled: self
                .handled
                .live(&[kind, service, method, status::go_name(code)]),
            duration: self.handling.live(&[kind, service, method]),
        }
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
    [kind, &name.service, &name.method]
}
