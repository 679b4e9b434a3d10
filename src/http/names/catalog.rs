//! The metric names of this crate's catalogue.

use super::{Added, Name, Naming};
use crate::catalog::Alias;
use crate::config::{INCIDENT_MANAGER, PLATFORM};
use crate::exchange::{Ended, Open, SIZES};
use crate::http::labels::Row;
use crate::http::outcome::Outcome;
use crate::registry::{
    Counter, Declare, DeclareError, Family, Gauge, Group, Histogram, Registry, Text,
};
use crate::util::Verb;

/// The histogram of durations, whose buckets are configurable.
pub const DURATION: &str = "http_request_duration_seconds";

/// The histogram of times to first byte, which has the same buckets.
pub(crate) const FIRST_BYTE: &str = "http_time_to_first_byte_seconds";

/// The buckets of the alias of the durations.
const MILLISECONDS: [f64; 7] = [50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0];

/// Buckets from a second to a day.
const SESSIONS: [f64; 8] = [1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0];

/// The metrics of HTTP servers, under the names of the catalogue.
///
/// [`HttpLayer`](crate::http::HttpLayer) records them; get the group from the registry to read
/// them, for example in a test:
///
/// ```
/// use selfheal::http::HttpMetrics;
/// use selfheal::registry::Registry;
///
/// # fn main() -> Result<(), selfheal::registry::DeclareError> {
/// let registry = Registry::new();
/// let http = registry.group::<HttpMetrics>()?;
/// assert!(http.requests.get(&["GET", "/orders/{id}", "200"]).is_none());
/// # Ok(())
/// # }
/// ```
///
/// A layer with labels or buckets of its own declares different metrics, so in its registry this
/// group is an error.
///
/// Sizes have a bucket per power of ten from 100 B to 1 GB, sessions eight from a second to a day;
/// the others have [`DEFAULT_BUCKETS`](crate::registry::DEFAULT_BUCKETS). The configuration can set
/// others for each metric.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpMetrics {
    /// `http_requests_total`, by method, path and status.
    pub requests: Family<Counter, [Text; 3]>,
    /// `http_request_duration_seconds`, by method, path and status: from the call of the
    /// layer to the end of the response body.
    pub duration: Family<Histogram, [Text; 3]>,
    /// `http_time_to_first_byte_seconds`, by method and path: from the call of the layer until the
    /// server has taken the response headers.
    pub first_byte: Family<Histogram, [Text; 2]>,
    /// `http_request_size_bytes`, by method and path: the part of the body that had been read when
    /// the response ended.
    pub request_size: Family<Histogram, [Text; 2]>,
    /// `http_response_size_bytes`, by method and path: the part of the body that was sent.
    pub response_size: Family<Histogram, [Text; 2]>,
    /// `http_session_duration_seconds`, by method and path: the lifetime of server-sent event
    /// streams, of streams on routes [declared](crate::http::RouteRule::session) as such, and of
    /// upgraded connections whose handler holds the [`HttpSession`](crate::http::HttpSession).
    pub session: Family<Histogram, [Text; 2]>,
    /// `http_requests_in_flight`: requests whose response body has not ended.
    pub in_flight: Gauge,
}

impl Group for HttpMetrics {
    const NAME: &'static str = "http";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self {
            requests: requests(registry).labels(BY_STATUS)?,
            duration: duration(registry).labels(BY_STATUS)?,
            first_byte: first_byte(registry).labels(BY_PATH)?,
            request_size: request_size(registry).labels(BY_PATH)?,
            response_size: response_size(registry).labels(BY_PATH)?,
            session: session(registry).labels(BY_PATH)?,
            in_flight: in_flight(registry).build()?,
        })
    }
}

const BY_STATUS: [&str; 3] = ["method", "path", "status"];
const BY_PATH: [&str; 2] = ["method", "path"];
const NO_LABELS: [&str; 0] = [];

fn requests(registry: &Registry) -> Declare<'_, Counter> {
    registry.counter(
        "http_requests_total",
        "HTTP requests, by method, matched route and status, counted when the response body ends",
    )
    .only("method", &Verb::NAMES)
    .alias(Alias::new(PLATFORM, "requests_total").rename("path", "endpoint"))
}

fn duration(registry: &Registry) -> Declare<'_, Histogram> {
    registry
        .histogram(
            DURATION,
            "Time from an HTTP request to the end of its response body",
        )
        .only("method", &Verb::NAMES)
        .alias(
            Alias::new(PLATFORM, "response_time_histogram")
                .without("method")
                .without("status")
                .rename("path", "endpoint")
                .scaled(1_000.0)
                .buckets(&MILLISECONDS),
        )
}

