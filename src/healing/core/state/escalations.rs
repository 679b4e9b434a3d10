//! Faults that healing has given up on, and when each is escalated further.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Escalation;
use crate::healing::core::{AlertId, Moment, ServiceEscalation, Severity};

#[derive(Debug, Clone)]
pub(super) struct EscalationState {
    pub(super) severity: Severity,
    pub(super) since: Moment,
    pub(super) reached: Option<ServiceEscalation>,
    due: Option<Moment>,
}

/// All escalations.
#[derive(Debug, Clone, Default)]
pub(super) struct Escalations {
    by_id: BTreeMap<AlertId, EscalationState>,
    due: BTreeSet<(Moment, AlertId)>,
    not_ready: BTreeSet<AlertId>,
}

impl EscalationState {
    /// The next level, and when it is due.
    pub(super) fn next(&self, policy: &Escalation) -> Option<(ServiceEscalation, Moment)> {
        if self.severity < policy.severity {
            return None;
        }
        let levels = [
            (ServiceEscalation::NotReady, policy.not_ready_after),
            (ServiceEscalation::Exit, policy.exit_after),
        ];
        let next = levels
            .into_iter()
            .filter(|(level, _)| self.reached.is_none_or(|reached| *level > reached))
            .find_map(|(level, after)| Some((level, after?)))?;
        Some((next.0, self.since + next.1))
    }
}

impl Escalations {
    pub(super) fn get(&self, id: &AlertId) -> Option<&EscalationState> {
        self.by_id.get(id)
    }

    /// Starts or updates the escalation of a fault.
    pub(super) fn begin(
        &mut self,
        now: Moment,
        id: &AlertId,
        severity: Severity,
        policy: &Escalation,
    ) {
        let escalation = self.by_id.entry(id.clone()).or_insert(EscalationState {
            severity,
            since: now,
            reached: None,
            due: None,
        });
        escalation.severity = escalation.severity.max(severity);
        self.plan(id, policy);
    }

    /// Ends an escalation; returns whether it kept the service from being ready.
    pub(super) fn end(&mut self, id: &AlertId) -> bool {
        self.postpone(id, None);
        self.by_id.remove(id);
        self.not_ready.remove(id)
    }

    /// Recomputes when the next level of an escalation is due.
    pub(super) fn plan(&mut self, id: &AlertId, policy: &Escalation) {
        let next = self
            .by_id
            .get(id)
            .and_then(|escalation| escalation.next(policy));
        self.postpone(id, next.map(|(_, at)| at));
    }

    /// Postpones the next level of an escalation: to a time, or until a guard changes.
    pub(super) fn postpone(&mut self, id: &AlertId, until: Option<Moment>) {
        let Some(escalation) = self.by_id.get_mut(id) else {
            return;
        };
        if let Some(old) = std::mem::replace(&mut escalation.due, until) {
            self.due.remove(&(old, id.clone()));
        }
        if let Some(at) = until {
            self.due.insert((at, id.clone()));
        }
    }

    /// Records that a level was taken.
    pub(super) fn take(&mut self, id: &AlertId, level: ServiceEscalation, policy: &Escalation) {
        if let Some(escalation) = self.by_id.get_mut(id) {
            escalation.reached = Some(level);
            if level == ServiceEscalation::NotReady {
                self.not_ready.insert(id.clone());
            }
            self.plan(id, policy);
        }
    }

    /// Takes an escalation back to the alert.
    pub(super) fn step_back(&mut self, id: &AlertId) {
        if let Some(escalation) = self.by_id.get_mut(id) {
            escalation.reached = None;
        }
        self.not_ready.remove(id);
    }

    pub(super) fn next_due(&self) -> Option<(Moment, &AlertId)> {
        self.due.first().map(|(at, id)| (*at, id))
    }

    /// The faults that keep the service from being ready.
    pub(super) const fn not_ready(&self) -> &BTreeSet<AlertId> {
        &self.not_ready
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &AlertId> {
        self.by_id.keys()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::healing::core::{AlertKind, IssueKey};

    #[test]
    fn an_escalation_takes_one_level_after_the_other() {
        let id = AlertId::of(&IssueKey::new("db", "down"), AlertKind::Exhausted);
        let at = |seconds| Moment::after_start(Duration::from_secs(seconds));
        let mut policy = Escalation::default();
        let mut escalations = Escalations::default();
        escalations.begin(at(5), &id, Severity::Critical, &policy);
        assert_eq!(escalations.next_due(), None, "off by default");
        policy.not_ready_after = Some(Duration::from_secs(10));
        policy.exit_after = Some(Duration::from_secs(60));
        escalations.plan(&id, &policy);
        assert_eq!(escalations.next_due(), Some((at(15), &id)));
        escalations.postpone(&id, None);
        assert_eq!(escalations.next_due(), None);
        escalations.take(&id, ServiceEscalation::NotReady, &policy);
        assert_eq!(escalations.next_due(), Some((at(65), &id)));
        escalations.take(&id, ServiceEscalation::Exit, &policy);
        assert_eq!(escalations.next_due(), None);
        assert!(escalations.end(&id) && !escalations.end(&id));
        assert_eq!(
            (escalations.ids().count(), escalations.not_ready().len()),
            (0, 0)
        );
    }

    #[test]
    fn what_is_mild_goes_no_further() {
        let id = AlertId::global(AlertKind::Zombies);
        let policy = Escalation {
            exit_after: Some(Duration::from_secs(1)),
            ..Escalation::default()
        };
        let mut escalations = Escalations::default();
        escalations.begin(Moment::START, &id, Severity::Error, &policy);
        assert_eq!(escalations.next_due(), None);
        escalations.begin(Moment::from_nanos(9), &id, Severity::Critical, &policy);
        let due = Moment::START + Duration::from_secs(1);
        assert_eq!(escalations.next_due(), Some((due, &id)), "since it gave up");
    }
}
