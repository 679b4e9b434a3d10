//! Metrics of the duration of writing pages, and of their sizes.

use std::time::Duration;

use crate::encode::Encoding;
use crate::registry::{Family, Histogram, Registry, Text};

/// From a small registry to half of the default scrape timeout.
const SECONDS: [f64; 8] = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 5.0];

/// From a page that fits one packet to the limit held for readers.
const BYTES: [f64; 8] = [1e3, 5e3, 2e4, 1e5, 5e5, 2e6, 1e7, 3.2e7];

/// The metrics of pages, by the encoding sent. Nothing is recorded if the application has other
/// metrics of these names.
#[derive(Clone)]
pub(super) struct Written {
    seconds: Option<Family<Histogram, [Text; 1]>>,
    bytes: Option<Family<Histogram, [Text; 1]>>,
}

impl Written {
    pub(super) fn new(registry: &Registry) -> Self {
        let histogram = |name: &'static str, help: &'static str, bounds: &[f64]| {
            let family = registry.histogram(name, help).buckets(bounds);
            let family = family.only("encoding", &Encoding::NAMES);
            family.labels(["encoding"]).ok()
        };
        Self {
            seconds: histogram(
                "metrics_scrape_duration_seconds",
                "Time to collect, write and compress a page of metrics; a page that scrapers share \
                 is counted once",
                &SECONDS,
            ),
            bytes: histogram(
                "metrics_scrape_size_bytes",
                "Length of a page of metrics as sent",
                &BYTES,
            ),
        }
    }

    pub(super) fn observe(&self, encoding: Encoding, took: Duration, length: usize) {
        let encoding = [encoding.content_encoding().unwrap_or("identity")];
        if let Some(seconds) = &self.seconds {
            seconds.observe(&encoding, took.as_secs_f64());
        }
        if let Some(bytes) = &self.bytes {
            bytes.observe(&encoding, length as f64);
        }
    }
}
