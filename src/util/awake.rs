use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How much of the time on a clock someone was awake who ticks at regular intervals.
///
/// A process that is stopped, a machine that is suspended and a thread that is blocked do not
/// notice that time goes on, and wake with every limit overdue at once. What is measured in this
/// time is overdue only after it was waited for: between two ticks at most two intervals count.
/// Without any tick all time counts.
///
/// Reading takes no lock. One alone ticks.
#[derive(Debug)]
pub(crate) struct Awake {
    interval: Duration,
    /// What does not count, in nanoseconds.
    absent: AtomicU64,
    /// Where the time stops unless there is a tick before, in nanoseconds.
    stop: AtomicU64,
}

impl Awake {
    /// Before the first tick, for one tick each `interval`.
    pub(crate) const fn new(interval: Duration) -> Self {
        Self {
            interval,
            absent: AtomicU64::new(0),
            stop: AtomicU64::new(u64::MAX),
        }
    }

    /// How often to tick.
    pub(crate) const fn interval(&self) -> Duration {
        self.interval
    }

    /// Someone is awake when so much time has passed on the clock.
    pub(crate) fn tick(&self, passed: Duration) {
        let awake = self.at(|| passed);
        let absent = nanos(passed).saturating_sub(nanos(awake));
        let stop = nanos(awake).saturating_add(nanos(self.interval * 2));
        // In this order: one who reads the new end has the new absence as well.
        self.absent.store(absent, Ordering::Release);
        self.stop.store(stop, Ordering::Release);
    }

    /// The time that was spent awake. `passed` reads the clock, after what it is compared with:
    /// one who is stopped in between gets no absence for time awake.
    pub(crate) fn at(&self, passed: impl FnOnce() -> Duration) -> Duration {
        let stop = self.stop.load(Ordering::Acquire);
        let absent = self.absent.load(Ordering::Acquire);
        let awake = nanos(passed()).saturating_sub(absent);
        Duration::from_nanos(awake.min(stop))
    }

    /// What the clock shows once so much time was spent awake, if no absence comes in between.
    pub(crate) fn passed_at(&self, awake: Duration) -> Duration {
        awake.saturating_add(Duration::from_nanos(self.absent.load(Ordering::Acquire)))
    }
}

/// As far as it can be counted, which is 584 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_as_long_as_there_are_ticks() {
        let ms = Duration::from_millis;
        let awake = Awake::new(ms(100));
        let at = |passed| awake.at(|| ms(passed));
        assert_eq!(at(5_000), ms(5_000), "nothing ticks");
        awake.tick(ms(5_000));
        awake.tick(ms(5_100));
        assert_eq!(at(5_250), ms(5_250), "a tick that is a little late");
        // Stopped for 20 s, and read by one who wakes before the tick.
        assert_eq!(at(25_100), ms(5_300));
        assert_eq!(awake.passed_at(ms(5_400)), ms(5_400));
        awake.tick(ms(25_100));
        assert_eq!(at(25_150), ms(5_350));
        assert_eq!(awake.passed_at(ms(5_400)), ms(25_200));
        assert_eq!(at(0), Duration::ZERO, "a clock that goes back");
        awake.tick(Duration::MAX);
    }
}
