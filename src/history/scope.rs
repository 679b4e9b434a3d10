//! The names that rules and queries request, and the series that are sampled: all, or those of
//! requested metrics.

use std::collections::HashSet;
use std::sync::Arc;

use crate::registry::SeriesId;

/// The limit of names requested by queries.
const MOST: usize = 1_000;

/// The suffixes of a histogram's series.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Whether only requested series are sampled.
    only: bool,
    /// The requested names.
    asked: HashSet<Arc<str>>,
    /// The series that were not requested, as of the last tick.
    left_out: HashSet<SeriesId>,
    /// Whether a name was requested since the last tick.
    changed: bool,
}

impl Scope {
    pub(super) fn new(only: bool) -> Self {
        Self {
            only,
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
        let is_part_asked = |part: &&str| self.asked.contains(&*format!("{name}{part}"));
        let is_asked = || self.asked.contains(name) || PARTS.iter().any(is_part_asked);
        let wants = !self.only || is_asked();
        if !wants {
            self.left_out.insert(id);
        }
        wants
    }

    /// Requests a name for a query.
    pub(super) fn want(&mut self, name: &str) {
        if self.asked.len() < MOST {
            self.want_always(name);
        }
    }

    /// Requests a name for a rule, without a limit.
    pub(super) fn want_always(&mut self, name: &str) {
        if !self.asked.contains(name) {
            self.asked.insert(Arc::from(name));
            self.changed = true;
            self.left_out.clear();
        }
    }

    /// The requested names that are not known.
    pub(super) fn asked_but(&self, is_known: impl Fn(&str) -> bool) -> HashSet<Arc<str>> {
        let asked = self.asked.iter().filter(|name| !is_known(name));
        asked.cloned().collect()
    }
}
