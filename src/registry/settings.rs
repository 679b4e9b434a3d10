use std::collections::BTreeMap;
use std::time::Duration;

use super::labels::{LABEL_LIMITS, MAX_LABEL_VALUE};
use super::storage::Rules;
use crate::catalog::{Kind, MetricDef, Native};

/// What an operator may decide about a registry without touching the code that records.
///
/// Namespace and global labels apply to every scrape from then on; limits and overrides apply
/// to families that are declared and collectors that are registered afterwards. Those that have no
/// effect are returned by [`Registry::unused_settings`](super::Registry::unused_settings).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Goes before every name that is not standardised, with an underscore. Default: empty.
    pub namespace: String,
    /// Labels that every series carries. Default: none.
    pub global_labels: BTreeMap<String, String>,
    /// The most series of one family. Default: 10,000.
    pub max_series_per_family: usize,
    /// The most series in all. Default: 1,000,000.
    pub max_series: usize,
    /// The most bytes of a label value that are kept; what is longer is cut at a character
    /// boundary, so that two values may become one. At least 16 and at most 4,096, whatever is
    /// set. The states of a state set are not cut. Default: [`MAX_LABEL_VALUE`].
    pub max_label_value: usize,
    /// Whether counters and histograms note when each series was created, which the formats then
    /// have: a counter's first increment is seen as one by a Prometheus that is configured to
    /// read it. In OpenMetrics that is one more line for each series. Default: off.
    pub created_times: bool,
    /// Overrides by metric name, without namespace. Default: none.
    pub families: BTreeMap<String, FamilySettings>,
    /// The profiles that are on: metrics are exposed by their [`Alias`]es as well. Buckets that
    /// these need reach the metrics that are declared afterwards. Default: none.
    ///
    /// [`Alias`]: crate::catalog::Alias
    pub profiles: Vec<Profile>,
    /// What names this instance of the service in aliases with such a label, for example the
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

/// What an operator may decide about one family.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FamilySettings {
    /// Whether it is neither recorded nor exposed. Default: no. Its handles do nothing and
    /// read 0, in the time of a comparison. A collector of which nothing else is
    /// left is not asked any more.
    pub disabled: bool,
    /// Other bucket bounds for a histogram. Default: as declared.
    pub buckets: Option<Vec<f64>>,
    /// Other native buckets for a histogram, or none. Default: as declared.
    pub native: Option<NativeSettings>,
    /// Another limit. Default: that of all families. What a collector yields beyond it is left
    /// out and counted in `selfheal_collectors_skipped_total`; without one, it has no limit.
    pub max_series: Option<usize>,
    /// Another limit of label values. Default: that of all families. What a collector yields is
    /// cut as well; of two series that become one the first is kept, the other is left out and
    /// counted in `selfheal_collectors_skipped_total`.
    pub max_label_value: Option<usize>,
    /// How long a series may be idle before it is removed; zero keeps all for ever. Default:
    /// as declared, which is for ever unless [`Declare::expire_after`] says otherwise.
    ///
    /// [`Declare::expire_after`]: super::Declare::expire_after
    pub expire_after: Option<Duration>,
    /// Whether this was not written by an operator: it follows from another setting, as the buckets of the HTTP
    /// layer do from `http.buckets`. Then it is not reported where it has no effect. Default: no.
    pub implied: bool,
}

/// What an operator may decide about the native buckets of one histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NativeSettings {
    /// None. A histogram that was declared with nothing else gets
    /// [`DEFAULT_BUCKETS`](super::DEFAULT_BUCKETS).
    Off,
    /// These beside the classic buckets, if it has any.
    Beside(Native),
    /// These and no classic buckets.
    Only(Native),
}

impl Settings {
    /// The rules for a family, where `over` is about it and `declared` its own time to expire.
    pub(super) fn rules(&self, over: Option<&FamilySettings>, declared: Option<Duration>) -> Rules {
        let max_series = over.and_then(|over| over.max_series);
        let expire_after = over.and_then(|over| over.expire_after).or(declared);
        Rules {
            enabled: !over.is_some_and(|over| over.disabled),
            limit: max_series.unwrap_or(self.max_series_per_family),
            max_label_value: self.label_limit(over),
            expire_after: expire_after.filter(|idle| !idle.is_zero()),
        }
    }
}

impl Settings {
    /// The most bytes of a label value, where `over` is about its family.
    pub(super) fn label_limit(&self, over: Option<&FamilySettings>) -> usize {
        let most = over.and_then(|over| over.max_label_value);
        let most = most.unwrap_or(self.max_label_value);
        most.clamp(*LABEL_LIMITS.start(), *LABEL_LIMITS.end())
    }
}

impl FamilySettings {
    /// Gives a histogram other buckets.
    pub(super) fn apply(&self, def: &mut MetricDef) {
        if def.kind != Kind::Histogram {
            return;
        }
        if let Some(bounds) = &self.buckets {
            def.buckets.clone_from(bounds);
        }
        if let Some(native) = self.native {
            native.apply(def);
        }
    }
}

impl NativeSettings {
    fn apply(self, def: &mut MetricDef) {
        def.native = match self {
            Self::Off => None,
            Self::Beside(native) | Self::Only(native) => Some(native),
        };
        if matches!(self, Self::Only(_)) {
            def.buckets.clear();
        } else if matches!(self, Self::Off) && def.buckets.is_empty() {
            def.buckets = super::DEFAULT_BUCKETS.to_vec();
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: String::new(),
            global_labels: BTreeMap::new(),
            max_series_per_family: 10_000,
            max_series: 1_000_000,
            max_label_value: MAX_LABEL_VALUE,
            created_times: false,
            families: BTreeMap::new(),
            profiles: Vec::new(),
            instance: String::new(),
        }
    }
}