fn first_byte(registry: &Registry) -> Declare<'_, Histogram> {
    let help = "Time from an HTTP request to the headers of its response";
    registry
        .histogram(FIRST_BYTE, help)
        .only("method", &Verb::NAMES)
}

fn request_size(registry: &Registry) -> Declare<'_, Histogram> {
    let help = "Bytes read of an HTTP request body";
    registry
        .histogram("http_request_size_bytes", help)
        .only("method", &Verb::NAMES)
        .buckets(&SIZES)
}

fn response_size(registry: &Registry) -> Declare<'_, Histogram> {
    let help = "Bytes sent of an HTTP response body";
    registry
        .histogram("http_response_size_bytes", help)
        .only("method", &Verb::NAMES)
        .buckets(&SIZES)
}

fn session(registry: &Registry) -> Declare<'_, Histogram> {
    let help = "Duration of a stream or an upgraded connection";
    registry
        .histogram("http_session_duration_seconds", help)
        .only("method", &Verb::NAMES)
        .buckets(&SESSIONS)
}

fn in_flight(registry: &Registry) -> Declare<'_, Gauge> {
    registry
        .gauge(
            "http_requests_in_flight",
            "HTTP requests whose response body has not ended",
        )
        .alias(Alias::new(INCIDENT_MANAGER, "http_connections_active"))
}

/// The same metrics, with the labels and buckets of one layer.
#[derive(Debug)]
pub(super) struct Catalog {
    requests: Family<Counter, Row<'static>>,
    duration: Family<Histogram, Row<'static>>,
    first_byte: Family<Histogram, Row<'static>>,
    request_size: Family<Histogram, Row<'static>>,
    response_size: Family<Histogram, Row<'static>>,
    session: Family<Histogram, Row<'static>>,
    in_flight: Option<Gauge>,
}

impl Catalog {
    pub(super) fn declare(
        registry: &Registry,
        added: &Added,
        buckets: Option<&[f64]>,
    ) -> Result<Self, DeclareError> {
        registry.declare_as(HttpMetrics::NAME, |registry| {
            let (mut duration, mut first_byte) = (duration(registry), first_byte(registry));
            if let Some(buckets) = buckets {
                duration = duration.buckets(buckets);
                first_byte = first_byte.buckets(buckets);
            }
            Ok(Self {
                requests: requests(registry).labels(added.to_all(&BY_STATUS))?,
                duration: duration.labels(added.to_all(&BY_STATUS))?,
                first_byte: first_byte.labels(added.to_request(&BY_PATH))?,
                request_size: request_size(registry).labels(added.to_request(&BY_PATH))?,
                response_size: response_size(registry).labels(added.to_request(&BY_PATH))?,
                session: session(registry).labels(added.to_request(&BY_PATH))?,
                in_flight: in_flight(registry).labels([])?.live(&NO_LABELS),
            })
        })
    }
}

impl Naming for Catalog {
    fn open(&self, name: &Name, handles: &mut Open) {
        let row = name.row(&[name.verb.as_str(), &name.route]);
        handles.in_flight.extend(self.in_flight.clone());
        let first_byte = name.duration(&self.first_byte, &row);
        handles.first_byte.extend(first_byte);
    }

    fn end(&self, name: &Name, outcome: Outcome, labels: &[&str], handles: &mut Ended) {
        let mut status = itoa::Buffer::new();
        let status = status.format(outcome.status());
        let row = name.row_and(&[name.verb.as_str(), &name.route, status], labels);
        handles.requests.extend(self.requests.live(&row));
        let duration = name.duration(&self.duration, &row);
        handles.durations.extend(duration);
        let row = name.row(&[name.verb.as_str(), &name.route]);
        handles.request_sizes.extend(self.request_size.live(&row));
        handles.response_sizes.extend(self.response_size.live(&row));
    }

    fn session(&self, name: &Name) -> Option<Histogram> {
        let row = name.row(&[name.verb.as_str(), &name.route]);
        self.session.live(&row)
    }

    fn samples(&self) -> bool {
        let all = [
            &self.duration,
            &self.first_byte,
            &self.request_size,
            &self.response_size,
            &self.session,
        ];
        all.into_iter().any(Family::is_enabled)
    }
}
