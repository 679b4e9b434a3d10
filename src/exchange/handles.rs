//! The handles of the series that an exchange is recorded to, under all its names.

use std::fmt;
use std::time::Duration;

use crate::registry::{Counter, Gauge, Handle, Histogram};
use crate::trace::Trace;

/// Handles that are looked up and expire together.
pub(crate) trait Handles {
    /// Lets their series expire. Returns whether any of them can.
    fn loosen(&mut self) -> bool;

    /// Whether all series still exist; counts as use of them.
    fn may_use(&self) -> bool;
}

fn loosen(handles: &mut [impl Handle]) -> bool {
    handles
        .iter_mut()
        .fold(false, |any, handle| handle.loosen() | any)
}

fn may_use(handles: &[impl Handle]) -> bool {
    handles.iter().all(Handle::may_use)
}

/// The handles used before an exchange ends.
#[derive(Debug, Default)]
pub(crate) struct Open {
    pub(crate) in_flight: Vec<Gauge>,
    pub(crate) first_byte: Vec<Histogram>,
    /// Counts started exchanges.
    pub(crate) started: Vec<Counter>,
    /// Messages in request bodies: received by a server, sent by a client.
    pub(crate) requests: Vec<Counter>,
    /// Messages in response bodies.
    pub(crate) responses: Vec<Counter>,
}

impl Open {
    #[inline]
    pub(super) fn enter(&self) {
        for gauge in &self.in_flight {
            gauge.enter();
        }
    }

    #[inline]
    pub(super) fn leave(&self) {
        for gauge in &self.in_flight {
            gauge.leave();
        }
    }
}

impl Handles for Open {
    fn loosen(&mut self) -> bool {
        loosen(&mut self.in_flight)
            | loosen(&mut self.first_byte)
            | loosen(&mut self.started)
            | loosen(&mut self.requests)
            | loosen(&mut self.responses)
    }

    fn may_use(&self) -> bool {
        may_use(&self.in_flight)
            && may_use(&self.first_byte)
            && may_use(&self.started)
            && may_use(&self.requests)
            && may_use(&self.responses)
    }
}

/// The handles used when an exchange has ended.
#[derive(Default)]
pub(crate) struct Ended {
    pub(crate) requests: Vec<Counter>,
    /// In seconds.
    pub(crate) durations: Vec<Histogram>,
    pub(crate) request_sizes: Vec<Histogram>,
    pub(crate) response_sizes: Vec<Histogram>,
    /// Callbacks of names that record in their own way.
    pub(crate) also: Vec<Box<dyn Fn(Duration) + Send + Sync>>,
}

impl Ended {
    /// Counts an exchange and, if it was timed, its duration `took` in seconds, with the weight
    /// `stands_for`.
    #[inline]
    pub(crate) fn count(&self, took: Option<f64>, stands_for: u32, trace: Trace) {
        for counter in &self.requests {
            counter.inc();
        }
        if let Some(took) = took {
            for duration in &self.durations {
                duration.observe_n(took, stands_for);
                trace.exemplify(duration, took);
            }
        }
    }
}

impl Handles for Ended {
    fn loosen(&mut self) -> bool {
        loosen(&mut self.requests)
            | loosen(&mut self.durations)
            | loosen(&mut self.request_sizes)
            | loosen(&mut self.response_sizes)
    }

    fn may_use(&self) -> bool {
        may_use(&self.requests)
            && may_use(&self.durations)
            && may_use(&self.request_sizes)
            && may_use(&self.response_sizes)
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
