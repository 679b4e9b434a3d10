//! Metrics under the names of OpenTelemetry's semantic conventions for HTTP clients, 1.44, as its
//! Prometheus exporter writes them.

use http::Version;

use super::{Name, Naming};
use crate::exchange::{Ended, Open};
use crate::http_client::hosts::{Host, OTHER};
use crate::http_client::outcome::Outcome;
use crate::registry::{DeclareError, Family, Gauge, Histogram, Registry, Text};

const GROUP: &str = "otel_http_client";

/// The buckets that the conventions recommend for the duration.
const BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

#[derive(Debug)]
pub(super) struct Otel {
    duration: Family<Histogram, [Text; 6]>,
    active: Family<Gauge, [Text; 3]>,
}

impl Otel {
    pub(super) fn declare(
        registry: &Registry,
        buckets: Option<&[f64]>,
    ) -> Result<Self, DeclareError> {
        registry.declare_as(GROUP, |registry| {
            Ok(Self {
                duration: registry
                    .histogram(
                        "http_client_request_duration_seconds",
                        "Duration of HTTP client requests",
                    )
                    .standard_name()
                    .buckets(buckets.unwrap_or(&BUCKETS))
                    .labels([
                        "http_request_method",
                        "server_address",
                        "server_port",
                        "http_response_status_code",
                        "error_type",
                        "network_protocol_version",
                    ])?,
                active: registry
                    .gauge(
                        "http_client_active_requests",
                        "Number of active HTTP client requests",
                    )
                    .standard_name()
                    .labels(["http_request_method", "server_address", "server_port"])?,
            })
        })
    }
}

impl Naming for Otel {
    fn open(&self, name: &Name, handles: &mut Open) {
        let (address, port) = address(name);
        let active = self.active.live(&[name.verb.in_otel(), &address, &port]);
        handles.in_flight.extend(active);
    }

    /// For a client a status of 4xx is an error, too.
    fn end(&self, name: &Name, outcome: Outcome, handles: &mut Ended) {
        let (address, port) = address(name);
        let (mut digits, mut label) = (itoa::Buffer::new(), itoa::Buffer::new());
        // An empty label value means that the label is absent.
        let (status, version) = match outcome.received() {
            Some(head) => (digits.format(head.status), version(head.version)),
            None => ("", ""),
        };
        let error = match outcome.status() {
            Some(..400) => "",
            _ if outcome.is_of_no_kind() => "_OTHER",
            _ => outcome.label(&mut label),
        };
        let row = [name.verb.in_otel(), &address, &port, status, error, version];
        let duration = self.duration.live(&row);
        handles.durations.extend(duration);
    }
}

fn address(name: &Name) -> (String, String) {
    let address = name.host.as_ref().map(Host::address);
    let port = name.port.map(|port| port.to_string());
    (
        address.unwrap_or_else(|| OTHER.to_owned()),
        port.unwrap_or_default(),
    )
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "",
    }
}
