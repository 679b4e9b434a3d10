//! Alerts raised and delivered by another system: which fire, and which deliveries are replays.
//!
//! A delivery is identified by its fingerprint and the start of its alert:
//!
//! | known | delivered firing | delivered resolved |
//! |---|---|---|
//! | nothing | fires | is recorded, so that a late delivery does not fire |
//! | firing | replayed, unless it began later | resolved, unless it ended before this one began |
//! | resolved | replayed, unless it began later | replayed |

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::alert::{AlertState, RuleAlert};
use super::for_state::fingerprint;
use crate::promql::{Label, LabelSet};
use crate::util::closed_set;

/// The limit of known alerts, including resolved ones.
const MOST: usize = 1_000;

/// The size limit of the labels and annotations of an alert, in bytes.
const MOST_TEXT: usize = 8 * 1024;

/// The time, in milliseconds, after which an alert counts as resolved unless it is delivered again:
/// Alertmanager repeats it every 4 h by default.
const FORGOTTEN: i64 = 24 * 60 * 60 * 1_000;

/// The number of newest resolved alerts kept across a restart.
const KEPT: usize = 500;

/// A delivered alert. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DeliveredAlert {
    /// Its fingerprint; empty if the sender gives none.
    pub fingerprint: String,
    /// Its labels, including `alertname`.
    pub labels: LabelSet,
    /// Its annotations, sorted by name.
    pub annotations: Arc<[Label]>,
    /// When it started.
    pub starts_at: i64,
    /// When it ended; `None` while it fires.
    pub ends_at: Option<i64>,
}

impl DeliveredAlert {
    /// Creates a firing alert with these labels and start time.
    #[must_use]
    pub fn new(fingerprint: impl Into<String>, labels: LabelSet, starts_at: i64) -> Self {
        Self {
            fingerprint: fingerprint.into(),
            labels,
            annotations: Arc::default(),
            starts_at,
            ends_at: None,
        }
    }
}

closed_set! {
    /// The result of a delivery.
    #[non_exhaustive]
    pub enum Delivery {
        /// The alert now fires.
        Firing = "firing",
        /// The alert is resolved.
        Resolved = "resolved",
        /// The delivery is a repetition or older than the known state.
        Replayed = "replayed",
        /// The limit of alerts is reached, or its texts are too long.
        Refused = "refused",
    }
}

/// The delivered alerts.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    known: BTreeMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    starts_at: i64,
    /// The time of the last delivery.
    seen_at: i64,
    /// `None` while it fires.
    ends_at: Option<i64>,
    /// `None` if restored after a restart.
    alert: Option<RuleAlert>,
}

impl Deliveries {
    /// Processes a delivery.
    pub(crate) fn take(&mut self, delivered: DeliveredAlert, now: i64) -> Delivery {
        self.forget(now);
        let texts = delivered.labels.iter().chain(
            delivered
                .annotations
                .iter()
                .map(|(name, text)| (&**name, &**text)),
        );
        let long = texts
            .map(|(name, text)| name.len() + text.len())
            .sum::<usize>();
        if long + delivered.fingerprint.len() > MOST_TEXT {
            return Delivery::Refused;
        }
        let name = match delivered.fingerprint.as_str() {
            "" => fingerprint(&delivered.labels),
            _ => delivered.fingerprint.clone(),
        };
        let (starts_at, ends_at) = (delivered.starts_at, delivered.ends_at);
        if let Some(known) = self.known.get_mut(&name) {
            let replayed = match ends_at {
                None => starts_at <= known.starts_at,
                Some(ends) => known.ends_at.is_some() || ends < known.starts_at,
            };
            if replayed {
                known.seen_at = now;
                return Delivery::Replayed;
            }
        } else if !self.has_place() {
            return Delivery::Refused;
        }
        let known = Known {
            starts_at,
            seen_at: now,
            ends_at,
            alert: Some(alert(delivered)),
        };
        self.known.insert(name, known);
        match ends_at {
            None => Delivery::Firing,
            Some(_) => Delivery::Resolved,
        }
    }

    /// Makes space for an alert by dropping the oldest resolved one; false if none can be dropped.
    fn has_place(&mut self) -> bool {
        if self.known.len() < MOST {
            return true;
        }
        let resolved = self.known.iter();
        let resolved = resolved.filter_map(|(name, known)| Some((known.ends_at?, name)));
        let oldest = resolved.min().map(|(_, name)| name.clone());
        oldest.is_some_and(|oldest| self.known.remove(&oldest).is_some())
    }

    fn forget(&mut self, now: i64) {
        for known in self.known.values_mut() {
            if known.ends_at.is_none() && now - known.seen_at > FORGOTTEN {
                known.ends_at = Some(known.seen_at);
            }
        }
    }

    /// The alerts that fire at `now`, sorted by fingerprint.
    pub(crate) fn firing(&mut self, now: i64) -> Vec<RuleAlert> {
        self.forget(now);
        let firing = self.known.values().filter(|known| known.ends_at.is_none());
        firing.filter_map(|known| known.alert.clone()).collect()
    }

