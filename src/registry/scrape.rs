//! One pass over everything that a registry exposes.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::alias::Aliases;
use super::family::Rows;
use super::owners::Owners;
use super::snapshot::{FamilySnapshot, Sample, SeriesSnapshot, render_pairs};
use super::{Entry, Registered, Registry, Settings};
use crate::catalog::{Kind, MetricDef};

/// All families of a registry at one moment, by exposed name. Collectors have been called;
/// the registry's own series are read while they are visited.
pub struct Scrape {
    settings: Arc<Settings>,
    global_labels: String,
    families: Vec<ScrapeFamily>,
}

/// One family of a [`Scrape`].
pub struct ScrapeFamily {
    pub(super) name: String,
    pub(super) def: Arc<MetricDef>,
    pub(super) source: Source,
}

pub(super) enum Source {
    Live(Box<dyn Rows>),
    Taken(Vec<SeriesSnapshot>),
}

impl Registry {
    /// Starts a scrape: calls every collector and lists what there is.
    ///
    /// A scrape that a collector starts on the registry that it is collected for leaves the
    /// collectors out, so that it ends.
    #[must_use]
    pub fn scrape(&self) -> Scrape {
        self.scrape_from(|_| true)
    }

    /// A scrape of the families that `wanted` says yes to, by exposed name and kind. A collector
    /// that describes what it yields, and none of it is wanted, is not called.
    #[must_use]
    pub fn scrape_only(&self, wanted: impl Fn(&str, Kind) -> bool) -> Scrape {
        let settings = self.settings();
        let mut scrape = self.scrape_from(|registered| {
            let mut defs = registered.defs.iter();
            // The list of another library may grow after it was described.
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

    /// A scrape without what other libraries declared; see [`Collector::foreign`](super::Collector::foreign).
    #[must_use]
    pub fn scrape_own(&self) -> Scrape {
        self.scrape_from(|registered| !registered.foreign)
    }

    fn scrape_from(&self, wanted: impl Fn(&Registered) -> bool) -> Scrape {
        let settings = self.settings();
        // What other libraries have comes behind what is ours.
        let [own, foreign] = [false, true].map(|foreign| {
            if self.is_collecting() {
                Vec::new()
            } else {
                self.collect(|registered| registered.foreign == foreign && wanted(registered))
            }
        });
        let entries: Vec<Entry> = self.inner.families.read().values().cloned().collect();
        let families: Vec<_> = entries.iter().map(|entry| &entry.family).cloned().collect();
        let mut owners = Owners::new(&settings.global_labels);
        let mut aliases = Aliases::new(&settings);
        for Entry { family, over, .. } in entries {
            // What is switched off leaves its name to others.
            if over.is_none_or(|over| over.enabled) {
                let name = exposed_name(&settings, family.def());
                let mut listed = ScrapeFamily::reserved(name, family.def());
                if !family.is_empty() {
                    listed.source = Source::Live(family.rows(&listed.name));
                    aliases.add(&mut listed);
                }
                owners.declared(listed);
            }
        }
        for family in own {
            aliases.add_collected(&family);
            owners.collected(exposed_name(&settings, &family.def), family);
        }
        let is_on = |def: &MetricDef| !settings.metrics.is_off(&def.name);
        for FamilySnapshot { def, .. } in self.about_itself(&[]) {
            if is_on(&def) {
                owners.declared(ScrapeFamily::reserved(exposed_name(&settings, &def), &def));
            }
        }
        for family in aliases.into_families() {
            owners.declared(family);
        }
        for family in foreign {
            owners.collected(exposed_name(&settings, &family.def), family);
        }
        self.leave_out(owners.left_out());
        for mut family in self.about_itself(&families) {
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

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl ScrapeFamily {
    /// The name as exposed: with the namespace, and with `_total` or `_info` where the
    /// declaration has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The declaration.
    #[must_use]
    pub fn def(&self) -> &MetricDef {
        &self.def
    }

    /// Whether every series has exactly the labels of the declaration, in that order. What a
    /// collector yields may have others, and the states of a state set have one more.
    #[must_use]
    pub fn labels_are_declared(&self) -> bool {
        matches!(self.source, Source::Live(_)) && self.def.kind != Kind::StateSet
    }

    /// Calls `visit` with the rendered labels and the sample of every series.
    pub fn each(&self, visit: &mut dyn FnMut(&str, &Sample<'_>)) {
        let mut next = Some(0);
        while let Some(from) = next {
            next = self.each_from(from, &mut |labels, sample| {
                visit(labels, sample);
                ControlFlow::Continue(())
            });
        }
    }

    /// Like [`each`](ScrapeFamily::each), a few series at a time: starts at position `from` (0
    /// for the first) and ends when `visit` breaks off or a few series are done. Returns the
    /// position to go on from, or `None` at the end. No lock is held, not even for `visit`.
    pub fn each_from(
        &self,
        from: usize,
        visit: &mut dyn FnMut(&str, &Sample<'_>) -> ControlFlow<()>,
    ) -> Option<usize> {
        match &self.source {
            Source::Live(rows) => rows.each_from(from, visit),
            Source::Taken(series) => {
                for (at, series) in series.iter().enumerate().skip(from) {
                    if visit(&series.labels, &series.sample()).is_break() {
                        return Some(at + 1);
                    }
                }
                None
            }
        }
    }

    fn into_snapshot(self) -> FamilySnapshot {
        let mut series = Vec::new();
        self.each(&mut |labels, sample| series.push(sample.to_series(labels)));
        FamilySnapshot {
            def: self.def,
            series,
        }
    }
}

pub(super) fn exposed_name(settings: &Settings, def: &MetricDef) -> String {
    exposed(settings, def).into_owned()
}

/// The name of a definition as it is exposed.
pub(super) fn exposed<'d>(settings: &Settings, def: &'d MetricDef) -> Cow<'d, str> {
    let namespace = &settings.namespace;
    if namespace.is_empty() || !def.namespaced {
        Cow::Borrowed(&def.name)
    } else {
        Cow::Owned(format!("{namespace}_{}", def.name))
    }
}

impl std::fmt::Debug for Scrape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.families.iter().map(ScrapeFamily::name))
            .finish()
    }
}

impl std::fmt::Debug for ScrapeFamily {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}
