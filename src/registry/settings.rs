use std::collections::BTreeMap;
use std::time::Duration;

use super::storage::Rules;
use crate::catalog::MetricDef;
use crate::config::{FamilySettings, Metrics};

/// The buckets of a histogram that declares none: 5 ms to 10 s, as the Prometheus client
/// libraries have them.
pub const DEFAULT_BUCKETS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// What an operator may decide about a registry without touching the code that records.
///
/// Namespace and global labels apply to every scrape from then on; limits and overrides apply
/// to families that are declared and collectors that are registered afterwards. Those that have no
/// effect are returned by [`Registry::unused_settings`](super::Registry::unused_settings).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Goes before every name that is not standardised, with an underscore. Default: empty.
    pub namespace: String,
    /// Labels that every series carries. Default: none.
    pub global_labels: BTreeMap<String, String>,
    /// Limits, created times and what is different for single families. The path and the
    /// compression of a scrape are for the endpoints.
    pub metrics: Metrics,
    /// The profiles that are on: metrics are exposed by their [`Alias`]es as well. Buckets that
    /// these need reach the metrics that are declared afterwards. Default: none.
    ///
    /// [`Alias`]: crate::catalog::Alias
    pub profiles: Vec<Profile>,
    /// The name of this instance of the service in aliases with such a label, for example the
    /// name of a pod. Default: empty.
    pub instance: String,
}

/// A profile that is on: by its name the aliases that belong to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The word.
    pub name: String,
    /// Goes before the names of its aliases, with an underscore. Default: empty.
    pub namespace: String,
    /// The groups whose metrics it wants by its namespace, where that of the registry is another.
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

    /// Sets what goes before the names, with an underscore. Default: nothing.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Adds a group whose metrics are wanted by the namespace of the profile. Default: none.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }
}

impl Settings {
    /// The rules for the family of that name, where `declared` is its own time to expire.
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

/// Gives a histogram the buckets that an operator wants.
pub(super) fn apply(over: &FamilySettings, def: &mut MetricDef) {
    if let Some(bounds) = &over.buckets {
        def.buckets.clone_from(bounds);
    }
    if let Some(native) = over.native {
        def.native = Some(native);
        spread(def);
    }
}

/// Lets `enabled` and `classic` of native buckets say which of the two kinds a definition has.
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
