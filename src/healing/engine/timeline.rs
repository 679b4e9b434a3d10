use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::healing::core::{Moment, Stamp, Wall};
use crate::util::{Awake, Clock};

/// How often the runtime shows that it is awake, a fraction of the shortest time limits.
const TICK: Duration = Duration::from_millis(100);

/// The core's clocks: tokio's clock for decisions, so that a test that pauses it drives everything,
/// and the injected clock for people.
///
/// A [`Moment`] counts only time during which the runtime was awake. If the process was stopped,
/// the machine suspended or the runtime blocked, no limit expires for that reason: heartbeats,
/// timeouts, confirmation windows and settling resume where they were.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    clock: Clock,
    runtime: Handle,
    start: Instant,
    awake: Arc<Awake>,
}

impl Timeline {
    /// A timeline that starts now. All time counts as long as nothing [ticks](Self::tick).
    pub(crate) fn start(clock: Clock, runtime: Handle) -> Self {
        let start = {
            let _inside = runtime.enter();
            Instant::now()
        };
        Self {
            clock,
            runtime,
            start,
            awake: Arc::new(Awake::new(TICK)),
        }
    }

    /// Shows forever that the runtime is awake; run it once on the runtime.
    pub(crate) async fn tick(self) {
        loop {
            self.awake.tick(self.start.elapsed());
            sleep(self.awake.interval()).await;
        }
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Tokio's current time, also on other threads: a paused clock belongs to its runtime and is
    /// seen only from inside.
    fn instant(&self) -> Instant {
        let _inside = self.runtime.enter();
        Instant::now()
    }

    /// The moment after this wait; never, if it overflows.
    pub(crate) fn in_time(&self, wait: Duration) -> Moment {
        const YEARS: Duration = Duration::from_secs(30 * 365 * 86_400);
        self.now() + wait.min(YEARS)
    }

    /// The instant of this moment, if the runtime stays awake.
    pub(crate) fn instant_of(&self, moment: Moment) -> Instant {
        self.start + self.awake.passed_at(moment - Moment::START)
    }

    pub(crate) fn now(&self) -> Moment {
        let passed = || self.instant().saturating_duration_since(self.start);
        Moment::after_start(self.awake.at(passed))
    }

    /// Like [`now`](Self::now), cheaper, on a thread of the runtime.
    pub(crate) fn now_inside(&self) -> Moment {
        let passed = || Instant::now().saturating_duration_since(self.start);
        Moment::after_start(self.awake.at(passed))
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp::new(self.now(), Wall::from(self.clock.wall()))
    }

    /// The stamp of the first record of a run or a file, with the machine's uptime.
    pub(crate) fn first_stamp(&self) -> Stamp {
        self.stamp().with_uptime(self.clock.uptime())
    }

    /// Waits, on the runtime, until this moment. Cancel-safe.
    pub(crate) async fn sleep_until(&self, moment: Moment) {
        sleep_until(self.instant_of(moment)).await;
        while self.now_inside() < moment {
            // The process was stopped, or the ticking task has not run yet.
            sleep(self.awake.interval()).await;
        }
    }

    /// Waits, on the runtime, for this long. Cancel-safe.
    pub(crate) async fn sleep(&self, wait: Duration) {
        self.sleep_until(self.in_time(wait)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline() -> Timeline {
        Timeline::start(Clock::system(), Handle::current())
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_waited_for_is_not_over() {
        let timeline = timeline();
        tokio::spawn(timeline.clone().tick());
        let seconds = Duration::from_secs;
        let (own, due) = (timeline.clone(), timeline.in_time(seconds(10)));
        let waits = tokio::spawn(async move { own.sleep_until(due).await });
        sleep(seconds(9)).await;
        // For everything on this runtime it is as if the process had been stopped.
        tokio::time::advance(seconds(3600)).await;
        let absent = Instant::now();
        assert!(timeline.now() < Moment::after_start(Duration::from_millis(9_300)));
        waits.await.unwrap();
        let waited = absent.elapsed();
        assert!(waited > Duration::from_millis(600), "{waited:?}");
        assert!(waited < Duration::from_millis(1_300), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_ticks_all_time_counts() {
        let timeline = timeline();
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(
            timeline.now(),
            Moment::after_start(Duration::from_secs(3600))
        );
    }
}
