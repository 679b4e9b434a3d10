//! A server, a client and the readings of a registry.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use selfheal::grpc::GrpcLayer;
use selfheal::registry::{Number, Registry, Value, parse_labels};
use tokio::net::TcpListener;
use tokio_stream::Stream;
use tonic::client::Grpc;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint};
use tonic::{IntoStreamingRequest, Request, Response, Status, Streaming};

use crate::echo::{Echo, Text};

/// `test.Echo` and the health service under the layer, and a registry of their own.
pub(crate) struct Server {
    pub(crate) registry: Registry,
    pub(crate) echo: Echo,
    pub(crate) addr: SocketAddr,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let registry = Registry::new();
        let layer = GrpcLayer::new(&registry).unwrap();
        Self::with_layer(registry, layer).await
    }

    /// Everything runs on the one thread of the test: when the client has seen something, the
    /// server has done whatever it did in the same poll.
    pub(crate) async fn with_layer(registry: Registry, layer: GrpcLayer) -> Self {
        let echo = Echo::default();
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_serving::<Echo>().await;
        let routes = Routes::new(echo.clone()).add_service(health);
        let (incoming, addr) = listen().await;
        let server = tonic::transport::Server::builder().layer(layer);
        tokio::spawn(server.serve_with_incoming(routes, incoming));
        Self {
            registry,
            echo,
            addr,
        }
    }

    pub(crate) async fn client(&self) -> EchoClient<Channel> {
        EchoClient::new(channel(self.addr).await)
    }

    pub(crate) fn counted(&self) -> BTreeMap<String, u64> {
        series(&self.registry, "grpc_requests_total")
    }

    /// Asserts that these and no other calls have been counted, each timed too, and that none
    /// is active.
    pub(crate) fn assert_counted(&self, expected: &[(&str, u64)]) {
        assert_eq!(self.counted(), counts(expected));
        assert_eq!(self.active(), 0, "calls that are active");
        let timed = series(&self.registry, "grpc_request_duration_seconds");
        let all: u64 = expected.iter().map(|(_, n)| n).sum();
        assert_eq!(timed.values().sum::<u64>(), all, "{timed:?}");
    }

    /// Asserts that these messages and no others were received and sent.
    pub(crate) fn assert_messages(&self, received: &[(&str, u64)], sent: &[(&str, u64)]) {
        let messages = |name| {
            let mut messages = series(&self.registry, name);
            messages.retain(|_, n| *n > 0);
            messages
        };
        assert_eq!(messages("grpc_messages_received_total"), counts(received));
        assert_eq!(messages("grpc_messages_sent_total"), counts(sent));
    }

    pub(crate) fn active(&self) -> u64 {
        series(&self.registry, "grpc_streams_active").values().sum()
    }
}

pub(crate) async fn listen() -> (TcpIncoming, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    (TcpIncoming::from(listener), addr)
}

pub(crate) async fn channel(addr: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{addr}")).unwrap();
    endpoint.connect().await.unwrap()
}

fn counts(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    let owned = expected
        .iter()
        .map(|(labels, n)| ((*labels).to_owned(), *n));
    owned.collect()
}

/// The series of a family, their label values with spaces between, and their counts.
pub(crate) fn series(registry: &Registry, name: &str) -> BTreeMap<String, u64> {
    registry
        .gather()
        .into_iter()
        .filter(|family| family.def.name == name)
        .flat_map(|family| family.series)
        .map(|series| {
            let labels = parse_labels(&series.labels);
            let values: Vec<String> = labels.into_iter().map(|(_, value)| value).collect();
            let n = match series.value {
                Value::Number(Number::U64(n)) => n,
                Value::Number(Number::I64(n)) => n.try_into().expect("a gauge that is negative"),
                Value::Histogram(histogram) => histogram.count(),
                other => panic!("{name} holds {other:?}"),
            };
            (values.join(" "), n)
        })
        .collect()
}

/// As a code generator would write `test.Echo`.
#[derive(Clone)]
pub(crate) struct EchoClient<S>(pub(crate) Grpc<S>);

impl<S, R> EchoClient<S>
where
    S: tower::Service<
            http::Request<tonic::body::Body>,
            Response = http::Response<R>,
            Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        >,
    R: hyper::body::Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    pub(crate) fn new(service: S) -> Self {
        Self(Grpc::new(service))
    }

    async fn ready(&mut self) -> Result<(), Status> {
        let ready = self.0.ready().await;
        ready.map_err(|error| Status::unknown(error.into().to_string()))
    }

    pub(crate) async fn unary(
        &mut self,
        message: impl tonic::IntoRequest<String>,
    ) -> Result<Response<String>, Status> {
        self.ready().await?;
        let path = http::uri::PathAndQuery::from_static("/test.Echo/Unary");
        self.0.unary(message.into_request(), path, Text).await
    }

    /// A unary call of any path.
    pub(crate) async fn call(&mut self, path: &str) -> Result<Response<String>, Status> {
        self.ready().await?;
        let request = Request::new("hello".to_owned());
        self.0.unary(request, path.parse().unwrap(), Text).await
    }

    pub(crate) async fn collect(
        &mut self,
        messages: impl Stream<Item = String> + Send + 'static,
    ) -> Result<Response<String>, Status> {
        self.ready().await?;
        let path = http::uri::PathAndQuery::from_static("/test.Echo/Collect");
        let request = messages.into_streaming_request();
        self.0.client_streaming(request, path, Text).await
    }

    pub(crate) async fn repeat(&mut self, message: &str) -> Result<Streaming<String>, Status> {
        self.ready().await?;
        let path = http::uri::PathAndQuery::from_static("/test.Echo/Repeat");
        let request = Request::new(message.to_owned());
        let response = self.0.server_streaming(request, path, Text).await?;
        Ok(response.into_inner())
    }

    pub(crate) async fn chat(
        &mut self,
        messages: impl Stream<Item = String> + Send + 'static,
    ) -> Result<Streaming<String>, Status> {
        self.ready().await?;
        let path = http::uri::PathAndQuery::from_static("/test.Echo/Chat");
        let request = messages.into_streaming_request();
        let response = self.0.streaming(request, path, Text).await?;
        Ok(response.into_inner())
    }
}

/// Every message to the end, or to the error.
pub(crate) async fn all(mut stream: Streaming<String>) -> Result<Vec<String>, Status> {
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await? {
        messages.push(message);
    }
    Ok(messages)
}

/// A stream that sends what the test puts in at the other end.
pub(crate) fn by_hand() -> (
    tokio::sync::mpsc::UnboundedSender<String>,
    impl Stream<Item = String>,
) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    (
        sender,
        tokio_stream::wrappers::UnboundedReceiverStream::new(receiver),
    )
}
