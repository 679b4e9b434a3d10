//! The kinds of work of a part.

use super::absent::{ABSENT, is_absent};
use super::choice::Choice;
use super::leaf::{Leaf, Ring};
use super::shape::{self, Matching, Pairs, Sets};
use super::steps::Steps;
use crate::promql::eval::{Fold, Notes, Window, WindowFunction, arithmetic, compare};
use crate::promql::functions::classic_quantile;
use crate::promql::grouping::Grouping;
use crate::promql::kahan::Mean;
use crate::promql::labels::LabelSet;
use crate::promql::parse::{Aggregation, Op};
use crate::promql::value::Sample;

/// The work of a part.
pub(super) enum Work {
    Select(Leaf),
    Range(Ring),
    Steps(Steps),
    Over {
        function: WindowFunction,
        keeps_name: bool,
        scalars: Vec<f64>,
        /// In milliseconds.
        range: i64,
        /// In milliseconds.
        offset: i64,
    },
    /// The newest value of each series at an earlier time.
    Earlier {
        offset: i64,
        /// The look-back.
        back: i64,
    },
    Absent {
        labels: LabelSet,
        /// For a range selector: the range and the offset.
        times: Option<(i64, i64)>,
    },
    Choose(Choice),
    Map(fn(f64) -> f64),
    Negate,
    Scalar {
        op: Op,
        scalar: Scalar,
        /// Whether the scalar is the left operand.
        first: bool,
        returns_bool: bool,
    },
    Pair {
        op: Op,
        returns_bool: bool,
        matching: Matching,
        pairs: Pairs,
    },
    Set {
        op: Op,
        on: Grouping,
        sets: Sets,
    },
    Fold {
        op: Aggregation,
        by: Grouping,
        of: Vec<usize>,
        groups: Groups,
    },
    Quantile {
        q: f64,
        /// For each series its bound, and the index of its histogram.
        bounds: Vec<(f64, usize)>,
        buckets: Vec<Vec<(f64, f64)>>,
    },
}

/// A scalar operand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar {
    Number(f64),
    /// The time of the query, in seconds.
    Time,
}

/// The accumulators of an aggregation's groups.
pub(super) enum Groups {
    Sums(Vec<(bool, Mean)>),
    Folds(Vec<Fold>),
}

/// Buffers reused from tick to tick.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) points: Vec<(i64, f64)>,
    pub(super) ticks: Vec<i64>,
    pub(super) samples: Vec<Sample>,
}

impl Groups {
    pub(super) fn new(op: Aggregation) -> Self {
        match op {
            Aggregation::Sum | Aggregation::Avg => Self::Sums(Vec::new()),
            _ => Self::Folds(Vec::new()),
        }
    }

    pub(super) fn begin(&mut self, count: usize) {
        match self {
            Self::Sums(sums) => {
                sums.clear();
                sums.resize(count, (false, Mean::default()));
            }
            Self::Folds(folds) => {
                folds.clear();
                folds.resize(count, Fold::default());
            }
        }
    }

    pub(super) fn add(&mut self, op: Aggregation, group: usize, value: f64) {
        match self {
            Self::Sums(sums) => {
                let (seen, sum) = &mut sums[group];
                *seen = true;
                if op == Aggregation::Avg {
                    sum.add(value);
                } else {
                    sum.add_to_sum(value);
                }
            }
            Self::Folds(folds) => folds[group].add(op, value),
        }
    }

    pub(super) fn result(&self, op: Aggregation, group: usize) -> f64 {
        match self {
            Self::Sums(sums) => match &sums[group] {
                (false, _) => ABSENT,
                (true, sum) if op == Aggregation::Avg => sum.mean(),
                (true, sum) => sum.sum(),
            },
            Self::Folds(folds) => folds[group].result(op).unwrap_or(ABSENT),
        }
    }
}

