//! `topk` and `bottomk`: the largest or smallest values of each group.

use std::cmp::Ordering;

use super::absent::{ABSENT, is_absent};
use super::shape;
use crate::promql::grouping::Grouping;
use crate::promql::labels::LabelSet;

/// Selects values of each group.
pub(super) struct Choice {
    /// Whether the largest values are selected, or the smallest.
    largest: bool,
    count: usize,
    by: Grouping,
    /// The group of each series.
    of: Vec<usize>,
    /// The series of each group that have a value, in order.
    members: Vec<Vec<usize>>,
}

impl Choice {
    /// Selects `count` values of each group, from 1 to below 10⁹.
    pub(super) fn new(largest: bool, count: f64, by: Grouping) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "as above"
        )]
        let count = count as usize;
        Self {
            largest,
            count,
            by,
            of: Vec::new(),
            members: Vec::new(),
        }
    }

    /// Builds the groups. The results have the labels of the series.
    pub(super) fn build(&mut self, labels: &[LabelSet]) -> Vec<LabelSet> {
        let (of, groups) = shape::groups(labels, |labels| self.by.apply(labels));
        self.of = of;
        self.members.clear();
        self.members.resize(groups.len(), Vec::new());
        labels.to_vec()
    }

    pub(super) fn compute(&mut self, values: &[f64], results: &mut [f64]) {
        self.members.iter_mut().for_each(Vec::clear);
        for (at, (value, group)) in values.iter().zip(&self.of).enumerate() {
            if !is_absent(*value) {
                self.members[*group].push(at);
            }
        }
        results.fill(ABSENT);
        for members in &mut self.members {
            // Among equal values, the first counts.
            members.sort_unstable_by(|a, b| {
                let order = nan_last(values[*a], values[*b], self.largest);
                order.then(a.cmp(b))
            });
            for at in members.iter().take(self.count) {
                results[*at] = values[*at];
            }
        }
    }
}

fn nan_last(a: f64, b: f64, largest: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => {
            let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
            if largest { order.reverse() } else { order }
        }
        (a, b) => a.cmp(&b),
    }
}
