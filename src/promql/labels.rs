use std::cmp::Ordering;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::util::escape;

/// The label with the name of a metric.
pub const METRIC_NAME: &str = "__name__";

/// A label: its name and its value.
pub type Label = (Arc<str>, Arc<str>);

/// The labels of a series, including the metric's name, sorted by label name. A label with an empty
/// value is absent.
///
/// Cloning is cheap, and so is removing the metric's name.
///
/// ```
/// use selfheal::promql::LabelSet;
///
/// let labels = LabelSet::new([("__name__", "jobs_total"), ("queue", "mail"), ("zone", "")]);
/// assert_eq!(labels.to_string(), r#"jobs_total{queue="mail"}"#);
/// assert_eq!(labels.get("queue"), Some("mail"));
/// assert_eq!(labels.without_name().to_string(), r#"{queue="mail"}"#);
/// ```
#[derive(Clone)]
pub struct LabelSet {
    name: Option<Arc<str>>,
    rest: Arc<Rest>,
}

/// All labels except the metric's name, sorted.
struct Rest {
    hash: u64,
    labels: Box<[Label]>,
}

lazy_static::lazy_static! {
    static ref EMPTY: LabelSet = LabelSet::from_labels(None, Vec::new());
}

/// Only compares label sets within one process.
const HASHER: FixedState = FixedState::with_seed(0x5eed);

impl LabelSet {
    /// Creates a set of labels. Of several with one name the last is kept.
    pub fn new<N: Into<Arc<str>>, V: Into<Arc<str>>>(
        labels: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut name = None;
        let mut rest = Vec::new();
        for (key, value) in labels {
            let (key, value): (Arc<str>, Arc<str>) = (key.into(), value.into());
            if &*key == METRIC_NAME {
                name = Some(value);
            } else {
                rest.push((key, value));
            }
        }
        // A stable sort, so that the last of equal names stays last.
        rest.sort_by(|(a, _), (b, _)| a.cmp(b));
        rest.reverse();
        rest.dedup_by(|(a, _), (b, _)| a == b);
        rest.reverse();
        Self::from_labels(name, rest)
    }

    /// Creates a set without labels.
    #[must_use]
    pub fn empty() -> Self {
        EMPTY.clone()
    }

    /// Creates a set from sorted labels without duplicate names.
    pub(super) fn from_labels(name: Option<Arc<str>>, mut rest: Vec<Label>) -> Self {
        rest.retain(|(_, value)| !value.is_empty());
        let hash = HASHER.hash_one(rest.as_slice());
        Self {
            name: name.filter(|name| !name.is_empty()),
            rest: Arc::new(Rest {
                hash,
                labels: rest.into(),
            }),
        }
    }

    /// The metric's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The value of a label; `__name__` is the metric's name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.value(name).map(|value| &**value)
    }

    pub(super) fn value(&self, name: &str) -> Option<&Arc<str>> {
        if name == METRIC_NAME {
            return self.name.as_ref();
        }
        let labels = self.rest.labels.iter();
        let mut found = labels.filter(|(key, _)| &**key == name);
        found.next().map(|(_, value)| value)
    }

    /// The value of a label other than the metric's name.
    pub(super) fn rest_value(&self, name: &Arc<str>) -> Option<&str> {
        let mut labels = self.rest.labels.iter();
        let found = labels.find(|(key, _)| key == name);
        found.map(|(_, value)| &**value)
    }

    /// Iterates over all labels, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let rest = &self.rest.labels;
        let at = rest.partition_point(|(key, _)| &**key < METRIC_NAME);
        let (before, after) = rest.split_at(at);
        let name = self.name.as_deref().map(|name| (METRIC_NAME, name));
        let pair = |label| {
            let (key, value): &Label = label;
            (&**key, &**value)
        };
        before
            .iter()
            .map(pair)
            .chain(name)
            .chain(after.iter().map(pair))
    }

    /// The labels without the metric's name.
    pub(super) fn rest(&self) -> &[Label] {
        &self.rest.labels
    }

    /// The number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rest.labels.len() + usize::from(self.name.is_some())
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the set without the metric's name.
    #[must_use]
    pub fn without_name(&self) -> Self {
        Self {
            name: None,
            rest: Arc::clone(&self.rest),
        }
    }

    /// Removes the metric's name.
    pub(super) fn drop_name(&mut self) {
        self.name = None;
    }

    /// Whether the metric's name is that of another set.
    pub(super) fn has_name_of(&self, other: &Self) -> bool {
        self.shares_name(other) || self.name == other.name
    }

    fn shares_name(&self, other: &Self) -> bool {
        match (&self.name, &other.name) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        }
    }

    /// Whether it is a clone of another set. False for some equal ones, but fast.
    pub(super) fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rest, &other.rest) && self.shares_name(other)
    }

    /// Returns the set with a changed label; an empty value removes it.
    #[must_use]
    pub fn with(&self, name: &str, value: impl Into<Arc<str>>) -> Self {
        let value = value.into();
        if name == METRIC_NAME {
            return Self {
                name: Some(value).filter(|value| !value.is_empty()),
                rest: Arc::clone(&self.rest),
            };
        }
        let mut rest = self.rest.labels.to_vec();
        match rest.binary_search_by(|(key, _)| (**key).cmp(name)) {
            Ok(at) => rest[at].1 = value,
            Err(at) => rest.insert(at, (name.into(), value)),
        }
        Self::from_labels(self.name.clone(), rest)
    }

    /// A hash that is stable across processes of one version.
    pub(super) fn fingerprint(&self) -> u64 {
        const SEED: FixedState = FixedState::with_seed(2);
        SEED.hash_one((self.name.as_deref(), self.rest.hash))
    }
}

impl Default for LabelSet {
    fn default() -> Self {
        Self::empty()
    }
}

impl PartialEq for LabelSet {
    fn eq(&self, other: &Self) -> bool {
        let same_rest = Arc::ptr_eq(&self.rest, &other.rest)
            || (self.rest.hash == other.rest.hash && self.rest.labels == other.rest.labels);
        same_rest && self.name == other.name
    }
}

impl Eq for LabelSet {}

impl Hash for LabelSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.as_deref().hash(state);
        state.write_u64(self.rest.hash);
    }
}

impl PartialOrd for LabelSet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LabelSet {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl fmt::Display for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.name() {
            f.write_str(name)?;
            if self.rest.labels.is_empty() {
                return Ok(());
            }
        }
        f.write_str("{")?;
        for (at, (key, value)) in self.rest.labels.iter().enumerate() {
            let mut escaped = String::new();
            escape::label_value(&mut escaped, value);
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{key}=\"{escaped}\"")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
