//! The start times of active alerts, kept in the journal across restarts.

use parking_lot::Mutex;

use crate::healing::Healing;
use crate::rules::{Evaluator, ForState};

/// The key of the record in the journal.
const NAME: &str = "alerts";

/// The shortest time between two records of changed alerts, in milliseconds. Restored times are off
/// by at most this, which is small beside the 10 min that a restored alert waits.
const SHORTEST: i64 = 10_000;

/// The longest time between two records while alerts are active, in milliseconds; the last record
/// is taken as the end of the process.
const LONGEST: i64 = 30_000;

/// The state last written to the journal.
#[derive(Default)]
pub(super) struct Kept(Mutex<ForState>);

impl Kept {
    /// The state written by the previous process. Alerts whose state cannot be read start again.
    pub(super) fn before(healing: &Healing) -> Option<ForState> {
        serde_json::from_value(healing.remembered(NAME)?).ok()
    }

    /// The state to write to the journal, if it has changed.
    pub(super) fn next(&self, now: i64, evaluator: &Evaluator) -> Option<ForState> {
        let mut last = self.0.lock();
        let age = now - last.at;
        if (0..SHORTEST).contains(&age) {
            return None;
        }
        let next = evaluator.for_state(now)?;
        let same = next.since == last.since;
        if same && (next.since.is_empty() || (0..LONGEST).contains(&age)) {
            return None;
        }
        last.clone_from(&next);
        Some(next)
    }

    /// Writes the state to the journal. A closed journal, as at shutdown, keeps its previous state.
    pub(super) fn keep(healing: &Healing, kept: &ForState) {
        if let Ok(value) = serde_json::to_value(kept) {
            let _ = healing.remember(NAME, value);
        }
    }
}
