use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::healing::{Moment, Stamp, Wall};
use crate::util::Clock;

/// Where the core's time comes from: tokio's clock for decisions, so that a test that pauses it
/// drives everything, and the injected clock for what people read.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    clock: Clock,
    runtime: Handle,
    start: Instant,
}

impl Timeline {
    /// A timeline that starts now.
    pub(crate) fn start(clock: Clock, runtime: Handle) -> Self {
        let start = {
            let _inside = runtime.enter();
            Instant::now()
        };
        Self {
            clock,
            runtime,
            start,
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Tokio's time now, also on a thread that is not one of tokio's: a paused clock belongs to
    /// its run-time and is seen only from inside.
    pub(crate) fn instant(&self) -> Instant {
        let _inside = self.runtime.enter();
        Instant::now()
    }

    /// The time when so much has passed. What does not fit is as good as never.
    pub(crate) fn in_time(&self, wait: Duration) -> Instant {
        const YEARS: Duration = Duration::from_secs(30 * 365 * 86_400);
        self.instant() + wait.min(YEARS)
    }

    pub(crate) fn moment_of(&self, instant: Instant) -> Moment {
        Moment::after_start(instant.saturating_duration_since(self.start))
    }

    pub(crate) fn instant_of(&self, moment: Moment) -> Instant {
        self.start + (moment - Moment::START)
    }

    pub(crate) fn now(&self) -> Moment {
        self.moment_of(self.instant())
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp::new(self.now(), Wall::from(self.clock.wall()))
    }
}
