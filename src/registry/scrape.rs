//! One pass over everything that a registry exposes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::family::{AnyFamily, Rows};
use super::snapshot::{
    FamilySnapshot, Number, Sample, SeriesSnapshot, Value, parse_labels, render_pairs,
};
use super::{Registered, Registry, Settings};
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
    name: String,
    def: Arc<MetricDef>,
    source: Source,
}

enum Source {
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
                || defs.any(|def| wanted(&exposed_name(&settings, def), def.kind))
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
        let taken = if self.is_collecting() {
            Vec::new()
        } else {
            self.collect(wanted)
        };
        self.assemble(settings, taken)
    }

    fn assemble(&self, settings: Arc<Settings>, mut taken: Vec<FamilySnapshot>) -> Scrape {
        let families = self.own_families();
        let mut own = self.about_itself(&families);
        own.retain_mut(|family| {
            let over = settings.families.get(&*family.def.name);
            family.shorten(settings.label_limit(over));
            !over.is_some_and(|over| over.disabled)
        });
        taken.append(&mut own);

        let mut by_name: BTreeMap<String, ScrapeFamily> = BTreeMap::new();
        for family in families {
            if !family.is_empty() {
                let def = Arc::clone(family.def());
                let name = exposed_name(&settings, &def);
                let source = Source::Live(family.rows(&name));
                by_name.insert(name.clone(), ScrapeFamily { name, def, source });
            }
        }
        for FamilySnapshot { def, mut series } in taken {
            if series.is_empty() {
                continue;
            }
            let name = exposed_name(&settings, &def);
            match by_name.get_mut(&name) {
                None => {
                    let source = Source::Taken(series);
                    by_name.insert(name.clone(), ScrapeFamily { name, def, source });
                }
                Some(there) if there.def.kind.as_text() == def.kind.as_text() => {
                    there.merge(&mut series);
                }
                // The same name with another kind cannot be one family: the first one stays.
                Some(_) => {
                    self.inner.skipped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        let global_labels = render_pairs(
            settings
                .global_labels
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
            settings.label_limit(None),
        );
        Scrape {
            settings,
            global_labels,
            families: by_name.into_values().collect(),
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

    /// What the registry has to say of itself: refused values, overflow, skipped collectors.
    /// Nothing until there is something to say.
    pub(super) fn about_itself(&self, families: &[Arc<dyn AnyFamily>]) -> Vec<FamilySnapshot> {
        let by_metric =
            |name: &'static str, help: &'static str, read: fn(&dyn AnyFamily) -> u64| {
                let series = families
                    .iter()
                    .map(|family| (family, read(&**family)))
                    .filter(|(_, n)| *n > 0)
                    .map(|(family, n)| {
                        SeriesSnapshot::new(
                            [("metric", &*family.def().name)],
                            Value::Number(Number::U64(n)),
                        )
                    })
                    .collect();
                let def = MetricDef::new(Kind::Counter, name, help).with_labels(["metric"]);
                FamilySnapshot {
                    def: Arc::new(def),
                    series,
                }
            };
        let skipped = self.inner.skipped.load(Ordering::Relaxed);
        vec![
            by_metric(
                "selfheal_values_rejected_total",
                "Values refused because they are not finite or would make a counter fall",
                |family| family.rejected(),
            ),
            by_metric(
                "selfheal_exemplars_rejected_total",
                "Exemplars left out because their labels break a rule",
                |family| family.rejected_exemplars(),
            ),
            by_metric(
                "selfheal_series_overflowed_total",
                "Look-ups beyond the limit of a family, recorded in its overflow series",
                |family| family.overflowed(),
            ),
            by_metric(
                "selfheal_series_expired_total",
                "Series removed because they were idle for longer than their family allows",
                |family| family.expired(),
            ),
            FamilySnapshot {
                def: Arc::new(MetricDef::new(
                    Kind::Counter,
                    "selfheal_collectors_skipped_total",
                    "Collectors that panicked, metrics that clashed and collected series beyond a limit, left out",
                )),
                series: (skipped > 0)
                    .then(|| SeriesSnapshot::new([], Value::Number(Number::U64(skipped))))
                    .into_iter()
                    .collect(),
            },
        ]
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

    /// Adds series of the same name from another source. A series that is already there
    /// stays as it is: two samples of one series would make Prometheus refuse the scrape.
    fn merge(&mut self, more: &mut Vec<SeriesSnapshot>) {
        let mut series = Vec::new();
        self.each(&mut |labels, sample| series.push(sample.to_series(labels)));
        // The order of the labels is that of the declaration here and that of the names in
        // other libraries; the series is the same.
        let mut there: HashSet<Vec<(String, String)>> = series
            .iter()
            .map(|series| sorted_labels(&series.labels))
            .collect();
        series.extend(
            more.drain(..)
                .filter(|series| there.insert(sorted_labels(&series.labels))),
        );
        self.source = Source::Taken(series);
    }
}

fn sorted_labels(text: &str) -> Vec<(String, String)> {
    let mut labels = parse_labels(text);
    labels.sort_unstable();
    labels
}

pub(super) fn exposed_name(settings: &Settings, def: &MetricDef) -> String {
    let namespace: Cow<'_, str> = Cow::Borrowed(&settings.namespace);
    if namespace.is_empty() || !def.namespaced {
        def.name.to_string()
    } else {
        format!("{namespace}_{}", def.name)
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
