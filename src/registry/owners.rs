//! Ownership of names among the families of a scrape.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::scrape_family::{ScrapeFamily, Source};
use super::snapshot::{FamilySnapshot, SeriesSnapshot, parse_labels};
use crate::catalog::{Kind, names};

/// The families of a scrape, no two of which have a sample name in common: the first has it, and a
/// later one with the same name is left out as a whole.
pub(super) struct Owners<'a> {
    /// By hash, since each is looked up by the names of all its samples.
    families: HashMap<String, ScrapeFamily, RandomState>,
    /// The kind of a declared family, with or without series. Families without series are not part
    /// of a scrape; they are looked up only where another family could have one of their names.
    declared: &'a dyn Fn(&str) -> Option<Kind>,
    left_out: Vec<LeftOut>,
    /// The labels that every series carries in addition.
    global: &'a BTreeMap<String, String>,
}

/// A left-out family, and the one that has a name of its samples.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LeftOut {
    pub(super) metric: String,
    pub(super) owner: String,
}

impl<'a> Owners<'a> {
    /// Without families, with space for the `expected` number of them.
    pub(super) fn new(
        global: &'a BTreeMap<String, String>,
        declared: &'a dyn Fn(&str) -> Option<Kind>,
        expected: usize,
    ) -> Self {
        Self {
            families: HashMap::with_capacity_and_hasher(expected, RandomState::default()),
            declared,
            left_out: Vec::new(),
            global,
        }
    }

    /// Adds a family that is declared here and has series.
    pub(super) fn declared(&mut self, family: ScrapeFamily) {
        self.add(family, |_| None);
    }

    /// Adds a family that is not declared here. Declared families reserve their names even without
    /// series, so that others' metrics under them do not come and go with their first series.
    pub(super) fn beside(&mut self, family: ScrapeFamily) {
        self.add(family, self.declared);
    }

    /// Adds a family of a collector: merged with the family of its name, if the kinds agree.
    pub(super) fn collected(&mut self, name: String, family: FamilySnapshot) {
        let FamilySnapshot { def, series } = family;
        if series.is_empty() {
            return;
        }
        let found = ScrapeFamily {
            name,
            def,
            source: Source::Taken(series),
        };
        let kind = found.def.kind.as_text();
        match self.families.get_mut(&found.name) {
            Some(there) if there.def.kind.as_text() == kind => {
                if there.is_empty() {
                    *there = found;
                } else if let Source::Taken(series) = found.source {
                    there.source = Source::Taken(merged(there, series, self.global));
                }
            }
            None if (self.declared)(&found.name)
                .is_some_and(|declared| declared.as_text() == kind) =>
            {
                self.families.insert(found.name.clone(), found);
            }
            _ => self.beside(found),
        }
    }

    /// Adds the registry's own metrics, before others of the same name.
    pub(super) fn said(&mut self, name: &str, series: Vec<SeriesSnapshot>) {
        if let Some(there) = self.families.get_mut(name) {
            let others = std::mem::replace(&mut there.source, Source::Taken(series));
            if let Source::Taken(others) = others {
                there.source = Source::Taken(merged(there, others, self.global));
            }
        }
    }

    /// Adds a family, unless another one, added before or known to `kind_of`, has a name of its
    /// samples. In that case the family is recorded as left out.
    fn add(&mut self, family: ScrapeFamily, kind_of: impl Fn(&str) -> Option<Kind>) {
        let there = |name: &str| self.families.get(name).map(|family| family.def.kind);
        let owner = names::owner(&family.name, family.def.kind, |name: &str| {
            there(name).or_else(|| kind_of(name))
        });
        if let Some(owner) = owner.map(Into::into) {
            let metric = family.name;
            self.left_out.push(LeftOut { metric, owner });
        } else {
            self.families.insert(family.name.clone(), family);
        }
    }

    /// The families left out so far.
    pub(super) fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The families that have series, by name.
    pub(super) fn into_families(self) -> Vec<ScrapeFamily> {
        let mut families = Vec::with_capacity(self.families.len());
        let all = self.families.into_values();
        families.extend(all.filter(|family| !family.is_empty()));
        families.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        families
    }
}

/// Merges the series of a family with those of another source. An existing series is kept: two
/// samples of one series would make Prometheus reject the scrape.
fn merged(
    there: &ScrapeFamily,
    more: Vec<SeriesSnapshot>,
    global: &BTreeMap<String, String>,
) -> Vec<SeriesSnapshot> {
    let mut series = Vec::new();
    there.each(&mut |labels, sample| series.push(sample.to_series(labels)));
    let mut known: HashSet<BTreeSet<(String, String)>> = series
        .iter()
        .map(|series| exposed_labels(&series.labels, global))
        .collect();
    let more = more.into_iter();
    series.extend(more.filter(|series| known.insert(exposed_labels(&series.labels, global))));
    series
}

/// The labels as exposed, as a set: the order is that of the declaration here and that of the names
/// in other libraries.
fn exposed_labels(text: &str, global: &BTreeMap<String, String>) -> BTreeSet<(String, String)> {
    let own = parse_labels(text);
    let beside = global
        .iter()
        .filter(|(name, _)| own.iter().all(|(known, _)| known != *name))
        .map(|(name, value)| (name.clone(), value.clone()));
    let beside: Vec<_> = beside.collect();
    own.into_iter().chain(beside).collect()
}
