//! The clock, passed as an argument.
//!
//! This crate reads the system clock only through a [`Clock`] that is passed to every module that
//! needs the time. A test passes a manual one and moves it by its [`ManualClock`].

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;

use super::tsc::{Counter, Ticks};

/// A source of monotonic and wall-clock time.
///
/// Clones are cheap (at most one reference count). The two times are independent, as in reality:
/// the wall clock can be set back while the monotonic time goes on.
///
/// ```
/// use std::time::Duration;
/// use selfheal::util::Clock;
///
/// let (clock, hand) = Clock::manual();
/// let before = clock.now();
/// hand.advance(Duration::from_secs(5));
/// assert_eq!(clock.now() - before, Duration::from_secs(5));
/// ```
#[derive(Clone, Default)]
pub struct Clock(pub(super) Source);

#[derive(Clone, Default)]
pub(super) enum Source {
    #[default]
    System,
    #[cfg_attr(
        not(feature = "tsc"),
        expect(dead_code, reason = "never created in this build")
    )]
    Counter(Counter),
    Manual(Arc<Mutex<Hands>>),
}

/// A start time, from which the clock that made it can measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(Moment);

#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    Instant(Instant),
    #[cfg_attr(
        not(feature = "tsc"),
        expect(dead_code, reason = "never created in this build")
    )]
    Ticks(Ticks),
}

pub(super) struct Hands {
    start: Instant,
    pub(super) passed: Duration,
    wall: SystemTime,
}

impl Hands {
    fn now(&self) -> Instant {
        self.start + self.passed
    }
}

impl Clock {
    /// Returns the system clock: [`Instant::now`] and [`SystemTime::now`].
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Creates a clock that stands still until its [`ManualClock`] moves it.
    ///
    /// Its wall clock starts at 2020-01-01T00:00:00Z, so that the output of a test does not depend
    /// on the day.
    #[must_use]
    pub fn manual() -> (Self, ManualClock) {
        const FIRST_OF_2020: Duration = Duration::from_secs(1_577_836_800);
        let hands = Arc::new(Mutex::new(Hands {
            start: Instant::now(),
            passed: Duration::ZERO,
            wall: SystemTime::UNIX_EPOCH + FIRST_OF_2020,
        }));
        (Self(Source::Manual(Arc::clone(&hands))), ManualClock(hands))
    }

    /// Returns the monotonic time.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System | Source::Counter(_) => Instant::now(),
            Source::Manual(hands) => hands.lock().now(),
        }
    }

    /// Returns a start time for [`since`](Self::since).
    #[inline]
    pub(crate) fn mark(&self) -> Mark {
        Mark(match &self.0 {
            Source::Counter(counter) => counter.now(),
            _ => Moment::Instant(self.now()),
        })
    }

    /// The time since a mark of this clock; zero for a mark of another.
    #[inline]
    pub(crate) fn since(&self, mark: Mark) -> Duration {
        match (&self.0, mark.0) {
            (Source::Counter(counter), Moment::Ticks(start)) => counter.since(start),
            (_, Moment::Instant(start)) => self.now().saturating_duration_since(start),
            _ => Duration::ZERO,
        }
    }

    /// Returns the wall-clock time.
    #[inline]
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        match &self.0 {
            Source::System | Source::Counter(_) => SystemTime::now(),
            Source::Manual(hands) => hands.lock().wall,
        }
    }

    /// Returns the wall-clock time as seconds since 1970-01-01T00:00:00Z; zero before that.
    #[must_use]
    pub fn unix_seconds(&self) -> f64 {
        self.wall()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock(system)",
            Source::Counter(_) => "Clock(tsc)",
            Source::Manual(_) => "Clock(manual)",
        })
    }
}

/// The control of a [`Clock::manual`].
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<Hands>>);

impl ManualClock {
    /// Advances both times.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.0.lock();
        hands.passed += by;
        hands.wall += by;
    }

    /// Sets only the wall clock, forwards or backwards, as an operator or NTP does.
    pub fn set_wall(&self, wall: SystemTime) {
        self.0.lock().wall = wall;
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManualClock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let (clock, hand) = Clock::manual();
        let (now, wall) = (clock.now(), clock.wall());
        assert_eq!((clock.now(), clock.wall()), (now, wall));
        hand.advance(Duration::from_millis(1500));
        assert_eq!(clock.now() - now, Duration::from_millis(1500));
        assert_eq!(clock.wall().duration_since(wall).unwrap().as_millis(), 1500);
    }

    #[test]
    fn a_mark_is_as_old_as_its_clock_says() {
        let (clock, hand) = Clock::manual();
        let mark = clock.mark();
        assert_eq!(clock.since(mark), Duration::ZERO);
        hand.advance(Duration::from_millis(1500));
        assert_eq!(clock.since(mark), Duration::from_millis(1500));
    }

    #[test]
    fn setting_the_wall_back_leaves_the_monotonic_time_alone() {
        let (clock, hand) = Clock::manual();
        let now = clock.now();
        hand.set_wall(SystemTime::UNIX_EPOCH);
        assert_eq!(clock.now(), now);
        assert!(clock.unix_seconds().abs() < f64::EPSILON);
    }
}