    /// The state to keep across a restart: the newest resolved alerts; firing ones are delivered
    /// again.
    pub(crate) fn kept(&self) -> Value {
        let over = self.known.iter();
        let mut over: Vec<_> = over
            .filter_map(|(name, known)| Some((known.ends_at?, known.starts_at, name)))
            .collect();
        over.sort_unstable_by(|one, other| other.cmp(one));
        over.truncate(KEPT);
        // Fingerprints other than Alertmanager's may be long.
        over.retain(|(_, _, name)| name.len() <= 32);
        json!(over)
    }

    /// Restores the state from before a restart. Unreadable entries are skipped.
    pub(crate) fn restore(&mut self, kept: Value) {
        let over: Vec<(i64, i64, String)> = serde_json::from_value(kept).unwrap_or_default();
        for (ends_at, starts_at, name) in over.into_iter().take(KEPT) {
            let known = Known {
                starts_at,
                seen_at: ends_at,
                ends_at: Some(ends_at),
                alert: None,
            };
            self.known.entry(name).or_insert(known);
        }
    }
}

/// Converts to the alert of a rule without a value.
fn alert(delivered: DeliveredAlert) -> RuleAlert {
    let state = match delivered.ends_at {
        None => AlertState::Firing,
        Some(_) => AlertState::Resolved,
    };
    RuleAlert {
        labels: delivered.labels,
        annotations: delivered.annotations,
        value: f64::NAN,
        state,
        active_at: delivered.starts_at,
        fired_at: Some(delivered.starts_at),
        resolved_at: delivered.ends_at,
        keep_firing_since: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(name: &str, starts_at: i64, ends_at: Option<i64>) -> DeliveredAlert {
        let labels = LabelSet::new([("alertname", name)]);
        DeliveredAlert {
            ends_at,
            ..DeliveredAlert::new(name, labels, starts_at)
        }
    }

    #[test]
    fn a_replayed_delivery_changes_nothing() {
        let mut all = Deliveries::default();
        let mut take = |starts_at, ends_at, now| all.take(delivered("a", starts_at, ends_at), now);
        assert_eq!(take(100, None, 110), Delivery::Firing);
        assert_eq!(take(100, None, 120), Delivery::Replayed, "repeated");
        assert_eq!(take(90, Some(95), 125), Delivery::Replayed, "of one before");
        assert_eq!(take(100, Some(200), 210), Delivery::Resolved);
        assert_eq!(take(100, Some(200), 220), Delivery::Replayed);
        assert_eq!(take(100, None, 230), Delivery::Replayed, "it is over");
        assert_eq!(take(300, None, 310), Delivery::Firing, "again");
        assert_eq!(take(100, Some(200), 320), Delivery::Replayed);
        // The sender has learned that it started earlier.
        assert_eq!(take(250, Some(400), 410), Delivery::Resolved);
        assert!(all.firing(410).is_empty());
    }

    #[test]
    fn one_that_is_not_repeated_for_a_day_is_over() {
        let mut all = Deliveries::default();
        all.take(delivered("a", 0, None), 0);
        assert_eq!(all.firing(FORGOTTEN).len(), 1);
        all.take(delivered("a", 0, None), FORGOTTEN);
        assert_eq!(all.firing(2 * FORGOTTEN).len(), 1);
        assert!(all.firing(2 * FORGOTTEN + 1).is_empty());
    }

    #[test]
    fn it_is_bounded_and_what_is_over_gives_way() {
        let mut all = Deliveries::default();
        for n in 0..MOST {
            let ends_at = (n < 2).then_some(10 - i64::try_from(n).unwrap());
            all.take(delivered(&n.to_string(), 5, ends_at), 20);
        }
        assert_eq!(all.take(delivered("one", 30, None), 30), Delivery::Firing);
        assert!(
            !all.known.contains_key("1"),
            "the oldest of those that are over"
        );
        assert_eq!(all.take(delivered("two", 30, None), 30), Delivery::Firing);
        assert_eq!(
            all.take(delivered("three", 30, None), 30),
            Delivery::Refused
        );
        assert_eq!(all.known.len(), MOST);
        let long = "x".repeat(MOST_TEXT);
        let mut all = Deliveries::default();
        assert_eq!(all.take(delivered(&long, 0, None), 0), Delivery::Refused);
    }

    #[test]
    fn a_delivery_of_before_a_restart_does_not_fire_after_it() {
        let mut all = Deliveries::default();
        all.take(delivered("a", 100, None), 110);
        all.take(delivered("b", 100, None), 110);
        all.take(delivered("a", 100, Some(200)), 210);
        let mut again = Deliveries::default();
        again.restore(all.kept());
        again.restore(json!({"no": "list"}));
        assert_eq!(
            again.take(delivered("a", 100, None), 300),
            Delivery::Replayed
        );
        assert_eq!(again.take(delivered("b", 100, None), 300), Delivery::Firing);
        assert_eq!(again.take(delivered("a", 250, None), 300), Delivery::Firing);
    }
}
