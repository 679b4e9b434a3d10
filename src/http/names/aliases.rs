//! The older names that the catalogue lists as aliases.

use super::{Name, Naming};
use crate::exchange::{Ended, Open, Timing};
use crate::http::outcome::Outcome;
use crate::registry::{Counter, DeclareError, Family, Gauge, Group, Histogram, Registry, Text};

pub(super) const REQUESTS: &str = "requests_total";
pub(super) const RESPONSE_TIME: &str = "response_time_histogram";
pub(super) const MILLISECONDS: [f64; 7] = [50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0];
pub(super) const ACTIVE: &str = "http_connections_active";

const NO_LABELS: [&str; 0] = [];

#[derive(Debug)]
pub(super) struct Aliases {
    requests: Family<Counter, [Text; 3]>,
    response_time: Family<Histogram, [Text; 1]>,
    active: Option<Gauge>,
}

impl Aliases {
    /// `buckets` are in seconds, as those of all names.
    pub(super) fn declare(
        registry: &Registry,
        buckets: Option<&[f64]>,
    ) -> Result<Self, DeclareError> {
        // To the nanosecond, or 0.07 s were 70.00000000000001 ms.
        let milliseconds = |bound: &f64| (bound * 1e9).round() / 1e6;
        let buckets = match buckets {
            Some(seconds) => &seconds.iter().map(milliseconds).collect::<Vec<_>>(),
            None => &MILLISECONDS[..],
        };
        registry.declare_as(super::HttpMetrics::NAME, |registry| {
            Ok(Self {
                requests: registry
                    .counter(REQUESTS, "Alias of http_requests_total")
                    .labels(["method", "endpoint", "status"])?,
                response_time: registry
                    .histogram(
                        RESPONSE_TIME,
                        "Alias of http_request_duration_seconds, in milliseconds",
                    )
                    .buckets(buckets)
                    .labels(["endpoint"])?,
                active: registry
                    .gauge(ACTIVE, "Alias of http_requests_in_flight")
                    .labels([])?
                    .live(&NO_LABELS),
            })
        })
    }
}

impl Naming for Aliases {
    fn open(&self, _: &Name, handles: &mut Open) {
        handles.in_flight.extend(self.active.clone());
    }

    fn end(&self, name: &Name, outcome: Outcome, _: &[&str], handles: &mut Ended) {
        let mut status = itoa::Buffer::new();
        let status = status.format(outcome.status());
        let row = [name.verb.as_str(), &name.route, status];
        handles.requests.extend(self.requests.live(&row));
        let milliseconds = |histogram| Timing {
            histogram,
            per_second: 1_000.0,
        };
        let response_time = self.response_time.live(&[&name.route]);
        handles.durations.extend(response_time.map(milliseconds));
    }

    fn samples(&self) -> bool {
        self.response_time.is_enabled()
    }
}
