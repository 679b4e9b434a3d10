//! The faults that healing has given up on, and when each is taken a rung further.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Escalation;
use crate::healing::core::{AlertId, Moment, Rung, Severity};

#[derive(Debug, Clone)]
pub(super) struct Climb {
    pub(super) severity: Severity,
    pub(super) since: Moment,
    pub(super) reached: Option<Rung>,
    due: Option<Moment>,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Climbs {
    by_id: BTreeMap<AlertId, Climb>,
    due: BTreeSet<(Moment, AlertId)>,
    not_ready: BTreeSet<AlertId>,
}

impl Climb {
    /// The next rung, and when it is due.
    pub(super) fn next(&self, policy: &Escalation) -> Option<(Rung, Moment)> {
        if self.severity < policy.severity {
            return None;
        }
        let rungs = [
            (Rung::NotReady, policy.not_ready_after),
            (Rung::Exit, policy.exit_after),
        ];
        let next = rungs
            .into_iter()
            .filter(|(rung, _)| self.reached.is_none_or(|reached| *rung > reached))
            .find_map(|(rung, after)| Some((rung, after?)))?;
        Some((next.0, self.since + next.1))
    }
}

impl Climbs {
    pub(super) fn get(&self, id: &AlertId) -> Option<&Climb> {
        self.by_id.get(id)
    }

    /// Healing has given up on a fault, or it has got worse since.
    pub(super) fn begin(
        &mut self,
        now: Moment,
        id: &AlertId,
        severity: Severity,
        policy: &Escalation,
    ) {
        let climb = self.by_id.entry(id.clone()).or_insert(Climb {
            severity,
            since: now,
            reached: None,
            due: None,
        });
        climb.severity = climb.severity.max(severity);
        self.plan(id, policy);
    }

    /// It is over; whether the service was not ready because of it.
    pub(super) fn end(&mut self, id: &AlertId) -> bool {
        self.postpone(id, None);
        self.by_id.remove(id);
        self.not_ready.remove(id)
    }

    /// Computes anew when the next rung of a climb is due.
    pub(super) fn plan(&mut self, id: &AlertId, policy: &Escalation) {
        let next = self.by_id.get(id).and_then(|climb| climb.next(policy));
        self.postpone(id, next.map(|(_, at)| at));
    }

    /// Puts the next rung of a climb off: to a time, or until something changes.
    pub(super) fn postpone(&mut self, id: &AlertId, until: Option<Moment>) {
        let Some(climb) = self.by_id.get_mut(id) else {
            return;
        };
        if let Some(old) = std::mem::replace(&mut climb.due, until) {
            self.due.remove(&(old, id.clone()));
        }
        if let Some(at) = until {
            self.due.insert((at, id.clone()));
        }
    }

    /// Notes that a rung was taken.
    pub(super) fn take(&mut self, id: &AlertId, rung: Rung, policy: &Escalation) {
        if let Some(climb) = self.by_id.get_mut(id) {
            climb.reached = Some(rung);
            if rung == Rung::NotReady {
                self.not_ready.insert(id.clone());
            }
            self.plan(id, policy);
        }
    }

    /// Takes a climb back to the alert.
    pub(super) fn step_back(&mut self, id: &AlertId) {
        if let Some(climb) = self.by_id.get_mut(id) {
            climb.reached = None;
        }
        self.not_ready.remove(id);
    }

    pub(super) fn next_due(&self) -> Option<(Moment, &AlertId)> {
        self.due.first().map(|(at, id)| (*at, id))
    }

    /// Those that keep the service from being ready.
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
    fn a_climb_takes_one_rung_after_the_other() {
        let id = AlertId::of(&IssueKey::new("db", "down"), AlertKind::Exhausted);
        let at = |seconds| Moment::after_start(Duration::from_secs(seconds));
        let mut policy = Escalation::default();
        let mut climbs = Climbs::default();
        climbs.begin(at(5), &id, Severity::Critical, &policy);
        assert_eq!(climbs.next_due(), None, "off by default");
        policy.not_ready_after = Some(Duration::from_secs(10));
        policy.exit_after = Some(Duration::from_secs(60));
        climbs.plan(&id, &policy);
        assert_eq!(climbs.next_due(), Some((at(15), &id)));
        climbs.postpone(&id, None);
        assert_eq!(climbs.next_due(), None);
        climbs.take(&id, Rung::NotReady, &policy);
        assert_eq!(climbs.next_due(), Some((at(65), &id)));
        climbs.take(&id, Rung::Exit, &policy);
        assert_eq!(climbs.next_due(), None);
        assert!(climbs.end(&id) && !climbs.end(&id));
        assert_eq!((climbs.ids().count(), climbs.not_ready().len()), (0, 0));
    }

    #[test]
    fn what_is_mild_goes_no_further() {
        let id = AlertId::global(AlertKind::Zombies);
        let policy = Escalation {
            exit_after: Some(Duration::from_secs(1)),
            ..Escalation::default()
        };
        let mut climbs = Climbs::default();
        climbs.begin(Moment::START, &id, Severity::Error, &policy);
        assert_eq!(climbs.next_due(), None);
        climbs.begin(Moment::from_nanos(9), &id, Severity::Critical, &policy);
        let due = Moment::START + Duration::from_secs(1);
        assert_eq!(climbs.next_due(), Some((due, &id)), "since it gave up");
    }
}
