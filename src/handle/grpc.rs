use std::sync::{Arc, OnceLock};

use super::Selfheal;
use crate::grpc::{GrpcClientLayer, GrpcLayer, GrpcLayerBuilder};

/// Whether the layer of a server was built.
#[derive(Default)]
pub(super) struct Asked(OnceLock<()>);

impl Selfheal {
    /// Starts to set up the layer that measures a tonic server, by the registry and the clock
    /// of this handle: `heal.grpc_layer().build()?`, or with what the server serves declared
    /// before.
    ///
    /// Calls count for the health score, like requests of the HTTP layer, whatever the names
    /// they are recorded under. Of several layers, the first counts for all: under other names
    /// the next ones record the same calls.
    pub fn grpc_layer(&self) -> GrpcLayerBuilder<GrpcLayer> {
        let inner = Arc::downgrade(&self.inner);
        GrpcLayer::builder(self.registry())
            .clock(self.clock().clone())
            .on_built(move |layer| {
                if let Some(inner) = inner.upgrade()
                    && inner.grpc.0.set(()).is_ok()
                {
                    inner.health.add(Arc::new(layer.clone()));
                }
            })
    }

    /// Starts to set up the layer that measures the calls of a tonic `Channel`, by the
    /// registry and the clock of this handle.
    pub fn grpc_client_layer(&self) -> GrpcLayerBuilder<GrpcClientLayer> {
        GrpcClientLayer::builder(self.registry()).clock(self.clock().clone())
    }
}
