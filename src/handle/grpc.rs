use std::sync::{Arc, OnceLock};

use super::Selfheal;
use crate::grpc::{GrpcClientLayer, GrpcLayer, GrpcLayerBuilder, GrpcMetrics};
use crate::health::{Contributor, Traffic};
use crate::registry::{Number, Value, parse_labels};

/// Whether the layer of a server was asked for.
#[derive(Default)]
pub(super) struct Asked(OnceLock<()>);

/// The calls of the server, as traffic.
struct Calls(Arc<GrpcMetrics>);

impl Contributor for Calls {
    fn traffic(&self) -> Option<Traffic> {
        let mut traffic = Traffic::default();
        for series in self.0.requests.snapshot().series {
            let Value::Number(Number::U64(n)) = series.value else {
                continue;
            };
            let labels = parse_labels(&series.labels);
            let status = labels.iter().find(|(name, _)| name == "status");
            traffic.total += n;
            if status.is_none_or(|(_, status)| !is_fault(status)) {
                traffic.good += n;
            }
        }
        Some(traffic)
    }
}

/// Only what the server got wrong is bad; what a client got wrong is served well. As for HTTP,
/// where these are 500, 503 and 504; `UNIMPLEMENTED` is what scanners get, as 404 is there.
fn is_fault(status: &str) -> bool {
    matches!(
        status,
        "UNKNOWN" | "DEADLINE_EXCEEDED" | "INTERNAL" | "UNAVAILABLE" | "DATA_LOSS"
    )
}

impl Selfheal {
    /// Starts to set up the layer that measures a tonic server, by the registry and the clock
    /// of this handle: `heal.grpc_layer().build()?`, or with what the server serves declared
    /// before.
    ///
    /// Calls count for the health score, like requests of the HTTP layer, as long as they are
    /// recorded by the names of the catalogue.
    pub fn grpc_layer(&self) -> GrpcLayerBuilder<GrpcLayer> {
        self.inner.grpc.0.get_or_init(|| {
            // If this fails, so does `build`, and that tells.
            if let Ok(metrics) = self.registry().group::<GrpcMetrics>() {
                self.inner.health.add(Arc::new(Calls(metrics)));
            }
        });
        GrpcLayer::builder(self.registry()).clock(self.clock().clone())
    }

    /// Starts to set up the layer that measures the calls of a tonic `Channel`, by the
    /// registry and the clock of this handle.
    pub fn grpc_client_layer(&self) -> GrpcLayerBuilder<GrpcClientLayer> {
        GrpcClientLayer::builder(self.registry()).clock(self.clock().clone())
    }
}
