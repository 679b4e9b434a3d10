//! Decisions from outside: people, alerts, journal health, a new policy, shutdown.

use std::sync::Arc;
use std::time::Duration;

use super::State;
use super::attempts::Cancel;
use super::queue::WaitFor;
use super::slab::SlotId;
use super::timers::Timer;
use crate::config::HealingPolicy;
use crate::healing::core::{
    AlertId, AlertKind, By, Closed, Control, Generation, IssueKey, ParkReason, Phase, Severity,
    Target, What,
};

/// The alerts that an acknowledgement resolves.
const ACKNOWLEDGED: [AlertKind; 8] = [
    AlertKind::DryRun,
    AlertKind::ReportOnly,
    AlertKind::Exhausted,
    AlertKind::Flapping,
    AlertKind::Intensity,
    AlertKind::Recurring,
    AlertKind::Waited,
    AlertKind::BadPlan,
];

impl State {
    pub(super) fn control(&mut self, mut control: Control, by: By) {
        if let Control::Mute {
            target, tolerate, ..
        } = &mut control
        {
            // The resolved level is recorded, so that a replay has the same.
            *tolerate = Some(tolerate.unwrap_or_else(|| self.tolerated(target)));
        }
        if let Some(why) = self.refusal(&control) {
            return self.refuse(why);
        }
        let what = What::Controlled {
            control: control.clone(),
            by: by.clone(),
        };
        self.record(what);
        match control {
            Control::Pause => self.paused = true,
            Control::Resume => {
                self.paused = false;
                self.ramp.begin(self.now.at);
                self.wake_all(&WaitFor::Turn);
            }
            Control::Kill => {
                self.killed = true;
                self.call_off_all();
            }
            Control::Revive => {
                self.killed = false;
                self.ramp.begin(self.now.at);
                self.wake_all(&WaitFor::Turn);
            }
            Control::Mute {
                target,
                lasting,
                tolerate,
            } => self.mute(target, lasting, tolerate.unwrap_or(Severity::Critical)),
            Control::Unmute { target } => self.end_mute(&target),
            Control::Acknowledge { key } => self.acknowledge(&key),
            Control::Approve { key, .. } => self.approve(&key, by),
            Control::Deny { key } => {
                if let Some(slot) = self.in_phase(&key, Phase::Approval) {
                    self.park(slot, ParkReason::Denied);
                }
            }
            Control::Trigger { key } => self.trigger(&key, by),
            Control::LogLevel { .. } => {}
        }
    }

    /// Why a decision is refused, if it is.
    fn refusal(&self, control: &Control) -> Option<String> {
        match control {
            Control::Acknowledge { key } if !self.can_acknowledge(key) => {
                Some(format!("{key} is neither parked nor blocked"))
            }
            Control::Approve { key, generation } => self.cannot_approve(key, *generation),
            Control::Deny { key } if self.in_phase(key, Phase::Approval).is_none() => {
                Some(format!("{key} does not wait for approval"))
            }
            Control::Trigger { key } if self.cannot_trigger(key) => {
                Some(format!("{key} is unknown: no detection run could find it"))
            }
            Control::Mute { target, .. }
                if !self.mutes.contains(target)
                    && self.mutes.len() >= self.policy.limits.mutes as usize =>
            {
                Some("there are too many mutes; end some, or raise limits.mutes".to_owned())
            }
            Control::Unmute { target } if !self.mutes.contains(target) => {
                Some("there is no such mute".to_owned())
            }
            _ => None,
        }
    }

    fn in_phase(&self, key: &IssueKey, phase: Phase) -> Option<SlotId> {
        let slot = self.keys.get(key).copied()?;
        (self.open.get(slot)?.phase == phase).then_some(slot)
    }

    fn can_acknowledge(&self, key: &IssueKey) -> bool {
        let blocked = self
            .memories
            .get(key)
            .is_some_and(|m| m.kept.block.is_some());
        let alerting = self
            .alerts
            .of(key)
            .iter()
            .any(|id| ACKNOWLEDGED.contains(&id.kind));
        blocked || alerting || self.in_phase(key, Phase::Parked).is_some()
    }

    fn acknowledge(&mut self, key: &IssueKey) {
        self.memories
            .update(self.now.at, key, super::memory::Memory::acknowledge);
        self.resolve_of(key, &ACKNOWLEDGED);
        let Some(slot) = self.keys.get(key).copied() else {
            return;
        };
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        if let Some(gave_up) = entry.gave_up.take() {
            // A running attempt counts as the first of the renewed ones.
            entry.used = 0;
            self.take_back(key, Some(gave_up));
        }
        let Some(entry) = self.open.get_mut(slot).filter(|e| e.phase == Phase::Parked) else {
            return;
        };
        if entry.step > 0 {
            // The approval was for a later step.
            entry.approved = None;
        }
        entry.step = 0;
        entry.used = 0;
        let reason = entry.reason;
        if matches!(reason, Some(ParkReason::DryRun | ParkReason::ReportOnly)) {
            // No action is allowed, so there is nothing to decide again.
            return;
        }
        if reason == Some(ParkReason::BadPlan) || entry.plan.is_none() {
            entry.unplanned = true;
            let engine = entry.engine;
            self.confirm_again(slot);
            self.ask_to_detect(engine, true);
        } else {
            self.due(slot);
        }
    }

