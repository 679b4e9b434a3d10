use tonic::Code;

use crate::grpc::names::{Ended, Handles, Name, Naming};
use crate::grpc::status;
use crate::registry::{Counter, DeclareError, Family, Gauge, Group, Histogram, Registry, Text};

/// The metrics of gRPC servers, as the catalogue names them.
///
/// [`GrpcLayer`](crate::grpc::GrpcLayer) records them; ask the registry for the group to read
/// them, in a test for example:
///
/// ```
/// use selfheal::grpc::GrpcMetrics;
/// use selfheal::registry::Registry;
///
/// # fn main() -> Result<(), selfheal::registry::DeclareError> {
/// let registry = Registry::new();
/// let grpc = registry.group::<GrpcMetrics>()?;
/// assert!(grpc.requests.get(&["grpc.health.v1.Health", "Check", "OK"]).is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GrpcMetrics {
    /// `grpc_requests_total`, by service, method and status: the name of the code in the
    /// documents of gRPC, `OK` or `DEADLINE_EXCEEDED`.
    pub requests: Family<Counter, [Text; 3]>,
    /// `grpc_request_duration_seconds`, by service and method: from the call of the layer to
    /// the end of the response, its trailers.
    pub duration: Family<Histogram, [Text; 2]>,
    /// `grpc_streams_active`, by service and method: calls that have not ended, of all kinds,
    /// for each is a stream of HTTP/2.
    pub active: Family<Gauge, [Text; 2]>,
    /// `grpc_messages_received_total`, by service and method.
    pub received: Family<Counter, [Text; 2]>,
    /// `grpc_messages_sent_total`, by service and method.
    pub sent: Family<Counter, [Text; 2]>,
}

impl Group for GrpcMetrics {
    const NAME: &'static str = "grpc";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self {
            requests: registry
                .counter(
                    "grpc_requests_total",
                    "gRPC calls served, by service, method and status code, counted when they end",
                )
                .labels(["service", "method", "status"])?,
            duration: registry
                .histogram(
                    "grpc_request_duration_seconds",
                    "Time from the start of a gRPC call to the end of its response",
                )
                .labels(["service", "method"])?,
            active: registry
                .gauge(
                    "grpc_streams_active",
                    "gRPC calls being served, unary ones among them",
                )
                .labels(["service", "method"])?,
            received: registry
                .counter(
                    "grpc_messages_received_total",
                    "Messages that clients sent in gRPC calls",
                )
                .labels(["service", "method"])?,
            sent: registry
                .counter(
                    "grpc_messages_sent_total",
                    "Messages sent to clients in gRPC calls",
                )
                .labels(["service", "method"])?,
        })
    }
}

impl Naming for GrpcMetrics {
    fn handles(&self, name: &Name) -> Handles {
        let labels = [&name.service, &name.method];
        Handles {
            started: None,
            active: Some(self.active.with(&labels)),
            requests: Some(self.received.with(&labels)),
            responses: Some(self.sent.with(&labels)),
            duration: Some(self.duration.with(&labels)),
        }
    }

    fn ended(&self, name: &Name, code: Code) -> Ended {
        let labels = [&name.service, &name.method, status::name(code)];
        Ended {
            handled: Some(self.requests.with(&labels)),
            duration: None,
        }
    }
}

/// The metrics of gRPC clients: those of [servers](GrpcMetrics), with `client` in their names.
///
/// [`GrpcClientLayer`](crate::grpc::GrpcClientLayer) records them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GrpcClientMetrics {
    /// `grpc_client_requests_total`, by service, method and status.
    pub requests: Family<Counter, [Text; 3]>,
    /// `grpc_client_request_duration_seconds`, by service and method.
    pub duration: Family<Histogram, [Text; 2]>,
    /// `grpc_client_streams_active`, by service and method.
    pub active: Family<Gauge, [Text; 2]>,
    /// `grpc_client_messages_received_total`, by service and method.
    pub received: Family<Counter, [Text; 2]>,
    /// `grpc_client_messages_sent_total`, by service and method.
    pub sent: Family<Counter, [Text; 2]>,
}

impl Group for GrpcClientMetrics {
    const NAME: &'static str = "grpc_client";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self {
            requests: registry
                .counter(
                    "grpc_client_requests_total",
                    "gRPC calls made, by service, method and status code, counted when they end",
                )
                .labels(["service", "method", "status"])?,
            duration: registry
                .histogram(
                    "grpc_client_request_duration_seconds",
                    "Time from the start of an outgoing gRPC call to the end of its response",
                )
                .labels(["service", "method"])?,
            active: registry
                .gauge(
                    "grpc_client_streams_active",
                    "gRPC calls under way to servers, unary ones among them",
                )
                .labels(["service", "method"])?,
            received: registry
                .counter(
                    "grpc_client_messages_received_total",
                    "Messages that servers sent in gRPC calls",
                )
                .labels(["service", "method"])?,
            sent: registry
                .counter(
                    "grpc_client_messages_sent_total",
                    "Messages sent to servers in gRPC calls",
                )
                .labels(["service", "method"])?,
        })
    }
}

impl Naming for GrpcClientMetrics {
    fn handles(&self, name: &Name) -> Handles {
        let labels = [&name.service, &name.method];
        Handles {
            started: None,
            active: Some(self.active.with(&labels)),
            requests: Some(self.sent.with(&labels)),
            responses: Some(self.received.with(&labels)),
            duration: Some(self.duration.with(&labels)),
        }
    }

    fn ended(&self, name: &Name, code: Code) -> Ended {
        let labels = [&name.service, &name.method, status::name(code)];
        Ended {
            handled: Some(self.requests.with(&labels)),
            duration: None,
        }
    }
}
