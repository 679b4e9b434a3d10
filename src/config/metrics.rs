//! The registry and the scrape.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::faults::Faults;
use super::names::{
    HEALTH_PATH, LIVENESS_PATH, READINESS_PATH, check_metric, check_path, is_beside,
};
use super::native;
use super::range::{check_buckets, check_range};
use crate::catalog::Native;

/// A series takes about 100 bytes, so that the upper end is a heap of 10 GB.
const SERIES: RangeInclusive<usize> = 1..=100_000_000;

/// The default of [`Metrics::max_label_value`].
pub(crate) const MAX_LABEL_VALUE: usize = 256;
/// The limits of label values that can be set: shorter ones would make different values one (and
/// the value of the overflow series has to fit), longer ones a scrape large.
pub(crate) const LABEL_LIMITS: RangeInclusive<usize> = 16..=4_096;

/// `[metrics]`: the registry's limits and the scrape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Metrics {
    /// The path of the scrape. Default: `/metrics`.
    pub path: String,
    /// The limit of series of a family; what is beyond it is counted in one overflow series.
    /// Default: 10 000.
    pub max_series_per_family: usize,
    /// The limit of series of the registry. Default: 1 000 000.
    pub max_series: usize,
    /// The most bytes of a label value that are kept, from 16 to 4096; what is longer is cut at a
    /// character boundary, so that two values may become one. The states of a state set are not
    /// cut. A Prometheus with a lower `label_value_length_limit` drops the whole target.
    /// Default: 256.
    pub max_label_value: usize,
    /// Whether a scrape is compressed when the scraper asks for it. Default: `true`.
    pub gzip: bool,
    /// Whether series of counters and histograms say when they were created, so that Prometheus,
    /// where it is configured to, sees their first increment. In OpenMetrics that is one more line for
    /// each. Default: `false`.
    pub created_times: bool,
    /// Settings of single families, by their names without namespace. Default: none.
    pub family: BTreeMap<String, FamilySettings>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            path: "/metrics".to_owned(),
            max_series_per_family: 10_000,
            max_series: 1_000_000,
            max_label_value: MAX_LABEL_VALUE,
            gzip: true,
            created_times: false,
            family: BTreeMap::new(),
        }
    }
}

impl Metrics {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the path of the scrape. Default: `/metrics`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Sets the limit of series per family. Default: 10 000.
    #[must_use]
    pub fn max_series_per_family(mut self, series: usize) -> Self {
        self.max_series_per_family = series;
        self
    }

    /// Sets the limit of series in all. Default: 1 000 000.
    #[must_use]
    pub fn max_series(mut self, series: usize) -> Self {
        self.max_series = series;
        self
    }

    /// Sets the most bytes of a label value that are kept, from 16 to 4096. Default: 256.
    #[must_use]
    pub fn max_label_value(mut self, bytes: usize) -> Self {
        self.max_label_value = bytes;
        self
    }

    /// Whether scrapes are compressed on demand. Default: `true`.
    #[must_use]
    pub fn gzip(mut self, on: bool) -> Self {
        self.gzip = on;
        self
    }

    /// Whether series say when they were created. Default: `false`.
    #[must_use]
    pub fn created_times(mut self, on: bool) -> Self {
        self.created_times = on;
        self
    }

    /// Sets what is different for the family of that name, without namespace.
    /// Default: nothing is.
    #[must_use]
    pub fn family(mut self, name: impl Into<String>, family: FamilySettings) -> Self {
        self.family.insert(name.into(), family);
        self
    }

    /// The limit of series for the family of that name, without namespace.
    #[must_use]
    pub fn series_limit(&self, family: &str) -> usize {
        let own = self.of(family).and_then(|family| family.max_series);
        own.unwrap_or(self.max_series_per_family)
            .min(self.max_series)
    }

    /// The most bytes of a label value of the family of that name, without namespace: from 16 to
    /// 4096, whatever is set.
    #[must_use]
    pub fn label_limit(&self, family: &str) -> usize {
        let own = self.of(family).and_then(|family| family.max_label_value);
        let most = own.unwrap_or(self.max_label_value);
        most.clamp(*LABEL_LIMITS.start(), *LABEL_LIMITS.end())
    }

    /// What is different for the family of that name, without namespace.
    pub(crate) fn of(&self, family: &str) -> Option<&FamilySettings> {
        self.family.get(family)
    }

    /// Whether the family of that name, without namespace, is switched off.
    pub(crate) fn is_off(&self, family: &str) -> bool {
        self.of(family).is_some_and(|family| !family.enabled)
    }

    /// `page` is the path of the page in the application's own router.
    pub(super) fn check(&self, page: &str, faults: &mut Faults) {
        let taken = |path: &str| {
            ["/", HEALTH_PATH, LIVENESS_PATH, READINESS_PATH].contains(&path)
                || is_beside(path, "/")
                || is_beside(path, page)
        };
        check_path(("path", &self.path), "/metrics", taken, faults);
        for (field, series) in [
            ("max_series_per_family", &self.max_series_per_family),
            ("max_series", &self.max_series),
        ] {
            check_range(field, series, &SERIES, "give a limit in that range", faults);
        }
        check_label_limit(self.max_label_value, faults);
        faults.within("family", |faults| {
            for (name, family) in &self.family {
                faults.within(name, |faults| {
                    check_metric(name, faults);
                    family.check(name, faults);
                });
            }
        });
    }
}

