use std::sync::Arc;

use tower_layer::Layer;

use super::builder::GrpcLayerBuilder;
use super::methods::Methods;
use super::metrics::Side;
use super::service::{GrpcClientService, GrpcService};
use crate::health::{Contributor, Traffic};
use crate::registry::{DeclareError, Registry};

/// Records every gRPC call that a server answers; see [the module](super).
///
/// Add it with `Server::builder().layer(..)`, to an axum router, or around one generated server.
/// Clones are cheap and share the learnt methods. A call that goes through two layers is counted
/// twice.
#[derive(Clone, Debug)]
pub struct GrpcLayer {
    pub(super) methods: Arc<Methods>,
}

impl GrpcLayer {
    /// Creates a layer with the defaults of its [builder](Self::builder).
    ///
    /// # Errors
    /// The registry already has other metrics under the names of
    /// [`GrpcMetrics`](super::GrpcMetrics).
    pub fn new(registry: &Registry) -> Result<Self, DeclareError> {
        Self::builder(registry).build()
    }

    /// Starts building a layer.
    pub fn builder(registry: &Registry) -> GrpcLayerBuilder<Self> {
        GrpcLayerBuilder::new(registry, Side::Server)
    }
}

/// Contributes the recorded calls to the health score. All layers of one registry and profile are
/// counted together, so only one of them may contribute.
impl Contributor for GrpcLayer {
    fn traffic(&self) -> Option<Traffic> {
        let traffic = self.methods.recorder.traffic.as_ref();
        traffic.map(|traffic| traffic.traffic())
    }
}

impl<S> Layer<S> for GrpcLayer {
    type Service = GrpcService<S>;

    fn layer(&self, inner: S) -> GrpcService<S> {
        GrpcService::new(inner, Arc::clone(&self.methods))
    }
}

/// Records every gRPC call that a client makes; see [the module](super).
///
/// ```
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// use selfheal::grpc::GrpcClientLayer;
/// use selfheal::registry::Registry;
/// use tonic::transport::Endpoint;
/// use tonic_health::pb::health_client::HealthClient;
/// use tower::Layer;
///
/// let channel = Endpoint::from_static("http://127.0.0.1:50051").connect_lazy();
/// let layer = GrpcClientLayer::new(Registry::global())?;
/// let client = HealthClient::new(layer.layer(channel));
/// # Ok(())
/// # }
/// ```
///
/// Clones are cheap; put clones of one layer on all channels of a program.
#[derive(Clone, Debug)]
pub struct GrpcClientLayer {
    pub(super) methods: Arc<Methods>,
}

impl GrpcClientLayer {
    /// Creates a layer with the defaults of its [builder](Self::builder).
    ///
    /// # Errors
    /// The registry already has other metrics under the names of
    /// [`GrpcClientMetrics`](super::GrpcClientMetrics).
    pub fn new(registry: &Registry) -> Result<Self, DeclareError> {
        Self::builder(registry).build()
    }

    /// Starts building a layer.
    pub fn builder(registry: &Registry) -> GrpcLayerBuilder<Self> {
        GrpcLayerBuilder::new(registry, Side::Client)
    }
}

impl<S> Layer<S> for GrpcClientLayer {
    type Service = GrpcClientService<S>;

    fn layer(&self, inner: S) -> GrpcClientService<S> {
        GrpcClientService::new(inner, Arc::clone(&self.methods))
    }
}
