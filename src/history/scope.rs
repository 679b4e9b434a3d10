//! Selects the series that are sampled: all, or those of requested metrics.

use std::collections::HashSet;

use crate::registry::SeriesId;

/// The limit of requested names.
const MOST: usize = 1_000;

/// The suffixes of a histogram's series.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

#[derive(Debug, Default)]
pub(super) struct Scope {
    /// The requested names; `None` if everything is sampled.
    wanted: Option<HashSet<String>>,
    /// The series that were not requested, as of the last tick.
    left_out: HashSet<SeriesId>,
    /// Whether a name was requested since the last tick.
    changed: bool,
}

impl Scope {
    pub(super) fn new(only_wanted: bool) -> Self {
        Self {
            wanted: only_wanted.then(HashSet::new),
            ..Self::default()
        }
    }

    /// Takes the set of series to leave out at this tick.
    pub(super) fn left_out(&mut self) -> HashSet<SeriesId> {
        self.changed = false;
        std::mem::take(&mut self.left_out)
    }

    /// Stores those of the set that still exist.
    pub(super) fn put_back(&mut self, still: HashSet<SeriesId>) {
        // If names were requested meanwhile, all series are looked up again.
        if !self.changed {
            self.left_out = still;
        }
    }

    /// Whether a series of this name is sampled from now on.
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
