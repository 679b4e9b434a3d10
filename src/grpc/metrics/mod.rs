//! The gRPC metrics: one file per naming profile, each for both sides.

mod catalog;
mod go;
mod otel;
mod side;

use std::sync::Arc;

pub use catalog::{GrpcClientMetrics, GrpcMetrics};
pub(super) use side::{Made, Served, Side};

use super::names::{GrpcNames, Naming};
use crate::health::TrafficCounter;
use crate::registry::{DeclareError, Group, Registry};

/// Declares the metrics of a profile for one side.
pub(super) fn declare(
    registry: &Registry,
    side: Side,
    names: GrpcNames,
) -> Result<Arc<dyn Naming>, DeclareError> {
    Ok(match (names, side) {
        (GrpcNames::Catalog, Side::Server) => registry.group::<GrpcMetrics>()?,
        (GrpcNames::Catalog, Side::Client) => registry.group::<GrpcClientMetrics>()?,
        (GrpcNames::GoGrpcMiddleware, Side::Server) => registry.group::<go::Go<Served>>()?,
        (GrpcNames::GoGrpcMiddleware, Side::Client) => registry.group::<go::Go<Made>>()?,
        (GrpcNames::OpenTelemetry, Side::Server) => registry.group::<otel::Otel<Served>>()?,
        (GrpcNames::OpenTelemetry, Side::Client) => registry.group::<otel::Otel<Made>>()?,
    })
}

/// The traffic counters of a registry, one per profile.
#[derive(Default)]
struct Traffics([Arc<TrafficCounter>; 3]);

impl Group for Traffics {
    const NAME: &'static str = "grpc";

    fn declare(_: &Registry) -> Result<Self, DeclareError> {
        Ok(Self::default())
    }
}

/// The traffic counter shared by the layers of this registry and profile. `None` for clients, whose
/// calls are no traffic of this service.
pub(super) fn traffic(
    registry: &Registry,
    side: Side,
    names: GrpcNames,
) -> Result<Option<Arc<TrafficCounter>>, DeclareError> {
    let Traffics([catalog, go, otel]) = &*registry.group()?;
    let traffic = match names {
        GrpcNames::Catalog => catalog,
        GrpcNames::GoGrpcMiddleware => go,
        GrpcNames::OpenTelemetry => otel,
    };
    Ok((side == Side::Server).then(|| Arc::clone(traffic)))
}
