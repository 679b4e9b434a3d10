//! The processor's time stamp counter as a clock for durations.

use std::fmt;
use std::time::Duration;

use super::Clock;
use super::clock::{Moment, Source};

/// The calibrated counter.
#[derive(Clone)]
pub(super) struct Counter(quanta::Clock);

/// A value of the counter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks(u64);

impl Counter {
    #[inline]
    pub(super) fn now(&self) -> Moment {
        Moment::Ticks(Ticks(self.0.raw()))
    }

    #[inline]
    pub(super) fn since(&self, start: Ticks) -> Duration {
        self.0.delta(start.0, self.0.raw())
    }
}

impl Clock {
    /// Returns the system clock, with durations measured by the processor's counter: the time stamp
    /// counter of x86-64 or the system counter of `AArch64`, read through the crate `quanta`.
    ///
    /// Durations are those of requests, calls and trackers, each of which takes two readings; a
    /// reading takes about half the time of the system's. Everything else, and a processor without
    /// such a counter, is as with [`system`](Self::system).
    ///
    /// The rate of the counter is calibrated once per process against the system clock: the first
    /// call blocks for some 10 to 20 ms, at most 200. The rate is not corrected later, as NTP
    /// corrects the system's; its error is that of an oscillator, less than one part in 2,000.
    ///
    /// Not the default: if the counter is unreliable (it stops in deep sleep, or its rate changes
    /// when a virtual machine migrates), Linux switches to another clock, and this does not. Use it
    /// if `/sys/devices/system/clocksource/clocksource0/current_clocksource` is `tsc` or
    /// `arch_sys_counter`.
    ///
    /// ```
    /// use selfheal::registry::{Registry, Settings};
    /// use selfheal::util::Clock;
    ///
    /// let registry = Registry::with_clock(Settings::default(), Clock::tsc());
    /// ```
    #[must_use]
    pub fn tsc() -> Self {
        Self(Source::Counter(Counter(quanta::Clock::new())))
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// Reads both clocks for a while; either may be read late, so that one span is within the
    /// other: a rate error of a thousandth is found under any load.
    #[test]
    fn the_counter_goes_as_fast_as_the_clock_of_the_machine() {
        let clock = Clock::tsc();
        let outer = Instant::now();
        let mark = clock.mark();
        let inner = Instant::now();
        while inner.elapsed() < Duration::from_millis(30) {}
        let least = inner.elapsed();
        let measured = clock.since(mark);
        let most = outer.elapsed();
        assert!(
            measured >= least.mul_f64(0.999),
            "{measured:?} of {least:?}"
        );
        assert!(measured <= most.mul_f64(1.001), "{measured:?} of {most:?}");
    }

    #[test]
    fn wall_clock_and_instants_are_those_of_the_machine() {
        let clock = Clock::tsc();
        let before = Instant::now();
        let now = clock.now();
        assert!(before <= now && now <= Instant::now());
        assert!(clock.unix_seconds() > 1e9);
    }
}
