//! Declares, records and reads metrics.
//!
//! The module promises:
//! - Declaring the same metric twice gives the same metric; declaring a different one under
//!   the same name is an error that names both. Nothing here panics.
//! - Recording to an existing series does not allocate, takes no lock and never waits, not even for
//!   a scrape. (By labels, in a family that once lost most of its series, it takes a shared lock
//!   while it copies a pointer.) A scrape holds no lock while it reads a series or writes a page:
//!   it may be suspended at any point.
//! - The labels of a series are escaped and rendered once, when the series is created.
//! - The number of series is bounded, per family and in total; values beyond the bound are
//!   recorded in one overflow series and counted.
//! - A series is removed by name or, in a family with expiry, when it was idle for long enough;
//!   never while a handle to it exists, unless it is removed by name.
//! - A history reads only values with [`Registry::sample`], at a few nanoseconds per series.
//! - A scrape works on a copy of the list of families: declaring during a scrape, even from
//!   inside a collector, cannot deadlock.
//!
//! | metric | declared by | for |
//! |---|---|---|
//! | [`Counter`], [`FloatCounter`] | `counter`, `float_counter` | values that only increase |
//! | [`Gauge`], [`FloatGauge`] | `gauge`, `float_gauge` | values that increase and decrease |
//! | [`GaugeFn`] | `gauge_fn`, `gauge_fns` | a value that is computed when it is read |
//! | [`Histogram`] | `histogram` | durations and sizes |
//! | [`StripedCounter`], [`StripedHistogram`] | `.striped()` after `counter`, `histogram` | values that many threads record constantly |
//! | [`Info`] | `info` | text about the service |
//! | [`StateSet`] | `state_set` | the current state out of a closed set |
//! | [`Figures`] | `collect_figures` | many values of one moment, as a table |
//! | [`Collector`] | `collect_from` | the same, from another source |
//!
//! # One owner for each name
//! A histogram `job_seconds` has samples named `job_seconds_bucket`, `job_seconds_sum` and
//! `job_seconds_count`; no other metric can have one of these names, or a scraper would confuse the
//! two. If two metrics of this registry would clash, the second declaration fails. A clash found at
//! a scrape (with another library, or a collector that does not describe its metrics) leaves out
//! the later metric as a whole, in every format, counted by name in
//! `selfheal_metrics_left_out_total` and in `selfheal_collectors_skipped_total`. Metrics declared
//! here take precedence, then our collectors, then other libraries. A declared metric without
//! series reserves its names; a disabled one does not.
//!
//! Use [`Registry::global`] in an application, [`Registry::new`] in a test or if one process needs
//! several. A set of related metrics is a [`Group`].
//!
//! ```
//! use selfheal::registry::{Counter, DeclareError, Family, Registry, Text};
//!
//! # fn main() -> Result<(), DeclareError> {
//! let registry = Registry::new();
//! let requests: Family<Counter, [Text; 2]> = registry
//!     .counter("requests_total", "Requests served")
//!     .labels(["method", "path"])?;
//! requests.inc(&["GET", "/orders/{id}"]);
//!
//! let hot = requests.with(&["GET", "/"]); // keep the handle where every nanosecond counts
//! hot.inc();
//! assert_eq!(hot.get(), 1);
//! # Ok(())
//! # }
//! ```

mod about;
mod alias;
mod allowed;
#[cfg(feature = "prometheus")]
mod bridge;
mod check;
mod collector;
mod cost;
mod declare;
mod dynamic;
mod error;
mod expiry;
mod exponential;
mod family;
mod figures;
mod group;
mod groups;
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
mod http_values;
mod labels;
mod metric;
#[cfg(test)]
mod model;
mod notes;
mod owners;
mod recording;
mod rejected;
mod rendered;
mod sample;
mod scrape;
mod scrape_family;
mod series_id;
mod settings;
mod snapshot;
mod storage;
mod sync;
mod unused;
mod unwind;
mod values;

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use lazy_static::lazy_static;
use parking_lot::RwLock;

