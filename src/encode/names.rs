use std::borrow::Cow;
use std::collections::HashSet;

use super::escaping::{Escaping, NameOf};
use crate::registry::{Scrape, ScrapeFamily};

/// The names of families as they are exposed, each for one family only.
pub(super) struct Names<'a> {
    scrape: &'a Scrape,
    escaping: Escaping,
    /// Names that escaping has made.
    made: HashSet<String>,
}

impl<'a> Names<'a> {
    pub(super) fn new(scrape: &'a Scrape, escaping: Escaping) -> Self {
        Self {
            scrape,
            escaping,
            made: HashSet::new(),
        }
    }

    /// The name of a family; `None` if it has none, or escaping makes it that of another family.
    pub(super) fn of(&mut self, family: &'a ScrapeFamily) -> Option<Cow<'a, str>> {
        let shown = self.escaping.name(family.name(), NameOf::Metric);
        if let Cow::Owned(made) = &shown
            && (is_family(self.scrape, made) || !self.made.insert(made.clone()))
        {
            return None;
        }
        (!shown.is_empty()).then_some(shown)
    }
}

/// Whether a scrape has a family of this name, as its source has it.
pub(super) fn is_family(scrape: &Scrape, name: &str) -> bool {
    let families = scrape.families();
    families
        .binary_search_by(|family| family.name().cmp(name))
        .is_ok()
}
