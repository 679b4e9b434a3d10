use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Measures the time during which a regularly ticking thread was awake.
///
/// A stopped process, a suspended machine or a blocked thread does not notice that time passes, and
/// on waking finds every deadline overdue. Deadlines in this time expire only after they were
/// waited for: between two ticks at most two intervals count. Before the first tick all time
/// counts.
///
/// Reading takes no lock. Only one thread may tick.
#[derive(Debug)]
pub(crate) struct Awake {
    interval: Duration,
    /// The time that does not count, in nanoseconds.
    absent: AtomicU64,
    /// The awake time at which counting stops until the next tick, in nanoseconds.
    stop: AtomicU64,
}

impl Awake {
    /// Creates it for one tick per `interval`.
    pub(crate) const fn new(interval: Duration) -> Self {
        Self {
            interval,
            absent: AtomicU64::new(0),
            stop: AtomicU64::new(u64::MAX),
        }
    }

    /// The interval between ticks.
    pub(crate) const fn interval(&self) -> Duration {
        self.interval
    }

    /// Records that the ticking thread is awake at the clock's time `passed`.
    pub(crate) fn tick(&self, passed: Duration) {
        let awake = self.at(|| passed);
        let absent = nanos(passed).saturating_sub(nanos(awake));
        let stop = nanos(awake).saturating_add(nanos(self.interval * 2));
        // In this order, so that a reader of the new stop also sees the new absence.
        self.absent.store(absent, Ordering::Release);
        self.stop.store(stop, Ordering::Release);
    }

    /// The awake time so far. `passed` reads the clock after the bounds are loaded, so that a
    /// reader stopped in between counts no absence as awake.
    pub(crate) fn at(&self, passed: impl FnOnce() -> Duration) -> Duration {
        let stop = self.stop.load(Ordering::Acquire);
        let absent = self.absent.load(Ordering::Acquire);
        let awake = nanos(passed()).saturating_sub(absent);
        Duration::from_nanos(awake.min(stop))
    }

    /// The clock's time at this awake time, unless an absence comes in between.
    pub(crate) fn passed_at(&self, awake: Duration) -> Duration {
        awake.saturating_add(Duration::from_nanos(self.absent.load(Ordering::Acquire)))
    }
}

/// Saturates at 584 years.
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
        // Stopped for 20 s, and read on waking before the tick.
        assert_eq!(at(25_100), ms(5_300));
        assert_eq!(awake.passed_at(ms(5_400)), ms(5_400));
        awake.tick(ms(25_100));
        assert_eq!(at(25_150), ms(5_350));
        assert_eq!(awake.passed_at(ms(5_400)), ms(25_200));
        assert_eq!(at(0), Duration::ZERO, "a clock that goes back");
        awake.tick(Duration::MAX);
    }
}
