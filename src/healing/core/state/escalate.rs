//! Service escalation: from the alert to not ready, and to the orderly exit.

use super::State;
use super::timers::Timer;
use super::window;
use crate::healing::core::{
    AlertId, AlertKind, Effect, EscalationState, ExitRequest, Hold, IssueKey, ParkReason,
    ServiceEscalation, Severity, ShortText, What,
};

impl State {
    /// Starts or updates the escalation of a fault that healing has given up on.
    pub(super) fn begin_escalation(&mut self, id: &AlertId, severity: Severity) {
        let policy = &self.policy.escalation;
        self.escalations.begin(self.now.at, id, severity, policy);
    }

    /// Ends an escalation: the fault is gone, or a person deals with it.
    pub(super) fn end_escalation(&mut self, id: &AlertId) {
        if self.escalations.end(id) {
            self.record(What::Deescalated { id: id.clone() });
        }
    }

    /// Reschedules postponed escalations after a guard changed.
    pub(super) fn weigh_escalations(&mut self) {
        let ids: Vec<AlertId> = self.escalations.ids().cloned().collect();
        for id in ids {
            self.escalations.plan(&id, &self.policy.escalation);
        }
    }

    /// Applies a new policy: levels it no longer allows are taken back.
    pub(super) fn reload_escalations(&mut self) {
        let policy = self.policy.escalation;
        let not_ready: Vec<_> = self.escalations.not_ready().iter().cloned().collect();
        for id in not_ready {
            let escalation = self.escalations.get(&id);
            let milder = escalation.is_some_and(|escalation| escalation.severity < policy.severity);
            if milder || policy.not_ready_after.is_none() {
                self.escalations.step_back(&id);
                self.record(What::Deescalated { id });
            }
        }
        self.weigh_escalations();
    }

    /// Takes the escalations that are due to their next level.
    pub(super) fn escalate(&mut self) {
        while let Some((at, id)) = self.escalations.next_due() {
            if at > self.now.at {
                break;
            }
            let id = id.clone();
            let escalation = self.escalations.get(&id);
            let next = escalation.and_then(|escalation| {
                Some((escalation.next(&self.policy.escalation)?.0, escalation))
            });
            let Some((level, escalation)) = next else {
                self.escalations.postpone(&id, None);
                continue;
            };
            let severity = escalation.severity;
            match self.escalation_hold(&id, level, severity) {
                Some(Hold::Exits { until }) => self.escalations.postpone(&id, Some(until)),
                // Evaluated again when the hold ends.
                Some(_) => self.escalations.postpone(&id, None),
                None => self.take_level(&id, level, severity),
            }
        }
        let next = self.escalations.next_due().map(|(at, _)| at);
        self.timers.set(Timer::EscalationState, next);
    }

    /// The guard that holds the next level back. A storm is a fault elsewhere, which neither
    /// diverting traffic nor a restart repairs.
    fn escalation_hold(
        &self,
        id: &AlertId,
        level: ServiceEscalation,
        severity: Severity,
    ) -> Option<Hold> {
        let dry_run = (self.policy.dry_run, Hold::DryRun);
        let mut stops = self.stops().into_iter().chain([dry_run]);
        let stop = stops.find_map(|(on, hold)| on.then_some(hold));
        stop.or_else(|| {
            let until = self.mutes.muted_until(id.key.as_ref()?, severity)?;
            Some(Hold::Muted { until })
        })
        .or_else(|| {
            (level == ServiceEscalation::Exit)
                .then(|| self.exit_hold())
                .flatten()
        })
    }

    fn exit_hold(&self) -> Option<Hold> {
        if self.exit_asked {
            return Some(Hold::Exiting);
        }
        // Without the journal, the next process would not know how many exits there were.
        if self.journal_down {
            return Some(Hold::Journal);
        }
        let exits = &self.policy.escalation.exits;
        let until = window::blocked_until(&self.exits, self.now.at, exits)?;
        Some(Hold::Exits { until })
    }

    fn take_level(&mut self, id: &AlertId, level: ServiceEscalation, severity: Severity) {
        let policy = self.policy.escalation;
        self.escalations.take(id, level, &policy);
        self.tally.escalations.add(level);
        let about = match &id.key {
            Some(key) => format!("{key}: healing has given up ({})", id.kind.as_str()),
            None => "attempts do not end, so that nothing else can start".to_owned(),
        };
        let next = match level {
            ServiceEscalation::NotReady => "the service is not ready",
            ServiceEscalation::Exit => "the process is asked to exit",
        };
        let why = ShortText::new(&format!("{about}; {next}"));
        self.record(What::Escalated {
            id: id.clone(),
            level,
            severity,
            why: why.clone(),
        });
        if level == ServiceEscalation::Exit {
            self.exit_asked = true;
            window::spend(&mut self.exits, self.now.at, &policy.exits);
            self.emit(Effect::Exit(Box::new(ExitRequest {
                id: id.clone(),
                severity,
                why,
                stamp: self.now,
            })));
        }
    }

    /// The escalation state of an open issue, if healing has given up on it.
    pub(super) fn escalation_of(
        &self,
        key: &IssueKey,
        gave_up: Option<ParkReason>,
    ) -> Option<EscalationState> {
        let id = AlertId::of(key, gave_up.and_then(alert_of)?);
        let escalation = self.escalations.get(&id)?;
        let next = escalation.next(&self.policy.escalation);
        Some(EscalationState {
            since: escalation.since,
            reached: escalation.reached,
            next,
            hold: next.and_then(|(level, _)| self.escalation_hold(&id, level, escalation.severity)),
        })
    }

    /// The faults that keep the service from being ready: those that healing has given up on, as
    /// far as the policy's [`escalation`](crate::config::Escalation) says so.
    pub fn not_ready(&self) -> impl Iterator<Item = &AlertId> {
        self.escalations.not_ready().iter()
    }
}

/// The kind of alert that reports giving up for this reason.
pub(super) const fn alert_of(reason: ParkReason) -> Option<AlertKind> {
    match reason {
        ParkReason::Flapping => Some(AlertKind::Flapping),
        ParkReason::Intensity => Some(AlertKind::Intensity),
        ParkReason::Exhausted => Some(AlertKind::Exhausted),
        _ => None,
    }
}
