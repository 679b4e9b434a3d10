use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::exemplar::Ring;
use crate::registry::snapshot::{Exemplar, ExemplarLabels};
use crate::util::Clock;

/// State shared by the series of a family besides their shape: clock and exemplars.
#[derive(Debug)]
pub(crate) struct Common {
    clock: Clock,
    /// Time of the family's declaration.
    start: SystemTime,
    /// Whether series record their creation time.
    created: bool,
    /// The exemplars of counters, allocated with the first one.
    exemplars: OnceLock<Ring>,
    /// Exemplars rejected because their labels break a rule.
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

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Number of exemplars rejected because of their labels.
    pub(crate) fn rejected_exemplars(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Makes an exemplar at the current time. None if there are no labels.
    ///
    /// # Errors
    /// The labels break a rule, which is counted.
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

    /// The age of the family, if its series record their creation time.
    pub(crate) fn age(&self) -> Option<Duration> {
        let age = || self.clock.wall().duration_since(self.start);
        self.created.then(|| age().unwrap_or_default())
    }

    /// The time at which the family had this age, in seconds since 1970-01-01T00:00:00Z.
    pub(super) fn at(&self, age: Duration) -> f64 {
        seconds(self.start + age)
    }

    /// The storage of counters' exemplars.
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
