//! The start times of alerts across a restart, restored as Prometheus does from the series
//! `ALERTS_FOR_STATE`.
//!
//! A group is first evaluated twice, so that only alerts its rules still yield are restored. Then
//! an alert continues as if the outage had taken no time:
//!
//! | rest of its `for` before the outage | restored start |
//! |---|---|
//! | none | unchanged: it fires at the next evaluation |
//! | less than 10 min | such that it fires in 10 min |
//! | more | later by the duration of the outage |
//!
//! A `for` of less than 10 min starts again; after an outage of more than 1 h all do.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alert::{Alerts, RuleAlert};
use super::file::FileRule;
use crate::promql::LabelSet;
use crate::util::millis;

/// The minimum time that a restored alert is pending, unless it fired already.
const GRACE: Duration = Duration::from_secs(10 * 60);

/// The longest outage after which anything is restored.
const TOLERANCE: Duration = Duration::from_secs(60 * 60);

/// The limit of alerts kept across a restart: those active for the longest time.
const MOST: usize = 1_000;

/// The start times of an [`Evaluator`](super::Evaluator)'s alerts, from which a restarted process
/// continues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ForState {
    /// The time of this state, in milliseconds since 1970.
    pub at: i64,
    /// The start of each active alert, in milliseconds since 1970, by a fingerprint of its labels.
    pub since: BTreeMap<String, i64>,
}

impl ForState {
    /// The state of these alerts, each with its `for`.
    pub(super) fn of<'a>(at: i64, active: impl Iterator<Item = (&'a RuleAlert, Duration)>) -> Self {
        let kept = active.filter(|(_, hold)| *hold >= GRACE);
        let mut kept: Vec<_> = kept.map(|(alert, _)| alert).collect();
        kept.sort_by_key(|alert| alert.active_at);
        kept.truncate(MOST);
        let since = kept.into_iter();
        let since = since.map(|alert| (fingerprint(&alert.labels), alert.active_at));
        Self {
            at,
            since: since.collect(),
        }
    }

    /// Restores the alerts of a rule.
    pub(super) fn restore(&self, rule: &FileRule, alerts: &mut Alerts, now: i64) {
        let hold = rule.alerting.as_ref().map(|alerting| alerting.hold);
        for alert in alerts.all_mut() {
            let since = self.restored(&alert.labels, hold.unwrap_or_default(), now);
            alert.active_at = since.unwrap_or(alert.active_at);
        }
    }

    /// The restored start of an alert that is yielded again at `now`.
    pub(super) fn restored(&self, labels: &LabelSet, hold: Duration, now: i64) -> Option<i64> {
        let outage = now.checked_sub(self.at)?;
        if hold < GRACE || !(0..=millis(TOLERANCE)).contains(&outage) {
            return None;
        }
        let since = *self.since.get(&fingerprint(labels))?;
        let left = millis(hold).checked_sub(self.at.checked_sub(since)?)?;
        Some(match left {
            ..=0 => since,
            left if left < millis(GRACE) => now + millis(GRACE) - millis(hold),
            _ => since + outage,
        })
    }
}

/// Stable across versions of this crate (FNV-1a, 64 bits).
pub(super) fn fingerprint(labels: &LabelSet) -> String {
    let bytes = labels.iter().flat_map(|(name, value)| {
        // These bytes do not occur in UTF-8.
        let name = name.bytes().chain([0xFE]);
        name.chain(value.bytes()).chain([0xFF])
    });
    let hash = bytes.fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    format!("{hash:016x}")
}
