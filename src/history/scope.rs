//! Which series are sampled: all, or those of the metrics that something asked for.

use std::collections::HashSet;

use crate::registry::SeriesId;

/// So many names are asked for at most.
const MOST: usize = 1_000;

/// What a histogram's series are called beside its name.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

#[derive(Debug, Default)]
pub(super) struct Scope {
    /// The names that were asked for; `None` where everything is sampled.
    wanted: Option<HashSet<String>>,
    /// The series that no one asked for, as far as they were there at the last tick.
    left_out: HashSet<SeriesId>,
    /// Whether a name was asked for since the last tick.
    changed: bool,
}

impl Scope {
    pub(super) fn new(only_wanted: bool) -> Self {
        Self {
            wanted: only_wanted.then(HashSet::new),
            ..Self::default()
        }
    }

    /// Takes the series that are left out at this tick.
    pub(super) fn left_out(&mut self) -> HashSet<SeriesId> {
        self.changed = false;
        std::mem::take(&mut self.left_out)
    }

    /// Puts those of them back that are still there.
    pub(super) fn put_back(&mut self, still: HashSet<SeriesId>) {
        // Who bears a name that was asked for meanwhile is found out anew.
        if !self.changed {
            self.left_out = still;
        }
    }

    /// Whether a series of a name is sampled from now on.
    pub(super) fn wants(&mut self, id: SeriesId, name: &str) -> bool {
        let wants = self.wanted.as_ref().is_none_or(|all| all.contains(name));
        if !wants {
            self.left_out.insert(id);
        }
        wants
    }

    pub(super) fn want(&mut self, name: &str) {
        let Some(wanted) = &mut self.wanted else {
            return;
        };
        let family = PARTS.iter().find_map(|part| name.strip_suffix(part));
        for name in family.into_iter().chain([name]) {
            if wanted.len() < MOST && wanted.insert(name.to_owned()) {
                self.changed = true;
                self.left_out.clear();
            }
        }
    }
}
