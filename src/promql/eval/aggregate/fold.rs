//! Aggregations of numbers that fold one value after another.

use super::Groups;
use crate::promql::eval::Notes;
use crate::promql::parse::Aggregation;
use crate::promql::quantile::quantile;
use crate::promql::value::{InstantSample, PointValue};

#[derive(Clone, Copy, Default)]
struct Fold {
    count: f64,
    value: f64,
    mean: f64,
}

pub(super) fn fold(
    groups: Groups,
    vector: &[InstantSample],
    op: Aggregation,
    at: usize,
    notes: &mut Notes<'_>,
) -> Vec<InstantSample> {
    let mut folds = vec![Fold::default(); groups.len()];
    for (sample, group) in vector.iter().zip(&groups.of) {
        let fold = &mut folds[*group];
        let value = match (&sample.value, op) {
            (PointValue::Float(value), _) => *value,
            (_, Aggregation::Count | Aggregation::Group) => 0.0,
            _ => {
                ignored(op, at, notes);
                continue;
            }
        };
        fold.count += 1.0;
        let first = fold.count <= 1.0;
        match op {
            Aggregation::Min if first || value < fold.value || fold.value.is_nan() => {
                fold.value = value;
            }
            Aggregation::Max if first || value > fold.value || fold.value.is_nan() => {
                fold.value = value;
            }
            Aggregation::Stddev | Aggregation::Stdvar => {
                let delta = value - fold.mean;
                fold.mean += delta / fold.count;
                fold.value += delta * (value - fold.mean);
            }
            _ => {}
        }
    }
    let values = folds.into_iter().map(|fold| {
        (fold.count > 0.0).then(|| {
            PointValue::Float(match op {
                Aggregation::Count => fold.count,
                Aggregation::Group => 1.0,
                Aggregation::Stdvar => fold.value / fold.count,
                Aggregation::Stddev => (fold.value / fold.count).sqrt(),
                _ => fold.value,
            })
        })
    });
    groups.with(values.collect::<Vec<_>>())
}

pub(super) fn ignored(op: Aggregation, at: usize, notes: &mut Notes<'_>) {
    notes.info(
        at,
        format!("ignored histogram in {} aggregation", op.name()),
    );
}

pub(super) fn quantiles(
    groups: Groups,
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
