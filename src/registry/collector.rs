use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::error::DeclareError;
use super::scrape_family::exposed;
use super::settings::Settings;
use super::snapshot::FamilySnapshot;
use super::{Registered, Registry, alias, check};
use crate::catalog::{Kind, MetricDef, names};

/// A source of series computed at scrape time: a snapshot of a state machine, statistics of the
/// operating system, another metrics library.
///
/// One call of [`collect`](Collector::collect) is one consistent moment. A collector that
/// panics is skipped for that scrape and counted; it cannot fail the scrape.
pub trait Collector: Send + Sync + 'static {
    /// Describes the metrics that this collector may yield, for the catalogue, and for a scrape
    /// that requests some families and skips collectors without them (a collector that describes
    /// nothing, or is [`foreign`](Self::foreign), is always called). Called once, at registration.
    fn describe(&self) -> Vec<MetricDef>;

    /// Appends the current series. Called on the scraping thread; it must not block. A collector
    /// that takes more than a second is no longer waited for: scrapes get its previous result, and
    /// it runs on a separate thread until it is faster. The cost of each is in
    /// `collector_duration_seconds` and `collector_errors_total`, by the group of its metrics.
    fn collect(&self, out: &mut Vec<FamilySnapshot>);

    /// Whether another library declared these metrics. Their names are then exempt from the rules
    /// of this crate, and may equal those of metrics declared here if the kinds agree; of a series
    /// that both have, ours is exposed. A metric with a sample named like another metric or a
    /// sample of it (`job_seconds_count`, where `job_seconds` is a histogram) is left out as a
    /// whole, see [the registry](super#one-owner-for-each-name). Default: no.
    fn foreign(&self) -> bool {
        false
    }
}

impl Registry {
    /// Adds a source of series computed at scrape time.
    ///
    /// # Errors
    /// A definition breaks a rule, or clashes with a registered one.
    pub fn collect_from(&self, collector: Arc<dyn Collector>) -> Result<(), DeclareError> {
        // The collector's code runs before any lock is taken.
        let defs: Arc<[MetricDef]> = collector.describe().into();
        let foreign = collector.foreign();
        if !foreign {
            for def in defs.iter() {
                if !matches!(def.kind, Kind::Summary | Kind::Unknown) {
                    check::definition(def)?;
                }
            }
        }
        let settings = self.settings();
        let mut collectors = self.inner.collectors.write();
        for wanted in defs.iter() {
            check_free(&settings, &collectors, wanted, foreign)?;
            for entry in self.inner.families.read().values() {
                clash(&settings, &entry.asked, wanted, foreign)?;
                if !foreign {
                    alias::apart(&settings, &entry.asked, wanted)?;
                }
            }
        }
        collectors.push(Registered {
            collector,
            defs,
            foreign,
            cost: Arc::default(),
            settings,
        });
        Ok(())
    }

    /// Whether this thread is currently calling the collectors of this registry.
    #[must_use]
    pub fn is_collecting(&self) -> bool {
        COLLECTING
            .try_with(|ids| ids.borrow().contains(&self.id()))
            .unwrap_or(false)
    }

    /// Identifies a registry among live ones.
    pub(super) fn id(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }

    /// Calls the wanted collectors.
    pub(super) fn collect(&self, wanted: impl Fn(&Registered) -> bool) -> Vec<FamilySnapshot> {
        let _inside = Collecting::enter(self.id());
        // On a copy: a collector may declare metrics, which takes this lock.
        let mut collectors = self.inner.collectors.read().clone();
        collectors.retain(wanted);
        let mut taken = Vec::new();
        let mut skipped = 0;
        for registered in collectors.iter().filter(|registered| !registered.is_off()) {
            let cost = &registered.cost;
            if let Some(mut out) = cost.collect(&registered.collector, self.id()) {
                let mut kept = |family: &mut FamilySnapshot| registered.limit(family, &mut skipped);
                out.retain_mut(&mut kept);
                taken.append(&mut out);
            } else {
                skipped += 1;
            }
        }
        if skipped > 0 {
            self.inner.skipped.fetch_add(skipped, Ordering::Relaxed);
        }
        taken
    }
}

