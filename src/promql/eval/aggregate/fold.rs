//! Aggregations of numbers that are computed value by value.

use super::groups::Groups;
use crate::promql::eval::Notes;
use crate::promql::parse::Aggregation;
use crate::promql::quantile::quantile;
use crate::promql::value::{InstantSample, PointValue};

/// The state of an aggregation after some of its values.
#[derive(Clone, Copy, Default)]
pub(crate) struct Fold {
    count: f64,
    value: f64,
    mean: f64,
}

impl Fold {
    pub(crate) fn add(&mut self, op: Aggregation, value: f64) {
        self.count += 1.0;
        let first = self.count <= 1.0;
        match op {
            Aggregation::Min if first || value < self.value || self.value.is_nan() => {
                self.value = value;
            }
            Aggregation::Max if first || value > self.value || self.value.is_nan() => {
                self.value = value;
            }
            Aggregation::Stddev | Aggregation::Stdvar => {
                let delta = value - self.mean;
                self.mean += delta / self.count;
                self.value += delta * (value - self.mean);
            }
            _ => {}
        }
    }

    /// The result; `None` without a value.
    pub(crate) fn result(&self, op: Aggregation) -> Option<f64> {
        (self.count > 0.0).then(|| match op {
            Aggregation::Count => self.count,
            Aggregation::Group => 1.0,
            Aggregation::Stdvar => self.value / self.count,
            Aggregation::Stddev => (self.value / self.count).sqrt(),
            _ => self.value,
        })
    }
}

/// The result of each group, if it has a value.
pub(super) fn fold<'v>(
    groups: usize,
    values: impl Iterator<Item = (usize, &'v PointValue)>,
    op: Aggregation,
    at: usize,
    notes: &mut Notes<'_>,
) -> Vec<Option<PointValue>> {
    let mut folds = vec![Fold::default(); groups];
    for (group, value) in values {
        let value = match (value, op) {
            (PointValue::Float(value), _) => *value,
            (_, Aggregation::Count | Aggregation::Group) => 0.0,
            _ => {
                ignored(op, at, notes);
                continue;
            }
        };
        folds[group].add(op, value);
    }
    let results = folds.iter().map(|fold| fold.result(op));
    results
        .map(|result| result.map(PointValue::Float))
        .collect()
}

pub(super) fn ignored(op: Aggregation, at: usize, notes: &mut Notes<'_>) {
    notes.info(
        at,
        format!("ignored histogram in {} aggregation", op.name()),
    );
}

pub(super) fn quantiles(
    groups: &Groups,
    vector: &[InstantSample],
    q: f64,
    at: usize,
    notes: &mut Notes<'_>,
) -> Vec<InstantSample> {
    let mut values = vec![Vec::new(); groups.len()];
    for (sample, group) in vector.iter().zip(&groups.of) {
        match &sample.value {
            PointValue::Float(value) => values[*group].push(*value),
            PointValue::Histogram(_) => ignored(Aggregation::Quantile, at, notes),
        }
    }
    let values = values.into_iter().map(|mut values| {
        (!values.is_empty()).then(|| PointValue::Float(quantile(q, &mut values)))
    });
    groups.with(values.collect::<Vec<_>>())
}
