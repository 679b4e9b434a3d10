//! Since when alerts are active, over a restart: as Prometheus restores it from the series
//! `ALERTS_FOR_STATE`.
//!
//! A group is evaluated twice first, so that only what its rules give again is restored. Then an
//! alert goes on as if the time of the outage had not been:
//!
//! | of its `for`, before the end | it is active since |
//! |---|---|
//! | all was over | as before: it fires at the next evaluation |
//! | less than 10 min were left | so that it fires in 10 min |
//! | more was left | as much later as the outage took |
//!
//! A `for` of less than 10 min begins anew, and so does each after an outage of more than 1 h.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alert::RuleAlert;
use super::evaluator::millis;
use crate::promql::LabelSet;

/// The least time that a restored alert is pending, unless it fired already.
const GRACE: Duration = Duration::from_secs(10 * 60);

/// The longest outage after which anything is restored.
const TOLERANCE: Duration = Duration::from_secs(60 * 60);

/// The most alerts that are known over a restart: those that are active for the longest time.
const MOST: usize = 1_000;

/// Since when the alerts of an [`Evaluator`](super::Evaluator) are active: what a process that is
/// started again goes on from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ForState {
    /// When this was so, in milliseconds since 1970.
    pub at: i64,
    /// Since when each alert is active, in milliseconds since 1970, by a fingerprint of its labels.
    pub since: BTreeMap<String, i64>,
}

impl ForState {
    /// Of these alerts, each with its `for`.
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

    /// Since when an alert counts as active that is given again at `now`.
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

/// The same for the same labels in each version of this crate (FNV-1a, 64 bits).
pub(super) fn fingerprint(labels: &LabelSet) -> String {
    let bytes = labels.iter().flat_map(|(name, value)| {
        // No text has these bytes in UTF-8.
        let name = name.bytes().chain([0xFE]);
        name.chain(value.bytes()).chain([0xFF])
    });
    let hash = bytes.fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    format!("{hash:016x}")
}
