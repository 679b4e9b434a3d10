//! Components, their dependencies, and their spent budgets.
//!
//! A component stays known while it has an open issue, was named beforehand, or has spent attempts
//! that may still count. An idle one is forgotten after a while, so that outdated names neither
//! dilute the storm guard's share nor take up places.

use std::collections::BTreeSet;
use std::time::Duration;

use super::map::Map;
use super::slab::{Slab, SlotId};
use super::spent::Spent;
use crate::healing::core::{Moment, Name, Phase};

/// The identifier of a component; invalid once it is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ComponentIx(SlotId);

/// How many parents one component may have.
const MOST_PARENTS: usize = 8;

#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) name: Name,
    parents: Vec<ComponentIx>,
    /// Number of open issues.
    open: u32,
    /// Number of engines that named it beforehand, and of dependencies on it.
    named: u32,
    /// Time of its last change.
    since: Moment,
    /// Open issues under treatment: they hold the children back.
    pub(super) treated: u32,
    /// Confirmed open issues.
    pub(super) confirmed: u32,
    pub(super) spent: Spent,
}

/// Why a dependency was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The parent depends on the component.
    Cycle,
    /// It already has the maximum number of parents.
    TooMany,
}

/// All components.
#[derive(Debug, Clone, Default)]
pub(super) struct Components {
    slots: Slab<Component>,
    by_name: Map<Name, ComponentIx>,
    /// Idle components: those that have spent nothing, and those that have.
    idle: [BTreeSet<(Moment, ComponentIx)>; 2],
    bad: usize,
    /// Whether one was forgotten since the last query.
    forgot: bool,
}

impl Components {
    /// Whether one was forgotten since the last call: issues that it held back through a dependency
    /// may be free.
    pub(super) fn take_forgot(&mut self) -> bool {
        std::mem::take(&mut self.forgot)
    }

    /// The identifier of a component that has an issue, or has spent something; always succeeds. At
    /// the limit, idle components that have spent nothing are evicted first.
    pub(super) fn intern(&mut self, now: Moment, name: &Name, limit: u32) -> ComponentIx {
        if let Some(&found) = self.by_name.get(name) {
            return found;
        }
        self.make_space(limit);
        let ix = ComponentIx(self.slots.insert(Component {
            name: name.clone(),
            parents: Vec::new(),
            open: 0,
            named: 0,
            since: now,
            treated: 0,
            confirmed: 0,
            spent: Spent::default(),
        }));
        self.by_name.insert(name.clone(), ix);
        self.change(now, ix, |_| {});
        ix
    }

    /// The identifier of a component named beforehand or by an observation; none if the limit is
    /// reached.
    pub(super) fn intern_named(
        &mut self,
        now: Moment,
        name: &Name,
        for_good: bool,
        limit: u32,
    ) -> Option<ComponentIx> {
        if !self.by_name.contains_key(name) && !self.make_space(limit) {
            return None;
        }
        let ix = self.intern(now, name, limit);
        self.change(now, ix, |component| {
            component.named = component.named.saturating_add(u32::from(for_good));
        });
        Some(ix)
    }

    /// Releases components that were named beforehand.
    pub(super) fn release(&mut self, now: Moment, named: Vec<ComponentIx>) {
        for ix in named {
            self.change(now, ix, |component| {
                component.named = component.named.saturating_sub(1);
            });
        }
    }

    /// Whether one more fits, after eviction of idle ones.
    fn make_space(&mut self, limit: u32) -> bool {
        while self.known() >= limit as usize {
            let Some(&(_, ix)) = self.idle[0].first() else {
                return false;
            };
            self.forget(ix);
        }
        true
    }

    /// Changes a component, and updates its place among the idle ones.
    fn change(&mut self, now: Moment, ix: ComponentIx, change: impl FnOnce(&mut Component)) {
        let Some(component) = self.slots.get_mut(ix.0) else {
            return;
        };
        for idle in &mut self.idle {
            idle.remove(&(component.since, ix));
        }
        change(component);
        // A replay adds carried attempts by class, not by time.
        component.since = component.since.max(now);
        if component.open == 0 && component.named == 0 {
            let spent = usize::from(!component.spent.is_empty());
            if let Some(idle) = self.idle.get_mut(spent) {
                idle.insert((component.since, ix));
            }
        }
    }

    /// Counts an opened or a closed issue.
    pub(super) fn count_open(&mut self, now: Moment, ix: ComponentIx, more: bool) {
        self.change(now, ix, |component| {
            component.open = if more {
                component.open.saturating_add(1)
            } else {
                component.open.saturating_sub(1)
            };
        });
    }

