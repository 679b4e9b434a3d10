use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::scrape_family::exposed;
use super::snapshot::FamilySnapshot;
use super::{DeclareError, Registered, Registry, Settings, alias, check};
use crate::catalog::{Kind, MetricDef, names};

/// A source of series that are computed at the time of a scrape: a snapshot of a state machine,
/// figures of the operating system, another metrics library.
///
/// One call of [`collect`](Collector::collect) is one consistent moment. A collector that
/// panics is skipped for that scrape and counted; it cannot fail the scrape.
pub trait Collector: Send + Sync + 'static {
    /// Says what this collector may yield, for the catalogue, and for a scrape that asks for
    /// some families and calls only who has them (of one that says nothing, or that is
    /// [`foreign`](Self::foreign), that is not known). Called once, when it is registered.
    fn describe(&self) -> Vec<MetricDef>;

    /// Appends what there is now. Called on the thread that scrapes; it must not block. One that
    /// takes more than a second all the same is not waited for again: scrapes get what it yielded
    /// last, and it runs on a thread of its own until it is faster. What each costs is in
    /// `collector_duration_seconds` and `collector_errors_total`, by the group of its metrics.
    fn collect(&self, out: &mut Vec<FamilySnapshot>);

    /// Whether another library declared these metrics. Their names are then not held to the
    /// rules of this crate, and may be those of metrics declared here, as long as the kinds
    /// agree; of a series that both have, ours is exposed. One with a sample that is called like
    /// another metric or a sample of it (`job_seconds_count`, where `job_seconds` is a histogram)
    /// is left out whole, see [the registry](super#one-owner-for-each-name). Default: no.
    fn foreign(&self) -> bool {
        false
    }
}

impl Registry {
    /// Adds a source of series that are computed at scrape time.
    ///
    /// # Errors
    /// A definition that breaks a rule, or that clashes with one already registered.
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

    /// Whether this thread is in the middle of calling the collectors of this registry.
    #[must_use]
    pub fn is_collecting(&self) -> bool {
        COLLECTING
            .try_with(|ids| ids.borrow().contains(&self.id()))
            .unwrap_or(false)
    }

    /// Distinguishes registries while they live.
    pub(super) fn id(&self) -> usize {
        Arc::as_ptr(&self.inner).addr()
    }

    /// Calls the collectors that are wanted.
    pub(super) fn collect(&self, wanted: impl Fn(&Registered) -> bool) -> Vec<FamilySnapshot> {
        let _inside = Collecting::enter(self.id());
        // Copies first: a collector may declare metrics without meeting a lock held here.
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
    /// The name by which its cost is known; `None` for what another library or no group yields.
    pub(super) fn name(&self) -> Option<&'static str> {
        let group = self.defs.first()?.group;
        (!self.foreign && !group.is_empty()).then_some(group)
    }

    /// Whether everything that it says it yields is switched off.
    fn is_off(&self) -> bool {
        let off = |def: &MetricDef| self.settings.metrics.is_off(&def.name);
        !self.defs.is_empty() && self.defs.iter().all(off)
    }

    /// Cuts a family to its limits; false if it is switched off.
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

/// Takes the registry off the list again, on whatever path.
pub(super) struct Collecting;

impl Collecting {
    pub(super) fn enter(id: usize) -> Self {
        // A thread that is ending has no list any more, and then the scrape goes unguarded.
        let _ = COLLECTING.try_with(|ids| ids.borrow_mut().push(id));
        Self
    }
}

impl Drop for Collecting {
    fn drop(&mut self) {
        let _ = COLLECTING.try_with(|ids| ids.borrow_mut().pop());
    }
}

/// Whether no collector stands in the way of `wanted`.
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

/// Two sources of one name: never, unless one is another library's and the kinds agree. Nor two
/// metrics with a sample of one name; that of another library is then left out of the scrape.
fn clash(
    settings: &Settings,
    existing: &MetricDef,
    wanted: &MetricDef,
    foreign: bool,
) -> Result<(), DeclareError> {
    let names = (exposed(settings, existing), exposed(settings, wanted));
    let difference = if names.0 == names.1 {
        match foreign {
            // An info metric is a gauge to a library that has no such kind.
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

/// Checks that no sample of the one is called like the other or a sample of it.
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
