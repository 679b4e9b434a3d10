//! The storm guard: with many components bad at once, the cause is elsewhere.

use crate::config::Storm;
use crate::healing::core::Moment;

/// Whether a storm is on, and since when it has been calm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct StormGuard {
    active: bool,
    calm_since: Option<Moment>,
}

impl StormGuard {
    pub(super) const fn is_active(self) -> bool {
        self.active
    }

    /// When it ends if it stays calm.
    pub(super) fn ends_at(self, policy: &Storm) -> Option<Moment> {
        self.calm_since.map(|since| since + policy.hold)
    }

    /// Compares the number of bad components with the known ones; returns whether the storm began
    /// or ended.
    pub(super) fn update(&mut self, now: Moment, bad: usize, known: usize, policy: &Storm) -> bool {
        let before = self.active;
        if is_storm(bad, known, policy) {
            self.active = true;
            self.calm_since = None;
        } else if self.active {
            let since = *self.calm_since.get_or_insert(now);
            if since + policy.hold <= now {
                *self = Self::default();
            }
        }
        self.active != before
    }
}

fn is_storm(bad: usize, known: usize, policy: &Storm) -> bool {
    bad >= policy.min_components as usize && bad as f64 > policy.share * known as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn policy() -> Storm {
        Storm {
            share: 0.5,
            min_components: 3,
            hold: Duration::from_secs(10),
        }
    }

    fn at(seconds: u64) -> Moment {
        Moment::after_start(Duration::from_secs(seconds))
    }

    #[test]
    fn needs_more_than_the_share_and_enough_components() {
        assert!(!is_storm(2, 2, &policy()), "too few to decide");
        assert!(!is_storm(3, 6, &policy()), "exactly half");
        assert!(is_storm(4, 6, &policy()));
        assert!(is_storm(3, 3, &policy()));
        assert!(!is_storm(0, 0, &policy()));
    }

    #[test]
    fn ends_only_after_lasting_calm() {
        let mut storm = StormGuard::default();
        assert!(storm.update(at(0), 4, 6, &policy()) && storm.is_active());
        assert!(!storm.update(at(1), 5, 6, &policy()));
        assert!(!storm.update(at(2), 1, 6, &policy()));
        assert_eq!(storm.ends_at(&policy()), Some(at(12)));
        assert!(!storm.update(at(9), 4, 6, &policy()));
        assert_eq!(storm.ends_at(&policy()), None, "the calm was broken");
        assert!(!storm.update(at(20), 0, 6, &policy()));
        assert!(storm.is_active());
        assert!(storm.update(at(30), 0, 6, &policy()));
        assert!(!storm.is_active());
    }
}
