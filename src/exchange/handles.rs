//! The handles of the series that an exchange is recorded to, under all names at once.

use std::fmt;
use std::time::Duration;

use crate::registry::{Counter, Gauge, Handle, Histogram};
use crate::trace::Trace;

/// Handles that are found and lost together.
pub(crate) trait Handles {
    /// Lets their series expire. Says whether any may.
    fn loosen(&mut self) -> bool;

    /// Whether the series of all are there. That counts as use.
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

/// The handles that an exchange uses when it has ended.
#[derive(Default)]
pub(crate) struct Ended {
    pub(crate) requests: Vec<Counter>,
    /// In seconds.
    pub(crate) durations: Vec<Histogram>,
    pub(crate) request_sizes: Vec<Histogram>,
    pub(crate) response_sizes: Vec<Histogram>,
    /// For names that record in a way of their own.
    pub(crate) also: Vec<Box<dyn Fn(Duration) + Send + Sync>>,
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
