use crate::registry::{Counter, DeclareError, Family, Gauge, Group, Histogram, Registry, Text};

/// The histogram of durations, whose buckets the configuration can set.
pub const DURATION: &str = "http_request_duration_seconds";

/// The metrics of HTTP servers, as the catalogue names them.
///
/// [`HttpLayer`](super::HttpLayer) records them; ask the registry for the group to read them,
/// in a test for example:
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
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpMetrics {
    /// `http_requests_total`, by method, path and status.
    pub requests: Family<Counter, [Text; 3]>,
    /// `http_request_duration_seconds`, by method, path and status: from the call of the
    /// layer to the end of the response body.
    pub duration: Family<Histogram, [Text; 3]>,
    /// `http_requests_in_flight`: requests whose response body has not ended.
    pub in_flight: Gauge,
}

impl Group for HttpMetrics {
    const NAME: &'static str = "http";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self {
            requests: registry
                .counter(
                    "http_requests_total",
                    "HTTP requests, by method, matched route and status, counted when the response body ends",
                )
                .labels(["method", "path", "status"])?,
            duration: registry
                .histogram(
                    DURATION,
                    "Time from an HTTP request to the end of its response body",
                )
                .labels(["method", "path", "status"])?,
            in_flight: registry
                .gauge(
                    "http_requests_in_flight",
                    "HTTP requests whose response body has not ended",
                )
                .build()?,
        })
    }
}
