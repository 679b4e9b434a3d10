//! A coarse clock reading, for times of seconds that are read at each request.

use std::time::Duration;

use super::clock::{Clock, Source};

impl Clock {
    /// The monotonic time in milliseconds since a fixed moment, at most some milliseconds late: on
    /// Linux that of the kernel's last tick, which takes a quarter of the time of
    /// [`now`](Self::now) to read.
    #[inline]
    pub(crate) fn coarse_millis(&self) -> u64 {
        match &self.0 {
            Source::System | Source::Counter(_) => of_the_machine(),
            Source::Manual(hands) => millis(hands.lock().passed),
        }
    }
}

fn millis(time: Duration) -> u64 {
    time.as_secs() * 1_000 + u64::from(time.subsec_millis())
}

#[cfg(target_os = "linux")]
#[inline]
fn of_the_machine() -> u64 {
    use rustix::time::{ClockId, clock_gettime};

    let time = clock_gettime(ClockId::MonotonicCoarse);
    let positive = |part| u64::try_from(part).unwrap_or_default();
    positive(time.tv_sec) * 1_000 + positive(time.tv_nsec) / 1_000_000
}

#[cfg(not(target_os = "linux"))]
fn of_the_machine() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;

    static START: OnceLock<Instant> = OnceLock::new();
    millis(START.get_or_init(Instant::now).elapsed())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn it_goes_with_the_clock_of_the_machine() {
        const LATE: Duration = Duration::from_millis(20);
        let clock = Clock::system();
        let (start, exact) = (clock.coarse_millis(), Instant::now());
        while exact.elapsed() < 3 * LATE {}
        let passed = Duration::from_millis(clock.coarse_millis() - start);
        assert!(passed >= 2 * LATE, "{passed:?}");
        assert!(passed <= exact.elapsed() + LATE, "{passed:?}");
    }
}
