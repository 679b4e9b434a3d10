//! The groups of an aggregation.

use hashbrown::HashTable;

use crate::promql::grouping::Grouping;
use crate::promql::labels::LabelSet;
use crate::promql::value::{InstantSample, PointValue};

/// The groups of a vector, in the order of their first samples.
pub(super) struct Groups {
    labels: Vec<LabelSet>,
    /// The index of each sample's group.
    pub(super) of: Vec<usize>,
}

impl Groups {
    pub(super) fn new(by: &Grouping, vector: &[InstantSample]) -> Self {
        let mut index: HashTable<usize> = HashTable::new();
        // For each group its hash and its first sample.
        let mut firsts: Vec<(u64, usize)> = Vec::new();
        let mut of = Vec::with_capacity(vector.len());
        for (at, sample) in vector.iter().enumerate() {
            let hash = by.hash(&sample.labels);
            let same = |group: &usize| by.same(&vector[firsts[*group].1].labels, &sample.labels);
            let group = index.find(hash, same).copied().unwrap_or_else(|| {
                let group = firsts.len();
                firsts.push((hash, at));
                index.insert_unique(hash, group, |group| firsts[*group].0);
                group
            });
            of.push(group);
        }
        let labels = firsts.iter().map(|(_, at)| by.apply(&vector[*at].labels));
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
        self,
        values: impl IntoIterator<Item = Option<PointValue>>,
    ) -> Vec<InstantSample> {
        let samples = self.labels.into_iter().zip(values);
        let sample = |(labels, value): (_, Option<_>)| {
            Some(InstantSample {
                labels,
                value: value?,
            })
        };
        samples.filter_map(sample).collect()
    }
}
