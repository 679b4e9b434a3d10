//! The counter of the processor as a clock for durations.

use std::fmt;
use std::time::Duration;

use super::Clock;
use super::clock::{Moment, Source};

/// The counter, with its rate.
#[derive(Clone)]
pub(super) struct Counter(quanta::Clock);

/// What the counter showed.
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
    /// The clock of the machine, with the processor's counter to measure durations by: the time
    /// stamp counter of x86-64, the system counter of `AArch64`, read through the crate `quanta`.
    ///
    /// What is measured is how long requests, calls and the work of trackers take, which reads the
    /// clock twice each; a reading takes about half the time that the system's takes. Everything
    /// else is as with [`system`](Self::system), and so is a processor without such a counter.
    ///
    /// The rate of the counter is found once for the process, by comparing it to the system's
    /// clock: the first call blocks for some 10 to 20 ms, 200 at most. The rate is not corrected
    /// later, as NTP corrects the system's. It may be off by what an oscillator is off, less than
    /// one part in 2,000.
    ///
    /// Not the default, for where a counter is not to be relied on (it stops in deep sleep, its
    /// rate changes as a virtual machine moves to other hardware) Linux notices and changes to
    /// another clock, and this does not. Choose it where
    /// `/sys/devices/system/clocksource/clocksource0/current_clocksource` says `tsc` or
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
    /// other: a rate that is off by a thousandth is found whatever else the machine does.
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
