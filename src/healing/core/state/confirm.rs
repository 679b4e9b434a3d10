//! Confirmation of a fault, from its first observation.

use std::sync::Arc;

use super::State;
use super::observe::Offer;
use super::samples::Weight;
use super::slab::SlotId;
use crate::healing::core::{AlertKind, Closed, Moment, ParkReason, Phase, Plan, ShortText, What};

impl State {
    /// Takes in the plan that an engine made for an issue.
    pub(super) fn planned(&mut self, slot: SlotId, plan: Result<Plan, ShortText>) {
        if let Some(entry) = self.open.get_mut(slot) {
            entry.unplanned = false;
        }
        let plan = plan.and_then(|plan| match plan.validate() {
            Ok(()) => Ok(plan),
            Err(error) => Err(ShortText::new(&error.to_string())),
        });
        match plan {
            Ok(plan) => self.follow(slot, plan),
            Err(why) => self.cannot_follow(slot, &why),
        }
    }

    fn follow(&mut self, slot: SlotId, plan: Plan) {
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        let known = entry.plan.as_ref();
        let same = known.is_some_and(|known| known.steps == plan.steps);
        let gone = entry.step >= plan.steps.len();
        // Different steps start from the first, and so does a restored issue whose step no longer
        // exists.
        if (known.is_some() && !same) || (known.is_none() && gone) {
            entry.step = 0;
            entry.used = 0;
            // The approval was for a step of the old plan.
            entry.approved = None;
        }
        let (phase, gave_up) = (entry.phase, entry.gave_up.is_some());
        let idle = entry.is_idle();
        entry.plan = Some(Arc::new(plan));
        if idle {
            entry.escalate(self.policy.attempts);
        }
        match phase {
            Phase::Pending | Phase::Backoff if self.is_at_the_end(slot) => self.exhausted(slot),
            // The retry was of a step of the old plan.
            Phase::Pending | Phase::Backoff | Phase::Approval if gave_up => self.try_again(slot),
            Phase::Confirming => self.weigh(slot),
            Phase::Pending => self.make_ready(slot),
            Phase::Approval => self.due(slot),
            Phase::Parked => self.retime_retry(slot),
            _ => {}
        }
    }

    /// Whether every step of its plan was tried.
    pub(super) fn is_at_the_end(&self, slot: SlotId) -> bool {
        let entry = self.open.get(slot);
        entry.is_some_and(|entry| entry.plan.is_some() && entry.next_step().is_none())
    }

    fn cannot_follow(&mut self, slot: SlotId, why: &ShortText) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let (key, idle) = (entry.issue.key.clone(), entry.is_idle());
        self.refuse(format!("{key}: {why}"));
        // A running treatment ends by the plan that it began with.
        if idle {
            self.park(slot, ParkReason::BadPlan);
        }
    }

    /// Decides on an issue in confirmation, once enough detection runs were made.
    pub(super) fn weigh(&mut self, slot: SlotId) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        if entry.phase != Phase::Confirming {
            return;
        }
        let planned = entry.plan.as_deref().filter(|_| !entry.unplanned);
        let confirm = planned
            .and_then(|plan| plan.confirm)
            .unwrap_or(self.policy.confirm);
        match entry.runs.weigh(confirm) {
            Weight::Refuted => self.close(slot, Closed::SelfResolved),
            Weight::Confirmed if planned.is_some() => self.confirmed(slot),
            Weight::Confirmed | Weight::Open => {}
        }
    }

    fn confirmed(&mut self, slot: SlotId) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let memory = self.memories.get(&entry.issue.key);
        let block = memory.and_then(|memory| memory.kept.block);
        let flapping =
            memory.is_some_and(|memory| memory.is_flapping(self.now.at, &self.policy.flap));
        match block {
            Some(reason) => self.park(slot, reason),
            None if flapping => self.park(slot, ParkReason::Flapping),
            None => self.due(slot),
        }
    }

    /// Moves an issue to pending, or to backoff until its wait is over.
    pub(super) fn due(&mut self, slot: SlotId) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let not_before = entry.not_before;
        if !entry.unplanned && self.is_at_the_end(slot) {
            return self.exhausted(slot);
        }
        if entry.reason == Some(ParkReason::Waited) {
            let key = entry.issue.key.clone();
            self.resolve_of(&key, &[AlertKind::Waited]);
        }
        if not_before > self.now.at {
            self.move_to(slot, Phase::Backoff, None, Some(not_before));
        } else {
            let until = self.now.at + self.policy.patience;
            self.move_to(slot, Phase::Pending, None, Some(until));
            self.make_ready(slot);
        }
    }

    /// Takes in whether a detection run found the fault.
    pub(super) fn seen_in_run(&mut self, slot: SlotId, began: Moment, bad: bool) {
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        match entry.phase {
            Phase::Confirming => {
                entry.seen_in_run(bad);
                self.weigh(slot);
            }
            Phase::Running | Phase::AwaitingRollback => {}
            Phase::Verifying | Phase::Settling => {
                let ended = entry.treatment.as_ref().map(|one| one.ended);
                if bad && ended.is_some_and(|ended| began >= ended) {
                    self.not_healed(slot, began);
                }
            }
            Phase::Pending | Phase::Backoff | Phase::Approval | Phase::Parked => {
                entry.seen_in_run(bad);
                entry.good_passes = if bad { 0 } else { entry.good_passes + 1 };
                if entry.good_passes >= self.policy.clear {
                    self.close(slot, Closed::SelfResolved);
                } else if bad {
                    self.sure_by_now(slot);
                }
            }
        }
    }

    /// Continues an issue in approval without one, if the detector's confidence now suffices.
    pub(super) fn sure_by_now(&mut self, slot: SlotId) {
        let entry = self.open.get(slot);
        let asks = entry.is_some_and(|entry| entry.phase == Phase::Approval);
        if asks && !self.needs_a_person(slot) {
            self.due(slot);
        }
    }

    /// An open issue worsened: earlier decisions about it are void.
    pub(super) fn worsened(
        &mut self,
        slot: SlotId,
        severity: crate::healing::core::Severity,
        plan: Offer,
    ) {
        self.count(slot, false);
        self.generations += 1;
        let generation = crate::healing::core::Generation(self.generations);
        if let Some(entry) = self.open.get_mut(slot) {
            entry.issue.severity = severity;
            entry.issue.generation = generation;
            entry.approved = None;
            entry.unplanned = true;
        }
        self.count(slot, true);
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let (key, phase, reason) = (entry.issue.key.clone(), entry.phase, entry.reason);
        let engine = entry.engine;
        self.record(What::Worsened {
            key,
            generation,
            severity,
        });
        self.alert_given_up(slot);
        match (phase, reason) {
            (Phase::Parked, Some(ParkReason::BadPlan)) => self.confirm_again(slot),
            // The decision, or its absence, was about a milder fault.
            (Phase::Parked, Some(reason)) if !reason.blocks() => self.due(slot),
            // The new plan puts it in line again, with its new rank.
            (Phase::Pending, _) => self.set_place(slot, super::queue::Place::Nowhere),
            _ => {}
        }
        match plan {
            Some(plan) => self.planned(slot, plan),
            None => self.ask_to_detect(engine, false),
        }
    }

    /// Starts the confirmation over, with the current knowledge of the issue.
    pub(super) fn confirm_again(&mut self, slot: SlotId) {
        let until = self.now.at + self.policy.patience;
        self.move_to(slot, Phase::Confirming, None, Some(until));
    }
}
