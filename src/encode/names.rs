use std::borrow::Cow;
use std::collections::HashMap;

use super::escaping::{Escaping, NameOf};
use crate::registry::{Scrape, ScrapeFamily};

/// The names of families as they are exposed, each for one family only.
pub(super) struct Names<'a> {
    scrape: &'a Scrape,
    escaping: Escaping,
    /// Names that escaping makes, and whether a family has been given each already.
    made: HashMap<String, bool>,
}

impl<'a> Names<'a> {
    pub(super) fn new(scrape: &'a Scrape, escaping: Escaping) -> Self {
        let made = scrape
            .families()
            .iter()
            .filter_map(
                |family| match escaping.name(family.name(), NameOf::Metric) {
                    Cow::Owned(made) if !family.name().is_empty() => Some((made, false)),
                    _ => None,
                },
            )
            .collect();
        Self {
            scrape,
            escaping,
            made,
        }
    }

    /// The name of a family; `None` if it has none, or escaping makes it that of another family.
    /// To be asked once for each.
    pub(super) fn of(&mut self, family: &'a ScrapeFamily) -> Option<Cow<'a, str>> {
        if family.name().is_empty() {
            return None;
        }
        let shown = self.escaping.name(family.name(), NameOf::Metric);
        if let Cow::Owned(made) = &shown
            && (self.is_source(made) || std::mem::replace(self.made.get_mut(made)?, true))
        {
            return None;
        }
        Some(shown)
    }

    /// Whether a family is exposed by this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.made.contains_key(name) || self.is_source(name)
    }

    /// Whether the source of the scrape has a family by this name.
    fn is_source(&self, name: &str) -> bool {
        let families = self.scrape.families();
        families
            .binary_search_by(|family| family.name().cmp(name))
            .is_ok()
    }
}
