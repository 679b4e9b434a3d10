//! The firing alerts: one for each kind and key.

use std::collections::BTreeMap;

use crate::healing::core::{
    Alert, AlertId, AlertKind, Counts, IssueKey, Moment, Severity, ShortText, Stamp,
};

#[derive(Debug, Clone)]
struct Firing {
    alert: Alert,
    /// When it resolves by itself, and the number of that timer.
    expires: Option<(Moment, u64)>,
}

/// All firing alerts.
#[derive(Debug, Clone, Default)]
pub(super) struct Alerts {
    firing: BTreeMap<AlertId, Firing>,
    by_number: BTreeMap<u64, AlertId>,
    numbers: u64,
    by_severity: Counts<Severity>,
    refused: u64,
}

/// The result of raising an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raised {
    /// It began to fire, or its severity changed.
    Now(Box<Alert>),
    /// It fires already.
    Already,
    /// The limit of alerts is reached.
    Refused,
}

impl Alerts {
    pub(super) fn raise(
        &mut self,
        now: Stamp,
        id: AlertId,
        severity: Severity,
        summary: impl FnOnce() -> ShortText,
        limit: u32,
    ) -> Raised {
        if let Some(firing) = self.firing.get_mut(&id) {
            if firing.alert.severity >= severity {
                return Raised::Already;
            }
            self.by_severity.remove(firing.alert.severity);
            self.by_severity.add(severity);
            firing.alert.severity = severity;
            return Raised::Now(Box::new(firing.alert.clone()));
        }
        if self.firing.len() >= limit as usize {
            self.refused += 1;
            return Raised::Refused;
        }
        let alert = Alert {
            id: id.clone(),
            severity,
            summary: summary(),
            since: now,
        };
        self.by_severity.add(severity);
        let expires = None;
        self.firing.insert(
            id,
            Firing {
                alert: alert.clone(),
                expires,
            },
        );
        Raised::Now(Box::new(alert))
    }

    /// Sets when an alert resolves by itself; returns its timer and the one it replaces.
    pub(super) fn expire_at(
        &mut self,
        id: &AlertId,
        at: Moment,
    ) -> Option<(u64, Option<(Moment, u64)>)> {
        let firing = self.firing.get_mut(id)?;
        let old = firing.expires.take();
        if let Some((_, number)) = old {
            self.by_number.remove(&number);
        }
        self.numbers += 1;
        firing.expires = Some((at, self.numbers));
        self.by_number.insert(self.numbers, id.clone());
        Some((self.numbers, old))
    }

    /// Ends an alert; returns it and its timer, if one was set.
    pub(super) fn resolve(&mut self, id: &AlertId) -> Option<(Alert, Option<(Moment, u64)>)> {
        let firing = self.firing.remove(id)?;
        self.by_severity.remove(firing.alert.severity);
        if let Some((_, number)) = firing.expires {
            self.by_number.remove(&number);
        }
        Some((firing.alert, firing.expires))
    }

    /// The alert of this timer.
    pub(super) fn by_number(&self, number: u64) -> Option<AlertId> {
        self.by_number.get(&number).cloned()
    }

    /// The alerts about a key.
    pub(super) fn of(&self, key: &IssueKey) -> Vec<AlertId> {
        if self.firing.is_empty() {
            return Vec::new();
        }
        let [first, .., last] = AlertKind::ALL;
        self.firing
            .range(AlertId::of(key, first)..=AlertId::of(key, last))
            .map(|(id, _)| id.clone())
            .collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Alert> {
        self.firing.values().map(|firing| &firing.alert)
    }

    pub(super) const fn by_severity(&self) -> Counts<Severity> {
        self.by_severity
    }

    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_once_and_follows_the_severity() {
        let id = AlertId::of(&IssueKey::new("db", "down"), AlertKind::Flapping);
        let mut alerts = Alerts::default();
        let raise = |alerts: &mut Alerts, id: &AlertId, severity| {
            alerts.raise(Stamp::default(), id.clone(), severity, || "x".into(), 1)
        };
        assert!(matches!(
            raise(&mut alerts, &id, Severity::Warning),
            Raised::Now(_)
        ));
        assert_eq!(raise(&mut alerts, &id, Severity::Warning), Raised::Already);
        assert!(matches!(
            raise(&mut alerts, &id, Severity::Critical),
            Raised::Now(_)
        ));
        assert_eq!(raise(&mut alerts, &id, Severity::Info), Raised::Already);
        assert_eq!(alerts.by_severity().get(Severity::Critical), 1);
        assert_eq!(alerts.by_severity().sum(), 1);
        let storm = AlertId::global(AlertKind::Storm);
        assert_eq!(raise(&mut alerts, &storm, Severity::Info), Raised::Refused);
        assert_eq!(alerts.refused(), 1);
        assert!(alerts.resolve(&id).is_some() && alerts.resolve(&id).is_none());
        assert_eq!(alerts.by_severity().sum(), 0);
    }

    #[test]
    fn an_end_that_was_put_off_is_forgotten() {
        let id = AlertId::global(AlertKind::Overflow);
        let at = Moment::from_nanos;
        let mut alerts = Alerts::default();
        alerts.raise(
            Stamp::default(),
            id.clone(),
            Severity::Warning,
            || "x".into(),
            9,
        );
        let (first, old) = alerts.expire_at(&id, at(1)).unwrap();
        assert_eq!(old, None);
        let (second, old) = alerts.expire_at(&id, at(2)).unwrap();
        assert_eq!(old, Some((at(1), first)));
        assert_eq!(alerts.by_number(first), None);
        assert_eq!(alerts.by_number(second), Some(id));
    }
}
