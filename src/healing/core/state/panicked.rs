//! A step that panicked: a bug of this crate, which must not stop the healing of everything else.

use std::time::Duration;

use super::State;
use super::queue::Place;
use crate::healing::core::{AlertId, AlertKind, Effect, ParkReason, Severity, ShortText};

/// How long after the last panic the alert about it ends.
const ALERT_LASTS: Duration = Duration::from_secs(3600);

impl State {
    /// After a step that panicked, and in place of what was left of it: counts it, reports it, and
    /// parks the issue that was at hand, which would have the next step panic as well. The effects
    /// go on with those that the step had come to.
    pub fn panicked(&mut self, what: &ShortText, effects: &mut Vec<Effect>) {
        self.tally.panics += 1;
        if let Some(slot) = self.at_hand.take() {
            // First out of every line, whatever else goes wrong.
            self.set_place(slot, Place::Nowhere);
            if self.open.get(slot).is_some_and(super::Entry::is_idle) {
                self.park(slot, ParkReason::BadPlan);
            }
        }
        let id = AlertId::global(AlertKind::Internal);
        self.raise(id.clone(), Severity::Error, || {
            ShortText::new(&format!("the engine {what}: a bug; please report it"))
        });
        self.expire_alert(&id, self.now.at + ALERT_LASTS);
        self.finish(false);
        effects.append(&mut self.out);
    }

    /// Has every attempt for a key panic on its way.
    #[cfg(test)]
    pub(in crate::healing) fn set_trap(&mut self, key: crate::healing::core::IssueKey) {
        self.trap = Some(key);
    }
}
