use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::exemplar::Ring;
use crate::registry::snapshot::{Exemplar, ExemplarLabels};
use crate::util::Clock;

/// What the series of a family share beside their shape: the time, and exemplars.
#[derive(Debug)]
pub(crate) struct Common {
    clock: Clock,
    /// When the family was declared.
    start: SystemTime,
    /// Whether series note when they were created.
    created: bool,
    /// The exemplars of counters, made when there is the first one.
    exemplars: OnceLock<Ring>,
    /// How many exemplars had labels that break a rule.
    rejected: AtomicU64,
}

impl Common {
    pub(crate) fn new(clock: Clock, created: bool) -> Self {
        Self {
            start: clock.wall(),
            clock,
            created,
            exemplars: OnceLock::new(),
            rejected: AtomicU64::new(0),
        }
    }

    /// How many exemplars were left out because of their labels.
    pub(crate) fn rejected_exemplars(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Makes an exemplar of what happened just now. None if there are no labels.
    ///
    /// # Errors
    /// Labels that break a rule, which are counted.
    pub(super) fn exemplar(
        &self,
        value: f64,
        labels: impl FnOnce(&mut ExemplarLabels),
    ) -> Result<Option<Exemplar>, ()> {
        let mut all = ExemplarLabels::default();
        labels(&mut all);
        if all.is_empty() {
            return Ok(None);
        }
        let exemplar = all.finish(value, seconds(self.clock.wall()));
        exemplar.map(Some).map_err(|_| {
            self.rejected.fetch_add(1, Ordering::Relaxed);
        })
    }

    /// Where counters keep their exemplars.
    pub(super) fn ring(&self) -> &Ring {
        self.exemplars.get_or_init(Ring::default)
    }
}

/// Seconds since 1970-01-01T00:00:00Z; 0 before that.
fn seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// When a series was created, in so little room that a counter has it beside its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Born(u32);

impl Born {
    /// A second has so many ticks; 2^32 of them are more than eight years.
    const TICKS: u32 = 16;

    /// Now, where the family wants to know.
    pub(super) fn now(common: &Common) -> Self {
        if !common.created {
            return Self(0);
        }
        let wall = common.clock.wall();
        let age = wall.duration_since(common.start).unwrap_or_default();
        let ticks = age.as_millis() * u128::from(Self::TICKS) / 1000;
        // 0 is for not known. Rounded down, it is never after the first value.
        Self(u32::try_from(ticks).unwrap_or(u32::MAX).saturating_add(1))
    }

    #[inline]
    pub(super) fn is_unknown(self) -> bool {
        self.0 == 0
    }

    /// In seconds since 1970-01-01T00:00:00Z, if it is known.
    #[inline]
    pub(super) fn at(self, common: &Common) -> Option<f64> {
        let ticks = self.0.checked_sub(1)?;
        let age = Duration::from_secs(1) * ticks / Self::TICKS;
        Some(seconds(common.start + age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birth_is_known_to_a_sixteenth_of_a_second() {
        let (clock, hand) = Clock::manual();
        let common = Common::new(clock, true);
        let start = seconds(common.start);
        for (after, known) in [
            (0, 0.0),
            (62, 0.0),
            (63, 0.0625),
            (1_000, 1.0),
            (1_100, 1.0625),
        ] {
            let (clock, hand) = Clock::manual();
            let common = Common::new(clock, true);
            hand.advance(Duration::from_millis(after));
            let at = Born::now(&common).at(&common).unwrap();
            assert!((at - start - known).abs() < 1e-6, "{after}: {at}");
        }
        hand.advance(Duration::from_secs(20 * 365 * 86_400));
        let late = Born::now(&common).at(&common).unwrap() - start;
        assert!(late > 8.0 * 365.0 * 86_400.0, "{late}");
    }

    #[test]
    fn unasked_nothing_is_noted() {
        let common = Common::new(Clock::manual().0, false);
        assert_eq!(Born::now(&common).at(&common), None);
    }
}
