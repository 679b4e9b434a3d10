//! The metrics, one file for each naming profile, each of which has both sides.

mod catalog;
mod go;
mod otel;
mod side;

use std::sync::Arc;

pub use catalog::{GrpcClientMetrics, GrpcMetrics};
pub(super) use side::Side;

use super::names::{GrpcNames, Naming};
use super::status;
use crate::health::Traffic;
use crate::registry::{DeclareError, FamilySnapshot, Number, Registry, Value, parse_labels};
use side::{Made, Served};

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

/// What a family of calls says of the traffic; `code` is the label of the code. Only what the
/// server got wrong is bad; what a client got wrong is served well.
fn traffic(family: &FamilySnapshot, code: &str) -> Traffic {
    let mut traffic = Traffic::default();
    for series in &family.series {
        let n = match &series.value {
            Value::Number(Number::U64(n)) => *n,
            Value::Histogram(histogram) => histogram.count(),
            _ => continue,
        };
        traffic.total += n;
        let labels = parse_labels(&series.labels);
        let code = labels.iter().find(|(name, _)| name == code);
        if !code.is_some_and(|(_, code)| status::is_fault(code)) {
            traffic.good += n;
        }
    }
    traffic
}