    fn cannot_approve(&self, key: &IssueKey, generation: Option<Generation>) -> Option<String> {
        let slot = self.keys.get(key).copied();
        let Some(entry) = slot.and_then(|slot| self.open.get(slot)) else {
            return Some(format!("{key} is not open"));
        };
        let waits = match (entry.phase, entry.reason) {
            (Phase::Approval, _) => true,
            (Phase::Parked, Some(reason)) => {
                matches!(reason, ParkReason::Denied | ParkReason::ApprovalExpired)
            }
            _ => false,
        };
        if !waits {
            return Some(format!("{key} does not wait for approval"));
        }
        match generation {
            Some(seen) if seen != entry.issue.generation => Some(format!(
                "{key} has changed since it was read; read it again before approving"
            )),
            _ => None,
        }
    }

    fn approve(&mut self, key: &IssueKey, by: By) {
        if let Some(&slot) = self.keys.get(key) {
            if let Some(entry) = self.open.get_mut(slot) {
                entry.approved = Some(by);
            }
            self.resolve_of(key, &[AlertKind::Approval]);
            self.due(slot);
        }
    }

    fn cannot_trigger(&self, key: &IssueKey) -> bool {
        let known = self.memories.get(key).and_then(|m| m.kept.engine.as_ref());
        !self.keys.contains_key(key) && known.is_none()
    }

    fn trigger(&mut self, key: &IssueKey, by: By) {
        if self.can_acknowledge(key) {
            self.record(What::Controlled {
                control: Control::Acknowledge { key: key.clone() },
                by: by.clone(),
            });
            self.acknowledge(key);
        }
        let open = self.keys.get(key).copied();
        let entry = open.and_then(|slot| self.open.get(slot));
        let engine = entry.map(|entry| entry.engine).or_else(|| {
            let memory = self.memories.get(key)?;
            self.engines.find(memory.kept.engine.as_ref()?)
        });
        if let Some(slot) = open
            && let Some(entry) = self.open.get_mut(slot)
            && entry.is_idle()
        {
            let asked = entry.phase == Phase::Approval;
            entry.approved = Some(by);
            if asked {
                self.due(slot);
            }
        }
        if let Some(engine) = engine {
            self.ask_to_detect(engine, true);
        }
    }

    /// The default tolerance of a mute: the worst open severity, or any.
    fn tolerated(&self, target: &Target) -> Severity {
        let worst_open = match target {
            Target::Key(key) => {
                let slot = self.keys.get(key);
                slot.and_then(|&slot| self.open.get(slot))
                    .map(|entry| entry.issue.severity)
            }
            Target::Component(component) => self
                .open
                .iter()
                .filter(|(_, entry)| entry.issue.key.component == *component)
                .map(|(_, entry)| entry.issue.severity)
                .max(),
        };
        // Without an open issue, nothing can be worse than it.
        worst_open.unwrap_or(Severity::Critical)
    }

    fn mute(&mut self, target: Target, lasting: Duration, tolerate: Severity) {
        let until = self.now.at + lasting;
        self.mutes.insert(target.clone(), until, tolerate);
        self.timers.set(Timer::Mute(Box::new(target)), until);
        // A shorter mute, or one that tolerates less, may release issues.
        self.wake_all(&WaitFor::Unmute);
    }

    pub(super) fn end_mute(&mut self, target: &Target) {
        if self.mutes.remove(target) {
            self.timers.set(Timer::Mute(Box::new(target.clone())), None);
            self.wake_all(&WaitFor::Unmute);
        }
    }

    pub(super) fn journal(&mut self, healthy: bool) {
        self.journal_down = !healthy;
        let id = AlertId::global(AlertKind::Journal);
        if healthy {
            self.resolve(&id);
            self.wake_all(&WaitFor::Journal);
        } else {
            self.raise(id, Severity::Error, || {
                "the journal cannot be written: records are kept in memory, and only reversible \
                 actions start"
            });
        }
    }

    pub(super) fn reload(&mut self, policy: Arc<HealingPolicy>) {
        if let Err(faults) = policy.validate() {
            return self.refuse(format!(
                "the new policy is not valid, the current one stays: {faults}"
            ));
        }
        self.policy = policy;
        self.record(What::Reloaded);
        self.reload_escalations();
        for slot in self.queue.everything_waiting() {
            self.wake(slot);
        }
        // The new limits and modes may release issues that wait for approval.
        let asked: Vec<_> = self
            .open
            .iter()
            .filter(|(_, entry)| entry.phase == Phase::Approval)
            .map(|(slot, _)| slot)
            .collect();
        for slot in asked {
            self.due(slot);
        }
        let given_up: Vec<_> = self
            .open
            .iter()
            .filter(|(_, entry)| entry.gave_up.is_some())
            .map(|(slot, _)| slot)
            .collect();
        for slot in given_up {
            self.retime_retry(slot);
        }
    }

    pub(super) fn shut_down(&mut self) {
        if self.stopping {
            return;
        }
        self.stopping = true;
        self.record(What::ShuttingDown);
        let open: Vec<_> = self.open.iter().map(|(slot, _)| slot).collect();
        for slot in open {
            self.end_issue(slot, Closed::Shutdown);
        }
        // Rollbacks and zombies no longer belong to an issue.
        self.call_off_all();
    }

    /// Closes an issue, after cancelling what runs for it.
    pub(super) fn end_issue(&mut self, slot: SlotId, outcome: Closed) {
        let holder = self
            .open
            .get(slot)
            .and_then(|entry| entry.treatment.as_ref())
            .map(|treatment| treatment.holder);
        match holder {
            Some(id) if self.attempts.get(id).is_some_and(|attempt| !attempt.zombie) => {
                self.call_off(id, Cancel::Called);
            }
            _ => self.close(slot, outcome),
        }
    }
}
