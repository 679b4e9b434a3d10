//! Replay of the records, from the first to the last.

use super::{Replay, alert_of};
use crate::healing::core::state::memory::Memory;
use crate::healing::core::state::spent::Draw;
use crate::healing::core::state::window;
use crate::healing::core::tally::ActionLabels;
use crate::healing::core::{
    AlertId, AlertKind, AttemptId, AttemptResult, Carried, Closed, Control, Intent, Issue,
    IssueKey, Moment, Name, OpenState, ParkReason, Phase, Record, ServiceEscalation, Severity,
    Target, What, Work,
};

impl Replay {
    pub(super) fn take(&mut self, record: &Record, at: Moment) {
        let local = |moment: Moment| moment.translate(record.stamp.at, at);
        match &record.what {
            What::Opened { issue, engine } => self.opened(issue, engine, &local),
            What::Worsened {
                key,
                generation,
                severity,
            } => {
                self.state.generations = self.state.generations.max(generation.0);
                if let Some(open) = self.open.get_mut(key) {
                    open.issue.severity = *severity;
                    open.issue.generation = *generation;
                }
            }
            What::Moved {
                key,
                to: Phase::Backoff,
                until: Some(until),
                ..
            } => self.waits(key, local(*until)),
            What::Moved {
                key,
                reason: Some(reason),
                ..
            } if reason.blocks() => self.block(key, *reason),
            What::AttemptStarted(intent) => self.started(intent, at),
            What::AttemptFinished {
                attempt,
                result,
                hopeless,
                ..
            } => self.finished(*attempt, *result, *hopeless),
            What::Verified {
                key, action, good, ..
            } if !good => {
                self.state.outcomes_of(key, action).add(false);
                if let Some(open) = self.open.get_mut(key) {
                    // It counts since it returned, unless a person has acknowledged the issue
                    // meanwhile.
                    open.used = open.used.max(1);
                }
            }
            What::Closed {
                key,
                outcome,
                action,
                not_before,
                ..
            } => {
                self.closed(key, *outcome, action.as_ref());
                if let Some(until) = not_before {
                    self.waits(key, local(*until));
                }
            }
            What::Raised(alert) => {
                let mut alert = (**alert).clone();
                alert.since.at = local(alert.since.at);
                self.blocked_by(&alert.id);
                self.alerts.insert(alert.id.clone(), alert);
            }
            What::Resolved(alert) => {
                self.alerts.remove(&alert.id);
                self.unblock(&alert.id);
            }
            What::Escalated {
                level: ServiceEscalation::Exit,
                ..
            } => self.asked_to_end(at),
            What::Controlled { control, .. } => self.controlled(control),
            What::Remembered { name, value } => {
                self.state.remembered.insert(name.clone(), value.clone());
            }
            What::Carried(carried) => self.carried(carried, &local),
            _ => {}
        }
    }

    fn opened(&mut self, issue: &Issue, engine: &Name, local: &dyn Fn(Moment) -> Moment) {
        let now = self.state.now.at;
        let backoff = self.state.policy.backoff;
        self.state
            .memories
            .update(now, &issue.key, |memory| memory.reopen(now, &backoff));
        let open = OpenState {
            issue: issue.clone(),
            engine: engine.clone(),
            step: 0,
            used: 0,
            attempts: 0,
        };
        self.reopen(open, local);
    }

    fn reopen(&mut self, mut open: OpenState, local: &dyn Fn(Moment) -> Moment) {
        let issue = &mut open.issue;
        issue.first_seen.at = local(issue.first_seen.at);
        issue.last_seen.at = local(issue.last_seen.at);
        self.state.generations = self.state.generations.max(issue.generation.0);
        self.open.insert(issue.key.clone(), open);
    }

    fn memory(&mut self, key: &IssueKey, change: impl FnOnce(&mut Memory)) {
        self.state.remember(key);
        self.state.memories.update(self.state.now.at, key, change);
    }

    fn waits(&mut self, key: &IssueKey, until: Moment) {
        self.memory(key, |memory| {
            memory.kept.not_before = memory.kept.not_before.max(until);
        });
    }

    fn block(&mut self, key: &IssueKey, reason: ParkReason) {
        let engine = self.open.get(key).map(|open| open.engine.clone());
        self.memory(key, |memory| {
            memory.kept.block = Some(reason);
            memory.kept.engine = engine.or(memory.kept.engine.take());
        });
    }

    /// Restores a block from its alert.
    fn blocked_by(&mut self, id: &AlertId) {
        let reasons = [
            ParkReason::Flapping,
            ParkReason::Intensity,
            ParkReason::Exhausted,
        ];
        let reason = reasons
            .into_iter()
            .find(|&reason| alert_of(reason) == Some(id.kind));
        let (Some(key), Some(reason)) = (&id.key, reason) else {
            return;
        };
        let known = self.state.memories.get(key);
        if known.is_none_or(|memory| memory.kept.block != Some(reason)) {
            self.block(key, reason);
        }
    }

    /// Ends a block with its alert.
    fn unblock(&mut self, id: &AlertId) {
        let Some(key) = &id.key else { return };
        self.state
            .memories
            .update(self.state.now.at, key, |memory| {
                if memory.kept.block.and_then(alert_of) == Some(id.kind) {
                    memory.kept.block = None;
                }
            });
    }

