//! Engines, their open issues, and the order of eviction at a limit.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::components::ComponentIx;
use super::map::Map;
use super::slab::SlotId;
use crate::healing::core::{IssueKey, Moment, Name, Severity, Unknown};

/// The identifier of an engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct EngineIx(u32);

/// The eviction order: least severe first, then newest first.
pub(super) type Claim = (Severity, Reverse<Moment>, u64);

#[derive(Debug, Clone)]
pub(super) struct Engine {
    pub(super) name: Name,
    pub(super) present: bool,
    /// It was registered, and is removed.
    pub(super) removed: bool,
    /// The components that it named beforehand.
    pub(super) named: Vec<ComponentIx>,
    pub(super) open: BTreeSet<SlotId>,
    /// Open issues that can be evicted: nothing is done about them now.
    pub(super) evictable: BTreeSet<(Claim, SlotId)>,
    /// When its last detection run began.
    pub(super) last_run: Option<Moment>,
    pub(super) runs: u64,
    /// Consecutive failed detection runs.
    pub(super) blind: u32,
    /// When a detection run was requested.
    pub(super) asked: Option<Moment>,
    /// Its blocked keys without an open issue, each with the number of consecutive good detection
    /// runs.
    pub(super) watched: BTreeMap<IssueKey, u32>,
    /// What its last detection run could not determine.
    pub(super) unknown: Unknown,
}

/// All engines.
#[derive(Debug, Clone, Default)]
pub(super) struct Engines {
    list: Vec<Engine>,
    by_name: Map<Name, EngineIx>,
}

impl Engines {
    /// The identifier of an engine; a new one while there are fewer than `limit`.
    pub(super) fn intern(&mut self, name: &Name, limit: u32) -> Option<EngineIx> {
        if let Some(&found) = self.by_name.get(name) {
            return Some(found);
        }
        let fresh = Engine {
            name: name.clone(),
            present: false,
            removed: false,
            named: Vec::new(),
            open: BTreeSet::new(),
            evictable: BTreeSet::new(),
            last_run: None,
            runs: 0,
            blind: 0,
            asked: None,
            watched: BTreeMap::new(),
            unknown: Unknown::default(),
        };
        let number = u32::try_from(self.list.len()).ok()?;
        let ix = if number < limit {
            self.list.push(fresh);
            EngineIx(number)
        } else {
            // Reuses the entry of a removed engine without open issues.
            let gone = |engine: &Engine| {
                !engine.present && engine.open.is_empty() && engine.watched.is_empty()
            };
            let place = self.list.iter().position(gone)?;
            let old = std::mem::replace(self.list.get_mut(place)?, fresh);
            self.by_name.remove(&old.name);
            EngineIx(u32::try_from(place).ok()?)
        };
        self.by_name.insert(name.clone(), ix);
        Some(ix)
    }

    pub(super) fn find(&self, name: &Name) -> Option<EngineIx> {
        self.by_name.get(name).copied()
    }

    pub(super) fn get(&self, ix: EngineIx) -> Option<&Engine> {
        self.list.get(ix.0 as usize)
    }

    pub(super) fn get_mut(&mut self, ix: EngineIx) -> Option<&mut Engine> {
        self.list.get_mut(ix.0 as usize)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (EngineIx, &Engine)> {
        (0..).map(EngineIx).zip(&self.list)
    }

    /// The issue, of any engine, to evict first.
    pub(super) fn first_to_give_way(&self) -> Option<(Claim, SlotId)> {
        self.list
            .iter()
            .filter_map(|engine| engine.evictable.first().copied())
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::super::slab::Slab;
    use super::*;

    #[test]
    fn a_full_table_reuses_those_that_are_gone() {
        let mut engines = Engines::default();
        let a = engines.intern(&"a".into(), 2).unwrap();
        let b = engines.intern(&"b".into(), 2).unwrap();
        for ix in [a, b] {
            engines.get_mut(ix).unwrap().present = true;
        }
        assert_eq!(engines.intern(&"c".into(), 2), None);
        engines.get_mut(b).unwrap().present = false;
        assert_eq!(engines.intern(&"c".into(), 2), Some(b));
        assert_eq!(engines.find(&"b".into()), None);
        assert_eq!(engines.find(&"a".into()), Some(a));
    }

    #[test]
    fn the_mildest_and_newest_gives_way_first() {
        let mut slab = Slab::default();
        let mut engines = Engines::default();
        let at = Moment::from_nanos;
        let mut add = |name: &str, severity, since| {
            let ix = engines.intern(&name.into(), 9).unwrap();
            let slot = slab.insert(());
            let engine = engines.get_mut(ix).unwrap();
            engine
                .evictable
                .insert(((severity, Reverse(at(since)), 0), slot));
            slot
        };
        add("a", Severity::Error, 9);
        add("a", Severity::Warning, 1);
        let newest = add("b", Severity::Warning, 5);
        add("b", Severity::Warning, 3);
        assert_eq!(engines.first_to_give_way().unwrap().1, newest);
    }
}
