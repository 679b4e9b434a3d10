//! The handles of the series that an exchange is recorded to, under all names at once.

use std::fmt;
use std::time::Duration;

use crate::registry::{Counter, Gauge, Histogram};
use crate::trace::Trace;

/// The handles that an exchange uses before it ends.
#[derive(Debug, Default)]
pub(crate) struct Open {
    pub(crate) in_flight: Vec<Gauge>,
    pub(crate) first_byte: Vec<Histogram>,
    /// Exchanges that have begun.
    pub(crate) started: Vec<Counter>,
    /// Messages in the bodies of requests: received by a server, sent by a client.
    pub(crate) requests: Vec<Counter>,
    /// Messages in the bodies of responses.
    pub(crate) responses: Vec<Counter>,
}

impl Open {
    #[inline]
    pub(crate) fn enter(&self) {
        for gauge in &self.in_flight {
            gauge.inc();
        }
    }

    #[inline]
    pub(crate) fn leave(&self) {
        for gauge in &self.in_flight {
            gauge.dec();
        }
    }
}

/// The handles that an exchange uses when it has ended.
#[derive(Default)]
pub(crate) struct Ended {
    pub(crate) requests: Vec<Counter>,
    pub(crate) durations: Vec<Timing>,
    pub(crate) request_sizes: Vec<Histogram>,
    pub(crate) response_sizes: Vec<Histogram>,
    /// For names that record in a way of their own.
    pub(crate) also: Vec<Box<dyn Fn(Duration) + Send + Sync>>,
}

/// A histogram of durations and its unit.
#[derive(Debug)]
pub(crate) struct Timing {
    pub(crate) histogram: Histogram,
    /// 1 for seconds, 1,000 for milliseconds.
    pub(crate) per_second: f64,
}

impl Timing {
    pub(crate) fn seconds(histogram: Histogram) -> Self {
        Self {
            histogram,
            per_second: 1.0,
        }
    }
}

impl Ended {
    /// Counts an exchange and, where its time was taken, how long it `took` in seconds: for so many
    /// as it `stands_for`.
    #[inline]
    pub(crate) fn count(&self, took: Option<f64>, stands_for: u32, trace: Trace) {
        for counter in &self.requests {
            counter.inc();
        }
        if let Some(took) = took {
            for timing in &self.durations {
                let took = took * timing.per_second;
                timing.histogram.observe_n(took, stands_for);
                trace.exemplify(&timing.histogram, took);
            }
        }
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended")
            .field("requests", &self.requests)
            .field("durations", &self.durations)
            .finish_non_exhaustive()
    }
}
