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

    /// The time.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
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

    /// How long ago the family was declared, if its series note when they are created.
    pub(crate) fn age(&self) -> Option<Duration> {
        let age = || self.clock.wall().duration_since(self.start);
        self.created.then(|| age().unwrap_or_default())
    }

    /// When the family had this age, in seconds since 1970-01-01T00:00:00Z.
    pub(super) fn at(&self, age: Duration) -> f64 {
        seconds(self.start + age)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_knows_its_age_where_that_is_asked_for() {
        let (clock, hand) = Clock::manual();
        let ages = [true, false].map(|created| Common::new(clock.clone(), created));
        hand.advance(Duration::from_secs(7));
        let ages = ages.map(|common| common.age());
        assert_eq!(ages, [Some(Duration::from_secs(7)), None]);
    }
}
