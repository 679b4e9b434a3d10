//! Engines that come and go, and the components that they name.

use super::State;
use super::components::{Component, ComponentIx, Refused};
use crate::healing::core::{Closed, Name, Unknown};

impl State {
    pub(super) fn learn_parent(&mut self, component: ComponentIx, parent: &Name) {
        if !self.components.has_parent(component, parent) {
            let limit = self.policy.limits.components;
            let parent = self
                .components
                .intern_named(self.now.at, parent, false, limit);
            if let Some(parent) = parent {
                self.depend(component, parent);
            }
        }
    }

    fn depend(&mut self, component: ComponentIx, parent: ComponentIx) {
        let Err(refused) = self.components.depend(component, parent) else {
            return;
        };
        let name = |ix| {
            let found: Option<&Component> = self.components.get(ix);
            found.map_or_else(|| Name::new("it"), |component| component.name.clone())
        };
        let (child, parent) = (name(component), name(parent));
        let why = match refused {
            Refused::Cycle => "which depends on it: the dependency is ignored",
            Refused::TooMany => {
                "and already on the maximum number of others: the dependency is ignored"
            }
        };
        self.refuse(format!("{child} depends on {parent}, {why}"));
    }

    pub(super) fn depends_on(&mut self, component: &Name, parent: &Name) {
        let limit = self.policy.limits.components;
        let now = self.now.at;
        let mut named = |name| self.components.intern_named(now, name, true, limit);
        let (Some(component), Some(parent)) = (named(component), named(parent)) else {
            return self.refuse(format!(
                "there are too many components for {component} to depend on {parent}; raise \
                 limits.components"
            ));
        };
        self.depend(component, parent);
    }

    pub(super) fn engine_added(&mut self, name: &Name, components: &[Name]) {
        let limits = self.policy.limits;
        let Some(ix) = self.engines.intern(name, limits.engines) else {
            return self.refuse(format!(
                "there are too many engines for {name}; raise limits.engines"
            ));
        };
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        engine.present = true;
        engine.removed = false;
        let before = std::mem::take(&mut engine.named);
        self.components.release(self.now.at, before);
        let limit = limits.components;
        let named = components
            .iter()
            .filter_map(|one| self.components.intern_named(self.now.at, one, true, limit));
        let named: Vec<_> = named.collect();
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        engine.named = named;
        self.ask_to_detect(ix, false);
    }

    pub(super) fn engine_removed(&mut self, name: &Name) {
        let Some(ix) = self.engines.find(name) else {
            return self.refuse(format!("there is no engine {name}"));
        };
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        engine.present = false;
        engine.removed = true;
        engine.asked = None;
        engine.unknown = Unknown::default();
        let named = std::mem::take(&mut engine.named);
        self.components.release(self.now.at, named);
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        let open: Vec<_> = engine.open.iter().copied().collect();
        for slot in open {
            self.end_issue(slot, Closed::Superseded);
        }
        self.sees_again(ix);
    }
}