pub use collector::Collector;
pub use declare::Declare;
pub use dynamic::Declared;
pub use error::DeclareError;
pub use exponential::{COARSEST_SCHEMA, FINEST_SCHEMA};
pub use family::Family;
pub use figures::Figures;
pub use group::Group;
#[doc(hidden)]
pub use labels::are_distinct;
pub use labels::{LabelKey, LabelValue, Labels, MAX_LABEL_VALUE, Text};
pub use metric::{
    Counter, FloatCounter, FloatGauge, Gauge, GaugeFn, GaugeGuard, Histogram, Info, Metric,
    StateSet, StripedCounter, StripedHistogram, Timer,
};
pub use rendered::SeriesLabels;
pub use scrape::Scrape;
pub use scrape_family::ScrapeFamily;
pub use series_id::SeriesId;
pub use settings::{DEFAULT_BUCKETS, Profile, Settings};
pub use snapshot::{
    Exemplar, ExemplarLabels, FamilySnapshot, HistogramRef, HistogramSnapshot, InvalidExemplar,
    MAX_EXEMPLAR, NativeBuckets, Number, Sample, SeriesSnapshot, Value, ValueRef, parse_labels,
};
pub use storage::OVERFLOW;
pub use values::Displayed;

pub use crate::config::FamilySettings;

use crate::catalog::{Kind, MetricDef};
use crate::util::Clock;
use family::{AnyFamily, Core};
use groups::Groups;
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
pub(crate) use metric::Handle;
use notes::Common;
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
pub(crate) use storage::removals;
use storage::{Rules, Total};
pub(crate) use unused::WeakRegistry;

lazy_static! {
    static ref GLOBAL: Registry = Registry::new();
}

/// A set of metrics scraped together. Cloning is cheap and gives the same registry.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    settings: RwLock<Arc<Settings>>,
    families: RwLock<BTreeMap<Cow<'static, str>, Entry>>,
    groups: Groups,
    collectors: RwLock<Vec<Registered>>,
    total: Arc<Total>,
    /// How many times a collector panicked or yielded a family that clashes.
    skipped: AtomicU64,
    left_out: about::LeftOuts,
    expiry: expiry::Expiry,
    /// The values seen of bounded labels.
    allowed: allowed::All,
    clock: Clock,
}

struct Entry {
    family: Arc<dyn AnyFamily>,
    /// The same family, to get its metric type back.
    any: Arc<dyn Any + Send + Sync>,
    /// The definition as declared, before an operator's overrides.
    asked: Arc<MetricDef>,
    /// The operator's overrides.
    over: Option<FamilySettings>,
    /// Number of declarations at run time, if there are no others; see [`Registry::declare`].
    loads: Option<usize>,
}

impl Entry {
    /// Whether the family is enabled: an operator can switch it off.
    fn is_on(&self) -> bool {
        self.over.as_ref().is_none_or(|over| over.enabled)
    }

    /// The family, for a repeated declaration.
    fn shared_with<M: Metric>(&self, asked: MetricDef) -> Result<Arc<Core<M>>, DeclareError> {
        let same_type = Arc::clone(&self.any).downcast::<Core<M>>();
        match (self.asked.difference(&asked), same_type) {
            (None, Ok(core)) => Ok(core),
            (difference, _) => Err(DeclareError::Clash {
                existing: Box::new((*self.asked).clone()),
                wanted: Box::new(asked),
                difference: difference.unwrap_or("the type of its numbers, or in being striped"),
            }),
        }
    }
}

