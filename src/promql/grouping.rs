//! Label groupings: `by`, `without`, `on`, `ignoring`.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::labels::{Label, LabelSet, METRIC_NAME};

const HASHER: FixedState = FixedState::with_seed(0x9e0);

/// A selection of labels.
#[derive(Clone, Debug)]
pub(crate) struct Grouping {
    /// Whether these labels are selected, or all others.
    pub(crate) takes: bool,
    /// Sorted; without the metric's name.
    pub(crate) names: Vec<Arc<str>>,
    /// Whether the metric's name is selected.
    takes_name: bool,
}

impl Grouping {
    /// Selects the labels of the list, for `by` and `on`.
    pub(crate) fn with(mut names: Vec<Arc<str>>) -> Self {
        names.sort_unstable();
        names.dedup();
        let count = names.len();
        names.retain(|name| &**name != METRIC_NAME);
        Self {
            takes: true,
            takes_name: names.len() < count,
            names,
        }
    }

    /// Selects all labels except those of the list and the name, for `without` and `ignoring`.
    pub(crate) fn without(names: Vec<Arc<str>>) -> Self {
        Self {
            takes: false,
            takes_name: false,
            ..Self::with(names)
        }
    }

    /// Selects all labels, including the metric's name.
    pub(crate) fn all() -> Self {
        Self {
            takes_name: true,
            ..Self::without(Vec::new())
        }
    }

    /// Whether the metric's name is selected.
    pub(crate) fn takes_name(&self) -> bool {
        self.takes_name
    }

    fn takes(&self, label: &Label) -> bool {
        // Comparisons of a few short texts take less time than a search by their order.
        let has = if self.names.len() <= 8 {
            self.names.contains(&label.0)
        } else {
            self.names.binary_search(&label.0).is_ok()
        };
        has == self.takes
    }

    /// Whether it selects the label of this name.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        self.names.iter().any(|known| **known == *name) == self.takes
    }

    /// A hash of the selected labels.
    pub(crate) fn hash(&self, labels: &LabelSet) -> u64 {
        let mut hasher = HASHER.build_hasher();
        if self.takes_name {
            hasher.write(labels.name().unwrap_or_default().as_bytes());
        }
        if self.takes {
            // An absent label has the empty value.
            for name in &self.names {
                hasher.write(labels.rest_value(name).unwrap_or_default().as_bytes());
                hasher.write_u8(0xff);
            }
            return hasher.finish();
        }
        for (name, value) in labels.rest().iter().filter(|label| self.takes(label)) {
            hasher.write(name.as_bytes());
            hasher.write_u8(0xff);
            hasher.write(value.as_bytes());
            hasher.write_u8(0xff);
        }
        hasher.finish()
    }

    /// Whether two sets have the same selected labels.
    pub(crate) fn same(&self, a: &LabelSet, b: &LabelSet) -> bool {
        if self.takes_name && a.name() != b.name() {
            return false;
        }
        if self.takes {
            let mut names = self.names.iter();
            return names.all(|name| a.rest_value(name) == b.rest_value(name));
        }
        let chosen = |label: &&Label| self.takes(label);
        let (a, b) = (a.rest().iter(), b.rest().iter());
        a.filter(chosen).eq(b.filter(chosen))
    }

    /// Keeps only the selected labels.
    pub(crate) fn apply(&self, labels: &LabelSet) -> LabelSet {
        let name = labels.value(METRIC_NAME).filter(|_| self.takes_name);
        let rest = labels.rest().iter().filter(|label| self.takes(label));
        LabelSet::from_labels(name.cloned(), rest.cloned().collect())
    }
}
