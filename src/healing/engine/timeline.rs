use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::healing::core::{Moment, Stamp, Wall};
use crate::util::{Awake, Clock};

/// How often the run-time shows that it is awake: the shortest limits are some of these.
const TICK: Duration = Duration::from_millis(100);

/// Where the core's time comes from: tokio's clock for decisions, so that a test that pauses it
/// drives everything, and the injected clock for what people read.
///
/// A [`Moment`] counts the time that the run-time was awake for. After the process was stopped,
/// the machine suspended or the run-time blocked, no limit is over that was not waited for:
/// heartbeats, time-outs, windows of confirmation and settling go on where they were.
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

    /// Shows that the run-time is awake, for ever; to be run on it once.
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

    /// Tokio's time now, also on a thread that is not one of tokio's: a paused clock belongs to
    /// its run-time and is seen only from inside.
    fn instant(&self) -> Instant {
        let _inside = self.runtime.enter();
        Instant::now()
    }

    /// The time when so much has passed. What does not fit is as good as never.
    pub(crate) fn in_time(&self, wait: Duration) -> Moment {
        const YEARS: Duration = Duration::from_secs(30 * 365 * 86_400);
        self.now() + wait.min(YEARS)
    }

    /// When it will be that time, if the run-time stays awake.
    pub(crate) fn instant_of(&self, moment: Moment) -> Instant {
        self.start + self.awake.passed_at(moment - Moment::START)
    }

    pub(crate) fn now(&self) -> Moment {
        let passed = || self.instant().saturating_duration_since(self.start);
        Moment::after_start(self.awake.at(passed))
    }

    /// As [`now`](Self::now), for less, on a thread of the run-time.
    pub(crate) fn now_inside(&self) -> Moment {
        let passed = || Instant::now().saturating_duration_since(self.start);
        Moment::after_start(self.awake.at(passed))
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp::new(self.now(), Wall::from(self.clock.wall()))
    }

    /// For the first record of a run or of a file: with the clock that the next run shares.
    pub(crate) fn first_stamp(&self) -> Stamp {
        self.stamp().with_uptime(self.clock.uptime())
    }

    /// Waits, inside of the run-time, until that time. Cancel-safe.
    pub(crate) async fn sleep_until(&self, moment: Moment) {
        sleep_until(self.instant_of(moment)).await;
        while self.now_inside() < moment {
            // There was an absence, or the one who ticks has yet to have a turn.
            sleep(self.awake.interval()).await;
        }
    }

    /// Waits, inside of the run-time, for so much time. Cancel-safe.
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
        // To everything on this run-time it is as if the process had been stopped.
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
