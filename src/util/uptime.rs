use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::{Clock, Source};

/// The time since the machine's boot: a clock that no one sets, shared by all processes of one
/// boot.
///
/// Includes suspended time. After a reboot it restarts, with another boot mark.
///
/// ```
/// use std::time::Duration;
/// use selfheal::util::Uptime;
///
/// let before = Uptime::new(7, Duration::from_secs(60));
/// let after = Uptime::new(7, Duration::from_secs(90));
/// assert_eq!(after.since(before), Some(Duration::from_secs(30)));
/// assert_eq!(Uptime::new(8, Duration::from_secs(90)).since(before), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Uptime {
    boot: u64,
    millis: u64,
}

impl Uptime {
    /// Creates the uptime `up` of the boot with this mark, in milliseconds.
    #[must_use]
    pub fn new(boot: u64, up: Duration) -> Self {
        let millis = u64::try_from(up.as_millis()).unwrap_or(u64::MAX);
        Self { boot, millis }
    }

    /// The time from `earlier` to `self`. `None` after a reboot in between, or if `earlier` is
    /// later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Option<Duration> {
        let passed = self.millis.checked_sub(earlier.millis)?;
        (self.boot == earlier.boot).then_some(Duration::from_millis(passed))
    }

    /// The uptime `by` later in the same boot.
    #[must_use]
    pub(crate) fn later(self, by: Duration) -> Self {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        let millis = self.millis.saturating_add(by);
        Self { millis, ..self }
    }
}

impl Clock {
    /// The machine's uptime. `None` if the system does not provide it (other than Linux).
    pub(crate) fn uptime(&self) -> Option<Uptime> {
        match &self.0 {
            Source::System | Source::Counter(_) => of_the_machine(),
            Source::Manual(hands) => Some(Uptime::new(0, hands.lock().passed)),
        }
    }
}

#[cfg(target_os = "linux")]
fn of_the_machine() -> Option<Uptime> {
    use rustix::time::{ClockId, clock_gettime};

    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let up = clock_gettime(ClockId::Boottime);
    let up = Duration::new(up.tv_sec.try_into().ok()?, up.tv_nsec.try_into().ok()?);
    Some(Uptime::new(mark(&id)?, up))
}

#[cfg(not(target_os = "linux"))]
fn of_the_machine() -> Option<Uptime> {
    None
}

/// The first half of the random boot UUID of the kernel: enough to distinguish the boots of one
/// machine.
#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "no boot id is read")
)]
fn mark(uuid: &str) -> Option<u64> {
    let digits: String = uuid.chars().filter(char::is_ascii_hexdigit).collect();
    u64::from_str_radix(digits.get(..16)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_id_is_read() {
        let id = "3d4e1a05-b63f-4e0a-9a55-5d7b7f4c1a2e\n";
        assert_eq!(mark(id), Some(0x3d4e_1a05_b63f_4e0a));
        assert_eq!(mark("3d4e1a05"), None);
        assert_eq!(mark(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn two_readings_are_of_one_boot() {
        let clock = Clock::system();
        let (one, two) = (clock.uptime().unwrap(), clock.uptime().unwrap());
        assert!(two.since(one).is_some());
        assert!(one.millis > 0);
    }

    #[test]
    fn what_cannot_be_compared_gives_no_time() {
        let at = |boot, secs| Uptime::new(boot, Duration::from_secs(secs));
        assert_eq!(at(1, 5).since(at(1, 6)), None, "it went back");
        assert_eq!(at(2, 6).since(at(1, 5)), None, "another boot");
        let never = at(1, 0).later(Duration::MAX);
        assert_eq!(never.later(Duration::MAX), never);
    }
}
