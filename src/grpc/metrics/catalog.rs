use std::marker::PhantomData;

use tonic::Code;

use super::side::{Made, OneSide, Served, Side};
use crate::exchange::{Ended, Open};
use crate::grpc::names::{Name, Naming};
use crate::grpc::status;
use crate::registry::{Counter, DeclareError, Family, Gauge, Group, Histogram, Registry, Text};

/// The metrics of gRPC servers, under the names of the catalogue; those of clients are
/// [`GrpcClientMetrics`].
///
/// [`GrpcLayer`](crate::grpc::GrpcLayer) records them; get the group from the registry to read
/// them, for example in a test:
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
pub struct GrpcMetrics<S = Served> {
    /// `grpc_requests_total`, by service, method and status: the gRPC name of the code, such as
    /// `OK` or `DEADLINE_EXCEEDED`.
    pub requests: Family<Counter, [Text; 3]>,
    /// `grpc_request_duration_seconds`, by service and method: from the call of the layer to the
    /// end of the response, including its trailers. Has
    /// [`DEFAULT_BUCKETS`](crate::registry::DEFAULT_BUCKETS) unless the configuration of the metric
    /// sets others.
    pub duration: Family<Histogram, [Text; 2]>,
    /// `grpc_streams_active`, by service and method: calls in progress of all kinds, since each is
    /// an HTTP/2 stream.
    pub active: Family<Gauge, [Text; 2]>,
    /// `grpc_messages_received_total`, by service and method.
    pub received: Family<Counter, [Text; 2]>,
    /// `grpc_messages_sent_total`, by service and method.
    pub sent: Family<Counter, [Text; 2]>,
    side: PhantomData<S>,
}

/// The metrics of gRPC clients: those of [servers](GrpcMetrics), with `client` in their names,
/// as in `grpc_client_requests_total`. [`GrpcClientLayer`](crate::grpc::GrpcClientLayer)
/// records them.
pub type GrpcClientMetrics = GrpcMetrics<Made>;

const BY_METHOD: [&str; 2] = ["service", "method"];

impl<S: OneSide> Group for GrpcMetrics<S> {
    const NAME: &'static str = match S::SIDE {
        Side::Server => "grpc",
        Side::Client => "grpc_client",
    };

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        let name = S::either;
        let help = S::either;
        Ok(Self {
            requests: registry
                .counter(
                    name("grpc_requests_total", "grpc_client_requests_total"),
                    help(
                        "gRPC calls served, by service, method and status code, counted when they end",
                        "gRPC calls made, by service, method and status code, counted when they end",
                    ),
                )
                .only("status", &status::NAMES)
                .labels(["service", "method", "status"])?,
            duration: registry
                .histogram(
                    name("grpc_request_duration_seconds", "grpc_client_request_duration_seconds"),
                    help(
                        "Time from the start of a gRPC call to the end of its response",
                        "Time from the start of an outgoing gRPC call to the end of its response",
                    ),
                )
                .labels(BY_METHOD)?,
            active: registry
                .gauge(
                    name("grpc_streams_active", "grpc_client_streams_active"),
                    help(
                        "gRPC calls being served, including unary ones",
                        "gRPC calls in progress to servers, including unary ones",
                    ),
                )
                .labels(BY_METHOD)?,
            received: registry
                .counter(
                    name("grpc_messages_received_total", "grpc_client_messages_received_total"),
                    help(
                        "Messages that clients sent in gRPC calls",
                        "Messages that servers sent in gRPC calls",
                    ),
                )
                .labels(BY_METHOD)?,
            sent: registry
                .counter(
                    name("grpc_messages_sent_total", "grpc_client_messages_sent_total"),
                    help(
                        "Messages sent to clients in gRPC calls",
                        "Messages sent to servers in gRPC calls",
                    ),
                )
                .labels(BY_METHOD)?,
            side: PhantomData,
        })
    }
}

impl<S: OneSide> Naming for GrpcMetrics<S> {
    fn open(&self, name: &Name, handles: &mut Open) {
        let labels = [name.service(), name.method()];
        let both = (&self.received, &self.sent);
        let (requests, responses) = S::either(both, (both.1, both.0));
        handles.in_flight.extend(self.active.live(&labels));
        handles.requests.extend(requests.live(&labels));
        handles.responses.extend(responses.live(&labels));
    }

    fn end(&self, name: &Name, code: Code, handles: &mut Ended) {
        let (service, method) = (name.service(), name.method());
        let requests = self.requests.live(&[service, method, status::name(code)]);
        handles.requests.extend(requests);
        let duration = self.duration.live(&[service, method]);
        handles.durations.extend(duration);
    }

    fn samples(&self) -> bool {
        self.duration.is_enabled()
    }
}
