//! The metric names of this module.

use super::{Name, Naming};
use crate::exchange::{Ended, Open, SIZES};
use crate::http_client::outcome::Outcome;
use crate::registry::{
    Counter, DEFAULT_BUCKETS, DeclareError, Family, Gauge, Group, Histogram, Registry, Text,
};
use crate::util::Verb;

/// The metrics of outgoing HTTP requests. `status` is the status code, or the reason why there is
/// none; see the table of [the module](crate::http_client).
///
/// The duration is not called `http_client_request_duration_seconds`, which is OpenTelemetry's,
/// with other labels; both may be recorded.
///
/// Both durations have the [buckets](crate::http_client::HttpClientLayerBuilder::buckets) of the
/// layer; sizes have one per power of ten from 100 B to 1 GB. The configuration can set others for
/// each metric.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpClientMetrics {
    /// `http_client_requests_total`, by method, host and status.
    pub requests: Family<Counter, [Text; 3]>,
    /// `http_client_duration_seconds`, by method, host and status: until the response body ends or
    /// is dropped.
    pub duration: Family<Histogram, [Text; 3]>,
    /// `http_client_time_to_first_byte_seconds`, by method and host: until the headers.
    pub first_byte: Family<Histogram, [Text; 2]>,
    /// `http_client_response_size_bytes`, by method and host: the part of the body that was read.
    pub response_size: Family<Histogram, [Text; 2]>,
    /// `http_client_requests_in_flight`, by host: requests whose response body has not ended.
    pub in_flight: Family<Gauge, [Text; 1]>,
}

impl Group for HttpClientMetrics {
    const NAME: &'static str = "http_client";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        with_buckets(registry, &DEFAULT_BUCKETS)
    }
}

/// Declares the metrics with the buckets of one layer.
pub(super) fn declare(
    registry: &Registry,
    buckets: Option<&[f64]>,
) -> Result<HttpClientMetrics, DeclareError> {
    registry.declare_as(HttpClientMetrics::NAME, |registry| {
        with_buckets(registry, buckets.unwrap_or(&DEFAULT_BUCKETS))
    })
}

fn with_buckets(registry: &Registry, buckets: &[f64]) -> Result<HttpClientMetrics, DeclareError> {
    Ok(HttpClientMetrics {
        requests: registry
            .counter(
                "http_client_requests_total",
                "Outgoing HTTP requests, by method, host and outcome",
            )
            .only("method", &Verb::NAMES)
            .labels(["method", "host", "status"])?,
        duration: registry
            .histogram(
                "http_client_duration_seconds",
                "Time from an outgoing HTTP request to the end of its response body",
            )
            .buckets(buckets)
            .only("method", &Verb::NAMES)
            .labels(["method", "host", "status"])?,
        first_byte: registry
            .histogram(
                "http_client_time_to_first_byte_seconds",
                "Time from an outgoing HTTP request to the headers of its response",
            )
            .buckets(buckets)
            .only("method", &Verb::NAMES)
            .labels(["method", "host"])?,
        response_size: registry
            .histogram(
                "http_client_response_size_bytes",
                "Bytes read of the response body of an outgoing HTTP request",
            )
            .buckets(&SIZES)
            .only("method", &Verb::NAMES)
            .labels(["method", "host"])?,
        in_flight: registry
            .gauge(
                "http_client_requests_in_flight",
                "Outgoing HTTP requests whose response body has not ended",
            )
            .labels(["host"])?,
    })
}

impl Naming for HttpClientMetrics {
    fn open(&self, name: &Name, handles: &mut Open) {
        let row = [name.verb.as_str(), name.label()];
        handles
            .in_flight
            .extend(self.in_flight.live(&[name.label()]));
        handles.first_byte.extend(self.first_byte.live(&row));
    }

    fn end(&self, name: &Name, outcome: Outcome, handles: &mut Ended) {
        let mut digits = itoa::Buffer::new();
        let status = outcome.label(&mut digits);
        let row = [name.verb.as_str(), name.label(), status];
        handles.requests.extend(self.requests.live(&row));
        let duration = self.duration.live(&row);
        handles.durations.extend(duration);
        let row = [name.verb.as_str(), name.label()];
        handles.response_sizes.extend(self.response_size.live(&row));
    }
}
