use std::collections::BTreeMap;

/// What an operator may decide about a registry without touching the code that records.
///
/// Namespace and global labels apply to every scrape from then on; limits and overrides apply
/// to families that are declared afterwards.
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
    /// Overrides by metric name, without namespace. Default: none.
    pub families: BTreeMap<String, FamilySettings>,
}

/// What an operator may decide about one family.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FamilySettings {
    /// Whether it is recorded and exposed. Default: it is.
    pub disabled: bool,
    /// Other bucket bounds for a histogram. Default: as declared.
    pub buckets: Option<Vec<f64>>,
    /// Another limit. Default: that of all families.
    pub max_series: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: String::new(),
            global_labels: BTreeMap::new(),
            max_series_per_family: 10_000,
            max_series: 1_000_000,
            families: BTreeMap::new(),
        }
    }
}
