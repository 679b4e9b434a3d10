//! The groups of an aggregation.

use std::rc::Rc;

use hashbrown::HashTable;

use crate::promql::grouping::Grouping;
use crate::promql::labels::LabelSet;
use crate::promql::value::{InstantSample, PointValue};

/// The groups of some series, in the order of their first ones.
pub(in crate::promql::eval) struct Groups {
    labels: Vec<LabelSet>,
    /// The index of each series' group.
    pub(super) of: Vec<usize>,
}

impl Groups {
    pub(super) fn new<'l>(
        by: &Grouping,
        series: impl ExactSizeIterator<Item = &'l LabelSet>,
    ) -> Self {
        let mut index: HashTable<usize> = HashTable::new();
        // For each group its hash and the labels of its first series.
        let mut firsts: Vec<(u64, &LabelSet)> = Vec::new();
        let mut of = Vec::with_capacity(series.len());
        for labels in series {
            let hash = by.hash(labels);
            let same = |group: &usize| by.same(firsts[*group].1, labels);
            let group = index.find(hash, same).copied().unwrap_or_else(|| {
                let group = firsts.len();
                firsts.push((hash, labels));
                index.insert_unique(hash, group, |group| firsts[*group].0);
                group
            });
            of.push(group);
        }
        let labels = firsts.iter().map(|(_, labels)| by.apply(labels));
        Self {
            labels: labels.collect(),
            of,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// A sample for each group that has a value.
    pub(super) fn with(
        &self,
        values: impl IntoIterator<Item = Option<PointValue>>,
    ) -> Vec<InstantSample> {
        let samples = self.labels.iter().zip(values);
        let sample = |(labels, value): (&LabelSet, Option<_>)| {
            Some(InstantSample {
                labels: labels.clone(),
                value: value?,
            })
        };
        samples.filter_map(sample).collect()
    }
}

/// The groups of an aggregation at its last step, which are those of the next one if that has the
/// same series.
#[derive(Default)]
pub(in crate::promql::eval) struct LastGroups {
    series: Vec<LabelSet>,
    groups: Option<Rc<Groups>>,
}

impl LastGroups {
    pub(super) fn of(&mut self, by: &Grouping, vector: &[InstantSample]) -> Rc<Groups> {
        let same = self.series.len() == vector.len() && {
            let mut pairs = self.series.iter().zip(vector);
            pairs.all(|(known, sample)| known.is_clone_of(&sample.labels))
        };
        if let Some(groups) = self.groups.as_ref().filter(|_| same) {
            return Rc::clone(groups);
        }
        self.series.clear();
        let labels = vector.iter().map(|sample| sample.labels.clone());
        self.series.extend(labels);
        let labels = vector.iter().map(|sample| &sample.labels);
        Rc::clone(self.groups.insert(Rc::new(Groups::new(by, labels))))
    }
}