impl Registered {
    /// The name under which its cost is reported; `None` for metrics of another library or of no
    /// group.
    pub(super) fn name(&self) -> Option<&'static str> {
        let group = self.defs.first()?.group;
        (!self.foreign && !group.is_empty()).then_some(group)
    }

    /// Whether all metrics that it describes are disabled.
    fn is_off(&self) -> bool {
        let off = |def: &MetricDef| self.settings.metrics.is_off(&def.name);
        !self.defs.is_empty() && self.defs.iter().all(off)
    }

    /// Cuts a family to its limits; false if it is disabled.
    fn limit(&self, family: &mut FamilySnapshot, skipped: &mut u64) -> bool {
        let (name, metrics) = (&family.def.name, &self.settings.metrics);
        let most = metrics.of(name).and_then(|over| over.max_series);
        let (is_on, limit) = (!metrics.is_off(name), metrics.label_limit(name));
        *skipped += family.shorten(limit) as u64;
        if let Some(most) = most {
            *skipped += family.series.len().saturating_sub(most) as u64;
            family.series.truncate(most);
        }
        is_on
    }
}

thread_local! {
    /// The registries whose collectors this thread is calling.
    static COLLECTING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Removes the registry from the list when dropped.
pub(super) struct Collecting;

impl Collecting {
    pub(super) fn enter(id: usize) -> Self {
        // The list of an ending thread is gone already; its scrape is not guarded.
        let _ = COLLECTING.try_with(|ids| ids.borrow_mut().push(id));
        Self
    }
}

impl Drop for Collecting {
    fn drop(&mut self) {
        let _ = COLLECTING.try_with(|ids| ids.borrow_mut().pop());
    }
}

/// Whether no collector clashes with `wanted`.
pub(super) fn check_free(
    settings: &Settings,
    collectors: &[Registered],
    wanted: &MetricDef,
    foreign: bool,
) -> Result<(), DeclareError> {
    for registered in collectors {
        for def in registered.defs.iter() {
            clash(settings, def, wanted, foreign || registered.foreign)?;
            if !foreign && !registered.foreign {
                alias::apart(settings, def, wanted)?;
            }
        }
    }
    Ok(())
}

/// Checks two sources of one name: they clash, unless one is another library's and the kinds agree.
/// So do two metrics with a sample of one name; another library's is left out of the scrape.
fn clash(
    settings: &Settings,
    existing: &MetricDef,
    wanted: &MetricDef,
    foreign: bool,
) -> Result<(), DeclareError> {
    let names = (exposed(settings, existing), exposed(settings, wanted));
    let difference = if names.0 == names.1 {
        match foreign {
            // Libraries without the info type declare a gauge.
            true if existing.kind.as_text() == wanted.kind.as_text() => return Ok(()),
            true => "kind",
            false => "who collects it",
        }
    } else {
        return if foreign {
            Ok(())
        } else {
            apart(settings, existing, wanted)
        };
    };
    Err(DeclareError::Clash {
        existing: Box::new(existing.clone()),
        wanted: Box::new(wanted.clone()),
        difference,
    })
}

/// Checks that no sample of one is named like the other or a sample of it.
pub(super) fn apart(
    settings: &Settings,
    existing: &MetricDef,
    wanted: &MetricDef,
) -> Result<(), DeclareError> {
    let taken = exposed(settings, existing);
    let kind_of = |name: &str| (*name == *taken).then_some(existing.kind);
    match names::owner(&exposed(settings, wanted), wanted.kind, kind_of) {
        None => Ok(()),
        Some(_) => Err(DeclareError::Samples {
            existing: Box::new(existing.clone()),
            wanted: Box::new(wanted.clone()),
        }),
    }
}