    /// Adds to its spent attempts.
    pub(super) fn spend(&mut self, now: Moment, ix: ComponentIx, spend: impl FnOnce(&mut Spent)) {
        self.change(now, ix, |component| spend(&mut component.spent));
    }

    /// Forgets components idle for longer than `after`, and those beyond the limit that have spent
    /// nothing.
    pub(super) fn forget_idle(&mut self, now: Moment, after: Duration, limit: u32) {
        self.make_space(limit.saturating_add(1));
        for spent in 0..2 {
            while let Some(&(since, ix)) = self.idle.get(spent).and_then(BTreeSet::first)
                && since + after <= now
            {
                self.forget(ix);
            }
        }
    }

    fn forget(&mut self, ix: ComponentIx) {
        let Some(component) = self.slots.remove(ix.0) else {
            return;
        };
        for idle in &mut self.idle {
            idle.remove(&(component.since, ix));
        }
        self.by_name.remove(&component.name);
        self.forgot = true;
    }

    pub(super) fn get(&self, ix: ComponentIx) -> Option<&Component> {
        self.slots.get(ix.0)
    }

    pub(super) fn get_mut(&mut self, ix: ComponentIx) -> Option<&mut Component> {
        self.slots.get_mut(ix.0)
    }

    pub(super) fn find(&self, name: &Name) -> Option<ComponentIx> {
        self.by_name.get(name).copied()
    }

