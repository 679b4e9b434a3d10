//! Verification: from a successful return to a healed issue.

use slotmap::{Key, KeyData};

use super::State;
use super::entry::Treatment;
use super::slab::SlotId;
use super::timers::Timer;
use crate::healing::core::{Closed, Effect, IssueKey, Moment, Name, Phase, Ticket, Verdict, What};

impl State {
    /// Begins verification after an attempt returned ok.
    pub(super) fn begin_to_verify(&mut self, slot: SlotId) {
        self.move_to(slot, Phase::Verifying, None, None);
        self.ask_to_verify(slot);
    }

    /// Asks for a verification on data newer than the attempt's end, or than the settling time's.
    fn ask_to_verify(&mut self, slot: SlotId) {
        self.tickets += 1;
        let ticket = Ticket {
            slot: slot.data().as_ffi(),
            number: self.tickets,
        };
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        let Some(treatment) = &mut entry.treatment else {
            return;
        };
        treatment.verifying = Some(ticket);
        let data_after = treatment.data_after(self.now.at);
        let attempt = treatment.attempt;
        let issue = Box::new(entry.issue.clone());
        let engine = self.engines.get(entry.engine);
        let engine = engine.map(|engine| engine.name.clone());
        let timeout = self.policy.verify.timeout;
        if let Some(engine) = engine {
            self.emit(Effect::Verify {
                ticket,
                engine,
                issue,
                attempt,
                data_after,
                timeout,
            });
        }
        self.timers.set(Timer::Issue(slot), self.now.at + timeout);
    }

    /// Handles the end of a phase's time: no verdict came, or the next verification is due.
    pub(super) fn look_again(&mut self, slot: SlotId) {
        let treatment = self.open.get(slot).and_then(|e| e.treatment.as_ref());
        match treatment {
            Some(treatment) if treatment.verifying.is_some() => self.blind(slot),
            _ => self.ask_to_verify(slot),
        }
    }

    pub(super) fn judged(&mut self, ticket: Ticket, data_from: Moment, verdict: Verdict) {
        let slot = SlotId::from(KeyData::from_ffi(ticket.slot));
        let treatment = self.treatment_mut(slot);
        let Some(treatment) = treatment.filter(|one| one.verifying == Some(ticket)) else {
            return self.late("verdict");
        };
        let (ended, hinted) = (treatment.ended, treatment.hinted);
        self.at_hand = Some(slot);
        let data_from = data_from.min(self.now.at);
        let fresh = data_from >= ended;
        let since_hint = hinted.is_none_or(|hint| data_from >= hint);
        match verdict {
            Verdict::Bad if fresh => self.not_healed(slot, data_from),
            Verdict::Good if fresh && since_hint => self.looks_good(slot, data_from),
            Verdict::Good | Verdict::Bad | Verdict::Unknown => self.blind(slot),
        }
    }

    fn looks_good(&mut self, slot: SlotId, data_from: Moment) {
        let Some(treatment) = self.treatment_mut(slot) else {
            return;
        };
        treatment.verifying = None;
        treatment.blind = 0;
        treatment.hinted = None;
        let first = treatment.good_since.is_none();
        let settled = *treatment.good_since.get_or_insert(data_from) + treatment.settle;
        if first {
            self.verified(slot, true, data_from);
        }
        if data_from >= settled {
            self.close(slot, Closed::Healed);
        } else if first {
            self.move_to(slot, Phase::Settling, None, Some(settled));
        } else {
            // An intermediate verification: the decisive one comes at the end of the settling time.
            let next = self.now.at + self.policy.verify.every;
            self.timers.set(Timer::Issue(slot), settled.max(next));
        }
    }

    /// Records the verdict about an attempt; returns the key and the action.
    fn verified(
        &mut self,
        slot: SlotId,
        good: bool,
        data_from: Moment,
    ) -> Option<(IssueKey, Name)> {
        let entry = self.open.get(slot)?;
        let treatment = entry.treatment.as_ref()?;
        let attempt = treatment.attempt;
        let about = (entry.issue.key.clone(), treatment.action.clone());
        let (key, action) = about.clone();
        self.record(What::Verified {
            attempt,
            key,
            action,
            good,
            data_from,
        });
        Some(about)
    }

    /// A verification found the fault.
    pub(super) fn not_healed(&mut self, slot: SlotId, data_from: Moment) {
        let Some((key, action)) = self.verified(slot, false, data_from) else {
            return;
        };
        if let Some(treatment) = self.treatment_mut(slot) {
            treatment.verifying = None;
        }
        self.learn(&key, &action, false);
        self.undo_or_next(slot, false);
    }

    /// Handles a verification without a verdict: retries it, up to the policy's tries.
    fn blind(&mut self, slot: SlotId) {
        let tries = self.policy.verify.tries;
        let Some(treatment) = self.treatment_mut(slot) else {
            return;
        };
        treatment.verifying = None;
        treatment.blind += 1;
        if treatment.blind >= tries {
            // Without a verdict, it does not count as healed.
            self.not_healed(slot, self.now.at);
        } else {
            let next = self.now.at + self.policy.verify.every;
            self.timers.set(Timer::Issue(slot), next);
        }
    }

    /// Handles a hint of the fault during its verification.
    pub(super) fn hinted(&mut self, slot: SlotId) {
        let now = self.now.at;
        let entry = self.open.get_mut(slot);
        let entry = entry.filter(|e| matches!(e.phase, Phase::Verifying | Phase::Settling));
        let Some(treatment) = entry.and_then(|entry| entry.treatment.as_mut()) else {
            return;
        };
        treatment.hinted = Some(now);
        let settling = treatment.good_since.is_some();
        // A running or imminent verification answers the hint.
        if settling && treatment.verifying.is_none() && treatment.blind == 0 {
            self.ask_to_verify(slot);
        }
    }

    fn treatment_mut(&mut self, slot: SlotId) -> Option<&mut Treatment> {
        self.open.get_mut(slot)?.treatment.as_mut()
    }
}

impl Treatment {
    /// The time before which the data of a verdict are too old.
    fn data_after(&self, now: Moment) -> Moment {
        let settled = self.good_since.map(|since| since + self.settle);
        let settled = settled.filter(|&settled| settled <= now);
        self.ended.max(settled.unwrap_or(self.ended))
    }
}