#[derive(Clone)]
struct Registered {
    collector: Arc<dyn Collector>,
    defs: Arc<[MetricDef]>,
    /// The result of [`Collector::foreign`].
    foreign: bool,
    cost: Arc<cost::Cost>,
    /// The settings at its registration, whose overrides apply to its series.
    settings: Arc<Settings>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// An empty registry with default [`Settings`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_settings(Settings::default())
    }

    /// An empty registry.
    #[must_use]
    pub fn with_settings(settings: Settings) -> Self {
        Self::with_clock(settings, Clock::system())
    }

    /// An empty registry with this clock for exemplars and created times.
    #[must_use]
    pub fn with_clock(settings: Settings, clock: Clock) -> Self {
        Self {
            inner: Arc::new(Inner {
                total: Arc::new(Total {
                    series: AtomicUsize::new(0),
                    limit: AtomicUsize::new(settings.metrics.max_series),
                }),
                settings: RwLock::new(Arc::new(settings)),
                families: RwLock::default(),
                groups: Groups::default(),
                collectors: RwLock::default(),
                skipped: AtomicU64::new(0),
                left_out: about::LeftOuts::default(),
                expiry: expiry::Expiry::default(),
                allowed: allowed::All::default(),
                clock,
            }),
        }
    }

    /// The registry of the process, used by trackers unless another is given.
    #[must_use]
    pub fn global() -> &'static Self {
        &GLOBAL
    }

    /// Replaces the settings; see [`Settings`] for when each takes effect.
    pub fn configure(&self, settings: Settings) {
        self.inner
            .total
            .limit
            .store(settings.metrics.max_series, Ordering::Relaxed);
        *self.inner.settings.write() = Arc::new(settings);
    }

    /// The current settings.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.inner.settings.read())
    }

    /// Starts the declaration of a metric of any type: the generic form of
    /// [`counter`](Self::counter) and its siblings.
    pub fn metric<M: Metric>(&self, name: &'static str, help: &'static str) -> Declare<'_, M> {
        Declare::new(self, name, help)
    }

    /// Starts the declaration of a counter of whole numbers. Its name ends in `_total`.
    pub fn counter(&self, name: &'static str, help: &'static str) -> Declare<'_, Counter> {
        Declare::new(self, name, help)
    }

    /// Starts the declaration of a counter of floating-point amounts. Its name ends in `_total`.
    pub fn float_counter(
        &self,
        name: &'static str,
        help: &'static str,
    ) -> Declare<'_, FloatCounter> {
        Declare::new(self, name, help)
    }

    /// Starts the declaration of a gauge of whole numbers.
    pub fn gauge(&self, name: &'static str, help: &'static str) -> Declare<'_, Gauge> {
        Declare::new(self, name, help)
    }

    /// Starts the declaration of a gauge of floating-point values.
    pub fn float_gauge(&self, name: &'static str, help: &'static str) -> Declare<'_, FloatGauge> {
        Declare::new(self, name, help)
    }

    /// Declares a gauge whose value `function` computes at every scrape; see [`GaugeFn`]. For
    /// labels, a unit or a standard name, use [`gauge_fns`](Registry::gauge_fns).
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use selfheal::registry::{DeclareError, Registry};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let jobs = Arc::new(Mutex::new(vec!["a", "b"]));
    /// let registry = Registry::new();
    /// let waiting = registry.gauge_fn("jobs_waiting", "Jobs in the queue", move || {
    ///     jobs.lock().map_or(f64::NAN, |jobs| jobs.len() as f64)
    /// })?;
    /// assert_eq!(waiting.get(), Some(2.0));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`Declare::build`]. Declaring it again sets the new function in the same series.
    pub fn gauge_fn(
        &self,
        name: &'static str,
        help: &'static str,
        function: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Result<GaugeFn, DeclareError> {
        let gauge = self.gauge_fns(name, help).build()?;
        gauge.set(function);
        Ok(gauge)
    }

    /// Starts the declaration of gauges with computed values, whose functions are set by
    /// [`GaugeFn::set`], or by `set` of the family for each series.
    pub fn gauge_fns(&self, name: &'static str, help: &'static str) -> Declare<'_, GaugeFn> {
        Declare::new(self, name, help)
    }

    /// Starts the declaration of text about the service. Its name ends in `_info`.
    pub fn info(&self, name: &'static str, help: &'static str) -> Declare<'_, Info> {
        Declare::new(self, name, help)
    }

    /// Starts the declaration of the current state out of a closed set.
    pub fn state_set<E: LabelValue + 'static>(
        &self,
        name: &'static str,
        help: &'static str,
    ) -> Declare<'_, StateSet<E>> {
        Declare::new(self, name, help)
    }

    /// Starts the declaration of a histogram.
    pub fn histogram(&self, name: &'static str, help: &'static str) -> Declare<'_, Histogram> {
        Declare::new(self, name, help)
    }

    /// All registered definitions, by name, with those of the registry's own metrics: the catalogue
    /// of this registry.
    #[must_use]
    pub fn catalog(&self) -> Vec<MetricDef> {
        let mut defs: Vec<MetricDef> = self
            .inner
            .families
            .read()
            .values()
            .map(|entry| (**entry.family.def()).clone())
            .collect();
        for registered in self.inner.collectors.read().iter() {
            defs.extend(registered.defs.iter().cloned());
        }
        let itself = self.about_itself(&[]).into_iter();
        defs.extend(itself.map(|family| (*family.def).clone()));
        // The sort is stable: for a name that another library declares too, this registry's comes
        // first.
        defs.sort_by(|a, b| a.name.cmp(&b.name));
        defs.dedup_by(|b, a| a.name == b.name && a.namespaced == b.namespaced);
        defs
    }

    /// Number of series, without those of collectors.
    #[must_use]
    pub fn series(&self) -> usize {
        self.inner.total.series.load(Ordering::Relaxed)
    }

    fn register<M: Metric>(
        &self,
        mut asked: MetricDef,
        expire_after: Option<Duration>,
        is_load: bool,
    ) -> Result<Arc<Core<M>>, DeclareError> {
        settings::spread(&mut asked);
        check::definition(&asked)?;
        // Lock order: collectors before families.
        let collectors = self.inner.collectors.read();
        let mut families = self.inner.families.write();
        if let Some(entry) = families.get_mut(&asked.name) {
            let core = entry.shared_with(asked)?;
            entry.loads = entry.loads.filter(|_| is_load).map(|loads| loads + 1);
            return Ok(core);
        }
        let settings = self.settings();
        collector::check_free(&settings, &collectors, &asked, false)?;
        drop(collectors);
        for entry in families.values() {
            collector::apart(&settings, &entry.asked, &asked)?;
            alias::apart(&settings, &entry.asked, &asked)?;
        }
        let over = settings.metrics.of(&asked.name);
        let mut def = asked.clone();
        if let Some(over) = over.filter(|_| M::KIND == Kind::Histogram) {
            settings::apply(over, &mut def);
            check::definition(&def)?;
        }
        settings.widen(&mut def);
        let rules = settings.rules(&def.name, expire_after);
        let name = def.name.clone();
        // Only series that accumulate have a created time.
        let created =
            settings.metrics.created_times && matches!(M::KIND, Kind::Counter | Kind::Histogram);
        let allowed = self.inner.allowed.of(&def);
        let core = Arc::new(Core::<M>::new(
            Arc::new(def),
            allowed,
            Common::new(self.inner.clock.clone(), created),
            rules,
            Arc::clone(&self.inner.total),
        ));
        families.insert(
            name,
            Entry {
                family: Arc::clone(&core) as Arc<dyn AnyFamily>,
                any: Arc::clone(&core) as Arc<dyn Any + Send + Sync>,
                asked: Arc::new(asked),
                over: over.cloned(),
                loads: is_load.then_some(1),
            },
        );
        drop(families);
        if rules.expire_after.is_some() {
            self.set_off_expiry();
        }
        Ok(core)
    }
}

impl Registry {
    /// Counts a metric that cannot be declared, and returns an unregistered one that records
    /// nothing.
    fn skip<M: Metric>(&self, mut def: MetricDef) -> Arc<Core<M>> {
        self.count_skipped();
        // The buckets may be the reason why the definition is invalid.
        def.native = None;
        def.buckets.clear();
        let rules = Settings::default().rules("", None);
        let off = Rules {
            enabled: false,
            ..rules
        };
        let allowed = self.inner.allowed.of(&def);
        Arc::new(Core::new(
            Arc::new(def),
            allowed,
            Common::new(self.inner.clock.clone(), false),
            off,
            Arc::clone(&self.inner.total),
        ))
    }
}

impl AsRef<Registry> for Registry {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never both locks at once.
        let families = self.inner.families.read().len();
        let collectors = self.inner.collectors.read().len();
        f.debug_struct("Registry")
            .field("families", &families)
            .field("collectors", &collectors)
            .field("series", &self.series())
            .finish()
    }
}

#[cfg(test)]
mod tests;