fn check_label_limit(bytes: usize, faults: &mut Faults) {
    let hint = "give how many bytes of a label value are kept";
    check_range("max_label_value", &bytes, &LABEL_LIMITS, hint, faults);
}

/// `[metrics.family.NAME]`: the settings of one family.
///
/// It is applied once, when the family is created or its collector registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FamilySettings {
    /// Whether the family records and is exposed. Default: `true`. With `false`, its handles do
    /// nothing and read 0, in the time of a comparison, and a collector of which nothing else is
    /// left is not asked any more.
    pub enabled: bool,
    /// The upper bounds of a histogram's buckets, ascending, without `+Inf`. Default: those
    /// that the family is declared with.
    pub buckets: Option<Vec<f64>>,
    /// Native buckets of a histogram. Default: those that the family is declared with, if any.
    pub native: Option<Native>,
    /// The limit of series. Default: [`Metrics::max_series_per_family`]. What a collector yields
    /// beyond it is left out and counted in `selfheal_collectors_skipped_total`; without one of its
    /// own, it has no limit.
    pub max_series: Option<usize>,
    /// The most bytes of a label value that are kept, from 16 to 4096. Default:
    /// [`Metrics::max_label_value`]. What a collector yields is cut as well; of two series that
    /// become one the first is kept, the other is left out and counted in
    /// `selfheal_collectors_skipped_total`.
    pub max_label_value: Option<usize>,
    /// How long a series may be idle before it is removed; `"0s"` keeps all for ever. Default:
    /// as the family is declared, which is for ever unless
    /// [`Declare::expire_after`](crate::registry::Declare::expire_after) says otherwise.
    #[serde(with = "super::duration::optional")]
    pub expire_after: Option<Duration>,
    /// Whether this follows from another setting, as the buckets of the HTTP layer do from
    /// `http.buckets`. Then it is not reported where it has no effect.
    #[serde(skip)]
    pub(crate) implied: bool,
}

impl Default for FamilySettings {
    fn default() -> Self {
        Self {
            enabled: true,
            buckets: None,
            native: None,
            max_series: None,
            max_label_value: None,
            expire_after: None,
            implied: false,
        }
    }
}

impl FamilySettings {
    /// Nothing different.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the family records and is exposed. Default: `true`.
    #[must_use]
    pub fn enabled(mut self, on: bool) -> Self {
        self.enabled = on;
        self
    }

    /// Sets the upper bounds of the buckets, ascending, without `+Inf`. Default: those that the
    /// family is declared with.
    #[must_use]
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.buckets = Some(bounds.into_iter().collect());
        self
    }

    /// Sets the native buckets. Default: those that the family is declared with, if any.
    #[must_use]
    pub fn native(mut self, native: Native) -> Self {
        self.native = Some(native);
        self
    }

    /// Sets the limit of series. Default: [`Metrics::max_series_per_family`].
    #[must_use]
    pub fn max_series(mut self, series: usize) -> Self {
        self.max_series = Some(series);
        self
    }

    /// Sets the most bytes of a label value that are kept, from 16 to 4096. Default:
    /// [`Metrics::max_label_value`].
    #[must_use]
    pub fn max_label_value(mut self, bytes: usize) -> Self {
        self.max_label_value = Some(bytes);
        self
    }

    /// Sets how long a series may be idle before it is removed; zero keeps all for ever.
    /// Default: as the family is declared.
    #[must_use]
    pub fn expire_after(mut self, idle: Duration) -> Self {
        self.expire_after = Some(idle);
        self
    }

    fn check(&self, name: &str, faults: &mut Faults) {
        if let Some(bounds) = &self.buckets {
            check_buckets("buckets", bounds, faults);
            check_has_buckets("buckets", name, faults);
        }
        if let Some(native) = &self.native {
            faults.within("native", |faults| native::check(native, faults));
            check_has_buckets("native", name, faults);
        }
        if let Some(series) = &self.max_series {
            let hint = "give a limit in that range, or `enabled = false`";
            check_range("max_series", series, &SERIES, hint, faults);
        }
        if let Some(bytes) = &self.max_label_value {
            check_label_limit(*bytes, faults);
        }
    }
}

/// A fault if it is known by the name that the metric has no buckets. Of other names it is known
/// when the metric is declared.
fn check_has_buckets(field: &str, name: &str, faults: &mut Faults) {
    for (suffix, kind) in [("_total", "a counter"), ("_info", "an info metric")] {
        if name.ends_with(suffix) {
            faults.add(
                field,
                format!("a metric whose name ends in `{suffix}` is {kind}, which has no buckets"),
                "leave them out, or give the name of a histogram",
            );
        }
    }
}
