//! Metrics under the names of the crate `axum-prometheus`, version 0.10.

use super::{Added, Name, Naming};
use crate::exchange::{Ended, Open};
use crate::http::labels::Row;
use crate::http::outcome::Outcome;
use crate::registry::{Counter, DeclareError, Family, Gauge, Histogram, Registry};
use crate::util::Verb;

const GROUP: &str = "axum_prometheus";

/// The buckets that it uses for sizes, if they are enabled.
const SIZES: [f64; 8] = [
    512.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    16_777_216.0,
];

#[derive(Debug)]
pub(super) struct AxumPrometheus {
    requests: Family<Counter, Row<'static>>,
    duration: Family<Histogram, Row<'static>>,
    response_size: Family<Histogram, Row<'static>>,
    pending: Family<Gauge, Row<'static>>,
}

impl AxumPrometheus {
    pub(super) fn declare(
        registry: &Registry,
        added: &Added,
        buckets: Option<&[f64]>,
    ) -> Result<Self, DeclareError> {
        let by_status = || added.to_all(&["method", "status", "endpoint"]);
        let by_endpoint = || added.to_request(&["method", "endpoint"]);
        registry.declare_as(GROUP, |registry| {
            let mut duration = registry
                .histogram(
                    "axum_http_requests_duration_seconds",
                    "Time from an HTTP request to the end of its response body",
                )
                .standard_name()
                .only("method", &Verb::NAMES);
            if let Some(buckets) = buckets {
                duration = duration.buckets(buckets);
            }
            Ok(Self {
                requests: registry
                    .counter("axum_http_requests_total", "HTTP requests")
                    .standard_name()
                    .only("method", &Verb::NAMES)
                    .labels(by_status())?,
                duration: duration.labels(by_status())?,
                response_size: registry
                    .histogram(
                        "axum_http_response_body_size",
                        "Bytes sent of an HTTP response body",
                    )
                    .standard_name()
                    .only("method", &Verb::NAMES)
                    .buckets(&SIZES)
                    .labels(by_endpoint())?,
                pending: registry
                    .gauge(
                        "axum_http_requests_pending",
                        "HTTP requests whose response body has not ended",
                    )
                    .standard_name()
                    .only("method", &Verb::NAMES)
                    .labels(by_endpoint())?,
            })
        })
    }
}

impl Naming for AxumPrometheus {
    fn open(&self, name: &Name, handles: &mut Open) {
        let row = name.row(&[name.verb.as_str(), &name.route]);
        handles.in_flight.extend(self.pending.live(&row));
    }

    fn end(&self, name: &Name, outcome: Outcome, labels: &[&str], handles: &mut Ended) {
        let mut status = itoa::Buffer::new();
        let status = status.format(outcome.status());
        let row = name.row_and(&[name.verb.as_str(), status, &name.route], labels);
        handles.requests.extend(self.requests.live(&row));
        let duration = name.duration(&self.duration, &row);
        handles.durations.extend(duration);
        let row = name.row(&[name.verb.as_str(), &name.route]);
        handles.response_sizes.extend(self.response_size.live(&row));
    }

    fn samples(&self) -> bool {
        self.duration.is_enabled() || self.response_size.is_enabled()
    }
}
