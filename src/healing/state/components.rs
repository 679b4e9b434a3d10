//! The components, what they depend on, and what they have spent.

use super::Map;
use super::spent::Spent;
use crate::healing::Name;

/// The number of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ComponentIx(u32);

/// What all components beyond the limit are counted as.
const OTHER: &str = "other";

/// How many parents one component may have.
const MOST_PARENTS: usize = 8;

#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) name: Name,
    parents: Vec<ComponentIx>,
    /// Open issues that are being dealt with: they hold the children back.
    pub(super) treated: u32,
    /// Open issues that are confirmed.
    pub(super) confirmed: u32,
    pub(super) spent: Spent,
}

/// Why a dependency was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The parent depends on the component.
    Cycle,
    /// It has as many parents as it may have.
    TooMany,
}

/// All components. The first stands for all those beyond the limit.
#[derive(Debug, Clone)]
pub(super) struct Components {
    list: Vec<Component>,
    by_name: Map<Name, ComponentIx>,
    bad: usize,
}

impl Default for Components {
    fn default() -> Self {
        Self {
            list: vec![Component::new(Name::new(OTHER))],
            by_name: Map::default(),
            bad: 0,
        }
    }
}

impl Component {
    fn new(name: Name) -> Self {
        Self {
            name,
            parents: Vec::new(),
            treated: 0,
            confirmed: 0,
            spent: Spent::default(),
        }
    }
}

impl Components {
    /// The number of a component; a new one, as long as there are fewer than `limit`.
    pub(super) fn intern(&mut self, name: &Name, limit: u32) -> ComponentIx {
        if let Some(&found) = self.by_name.get(name) {
            return found;
        }
        let known = u32::try_from(self.by_name.len()).unwrap_or(u32::MAX);
        if known >= limit || name.as_str() == OTHER {
            return ComponentIx(0);
        }
        let ix = ComponentIx(known.saturating_add(1));
        let mut component = Component::new(name.clone());
        // It may have been among those beyond the limit: before a restart, or before the limit
        // was raised. What they have spent, it may have spent.
        if let Some(others) = self.list.first() {
            component.spent = others.spent.clone();
        }
        self.list.push(component);
        self.by_name.insert(name.clone(), ix);
        ix
    }

    pub(super) fn get(&self, ix: ComponentIx) -> Option<&Component> {
        self.list.get(ix.0 as usize)
    }

    pub(super) fn get_mut(&mut self, ix: ComponentIx) -> Option<&mut Component> {
        self.list.get_mut(ix.0 as usize)
    }

    pub(super) fn find(&self, name: &Name) -> Option<ComponentIx> {
        self.by_name.get(name).copied()
    }

    /// All that were ever seen or declared, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Component> {
        let other = usize::from(self.list.first().is_some_and(Component::is_untouched));
        self.list.iter().skip(other)
    }

    /// How many there are.
    pub(super) fn known(&self) -> usize {
        self.by_name.len()
    }

    /// How many have a confirmed issue.
    pub(super) const fn bad(&self) -> usize {
        self.bad
    }

    /// One more or one fewer confirmed issue.
    pub(super) fn count_confirmed(&mut self, ix: ComponentIx, more: bool) {
        let Some(component) = self.list.get_mut(ix.0 as usize) else {
            return;
        };
        if more {
            self.bad += usize::from(component.confirmed == 0);
            component.confirmed += 1;
        } else {
            component.confirmed = component.confirmed.saturating_sub(1);
            self.bad = self
                .bad
                .saturating_sub(usize::from(component.confirmed == 0));
        }
    }

    /// Notes that one depends on the other.
    pub(super) fn depend(&mut self, ix: ComponentIx, parent: ComponentIx) -> Result<(), Refused> {
        let Some(component) = self.get(ix) else {
            return Ok(());
        };
        // What is beyond the limit has no name, so nothing can be said about it.
        if component.parents.contains(&parent) || ix.0 == 0 || parent.0 == 0 {
            return Ok(());
        }
        if component.parents.len() >= MOST_PARENTS {
            return Err(Refused::TooMany);
        }
        if ix == parent || self.ancestor(parent, |above, _| above == ix).is_some() {
            return Err(Refused::Cycle);
        }
        if let Some(component) = self.get_mut(ix) {
            component.parents.push(parent);
        }
        Ok(())
    }

    /// Whether a parent of this name is noted already.
    pub(super) fn has_parent(&self, ix: ComponentIx, name: &Name) -> bool {
        self.get(ix).is_some_and(|component| {
            let mut parents = component.parents.iter();
            parents.any(|&parent| self.get(parent).is_some_and(|p| p.name == *name))
        })
    }

    /// What this one depends on, near or far, and that is being dealt with.
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
        // Ends, since each component is looked at once.
        loop {
            let mut above = Vec::new();
            for ix in level {
                let component = self.get(ix)?;
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

impl Component {
    fn is_untouched(&self) -> bool {
        self.confirmed == 0 && self.treated == 0 && self.spent.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::spent::Draw;
    use super::*;
    use crate::healing::Severity;

    fn three() -> (Components, [ComponentIx; 3]) {
        let mut components = Components::default();
        let names = ["app", "db", "network"].map(|n| components.intern(&Name::new(n), 10));
        (components, names)
    }

    #[test]
    fn those_beyond_the_limit_are_one() {
        let mut components = Components::default();
        let a = components.intern(&"a".into(), 1);
        let b = components.intern(&"b".into(), 1);
        let c = components.intern(&"c".into(), 1);
        assert_ne!(a, b);
        assert_eq!(b, c);
        assert_eq!(components.intern(&"a".into(), 1), a);
        assert_eq!(components.known(), 1);
    }

    #[test]
    fn one_that_was_beyond_the_limit_keeps_what_it_may_have_spent() {
        let budget = crate::config::Budget::new(1, std::time::Duration::from_secs(9));
        let now = crate::healing::Moment::START;
        let mut components = Components::default();
        let other = components.intern(&OTHER.into(), 9);
        assert_eq!(other, components.intern(&"a".into(), 0));
        let others = components.get_mut(other).unwrap();
        let draw = Draw {
            severity: Severity::Error,
            unspent: false,
        };
        others.spent.spend(now, &budget, draw);
        let a = components.intern(&"a".into(), 1);
        assert_eq!(components.get(a).unwrap().spent.left(now, &budget), 0);
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
        components.count_confirmed(app, true);
        components.count_confirmed(app, true);
        components.count_confirmed(db, true);
        assert_eq!(components.bad(), 2);
        components.count_confirmed(app, false);
        assert_eq!(components.bad(), 2);
        components.count_confirmed(app, false);
        assert_eq!(components.bad(), 1);
    }
}
