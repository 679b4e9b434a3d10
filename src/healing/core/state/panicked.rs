//! Recovery from a step that panicked: a bug of this crate must not stop all healing.

use std::time::Duration;

use super::State;
use super::queue::Place;
use crate::healing::core::{AlertId, AlertKind, Effect, ParkReason, Severity, ShortText};

/// How long after the last panic the alert about it ends.
const ALERT_LASTS: Duration = Duration::from_secs(3600);

impl State {
    /// Recovers from a step that panicked: counts it, reports it, and parks the issue being
    /// processed, which would make the next step panic too. Appends to the effects that the step
    /// had already produced.
    pub fn panicked(&mut self, what: &ShortText, effects: &mut Vec<Effect>) {
        self.tally.panics += 1;
        if let Some(slot) = self.at_hand.take() {
            // Removed from every queue first, whatever else fails.
            self.set_place(slot, Place::Nowhere);
            if self.open.get(slot).is_some_and(super::Entry::is_idle) {
                self.park(slot, ParkReason::BadPlan);
            }
        }
        let id = AlertId::global(AlertKind::Internal);
        self.raise(id.clone(), Severity::Error, || {
            format!("the engine {what}: a bug; please report it")
        });
        self.expire_alert(&id, self.now.at + ALERT_LASTS);
        self.finish(false);
        effects.append(&mut self.out);
    }

    /// Makes every attempt for a key panic.
    #[cfg(test)]
    pub(in crate::healing) fn set_trap(&mut self, key: crate::healing::core::IssueKey) {
        self.trap = Some(key);
    }
}
