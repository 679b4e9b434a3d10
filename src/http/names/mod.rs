//! Under which names requests are recorded.

mod axum_prometheus;
mod catalog;
mod otel;

use std::fmt;
use std::sync::Arc;

pub(crate) use catalog::FIRST_BYTE;
pub use catalog::{DURATION, HttpMetrics};

use super::labels::Row;
use super::outcome::Outcome;
use super::route::Protocol;
use crate::exchange::{Ended, Open};
use crate::health::TrafficCounter;
use crate::registry::{DeclareError, Family, Group, Histogram, Registry};
use crate::util::Verb;

/// By powers of ten, for what a service sends and takes spans many of them.
const SIZES: [f64; 8] = [
    100.0,
    1_000.0,
    10_000.0,
    100_000.0,
    1_000_000.0,
    10_000_000.0,
    100_000_000.0,
    1_000_000_000.0,
];

/// Under which names a layer records.
///
/// The older names that the catalogue lists as aliases are not among them: those of `Catalog` are
/// exposed by them as well where a [profile](crate::config::Config::profile) has them.
///
/// Those that other tools have made a standard stay as they are, whatever the namespace, for
/// they are there to fit dashboards and rules that exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpNames {
    /// Those of this crate; see [`HttpMetrics`].
    #[default]
    Catalog,
    /// Those of OpenTelemetry's semantic conventions for HTTP servers, as Prometheus names:
    /// `http_server_request_duration_seconds`, `http_server_request_body_size_bytes` and
    /// `http_server_response_body_size_bytes` by `http_request_method`, `url_scheme`,
    /// `http_route`, `http_response_status_code`, `error_type` and
    /// `network_protocol_version`, and `http_server_active_requests` by the first two. An
    /// unknown method is `_OTHER`, and a request that matched no route has no route.
    OpenTelemetry,
    /// Those of the crate `axum-prometheus`: `axum_http_requests_total` and
    /// `axum_http_requests_duration_seconds` by method, status and endpoint,
    /// `axum_http_requests_pending` and `axum_http_response_body_size` by method and
    /// endpoint. Unlike there, what matched no route is `unmatched` and not the path.
    AxumPrometheus,
}

/// What the requests of a series have in common when they begin.
#[derive(Debug)]
pub(crate) struct Name {
    pub(super) verb: Verb,
    /// The route as it is labelled.
    pub(super) route: Box<str>,
    pub(super) protocol: Protocol,
    /// The values of the request labels.
    pub(super) labels: Box<[Box<str>]>,
    /// Buckets for the durations of this route alone.
    pub(super) buckets: Option<Arc<[f64]>>,
}

/// One set of names. Asked once for each series, never on the way of a request.
pub(crate) trait Naming: fmt::Debug + Send + Sync {
    /// Adds the handles that a request uses before it ends.
    fn open(&self, name: &Name, handles: &mut Open);

    /// Adds the handles for one way to end; `labels` are the values of the response labels.
    fn end(&self, name: &Name, outcome: Outcome, labels: &[&str], handles: &mut Ended);

    /// The lengths of sessions.
    fn session(&self, _: &Name) -> Option<Histogram> {
        None
    }

    /// Whether it has histograms at all: an operator may have switched them off.
    fn samples(&self) -> bool;
}

/// The names of the labels that the application adds.
#[derive(Clone, Debug, Default)]
pub(super) struct Added {
    pub(super) request: Vec<&'static str>,
    pub(super) response: Vec<&'static str>,
}

impl Added {
    /// `names` and the labels that are known when a request begins.
    fn to_request(&self, names: &[&'static str]) -> Vec<&'static str> {
        [names, &self.request].concat()
    }

    /// `names` and all added labels.
    fn to_all(&self, names: &[&'static str]) -> Vec<&'static str> {
        [names, &self.request, &self.response].concat()
    }
}

impl Name {
    /// `values` and those of the request labels.
    fn row<'a>(&'a self, values: &[&'a str]) -> Row<'a> {
        Row::new(values, &self.labels, &[])
    }

    /// `values`, those of the request labels, and those of the response labels.
    fn row_and<'a>(&'a self, values: &[&'a str], labels: &[&'a str]) -> Row<'a> {
        Row::new(values, &self.labels, labels)
    }

    /// The series of a duration, with the buckets of the route where it has its own.
    fn duration(
        &self,
        family: &Family<Histogram, Row<'static>>,
        row: &Row<'_>,
    ) -> Option<Histogram> {
        if !family.is_enabled() {
            return None;
        }
        let own = self.buckets.as_ref();
        own.and_then(|buckets| family.with_buckets(row, buckets).ok())
            .or_else(|| family.live(row))
    }
}

/// What was recorded under each set of names, for all layers of a registry.
#[derive(Default)]
struct Traffics([Arc<TrafficCounter>; 3]);

impl Group for Traffics {
    const NAME: &'static str = "http";

    fn declare(_: &Registry) -> Result<Self, DeclareError> {
        Ok(Self::default())
    }
}

impl HttpNames {
    /// What the layers of this registry that have these names first count together.
    pub(super) fn traffic(self, registry: &Registry) -> Result<Arc<TrafficCounter>, DeclareError> {
        let Traffics([catalog, otel, axum_prometheus]) = &*registry.group()?;
        Ok(Arc::clone(match self {
            Self::Catalog => catalog,
            Self::OpenTelemetry => otel,
            Self::AxumPrometheus => axum_prometheus,
        }))
    }

    pub(super) fn declare(
        self,
        registry: &Registry,
        added: &Added,
        buckets: Option<&[f64]>,
    ) -> Result<Arc<dyn Naming>, DeclareError> {
        Ok(match self {
            Self::Catalog => Arc::new(catalog::Catalog::declare(registry, added, buckets)?),
            Self::OpenTelemetry => Arc::new(otel::Otel::declare(registry, added, buckets)?),
            Self::AxumPrometheus => Arc::new(axum_prometheus::AxumPrometheus::declare(
                registry, added, buckets,
            )?),
        })
    }

    /// Whether the protocol of a request is part of its labels.
    pub(super) fn names_protocol(self) -> bool {
        self == Self::OpenTelemetry
    }
}
