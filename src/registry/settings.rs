use std::collections::BTreeMap;
use std::time::Duration;

use super::storage::Rules;
use crate::catalog::MetricDef;
use crate::config::{FamilySettings, Metrics};

/// The default buckets of a histogram: 5 ms to 10 s, as in the Prometheus client libraries.
pub const DEFAULT_BUCKETS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// An operator's settings of a registry, independent of the code that records.
///
/// Namespace and global labels apply to every later scrape; limits and overrides apply to families
/// declared and collectors registered later. Those without effect are returned by
/// [`Registry::unused_settings`](super::Registry::unused_settings).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Prefix of every name that is not standardised, with an underscore. Default: empty.
    pub namespace: String,
    /// Labels that every series carries. Default: none.
    pub global_labels: BTreeMap<String, String>,
    /// Limits, created times and overrides for single families. The path and the compression of a
    /// scrape only concern the endpoints.
    pub metrics: Metrics,
    /// The enabled profiles: metrics are also exposed under their [`Alias`]es. Buckets that these
    /// need apply to metrics declared later. Default: none.
    ///
    /// [`Alias`]: crate::catalog::Alias
    pub profiles: Vec<Profile>,
    /// The name of this service instance in aliases with such a label, for example the name of a
    /// pod. Default: empty.
    pub instance: String,
}

/// An enabled profile: selects the aliases of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The profile's name.
    pub name: String,
    /// Prefix of the names of its aliases, with an underscore. Default: empty.
    pub namespace: String,
    /// The groups whose metrics are also exposed with its namespace, if the registry's is another.
    /// Default: none.
    pub groups: Vec<String>,
}

impl Profile {
    /// A profile without namespace and groups.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Sets the prefix of the names, with an underscore. Default: none.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Adds a group whose metrics are also exposed with the profile's namespace. Default: none.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }
}

impl Settings {
    /// The rules for the family of this name, where `declared` is its declared expiry.
    pub(super) fn rules(&self, family: &str, declared: Option<Duration>) -> Rules {
        let over = self.metrics.of(family);
        let max_series = over.and_then(|over| over.max_series);
        let expire_after = over.and_then(|over| over.expire_after).or(declared);
        Rules {
            enabled: !self.metrics.is_off(family),
            limit: max_series.unwrap_or(self.metrics.max_series_per_family),
            max_label_value: self.metrics.label_limit(family),
            expire_after: expire_after.filter(|idle| !idle.is_zero()),
        }
    }
}

/// Applies an operator's buckets to a histogram.
pub(super) fn apply(over: &FamilySettings, def: &mut MetricDef) {
    if let Some(bounds) = &over.buckets {
        def.buckets.clone_from(bounds);
    }
    if let Some(native) = over.native {
        def.native = Some(native);
        spread(def);
    }
}

/// Applies `enabled` and `classic` of native buckets to the two kinds of a definition's buckets.
pub(super) fn spread(def: &mut MetricDef) {
    let Some(native) = def.native.take() else {
        return;
    };
    if !native.enabled && def.buckets.is_empty() {
        def.buckets = DEFAULT_BUCKETS.to_vec();
    } else if native.enabled && !native.classic {
        def.buckets.clear();
    }
    def.native = native.enabled.then(|| native.classic(true));
}
