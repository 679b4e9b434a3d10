//! Mutes: their targets, ends and tolerated severities.

use super::map::Map;
use crate::healing::core::{IssueKey, Moment, Severity, Target};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mute {
    pub(super) until: Moment,
    /// A worse severity ends the mute.
    pub(super) tolerate: Severity,
}

/// All mutes.
#[derive(Debug, Clone, Default)]
pub(super) struct Mutes {
    by_target: Map<Target, Mute>,
}

impl Mutes {
    pub(super) fn len(&self) -> usize {
        self.by_target.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_target.is_empty()
    }

    pub(super) fn contains(&self, target: &Target) -> bool {
        self.by_target.contains_key(target)
    }

    /// Adds or replaces a mute.
    pub(super) fn insert(&mut self, target: Target, until: Moment, tolerate: Severity) {
        self.by_target.insert(target, Mute { until, tolerate });
    }

    /// Ends a mute; returns whether there was one.
    pub(super) fn remove(&mut self, target: &Target) -> bool {
        self.by_target.remove(target).is_some()
    }

    /// When the mute of a key at this severity ends, if it is muted.
    pub(super) fn muted_until(&self, key: &IssueKey, severity: Severity) -> Option<Moment> {
        if self.by_target.is_empty() {
            return None;
        }
        targets(key)
            .into_iter()
            .filter_map(|target| self.by_target.get(&target))
            .filter(|mute| severity <= mute.tolerate)
            .map(|mute| mute.until)
            .max()
    }

    /// The mutes of a key that this severity exceeds.
    pub(super) fn exceeded(&self, key: &IssueKey, severity: Severity) -> Vec<Target> {
        if self.by_target.is_empty() {
            return Vec::new();
        }
        let mut exceeded = Vec::from(targets(key));
        exceeded.retain(|target| {
            let mute = self.by_target.get(target);
            mute.is_some_and(|mute| severity > mute.tolerate)
        });
        exceeded
    }

    /// All mutes, in a fixed order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Target, &Mute)> {
        let mut all: Vec<_> = self.by_target.iter().collect();
        all.sort_unstable_by_key(|(target, _)| *target);
        all.into_iter()
    }
}

fn targets(key: &IssueKey) -> [Target; 2] {
    [
        Target::Key(key.clone()),
        Target::Component(key.component.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutes_up_to_the_severity_that_is_tolerated() {
        let at = Moment::from_nanos;
        let (db, cache) = (IssueKey::new("db", "down"), IssueKey::new("cache", "down"));
        let component = Target::Component("db".into());
        let mut mutes = Mutes::default();
        assert_eq!(mutes.muted_until(&db, Severity::Info), None);
        mutes.insert(component.clone(), at(9), Severity::Warning);
        assert_eq!(mutes.muted_until(&db, Severity::Warning), Some(at(9)));
        assert_eq!(mutes.muted_until(&cache, Severity::Warning), None);
        assert_eq!(mutes.muted_until(&db, Severity::Error), None);
        assert_eq!(mutes.exceeded(&db, Severity::Warning), []);
        assert_eq!(
            mutes.exceeded(&db, Severity::Error),
            std::slice::from_ref(&component)
        );
        mutes.insert(component.clone(), at(12), Severity::Error);
        assert_eq!(mutes.muted_until(&db, Severity::Error), Some(at(12)));
        assert_eq!(mutes.len(), 1);
        assert!(mutes.remove(&component) && mutes.is_empty());
    }
}