    fn started(&mut self, intent: &Intent, at: Moment) {
        self.state.attempt_ids = self.state.attempt_ids.max(intent.attempt.0);
        self.state.generations = self.state.generations.max(intent.generation.0);
        self.unended.insert(intent.attempt, (intent.clone(), at));
        if intent.work == Work::Rollback {
            return;
        }
        let intensity = self.state.policy.intensity;
        self.state.charge(intent, &intensity);
        if let Some(open) = self.open.get_mut(&intent.key) {
            open.step = intent.step;
            open.used = intent.nth.saturating_sub(1);
            open.attempts = open.attempts.saturating_add(1);
        }
    }

    fn asked_to_end(&mut self, at: Moment) {
        let budget = self.state.policy.escalation.exits;
        window::spend(&mut self.state.exits, at, &budget);
    }

    fn finished(&mut self, attempt: AttemptId, result: AttemptResult, hopeless: bool) {
        let Some((intent, started)) = self.unended.remove(&attempt) else {
            return;
        };
        if intent.work == Work::Rollback {
            return;
        }
        if result.is_failure() {
            let outcomes = self.state.outcomes_of(&intent.key, &intent.action);
            outcomes.add(false);
        }
        if result == AttemptResult::Stale {
            self.memory(&intent.key, |memory| {
                window::take_back(&mut memory.kept.attempts, started);
            });
        }
        if let Some(open) = self.open.get_mut(&intent.key) {
            match result {
                AttemptResult::Cancelled | AttemptResult::Stale => {}
                _ if hopeless => open.used = u32::MAX,
                _ => open.used = open.used.saturating_add(1),
            }
        }
    }

    fn closed(&mut self, key: &IssueKey, outcome: Closed, action: Option<&Name>) {
        let now = self.state.now.at;
        match outcome {
            // It stays open.
            Closed::Shutdown => return,
            Closed::Healed => {
                self.memory(key, |memory| memory.healed(now));
                if let Some(action) = action {
                    self.state.outcomes_of(key, action).add(true);
                }
                self.forgive(key);
            }
            Closed::SelfResolved | Closed::Exhausted => self.forgive(key),
            Closed::Superseded => {}
        }
        self.open.remove(key);
        self.state
            .memories
            .update(now, key, |memory| memory.kept.closed_at = Some(now));
    }

    /// The fault is gone: only a flapping block remains.
    fn forgive(&mut self, key: &IssueKey) {
        self.unblock(&AlertId::of(key, AlertKind::Intensity));
        self.unblock(&AlertId::of(key, AlertKind::Exhausted));
    }

    fn controlled(&mut self, control: &Control) {
        let state = &mut self.state;
        match control {
            Control::Pause => state.paused = true,
            Control::Resume => state.paused = false,
            Control::Kill => state.killed = true,
            Control::Revive => state.killed = false,
            Control::Mute {
                target,
                lasting,
                tolerate,
            } => {
                let tolerate = tolerate.unwrap_or(Severity::Critical);
                self.mute(target, self.state.now.at + *lasting, tolerate);
            }
            Control::Unmute { target } => {
                state.mutes.remove(target);
            }
            Control::Acknowledge { key } => {
                let now = state.now.at;
                state.memories.update(now, key, Memory::acknowledge);
                if let Some(open) = self.open.get_mut(key) {
                    open.step = 0;
                    open.used = 0;
                }
            }
            Control::Approve { .. }
            | Control::Deny { .. }
            | Control::Trigger { .. }
            | Control::LogLevel { .. } => {}
        }
    }

    fn mute(&mut self, target: &Target, until: Moment, tolerate: Severity) {
        let state = &mut self.state;
        let has_space = state.mutes.len() < state.policy.limits.mutes as usize;
        if has_space || state.mutes.contains(target) {
            state.mutes.insert(target.clone(), until, tolerate);
        }
    }

    fn carried(&mut self, carried: &Carried, local: &dyn Fn(Moment) -> Moment) {
        match carried {
            Carried::Issue(open) => self.reopen(open.clone(), local),
            Carried::Attempt { intent, started } => {
                self.state.attempt_ids = self.state.attempt_ids.max(intent.attempt.0);
                let unended = (intent.clone(), local(*started));
                self.unended.insert(intent.attempt, unended);
            }
            Carried::Key(memory) => {
                let mut memory = memory.clone();
                memory.not_before = local(memory.not_before);
                memory.closed_at = memory.closed_at.map(local);
                memory.attempts = memory.attempts.into_iter().map(local).collect();
                memory.heals = memory.heals.into_iter().map(local).collect();
                self.state.remember(&memory.key);
                let now = self.state.now.at;
                self.state.memories.insert(now, Memory::new(memory));
            }
            Carried::Spent {
                component,
                severity,
                unspent,
                at,
            } => {
                let (severity, unspent) = (*severity, *unspent);
                for &at in at {
                    let draw = Draw { severity, unspent };
                    self.state.spend(component.as_ref(), local(at), draw);
                }
            }
            Carried::Exits { at } => {
                for &at in at {
                    self.asked_to_end(local(at));
                }
            }
            Carried::Outcomes {
                issue_type,
                action,
                outcomes,
            } => {
                let labels = ActionLabels {
                    issue_type: issue_type.clone(),
                    action: action.clone(),
                };
                let limit = self.state.policy.limits.series;
                *self.state.outcomes.entry(labels, limit) = *outcomes;
            }
            Carried::Mute {
                target,
                until,
                tolerate,
            } => self.mute(target, local(*until), *tolerate),
            Carried::Engine {
                paused,
                killed,
                attempts,
                generations,
            } => {
                let state = &mut self.state;
                state.paused = *paused;
                state.killed = *killed;
                state.attempt_ids = state.attempt_ids.max(attempts.0);
                state.generations = state.generations.max(generations.0);
            }
        }
    }
}
