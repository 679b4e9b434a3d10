use std::sync::{Arc, OnceLock};

use super::Selfheal;
use crate::grpc::{GrpcClientLayer, GrpcLayer, GrpcLayerBuilder};

/// Whether a server layer was built.
#[derive(Default)]
pub(super) struct Asked(OnceLock<()>);

#[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
impl Selfheal {
    /// Starts building the layer that measures a tonic server, with the registry and the clock of
    /// this handle: `heal.grpc_layer().build()?`, or with the server's services declared before.
    ///
    /// Its calls count for the health score, as HTTP requests do, under whatever names they are
    /// recorded. Only the first of several layers counts, since layers with other names record the
    /// same calls.
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

    /// Starts building the layer that measures the calls of a tonic `Channel`, with the registry
    /// and the clock of this handle.
    pub fn grpc_client_layer(&self) -> GrpcLayerBuilder<GrpcClientLayer> {
        GrpcClientLayer::builder(self.registry()).clock(self.clock().clone())
    }
}