    /// All known components, by identifier.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Component> {
        self.slots.iter().map(|(_, component)| component)
    }

    /// Number of known components.
    pub(super) fn known(&self) -> usize {
        self.by_name.len()
    }

    /// Number of components with a confirmed issue.
    pub(super) const fn bad(&self) -> usize {
        self.bad
    }

    /// Counts one more or one fewer issue in a phase.
    pub(super) fn count(&mut self, ix: ComponentIx, phase: Phase, more: bool) {
        let Some(component) = self.slots.get_mut(ix.0) else {
            return;
        };
        let was_bad = component.confirmed > 0;
        let by_one = |count: &mut u32| {
            *count = if more {
                count.saturating_add(1)
            } else {
                count.saturating_sub(1)
            };
        };
        if phase != Phase::Parked {
            by_one(&mut component.treated);
        }
        if phase != Phase::Confirming {
            by_one(&mut component.confirmed);
        }
        let bad = self.bad + usize::from(component.confirmed > 0);
        self.bad = bad.saturating_sub(usize::from(was_bad));
    }

    /// Adds a dependency.
    pub(super) fn depend(&mut self, ix: ComponentIx, parent: ComponentIx) -> Result<(), Refused> {
        let slots = &self.slots;
        let Some(component) = slots.get(ix.0) else {
            return Ok(());
        };
        if component.parents.contains(&parent) {
            return Ok(());
        }
        let known = |parent: &&ComponentIx| slots.get(parent.0).is_some();
        if component.parents.iter().filter(known).count() >= MOST_PARENTS {
            return Err(Refused::TooMany);
        }
        if ix == parent || self.ancestor(parent, |above, _| above == ix).is_some() {
            return Err(Refused::Cycle);
        }
        // Forgotten parents do not count toward the limit.
        let mut parents = component.parents.clone();
        parents.retain(|parent| self.get(*parent).is_some());
        parents.push(parent);
        if let Some(component) = self.get_mut(ix) {
            component.parents = parents;
        }
        Ok(())
    }

    /// Whether it has a parent of this name.
    pub(super) fn has_parent(&self, ix: ComponentIx, name: &Name) -> bool {
        self.get(ix).is_some_and(|component| {
            let mut parents = component.parents.iter();
            parents.any(|&parent| self.get(parent).is_some_and(|p| p.name == *name))
        })
    }

    /// A direct or indirect parent that is under treatment.
    pub(super) fn blocking_parent(&self, ix: ComponentIx) -> Option<ComponentIx> {
        self.ancestor(ix, |_, component| component.treated > 0)
    }

    fn ancestor(
        &self,
        ix: ComponentIx,
        is_it: impl Fn(ComponentIx, &Component) -> bool,
    ) -> Option<ComponentIx> {
        let mut level: Vec<ComponentIx> = self.get(ix)?.parents.clone();
        let mut seen = level.clone();
        // Terminates, since each component is visited once.
        loop {
            let mut above = Vec::new();
            for ix in level {
                let Some(component) = self.get(ix) else {
                    continue;
                };
                if is_it(ix, component) {
                    return Some(ix);
                }
                for &parent in &component.parents {
                    if !seen.contains(&parent) {
                        seen.push(parent);
                        above.push(parent);
                    }
                }
            }
            if above.is_empty() {
                return None;
            }
            level = above;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::spent::Draw;
    use super::*;
    use crate::healing::core::Severity;

    fn three() -> (Components, [ComponentIx; 3]) {
        let mut components = Components::default();
        let names = ["app", "db", "network"].map(|n| components.intern(NOW, &Name::new(n), 10));
        (components, names)
    }

    const NOW: Moment = Moment::START;

    #[test]
    fn what_is_idle_is_forgotten_and_what_is_needed_is_not() {
        let budget = crate::config::Budget::new(1, Duration::from_secs(9));
        let mut components = Components::default();
        let [open, named, spent, _] =
            ["open", "named", "spent", "idle"].map(|name| components.intern(NOW, &name.into(), 10));
        components.count_open(NOW, open, true);
        assert_eq!(
            components.intern_named(NOW, &"named".into(), true, 10),
            Some(named)
        );
        let draw = Draw {
            severity: Severity::Error,
            unspent: false,
        };
        components.spend(NOW, spent, |own| own.spend(NOW, &budget, draw));
        // At the limit, an idle component that has spent nothing is replaced.
        let other = components.intern(NOW, &"other".into(), 4);
        assert_eq!(components.find(&"idle".into()), None);
        components.count_open(NOW, other, true);
        // A component with an issue is always kept, with a budget of its own.
        let more = components.intern(NOW, &"more".into(), 4);
        assert_ne!(more, other);
        components.count_open(NOW, more, true);
        assert_eq!(components.intern_named(NOW, &"no".into(), true, 4), None);
        let later = NOW + Duration::from_secs(10);
        components.count_open(later, open, false);
        components.forget_idle(later, Duration::from_secs(10), 10);
        assert_eq!(components.find(&"spent".into()), None);
        let known = ["open", "named", "other", "more"].map(Name::from);
        assert!(known.iter().all(|name| components.find(name).is_some()));
        assert_eq!(components.known(), 4);
        components.forget_idle(later + Duration::from_secs(10), Duration::from_secs(10), 10);
        assert_eq!(components.find(&"open".into()), None);
        assert!(
            components.get(open).is_none(),
            "its number is never used again"
        );
    }

    #[test]
    fn attempts_that_a_journal_has_in_any_order_count_from_the_last() {
        let window = Duration::from_secs(30);
        let budget = crate::config::Budget::new(9, window);
        let mut components = Components::default();
        let db = components.intern(NOW, &"db".into(), 10);
        let later = NOW + Duration::from_secs(15);
        // Each class of a budget is carried over on its own.
        for (severity, at) in [(Severity::Info, later), (Severity::Warning, NOW)] {
            let unspent = false;
            let draw = Draw { severity, unspent };
            components.spend(at, db, |own| own.spend(at, &budget, draw));
        }
        components.forget_idle(NOW + window, window, 10);
        assert_eq!(components.find(&"db".into()), Some(db));
        components.forget_idle(later + window, window, 10);
        assert_eq!(components.find(&"db".into()), None);
    }

    #[test]
    fn a_far_parent_blocks_and_a_cycle_is_refused() {
        let (mut components, [app, db, network]) = three();
        assert_eq!(components.depend(app, db), Ok(()));
        assert_eq!(components.depend(db, network), Ok(()));
        assert_eq!(components.depend(network, app), Err(Refused::Cycle));
        assert_eq!(components.depend(db, db), Err(Refused::Cycle));
        assert_eq!(components.blocking_parent(app), None);
        components.get_mut(network).unwrap().treated = 1;
        assert_eq!(components.blocking_parent(app), Some(network));
        assert_eq!(components.blocking_parent(network), None);
        assert!(components.has_parent(app, &"db".into()));
        assert!(!components.has_parent(app, &"network".into()));
    }

    #[test]
    fn bad_components_are_counted_once() {
        let (mut components, [app, db, _]) = three();
        components.count(app, Phase::Confirming, true);
        assert_eq!(components.bad(), 0);
        components.count(app, Phase::Pending, true);
        components.count(app, Phase::Parked, true);
        components.count(db, Phase::Running, true);
        assert_eq!(components.bad(), 2);
        components.count(app, Phase::Pending, false);
        assert_eq!(components.bad(), 2);
        components.count(app, Phase::Parked, false);
        assert_eq!(components.bad(), 1);
        assert_eq!(components.get(app).unwrap().treated, 1, "it is confirmed");
    }
}
