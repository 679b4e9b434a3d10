//! From the alert to a service that is not ready, and to the orderly end of the process.

use super::State;
use super::timers::Timer;
use crate::healing::core::{
    AlertId, AlertKind, Climb, Effect, ExitRequest, Hold, IssueKey, ParkReason, Rung, Severity,
    Text, What,
};

impl State {
    /// Healing has given up on a fault, or it has got worse since.
    pub(super) fn begin_climb(&mut self, id: &AlertId, severity: Severity) {
        let policy = &self.policy.escalation;
        self.climbs.begin(self.now.at, id, severity, policy);
    }

    /// The fault is gone, or somebody deals with it.
    pub(super) fn end_climb(&mut self, id: &AlertId) {
        if self.climbs.end(id) {
            self.record(What::Deescalated { id: id.clone() });
        }
    }

    /// Looks anew at what was put off, since something changed that held it back.
    pub(super) fn weigh_climbs(&mut self) {
        let ids: Vec<AlertId> = self.climbs.ids().cloned().collect();
        for id in ids {
            self.climbs.plan(&id, &self.policy.escalation);
        }
    }

    /// A new policy is in force: what it no longer wants is taken back.
    pub(super) fn reload_climbs(&mut self) {
        let policy = self.policy.escalation;
        let not_ready: Vec<_> = self.climbs.not_ready().iter().cloned().collect();
        for id in not_ready {
            let climb = self.climbs.get(&id);
            let milder = climb.is_some_and(|climb| climb.severity < policy.severity);
            if milder || policy.not_ready_after.is_none() {
                self.climbs.step_back(&id);
                self.record(What::Deescalated { id });
            }
        }
        self.weigh_climbs();
    }

    /// Takes what is due a rung further.
    pub(super) fn climb(&mut self) {
        while let Some((at, id)) = self.climbs.next_due() {
            if at > self.now.at {
                break;
            }
            let id = id.clone();
            let climb = self.climbs.get(&id);
            let next =
                climb.and_then(|climb| Some((climb.next(&self.policy.escalation)?.0, climb)));
            let Some((rung, climb)) = next else {
                self.climbs.postpone(&id, None);
                continue;
            };
            let severity = climb.severity;
            match self.climb_hold(&id, rung, severity) {
                Some(Hold::Exits { until }) => self.climbs.postpone(&id, Some(until)),
                // Whatever holds it back has it looked at again when it ends.
                Some(_) => self.climbs.postpone(&id, None),
                None => self.take_rung(&id, rung, severity),
            }
        }
        let next = self.climbs.next_due().map(|(at, _)| at);
        if next != self.climb_timer {
            if let Some(old) = self.climb_timer.take() {
                self.timers.cancel(old, Timer::Climb);
            }
            if let Some(at) = next {
                self.timers.set(at, Timer::Climb);
            }
            self.climb_timer = next;
        }
    }

    /// What holds the next rung back. A storm is a fault elsewhere, which neither turning traffic
    /// away nor a restart mends.
    fn climb_hold(&self, id: &AlertId, rung: Rung, severity: Severity) -> Option<Hold> {
        let stops = [
            (self.stopping, Hold::ShuttingDown),
            (self.killed, Hold::Killed),
            (self.paused, Hold::Paused),
            (
                self.storm.is_active(),
                Hold::Storm {
                    until: self.storm.ends_at(&self.policy.storm),
                },
            ),
            (self.policy.dry_run, Hold::DryRun),
        ];
        let stop = stops.into_iter().find_map(|(on, hold)| on.then_some(hold));
        stop.or_else(|| {
            let until = self.mutes.muted_until(id.key.as_ref()?, severity)?;
            Some(Hold::Muted { until })
        })
        .or_else(|| (rung == Rung::Exit).then(|| self.exit_hold()).flatten())
    }

    fn exit_hold(&self) -> Option<Hold> {
        if self.exit_asked {
            return Some(Hold::Exiting);
        }
        // The next process could not know how often this was tried.
        if self.journal_down {
            return Some(Hold::Journal);
        }
        let exits = &self.policy.escalation.exits;
        let until = self.exits.blocked_until(self.now.at, exits)?;
        Some(Hold::Exits { until })
    }

    fn take_rung(&mut self, id: &AlertId, rung: Rung, severity: Severity) {
        let policy = self.policy.escalation;
        self.climbs.take(id, rung, &policy);
        self.tally.escalations.add(rung);
        let about = match &id.key {
            Some(key) => format!("{key}: healing has given up ({})", id.kind.as_str()),
            None => "attempts do not end, and nothing else can start".to_owned(),
        };
        let next = match rung {
            Rung::NotReady => "the service is not ready",
            Rung::Exit => "the process is asked to end",
        };
        let why = Text::new(&format!("{about}; {next}"));
        self.record(What::Escalated {
            id: id.clone(),
            rung,
            severity,
            why: why.clone(),
        });
        if rung == Rung::Exit {
            self.exit_asked = true;
            self.exits.spend(self.now.at, &policy.exits);
            self.emit(Effect::Exit(Box::new(ExitRequest {
                id: id.clone(),
                severity,
                why,
                stamp: self.now,
            })));
        }
    }

    /// Where the escalation of an open issue stands, if healing has given up on it.
    pub(super) fn climb_of(&self, key: &IssueKey, gave_up: Option<ParkReason>) -> Option<Climb> {
        let id = AlertId::of(key, gave_up.and_then(alert_of)?);
        let climb = self.climbs.get(&id)?;
        let next = climb.next(&self.policy.escalation);
        Some(Climb {
            since: climb.since,
            reached: climb.reached,
            next,
            hold: next.and_then(|(rung, _)| self.climb_hold(&id, rung, climb.severity)),
        })
    }

    /// The faults that keep the service from being ready for traffic: those that healing has
    /// given up on, as far as the policy's [`escalation`](crate::config::Escalation) says so.
    pub fn not_ready(&self) -> impl Iterator<Item = &AlertId> {
        self.climbs.not_ready().iter()
    }
}

/// The alert that tells that healing has given up.
pub(super) const fn alert_of(reason: ParkReason) -> Option<AlertKind> {
    match reason {
        ParkReason::Flapping => Some(AlertKind::Flapping),
        ParkReason::Intensity => Some(AlertKind::Intensity),
        ParkReason::Exhausted => Some(AlertKind::Exhausted),
        _ => None,
    }
}
