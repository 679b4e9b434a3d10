//! Since when alerts are active, kept by the journal over a restart.

use parking_lot::Mutex;

use crate::healing::Healing;
use crate::rules::{Evaluator, ForState};

/// What it is called in the journal.
const NAME: &str = "alerts";

/// The shortest time between two records of alerts that come and go, in milliseconds. What is
/// restored is off by as much, which does not matter beside the 10 min that a restored alert waits.
const SHORTEST: i64 = 10_000;

/// The longest time between two records while there are alerts, in milliseconds: the end of the
/// process is the last of them.
const LONGEST: i64 = 30_000;

/// What the journal has last.
#[derive(Default)]
pub(super) struct Kept(Mutex<ForState>);

impl Kept {
    /// What the journal has of the process before this one. What cannot be read is left out: its
    /// alerts begin anew.
    pub(super) fn before(healing: &Healing) -> Option<ForState> {
        serde_json::from_value(healing.remembered(NAME)?).ok()
    }

    /// What the journal should have now, if that is something else.
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

    /// Writes it to the journal. A journal that takes it no more, as at the end of healing, has
    /// what it had before.
    pub(super) fn keep(healing: &Healing, kept: &ForState) {
        if let Ok(value) = serde_json::to_value(kept) {
            let _ = healing.remember(NAME, value);
        }
    }
}
