//! The metric names of HTTP requests.

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

/// The metric names of a layer.
///
/// The catalogue's older aliases are not among them: those of `Catalog` are also exposed under them
/// if a [profile](crate::config::Config::profile) enables them.
///
/// Names of other tools get no namespace, since they must match existing dashboards and rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpNames {
    /// The names of this crate; see [`HttpMetrics`].
    #[default]
    Catalog,
    /// The names of OpenTelemetry's semantic conventions for HTTP servers, in Prometheus form:
    /// `http_server_request_duration_seconds`, `http_server_request_body_size_bytes` and
    /// `http_server_response_body_size_bytes` by `http_request_method`, `url_scheme`, `http_route`,
    /// `http_response_status_code`, `error_type` and `network_protocol_version`, and
    /// `http_server_active_requests` by the first two. An unknown method is `_OTHER`, and an
    /// unmatched request has no route.
    OpenTelemetry,
    /// The names of the crate `axum-prometheus`: `axum_http_requests_total` and
    /// `axum_http_requests_duration_seconds` by method, status and endpoint,
    /// `axum_http_requests_pending` and `axum_http_response_body_size` by method and endpoint.
    /// Unlike there, an unmatched request has the endpoint `unmatched`, not its path.
    AxumPrometheus,
}

/// The labels of a series that are known when a request begins.
#[derive(Debug)]
pub(crate) struct Name {
    pub(super) verb: Verb,
    /// The route label.
    pub(super) route: Box<str>,
    pub(super) protocol: Protocol,
    /// The values of the request labels.
    pub(super) labels: Box<[Box<str>]>,
    /// Buckets for the durations of this route only.
    pub(super) buckets: Option<Arc<[f64]>>,
}

/// A set of names. Called once per series, never during a request.
pub(crate) trait Naming: fmt::Debug + Send + Sync {
    /// Adds the handles used before a request ends.
    fn open(&self, name: &Name, handles: &mut Open);

    /// Adds the handles for an outcome; `labels` are the values of the response labels.
    fn end(&self, name: &Name, outcome: Outcome, labels: &[&str], handles: &mut Ended);

    /// The histogram of session lifetimes.
    fn session(&self, _: &Name) -> Option<Histogram> {
        None
    }

    /// Whether it has any histograms: an operator may have disabled them.
    fn samples(&self) -> bool;
}

/// The names of the labels added by the application.
#[derive(Clone, Debug, Default)]
pub(super) struct Added {
    pub(super) request: Vec<&'static str>,
    pub(super) response: Vec<&'static str>,
}

impl Added {
    /// Appends the labels known when a request begins to `names`.
    fn to_request(&self, names: &[&'static str]) -> Vec<&'static str> {
        [names, &self.request].concat()
    }

    /// Appends all added labels to `names`.
    fn to_all(&self, names: &[&'static str]) -> Vec<&'static str> {
        [names, &self.request, &self.response].concat()
    }
}

impl Name {
    /// Appends the values of the request labels to `values`.
    fn row<'a>(&'a self, values: &[&'a str]) -> Row<'a> {
        Row::new(values, &self.labels, &[])
    }

    /// Appends the values of the request and response labels to `values`.
    fn row_and<'a>(&'a self, values: &[&'a str], labels: &[&'a str]) -> Row<'a> {
        Row::new(values, &self.labels, labels)
    }

    /// The series of a duration, with the route's own buckets if it has any.
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

/// The traffic counters of a registry, one per set of names.
#[derive(Default)]
struct Traffics([Arc<TrafficCounter>; 3]);

impl Group for Traffics {
    const NAME: &'static str = "http";

    fn declare(_: &Registry) -> Result<Self, DeclareError> {
        Ok(Self::default())
    }
}

impl HttpNames {
    /// The traffic counter shared by the layers of this registry whose first set of names is this.
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

    /// Whether the protocol of a request is one of its labels.
    pub(super) fn names_protocol(self) -> bool {
        self == Self::OpenTelemetry
    }
}
