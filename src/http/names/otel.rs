//! Metrics under the names of OpenTelemetry's semantic conventions for HTTP servers, 1.44, as its
//! Prometheus exporter writes them.

use super::{Added, Name, Naming};
use crate::exchange::{Ended, Open, SIZES};
use crate::http::labels::Row;
use crate::http::outcome::{End, Outcome};
use crate::http::route::UNMATCHED;
use crate::registry::{DeclareError, Family, Gauge, Histogram, Registry};

const GROUP: &str = "otel_http_server";

/// The only error that is not the server's.
const CLIENT_CLOSED: &str = "client_closed";

const LABELS: [&str; 6] = [
    "http_request_method",
    "url_scheme",
    "http_route",
    "http_response_status_code",
    "error_type",
    "network_protocol_version",
];

/// The buckets that the conventions recommend for the duration.
const BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

#[derive(Debug)]
pub(super) struct Otel {
    duration: Family<Histogram, Row<'static>>,
    request_size: Family<Histogram, Row<'static>>,
    response_size: Family<Histogram, Row<'static>>,
    active: Family<Gauge, Row<'static>>,
}

impl Otel {
    pub(super) fn declare(
        registry: &Registry,
        added: &Added,
        buckets: Option<&[f64]>,
    ) -> Result<Self, DeclareError> {
        let labels = || added.to_all(&LABELS);
        registry.declare_as(GROUP, |registry| {
            Ok(Self {
                duration: registry
                    .histogram(
                        "http_server_request_duration_seconds",
                        "Duration of HTTP server requests",
                    )
                    .standard_name()
                    .buckets(buckets.unwrap_or(&BUCKETS))
                    .labels(labels())?,
                request_size: registry
                    .histogram(
                        "http_server_request_body_size_bytes",
                        "Size of HTTP server request bodies",
                    )
                    .standard_name()
                    .buckets(&SIZES)
                    .labels(labels())?,
                response_size: registry
                    .histogram(
                        "http_server_response_body_size_bytes",
                        "Size of HTTP server response bodies",
                    )
                    .standard_name()
                    .buckets(&SIZES)
                    .labels(labels())?,
                active: registry
                    .gauge(
                        "http_server_active_requests",
                        "Number of active HTTP server requests",
                    )
                    .standard_name()
                    .labels(added.to_request(&["http_request_method", "url_scheme"]))?,
            })
        })
    }
}

impl Naming for Otel {
    fn open(&self, name: &Name, handles: &mut Open) {
        let row = name.row(&[name.verb.in_otel(), name.protocol.scheme()]);
        handles.in_flight.extend(self.active.live(&row));
    }

    fn end(&self, name: &Name, outcome: Outcome, labels: &[&str], handles: &mut Ended) {
        let mut status = itoa::Buffer::new();
        // An empty label value means that the label is absent.
        let status = match outcome.sent {
            0 => "",
            sent => status.format(sent),
        };
        let route = match &*name.route {
            UNMATCHED => "",
            route => route,
        };
        let row = name.row_and(
            &[
                name.verb.in_otel(),
                name.protocol.scheme(),
                route,
                status,
                error_type(outcome, status),
                name.protocol.version(),
            ],
            labels,
        );
        let duration = name.duration(&self.duration, &row);
        handles.durations.extend(duration);
        handles.request_sizes.extend(self.request_size.live(&row));
        handles.response_sizes.extend(self.response_size.live(&row));
    }

    fn samples(&self) -> bool {
        let all = [&self.duration, &self.request_size, &self.response_size];
        all.into_iter().any(Family::is_enabled)
    }
}

/// For a server a status of 4xx is no error; an incomplete response is one, whatever its status.
fn error_type(outcome: Outcome, status: &str) -> &str {
    match outcome.end {
        End::Complete if outcome.sent >= 500 => status,
        End::Complete => "",
        End::Dropped => CLIENT_CLOSED,
        End::Failed if outcome.sent == 0 => "service_error",
        End::Failed => "body_error",
        End::Panicked => "panic",
    }
}
