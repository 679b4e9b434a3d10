use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::histogram::{Histogram, Tally};
use crate::util::{Clock, Mark};

/// Observes its lifetime in a histogram, in seconds, when it is dropped; from [`Histogram::timer`].
/// Also on unwinding and early return.
#[must_use = "a timer that is dropped at once observes no time"]
pub struct Timer<'h, T: Tally> {
    histogram: &'h Histogram<T>,
    clock: Clock,
    started: Mark,
    is_on: bool,
}

impl<T: Tally> Histogram<T> {
    /// Starts a timer, by the registry's clock.
    ///
    /// ```
    /// # use selfheal::registry::{DeclareError, Registry};
    /// # fn main() -> Result<(), DeclareError> {
    /// # let registry = Registry::new();
    /// let took = registry.histogram("report_duration_seconds", "Time a report took").build()?;
    /// {
    ///     let _timer = took.timer();
    ///     // … the report is made here
    /// }
    /// let sum: u64 = took.measure(|| (1..=10).sum());
    /// assert_eq!((sum, took.snapshot().count()), (55, 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn timer(&self) -> Timer<'_, T> {
        let clock = self.clock().clone();
        Timer {
            histogram: self,
            started: clock.mark(),
            clock,
            is_on: true,
        }
    }

    /// Times a closure.
    pub fn measure<R>(&self, work: impl FnOnce() -> R) -> R {
        let _timer = self.timer();
        work()
    }

    /// Times a future, from its first poll to its end or its drop.
    ///
    /// # Cancel safety
    /// Same as the future; the time up to the drop is observed.
    pub async fn measure_async<R>(&self, work: impl Future<Output = R>) -> R {
        let _timer = self.timer();
        work.await
    }
}

impl<T: Tally> Timer<'_, T> {
    /// Observes the elapsed time now, like a drop.
    pub fn stop(self) {}

    /// The elapsed time so far.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.since(self.started)
    }

    /// Drops the timer without an observation.
    pub fn discard(mut self) {
        self.is_on = false;
    }
}

impl<T: Tally> Drop for Timer<'_, T> {
    fn drop(&mut self) {
        if self.is_on {
            self.histogram.observe_duration(self.elapsed());
        }
    }
}

impl<T: Tally> fmt::Debug for Timer<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer")
            .field("elapsed", &self.elapsed())
            .finish_non_exhaustive()
    }
}