/// Applies a function to the samples of each series after one time and up to another.
pub(super) fn over(
    (function, scalars): (WindowFunction, &[f64]),
    (time, after, until): (i64, i64, i64),
    (labels, read): (&[LabelSet], impl Fn(usize, (i64, i64), &mut Vec<Sample>)),
    samples: &mut Vec<Sample>,
    results: &mut [f64],
) {
    let mut notes = Notes::new("");
    for (at, (labels, result)) in labels.iter().zip(results).enumerate() {
        read(at, (after, until), samples);
        let window = Window {
            labels,
            samples,
            after,
            until,
            time,
            scalars,
            at: 0,
            scalar_at: 0,
        };
        let value = (!window.samples.is_empty()).then(|| function(&window, &mut notes));
        let number = value.flatten().and_then(|value| value.as_float());
        *result = number.unwrap_or(ABSENT);
    }
}

pub(super) fn map(values: &[f64], results: &mut [f64], function: impl Fn(f64) -> f64) {
    for (value, result) in values.iter().zip(results) {
        *result = if is_absent(*value) {
            ABSENT
        } else {
            function(*value)
        };
    }
}

/// Applies an operator to two values; a true comparison returns `kept`.
pub(super) fn apply((op, returns_bool): (Op, bool), (left, right): (f64, f64), kept: f64) -> f64 {
    if !op.is_comparison() {
        return arithmetic(op, left, right);
    }
    match (compare(op, left, right), returns_bool) {
        (is_true, true) => f64::from(u8::from(is_true)),
        (true, false) => kept,
        (false, false) => ABSENT,
    }
}

pub(super) fn set(op: Op, sets: &Sets, (left, right): (&[f64], &[f64]), results: &mut [f64]) {
    let has = |at: usize, values: &[f64]| {
        let mut partners = sets.partners.of(at).iter();
        partners.any(|other| !is_absent(values[*other]))
    };
    if op == Op::Or {
        let (same, others) = results.split_at_mut(left.len());
        same.copy_from_slice(left);
        others.fill(ABSENT);
        for (at, (value, place)) in right.iter().zip(&sets.places).enumerate() {
            if !is_absent(*value) && !has(at, left) {
                results[*place] = *value;
            }
        }
        return;
    }
    for (at, (value, result)) in left.iter().zip(results).enumerate() {
        let stays = !is_absent(*value) && has(at, right) == (op == Op::And);
        *result = if stays { *value } else { ABSENT };
    }
}

/// The histograms to which bucket series belong; `None` if one is no bucket, which needs an
/// annotation.
pub(super) fn histograms(
    labels: &[LabelSet],
    bounds: &mut Vec<(f64, usize)>,
    buckets: &mut Vec<Vec<(f64, f64)>>,
) -> Option<Vec<LabelSet>> {
    let parsed = labels.iter().map(|labels| labels.get("le")?.parse().ok());
    let parsed: Vec<f64> = parsed.collect::<Option<_>>()?;
    let (of, groups) = shape::groups(labels, |labels| labels.with("le", ""));
    bounds.clear();
    bounds.extend(parsed.into_iter().zip(of));
    buckets.resize(groups.len(), Vec::new());
    let groups: Vec<LabelSet> = groups.iter().map(LabelSet::without_name).collect();
    shape::are_unique(&groups).then_some(groups)
}

/// The quantile of each histogram; of each series of buckets the bound and the histogram are known.
pub(super) fn quantiles(
    q: f64,
    (values, bounds): (&[f64], &[(f64, usize)]),
    buckets: &mut [Vec<(f64, f64)>],
    results: &mut [f64],
) {
    buckets.iter_mut().for_each(Vec::clear);
    for (value, (bound, group)) in values.iter().zip(bounds) {
        if !is_absent(*value) {
            buckets[*group].push((*bound, *value));
        }
    }
    for (buckets, result) in buckets.iter_mut().zip(results) {
        *result = if buckets.is_empty() {
            ABSENT
        } else {
            classic_quantile(q, buckets)
        };
    }
}
