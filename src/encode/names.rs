use std::borrow::Cow;
use std::collections::HashMap;

use super::escaping::{Escaping, NameOf};
use crate::catalog::{Kind, names};
use crate::registry::{Scrape, ScrapeFamily};

/// The exposed names of families and their samples, each owned by one family.
pub(super) struct Names<'a> {
    scrape: &'a Scrape,
    escaping: Escaping,
    /// Escaped names, with the kind of the family, and whether the name was assigned.
    made: HashMap<String, (Kind, bool)>,
}

impl<'a> Names<'a> {
    pub(super) fn new(scrape: &'a Scrape, escaping: Escaping) -> Self {
        let families = scrape.families().iter();
        let made =
            families.filter_map(
                |family| match escaping.name(family.name(), NameOf::Metric) {
                    Cow::Owned(made) if !family.name().is_empty() => {
                        Some((made, (family.def().kind, false)))
                    }
                    _ => None,
                },
            );
        Self {
            scrape,
            escaping,
            made: made.collect(),
        }
    }

    /// The name of a family; `None` if it has none, or escaping makes it that of another family or
    /// of a sample of one. Call it once per family.
    pub(super) fn of(&mut self, family: &'a ScrapeFamily) -> Option<Cow<'a, str>> {
        if family.name().is_empty() {
            return None;
        }
        let shown = self.escaping.name(family.name(), NameOf::Metric);
        if let Cow::Owned(made) = &shown {
            let kind = family.def().kind;
            let given = |name: &str| {
                let made = self.made.get(name).filter(|(_, given)| *given);
                made.map(|(kind, _)| *kind).or_else(|| self.source(name))
            };
            if names::owner(made, kind, given).is_some() {
                return None;
            }
            *self.made.get_mut(made)? = (kind, true);
        }
        Some(shown)
    }

    /// Whether a family, or a sample of one, is exposed under this name.
    pub(super) fn has(&self, name: &str) -> bool {
        let any = |name: &str| {
            let made = self.made.get(name).map(|(kind, _)| *kind);
            made.or_else(|| self.source(name))
        };
        names::owner(name, Kind::Gauge, any).is_some()
    }

    /// The kind of the scrape's family with this name.
    fn source(&self, name: &str) -> Option<Kind> {
        let families = self.scrape.families();
        let found = families.binary_search_by(|family| family.name().cmp(name));
        Some(families.get(found.ok()?)?.def().kind)
    }
}
