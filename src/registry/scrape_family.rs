//! A family as scraped, with its exposed name.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::family::Rows;
use super::settings::Settings;
use super::snapshot::{FamilySnapshot, Sample, SeriesSnapshot};
use crate::catalog::{Kind, MetricDef};

/// One family of a [`Scrape`](super::Scrape).
pub struct ScrapeFamily {
    pub(super) name: String,
    pub(super) def: Arc<MetricDef>,
    pub(super) source: Source,
}

pub(super) enum Source {
    Live(Box<dyn Rows>),
    Taken(Vec<SeriesSnapshot>),
}

impl ScrapeFamily {
    /// A family without series, to reserve its name.
    pub(super) fn reserved(name: String, def: &Arc<MetricDef>) -> Self {
        Self {
            name,
            def: Arc::clone(def),
            source: Source::Taken(Vec::new()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(&self.source, Source::Taken(series) if series.is_empty())
    }

    /// The exposed name: with the namespace, and with `_total` or `_info` if the declaration has
    /// it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The declaration.
    #[must_use]
    pub fn def(&self) -> &MetricDef {
        &self.def
    }

    /// Whether every series has exactly the declared labels, in that order. Series of a collector
    /// may have others, and the states of a state set have one more.
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

    /// Like [`each`](ScrapeFamily::each), in chunks: starts at position `from` (0 for the first)
    /// and ends when `visit` breaks or a chunk is done. Returns the position to continue from, or
    /// `None` at the end. No lock is held, not even during `visit`.
    pub fn each_from(
        &self,
        from: usize,
        visit: &mut dyn FnMut(&str, &Sample<'_>) -> ControlFlow<()>,
    ) -> Option<usize> {
        match &self.source {
            Source::Live(rows) => rows.each_from(&self.name, from, visit),
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

    pub(super) fn into_snapshot(self) -> FamilySnapshot {
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

/// The exposed name of a definition.
pub(super) fn exposed<'d>(settings: &Settings, def: &'d MetricDef) -> Cow<'d, str> {
    def.name_in(&settings.namespace)
}

impl std::fmt::Debug for ScrapeFamily {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}
