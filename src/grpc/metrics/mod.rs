//! The metrics, one file for each naming profile, each of which has both sides.

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

/// What the layers of a server record under each profile, for all of a registry.
#[derive(Default)]
struct Traffics([Arc<TrafficCounter>; 3]);

impl Group for Traffics {
    const NAME: &'static str = "grpc";

    fn declare(_: &Registry) -> Result<Self, DeclareError> {
        Ok(Self::default())
    }
}

/// What the layers of this registry that have this profile count together. Of a client nothing is
/// counted: its calls are no traffic of this service.
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
