//! The firing alerts: one for each kind and key.

use std::collections::BTreeMap;

use crate::healing::core::{
    Alert, AlertId, AlertKind, Counts, IssueKey, Severity, ShortText, Stamp,
};

/// All firing alerts.
#[derive(Debug, Clone, Default)]
pub(super) struct Alerts {
    firing: BTreeMap<AlertId, Alert>,
    by_severity: Counts<Severity>,
    refused: u64,
}

impl Alerts {
    /// Returns the alert if it began to fire or its severity changed: not if it fires already, or
    /// the limit of alerts is reached.
    pub(super) fn raise(
        &mut self,
        now: Stamp,
        id: AlertId,
        severity: Severity,
        summary: impl FnOnce() -> ShortText,
        limit: u32,
    ) -> Option<Box<Alert>> {
        if let Some(alert) = self.firing.get_mut(&id) {
            if alert.severity >= severity {
                return None;
            }
            self.by_severity.remove(alert.severity);
            self.by_severity.add(severity);
            alert.severity = severity;
            return Some(Box::new(alert.clone()));
        }
        if self.firing.len() >= limit as usize {
            self.refused += 1;
            return None;
        }
        let alert = Alert {
            id: id.clone(),
            severity,
            summary: summary(),
            since: now,
        };
        self.by_severity.add(severity);
        self.firing.insert(id, alert.clone());
        Some(Box::new(alert))
    }

    /// Ends an alert, if it fires.
    pub(super) fn resolve(&mut self, id: &AlertId) -> Option<Alert> {
        let alert = self.firing.remove(id)?;
        self.by_severity.remove(alert.severity);
        Some(alert)
    }

    pub(super) fn is_firing(&self, id: &AlertId) -> bool {
        self.firing.contains_key(id)
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
        self.firing.values()
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
        assert!(raise(&mut alerts, &id, Severity::Warning).is_some());
        assert_eq!(raise(&mut alerts, &id, Severity::Warning), None);
        assert!(raise(&mut alerts, &id, Severity::Critical).is_some());
        assert_eq!(raise(&mut alerts, &id, Severity::Info), None);
        assert_eq!(alerts.by_severity().get(Severity::Critical), 1);
        assert_eq!(alerts.by_severity().sum(), 1);
        let storm = AlertId::global(AlertKind::Storm);
        assert_eq!(raise(&mut alerts, &storm, Severity::Info), None);
        assert_eq!(alerts.refused(), 1);
        assert!(alerts.resolve(&id).is_some() && alerts.resolve(&id).is_none());
        assert_eq!(alerts.by_severity().sum(), 0);
    }
}
