//! The catalogue of every metric that this crate can declare.

use std::sync::Arc;

use super::health::{self, Health};
use crate::catalog::MetricDef;
use crate::collect::{self, BuildInfo, ServiceInfo};
use crate::config::Config;
use crate::groups;
use crate::registry::{DeclareError, Registry};
use crate::util::Clock;

/// Returns every metric that this crate can declare with its compiled features, used or not, by
/// name: kind, unit, labels and their values, help, buckets and aliases. [`Registry::catalog`]
/// returns the metrics that an application has declared.
///
/// Each is declared, in a separate registry, by the same code that declares it for use.
///
/// # Errors
/// Conflicting declarations, which would be a bug of this crate.
pub fn catalogue() -> Result<Vec<MetricDef>, DeclareError> {
    let registry = &Registry::new();
    declare(registry)?;
    let mut defs = registry.catalog();
    #[cfg(feature = "healing")]
    defs.extend(crate::healing::catalogue());
    defs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(defs)
}

/// Declares every metric that the handle declares for use, except those of the healing engine.
pub(super) fn declare(registry: &Registry) -> Result<(), DeclareError> {
    let clock = Clock::system();
    groups::declare_all(registry)?;
    collect::process(registry)?;
    collect::container(registry)?;
    collect::service(registry, &clock, &ServiceInfo::new(BuildInfo::new("")))?;
    #[cfg(feature = "system")]
    drop(collect::system(registry, &clock)?);
    #[cfg(feature = "tokio-metrics")]
    collect::declare_runtime(registry)?;
    #[cfg(feature = "http")]
    super::recent::expose(registry, &clock)?;
    health::expose(&Arc::new(Health::new(&Config::default(), clock)), registry)?;
    #[cfg(feature = "prometheus")]
    crate::interop::from_prometheus(registry, &prometheus::Registry::new())?;
    #[cfg(feature = "server")]
    crate::server::declare_all(registry);
    #[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
    layers(registry)?;
    #[cfg(feature = "rules")]
    super::rules::declare_all(registry)?;
    #[cfg(feature = "files")]
    registry.group::<crate::healing::builtin::FileMetrics>()?;
    Ok(())
}

/// Declares the metrics of the layers, under all their names.
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
fn layers(registry: &Registry) -> Result<(), DeclareError> {
    #[cfg(feature = "http")]
    {
        use crate::http::HttpNames::{AxumPrometheus, Catalog, OpenTelemetry};
        let names = [Catalog, OpenTelemetry, AxumPrometheus];
        crate::http::HttpLayer::builder(registry)
            .names(names)
            .build()?;
    }
    #[cfg(feature = "http-client")]
    {
        use crate::http_client::HttpClientNames::{Catalog, OpenTelemetry};
        let names = [Catalog, OpenTelemetry];
        crate::http_client::HttpClientLayer::builder(registry)
            .names(names)
            .build()?;
    }
    #[cfg(feature = "grpc")]
    {
        use crate::grpc::GrpcNames::{Catalog, GoGrpcMiddleware, OpenTelemetry};
        for names in [Catalog, GoGrpcMiddleware, OpenTelemetry] {
            crate::grpc::GrpcLayer::builder(registry)
                .names(names)
                .build()?;
            crate::grpc::GrpcClientLayer::builder(registry)
                .names(names)
                .build()?;
        }
    }
    Ok(())
}
