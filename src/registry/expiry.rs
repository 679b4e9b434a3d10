//! Removal of idle series on demand; time is an argument.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::Registry;
use super::family::AnyFamily;

/// The state of a registry's expiry.
#[derive(Default)]
pub(super) struct Expiry {
    /// Origin of the families' time scale.
    start: OnceLock<Instant>,
    /// Serializes checks.
    looking: Mutex<()>,
    /// The callback for the first family with expiry.
    first: Mutex<First>,
}

#[derive(Default)]
enum First {
    #[default]
    Waiting,
    SetsOff(Box<dyn FnOnce(&Registry) + Send>),
    Declared,
}

impl Registry {
    /// Removes the series that were idle for longer than their family's expiry, and returns their
    /// number; see [`Declare::expire_after`](super::Declare::expire_after). The total is in
    /// `selfheal_series_expired_total`.
    ///
    /// The handle that [`install`](crate::install) returns does this in the background. For a
    /// registry of your own call it regularly, for example four times per shortest expiry but at
    /// most once a second: a thread that is suspended in the middle of recording for longer than
    /// that may lose its value with a series that was idle until then. It checks only families with
    /// expiry; no lock is held for longer than the removal of 128 series, or the compaction of a
    /// family that has lost most of them. Returns 0 while another call is running.
    #[expect(
        clippy::must_use_candidate,
        reason = "the number of removed series is informative only"
    )]
    pub fn expire(&self, now: Instant) -> usize {
        let expiry = &self.inner.expiry;
        let Some(_looking) = expiry.looking.try_lock() else {
            return 0;
        };
        let start = *expiry.start.get_or_init(|| now);
        let now = nanoseconds(now.saturating_duration_since(start));
        self.expiring()
            .iter()
            .map(|(family, after)| family.expire(now, nanoseconds(*after)))
            .sum()
    }

    /// How often to call [`expire`](Self::expire); `None` while nothing expires.
    pub(crate) fn expiry_interval(&self) -> Option<Duration> {
        const SHORTEST: Duration = Duration::from_secs(1);
        const LONGEST: Duration = Duration::from_secs(30);
        let shortest = self.expiring().into_iter().map(|(_, after)| after).min()?;
        Some((shortest / 4).clamp(SHORTEST, LONGEST))
    }

    /// Runs `start` when the first family with expiry is declared; immediately if there is one.
    pub(crate) fn when_expiring(&self, start: impl FnOnce(&Self) + Send + 'static) {
        let mut first = self.inner.expiry.first.lock();
        if matches!(*first, First::Declared) {
            drop(first);
            start(self);
        } else {
            *first = First::SetsOff(Box::new(start));
        }
    }

    /// Runs the callback when a family with expiry is declared.
    pub(super) fn set_off_expiry(&self) {
        let before = std::mem::replace(&mut *self.inner.expiry.first.lock(), First::Declared);
        if let First::SetsOff(start) = before {
            start(self);
        }
    }

    fn expiring(&self) -> Vec<(Arc<dyn AnyFamily>, Duration)> {
        let families = self.inner.families.read();
        let expiring = families.values().filter_map(|entry| {
            let after = entry.family.expires_after()?;
            Some((Arc::clone(&entry.family), after))
        });
        expiring.collect()
    }
}

/// Nanoseconds, saturating after 584 years.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Counter, Family, FamilySettings, Number, Settings, Text, Value};
    use crate::util::{Clock, ManualClock};

    const MINUTE: Duration = Duration::from_secs(60);

    fn sent(registry: &Registry) -> Family<Counter, [Text; 1]> {
        registry
            .counter("sent_total", "")
            .expire_after(10 * MINUTE)
            .labels(["customer"])
            .unwrap()
    }

    /// Advances time with a check each minute; returns the number of removed series.
    fn pass(registry: &Registry, clock: &Clock, hand: &ManualClock, minutes: u32) -> usize {
        let check = |_| {
            hand.advance(MINUTE);
            registry.expire(clock.now())
        };
        (0..minutes).map(check).sum()
    }

    #[test]
    fn what_is_recorded_or_held_stays_and_the_rest_is_counted() {
        let (clock, hand) = Clock::manual();
        let registry = Registry::new();
        let family = sent(&registry);
        let held = family.with(&["held"]);
        for customer in ["idle", "busy"] {
            family.inc(&[customer]);
        }
        for _ in 0..20 {
            family.inc(&["busy"]);
            pass(&registry, &clock, &hand, 1);
        }
        assert_eq!((family.len(), registry.series()), (2, 2));
        assert!(family.get(&["idle"]).is_none());
        held.inc();
        drop(held);
        assert_eq!(
            pass(&registry, &clock, &hand, 9),
            0,
            "as if it was used until now"
        );
        assert_eq!(pass(&registry, &clock, &hand, 2), 2);
        assert!(family.is_empty());

        family.inc(&["idle"]);
        let series = &family.snapshot().series;
        assert_eq!(
            series[0].value,
            Value::Number(Number::U64(1)),
            "it starts again"
        );
        let itself = registry.gather();
        let itself = itself
            .iter()
            .find(|family| family.def.name == "selfheal_series_expired_total")
            .unwrap();
        assert_eq!(&*itself.series[0].labels, "metric=\"sent_total\"");
        assert_eq!(itself.series[0].value, Value::Number(Number::U64(3)));
    }

    #[test]
    fn an_operator_decides() {
        let (clock, hand) = Clock::manual();
        let mut settings = Settings::default();
        for (name, minutes) in [("sent_total", 0), ("got_total", 2)] {
            let over = FamilySettings {
                expire_after: Some(minutes * MINUTE),
                ..FamilySettings::default()
            };
            settings.metrics.family.insert(name.to_owned(), over);
        }
        let registry = Registry::with_settings(settings);
        let got: Family<Counter, [Text; 1]> =
            registry.counter("got_total", "").labels(["a"]).unwrap();
        let sent = sent(&registry);
        got.inc(&["x"]);
        sent.inc(&["x"]);
        assert_eq!(registry.expiry_interval(), Some(MINUTE / 2));
        assert_eq!(pass(&registry, &clock, &hand, 100), 1);
        assert_eq!((got.len(), sent.len()), (0, 1));
    }

    #[test]
    fn a_metric_without_labels_and_the_overflow_stay() {
        let (clock, hand) = Clock::manual();
        let registry = Registry::with_settings(Settings {
            metrics: crate::config::Metrics::new().max_series_per_family(1),
            ..Settings::default()
        });
        let alone = registry
            .counter("a_total", "")
            .expire_after(MINUTE)
            .build()
            .unwrap();
        drop(alone);
        let family = sent(&registry);
        family.inc(&["x"]);
        family.inc(&["y"]);
        assert_eq!(pass(&registry, &clock, &hand, 100), 1);
        let left: Vec<_> = registry
            .gather()
            .iter()
            .map(|family| family.series.len())
            .collect();
        assert_eq!(left[..2], [1, 1]);
        assert_eq!(
            &*family.snapshot().series[0].labels,
            "customer=\"__overflow__\""
        );
    }
}
