//! The metrics, one file for each naming profile.

mod catalog;
mod go;
mod otel;

use std::sync::Arc;

pub use catalog::{GrpcClientMetrics, GrpcMetrics};

use super::names::{GrpcNames, Naming};
use crate::registry::{DeclareError, Registry};

/// Which side of the wire a layer is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Server,
    Client,
}

/// Declares the metrics of a profile for one side.
pub(super) fn declare(
    registry: &Registry,
    side: Side,
    names: GrpcNames,
) -> Result<Arc<dyn Naming>, DeclareError> {
    Ok(match (names, side) {
        (GrpcNames::Catalog, Side::Server) => registry.group::<GrpcMetrics>()?,
        (GrpcNames::Catalog, Side::Client) => registry.group::<GrpcClientMetrics>()?,
        (GrpcNames::GoGrpcMiddleware, Side::Server) => registry.group::<go::Server>()?,
        (GrpcNames::GoGrpcMiddleware, Side::Client) => registry.group::<go::Client>()?,
        (GrpcNames::OpenTelemetry, Side::Server) => registry.group::<otel::Server>()?,
        (GrpcNames::OpenTelemetry, Side::Client) => registry.group::<otel::Client>()?,
    })
}
