//! A scrape of everything that a registry exposes.

use std::sync::Arc;

use super::about::ABOUT_ITSELF;
use super::alias::Aliases;
use super::family::AnyFamily;
use super::owners::Owners;
use super::scrape_family::{self, ScrapeFamily, Source, exposed_name};
use super::settings::Settings;
use super::snapshot::{FamilySnapshot, render_pairs};
use super::{Entry, Registered, Registry};
use crate::catalog::{Kind, MetricDef};

/// All families of a registry at one moment, by exposed name. Collectors have been called;
/// the registry's own series are read while they are visited.
pub struct Scrape {
    settings: Arc<Settings>,
    global_labels: String,
    families: Vec<ScrapeFamily>,
}

impl Registry {
    /// Starts a scrape: calls every collector and lists the families.
    ///
    /// If a collector scrapes its own registry, collectors are skipped there, to prevent recursion.
    #[must_use]
    pub fn scrape(&self) -> Scrape {
        self.scrape_from(|_| true)
    }

    /// A scrape of the families for which `wanted` returns true, by exposed name and kind. A
    /// collector whose described metrics are all unwanted is not called.
    #[must_use]
    pub fn scrape_only(&self, wanted: impl Fn(&str, Kind) -> bool) -> Scrape {
        let settings = self.settings();
        let mut scrape = self.scrape_from(|registered| {
            let mut defs = registered.defs.iter();
            // Another library may declare metrics after it was described.
            registered.foreign
                || registered.defs.is_empty()
                || defs.any(|def| {
                    let mut names = settings.faces(def).into_iter();
                    names.any(|name| wanted(&name, def.kind))
                })
        });
        let families = &mut scrape.families;
        families.retain(|family| wanted(&family.name, family.def.kind));
        scrape
    }

    /// A scrape without metrics of other libraries; see
    /// [`Collector::foreign`](super::Collector::foreign).
    #[must_use]
    pub fn scrape_own(&self) -> Scrape {
        self.scrape_from(|registered| !registered.foreign)
    }

    fn scrape_from(&self, wanted: impl Fn(&Registered) -> bool) -> Scrape {
        let settings = self.settings();
        // The families of other libraries follow those of this registry.
        let [own, foreign] = [false, true].map(|foreign| {
            if self.is_collecting() {
                Vec::new()
            } else {
                self.collect(|registered| registered.foreign == foreign && wanted(registered))
            }
        });
        let families = self.families_where(|entry| entry.is_on() && !entry.family.is_empty());
        let kind_of = |exposed: &str| self.declared(&settings, exposed);
        let expected = families.len() + ABOUT_ITSELF + own.len() + foreign.len();
        let mut owners = Owners::new(&settings.global_labels, &kind_of, expected);
        let mut aliases = Aliases::new(&settings);
        for family in families {
            let mut listed = ScrapeFamily {
                source: Source::Live(family.rows()),
                def: Arc::clone(family.def()),
                name: exposed_name(&settings, family.def()),
            };
            aliases.add(&mut listed);
            owners.declared(listed);
        }
        for family in own {
            aliases.add_collected(&family);
            owners.collected(exposed_name(&settings, &family.def), family);
        }
        let is_on = |def: &MetricDef| !settings.metrics.is_off(&def.name);
        for FamilySnapshot { def, .. } in self.about_itself(&[]) {
            if is_on(&def) {
                owners.beside(ScrapeFamily::reserved(exposed_name(&settings, &def), &def));
            }
        }
        for family in aliases.into_families() {
            owners.beside(family);
        }
        for family in foreign {
            owners.collected(exposed_name(&settings, &family.def), family);
        }
        self.leave_out(owners.left_out());
        let counted = self.families_where(|entry| entry.family.has_counts());
        for mut family in self.about_itself(&counted) {
            if is_on(&family.def) {
                family.shorten(settings.metrics.label_limit(&family.def.name));
                owners.said(&exposed_name(&settings, &family.def), family.series);
            }
        }
        let labels = settings.global_labels.iter();
        Scrape {
            global_labels: render_pairs(
                labels.map(|(name, value)| (name.as_str(), value.as_str())),
                settings.metrics.label_limit(""),
            ),
            families: owners.into_families(),
            settings,
        }
    }

    /// The families that satisfy `is`, without the others', whose reference counts would cost more
    /// than they do.
    fn families_where(&self, is: impl Fn(&Entry) -> bool) -> Vec<Arc<dyn AnyFamily>> {
        let families = self.inner.families.read();
        let wanted = families.values().filter(|entry| is(entry));
        wanted.map(|entry| Arc::clone(&entry.family)).collect()
    }

    /// The kind of the family that is declared here and exposed under this name, whether it has
    /// series or not. What is switched off leaves its name to others.
    fn declared(&self, settings: &Settings, exposed: &str) -> Option<Kind> {
        let families = self.inner.families.read();
        let is = |entry: &&Entry| {
            let def = entry.family.def();
            entry.is_on() && scrape_family::exposed(settings, def) == exposed
        };
        let short = exposed
            .strip_prefix(&*settings.namespace)
            .and_then(|name| name.strip_prefix('_'));
        let mut names = [short, Some(exposed)].into_iter().flatten();
        let entry = names.find_map(|name| families.get(name).filter(is))?;
        Some(entry.family.def().kind)
    }

    /// A copy of every family and series.
    #[must_use]
    pub fn gather(&self) -> Vec<FamilySnapshot> {
        self.scrape()
            .families
            .into_iter()
            .map(ScrapeFamily::into_snapshot)
            .collect()
    }
}

impl Scrape {
    /// The families, by exposed name.
    #[must_use]
    pub fn families(&self) -> &[ScrapeFamily] {
        &self.families
    }

    /// The labels that every series carries, rendered: `env="production"`; empty if there are none.
    #[must_use]
    pub fn global_labels(&self) -> &str {
        &self.global_labels
    }

    /// The current settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl std::fmt::Debug for Scrape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.families.iter().map(ScrapeFamily::name))
            .finish()
    }
}
