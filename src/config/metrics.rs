//! Settings of the registry and the metrics endpoint.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::faults::Faults;
use super::names::{
    HEALTH_PATH, LIVENESS_PATH, READINESS_PATH, check_metric, check_path, is_beside,
};
use super::native;
use super::range::{check_buckets, check_range};
use super::settings::settings;
use crate::catalog::Native;

/// The limits of series; at about 100 bytes each, the upper one is a heap of 10 GB.
const SERIES: RangeInclusive<usize> = 1..=100_000_000;

/// The default of [`Metrics::max_label_value`].
pub(crate) const MAX_LABEL_VALUE: usize = 256;
/// The limits of label value lengths: shorter ones would merge distinct values (and the value of
/// the overflow series must fit), longer ones would bloat scrapes.
pub(crate) const LABEL_LIMITS: RangeInclusive<usize> = 16..=4_096;

settings! {
    /// `[metrics]`: the limits of the registry, and the metrics endpoint.
    #[non_exhaustive]
    pub struct Metrics {
        /// The path of the metrics endpoint. Default: `/metrics`.
        pub path(impl Into<String>): String = "/metrics".to_owned(),
        /// The limit of series of a family; further ones are counted in one overflow series.
        /// Default: 10 000.
        pub max_series_per_family: usize = 10_000,
        /// The limit of series of the whole registry. Default: 1 000 000.
        pub max_series: usize = 1_000_000,
        /// The length limit of label values in bytes, 16 to 4096; longer ones are truncated at a
        /// character boundary, so that two values may become one. States of state sets are not
        /// truncated. A Prometheus with a lower `label_value_length_limit` drops the whole target.
        /// Default: 256.
        pub max_label_value: usize = MAX_LABEL_VALUE,
        /// Whether a scrape is compressed if the scraper accepts it. Default: `true`.
        pub gzip: bool = true,
        /// Whether counters and histograms expose their creation time, so that a Prometheus
        /// configured for it sees their first increment. In OpenMetrics this adds one line per
        /// series. Default: `false`.
        pub created_times: bool,
        /// Settings of single families, by name without namespace. Default: none.
        pub family(): BTreeMap<String, FamilySettings>,
    }
}

impl Metrics {
    /// Sets the settings of the family with this name, without namespace. Default: none.
    #[must_use]
    pub fn family(mut self, name: impl Into<String>, family: FamilySettings) -> Self {
        self.family.insert(name.into(), family);
        self
    }

    /// The limit of series of the family with this name, without namespace.
    #[must_use]
    pub fn series_limit(&self, family: &str) -> usize {
        let own = self.of(family).and_then(|family| family.max_series);
        own.unwrap_or(self.max_series_per_family)
            .min(self.max_series)
    }

    /// The length limit of label values, in bytes, of the family with this name, without namespace;
    /// always from 16 to 4096.
    #[must_use]
    pub fn label_limit(&self, family: &str) -> usize {
        let own = self.of(family).and_then(|family| family.max_label_value);
        let most = own.unwrap_or(self.max_label_value);
        most.clamp(*LABEL_LIMITS.start(), *LABEL_LIMITS.end())
    }

    /// The settings of the family with this name, without namespace.
    pub(crate) fn of(&self, family: &str) -> Option<&FamilySettings> {
        self.family.get(family)
    }

    /// Whether the family with this name, without namespace, is disabled.
    pub(crate) fn is_off(&self, family: &str) -> bool {
        self.of(family).is_some_and(|family| !family.enabled)
    }

    /// Adds every fault; `page` is the path of the page in the application's own router.
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
    let hint = "give how many bytes of a label value are to be kept";
    check_range("max_label_value", &bytes, &LABEL_LIMITS, hint, faults);
}

settings! {
    /// `[metrics.family.NAME]`: the settings of one family.
    ///
    /// Applied once, when the family is created or its collector registered.
    #[non_exhaustive]
    pub struct FamilySettings {
        /// Whether the family records and is exposed. Default: `true`. With `false`, its handles
        /// are no-ops that read 0, and a collector without enabled families is no longer called.
        pub enabled: bool = true,
        /// The bucket bounds of a histogram, ascending, without `+Inf`. Default: those of the
        /// declaration.
        pub buckets(): Option<Vec<f64>>,
        /// The native buckets of a histogram. Default: those of the declaration, if any.
        pub native(Native): Option<Native>,
        /// The limit of series. Default: [`Metrics::max_series_per_family`]; none for a collector.
        /// Series of a collector beyond the limit are dropped and counted in
        /// `selfheal_collectors_skipped_total`.
        pub max_series(usize): Option<usize>,
        /// The length limit of label values in bytes, 16 to 4096. Default:
        /// [`Metrics::max_label_value`]. Values of a collector are truncated too; if two series
        /// become one, the first is kept, and the other is dropped and counted in
        /// `selfheal_collectors_skipped_total`.
        pub max_label_value(usize): Option<usize>,
        /// How long a series may be idle before it is removed; `"0s"` keeps it forever. Default:
        /// that of the declaration, which is forever unless
        /// [`Declare::expire_after`](crate::registry::Declare::expire_after) sets a time.
        #[serde(with = "super::duration::optional")]
        pub expire_after(Duration): Option<Duration>,
        /// Whether this follows from another setting, as the buckets of the HTTP layer do from
        /// `http.buckets`. If so, it is not reported where it has no effect.
        #[serde(skip)]
        pub(crate) implied(): bool,
    }
}

impl FamilySettings {
    /// Sets the bucket bounds, ascending, without `+Inf`. Default: those of the declaration.
    #[must_use]
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.buckets = Some(bounds.into_iter().collect());
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

/// Adds a fault if the named metric is known to have no buckets. Unknown names are checked when the
/// metric is declared.
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
