//! Time in the core, always passed in as an argument.

use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::util::Uptime;

/// A point on the engine's own monotonic clock: nanoseconds since it started.
///
/// Time during which its runtime did not run does not count: while the process was stopped, the
/// machine suspended, a debugger attached or the runtime blocked.
///
/// Negative values precede the start, as in the journal of an earlier run.
/// Arithmetic saturates at the ends (292 years away) instead of wrapping.
///
/// ```
/// use std::time::Duration;
/// use selfheal::healing::core::Moment;
///
/// let start = Moment::START;
/// let later = start + Duration::from_secs(3);
/// assert_eq!(later - start, Duration::from_secs(3));
/// assert_eq!(start - later, Duration::ZERO);
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    /// The start of the engine.
    pub const START: Self = Self(0);
    /// Later than any other moment.
    pub const NEVER: Self = Self(i64::MAX);

    /// A moment this many nanoseconds after the start, or before it if negative.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start; negative before it.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// A moment this long after the start.
    #[must_use]
    pub fn after_start(since: Duration) -> Self {
        Self::START + since
    }

    /// The same moment on another clock that shows `there` when this one shows `here`.
    #[must_use]
    pub(super) const fn translate(self, here: Self, there: Self) -> Self {
        let since_here = self.0.saturating_sub(here.0);
        Self(there.0.saturating_add(since_here))
    }

    /// The moment this long before `self`.
    #[must_use]
    pub fn back(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(by)))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(nanos(by)))
    }
}

/// The time from `earlier` to `self`; zero if `earlier` is later.
impl Sub for Moment {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

/// A reading of the wall clock, for people and records: decisions use it only for how long a reboot
/// took.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Wall(u64);

impl Wall {
    /// A time this many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero if the clock was set back.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Converts a system time; times before 1970 become zero.
impl From<SystemTime> for Wall {
    fn from(time: SystemTime) -> Self {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A simultaneous reading of the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Stamp {
    /// The engine's monotonic clock, used for decisions.
    pub at: Moment,
    /// The wall clock, for people.
    pub wall: Wall,
    /// Uptime of the machine, set at the start of a run or a journal file: from it the next run
    /// computes how much time has passed, whatever the wall clock was set to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<Uptime>,
}

impl Stamp {
    /// A stamp of the engine's clock and the wall clock, without uptime.
    #[must_use]
    pub const fn new(at: Moment, wall: Wall) -> Self {
        let up = None;
        Self { at, wall, up }
    }

    /// Sets the machine's uptime, if it is known.
    #[must_use]
    pub const fn with_uptime(self, up: Option<Uptime>) -> Self {
        Self { up, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(Moment::NEVER + Duration::MAX, Moment::NEVER);
        assert_eq!(Moment::START - Moment::NEVER, Duration::ZERO);
        let first = Moment::from_nanos(i64::MIN);
        assert_eq!(first.back(Duration::MAX), first);
        assert!(Moment::NEVER - first > Duration::from_secs(1));
    }

    #[test]
    fn a_wall_clock_set_back_gives_no_time() {
        let (early, late) = (Wall::from_millis(1), Wall::from_millis(5));
        assert_eq!(late.since(early), Duration::from_millis(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
