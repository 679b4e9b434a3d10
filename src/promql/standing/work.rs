//! The work of a part: once per set of series, and at each tick.

use std::sync::Arc;

use super::leaf::{Leaf, Ring};
use super::shape::{self, Matching, Pairs, Sets};
use super::{ABSENT, Part, is_absent};
use crate::promql::eval::{Fold, Notes, Window, arithmetic, compare, millis};
use crate::promql::functions::{WindowFunction, classic_quantile};
use crate::promql::grouping::Grouping;
use crate::promql::kahan::Mean;
use crate::promql::labels::LabelSet;
use crate::promql::options::QueryOptions;
use crate::promql::parse::{Aggregation, Op};
use crate::promql::recorded::{Index, Recorded};
use crate::promql::value::Sample;

/// The work of a part.
pub(super) enum Work {
    Select(Leaf),
    Range(Ring),
    Over {
        function: WindowFunction,
        keeps_name: bool,
        scalars: Vec<f64>,
    },
    Map(fn(f64) -> f64),
    Negate,
    Scalar {
        op: Op,
        scalar: f64,
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

/// The accumulators of an aggregation's groups.
pub(super) enum Groups {
    Sums(Vec<(bool, Mean)>),
    Folds(Vec<Fold>),
}

/// Buffers reused from tick to tick.
#[derive(Default)]
pub(super) struct Scratch {
    points: Vec<(i64, f64)>,
    ticks: Vec<i64>,
    samples: Vec<Sample>,
}

impl Groups {
    pub(super) fn new(op: Aggregation) -> Self {
        match op {
            Aggregation::Sum | Aggregation::Avg => Self::Sums(Vec::new()),
            _ => Self::Folds(Vec::new()),
        }
    }

    fn begin(&mut self, count: usize) {
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

    fn add(&mut self, op: Aggregation, group: usize, value: f64) {
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

    fn result(&self, op: Aggregation, group: usize) -> f64 {
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

impl Part {
    /// Prepares the work for a set of series. False if its values depend on which series have
    /// values.
    pub(super) fn build(
        &mut self,
        before: &[Self],
        index: &Arc<Index>,
        options: &QueryOptions,
    ) -> bool {
        let inputs = &self.inputs;
        let labels = |at: usize| {
            let input = inputs.get(at).and_then(|input| before.get(*input));
            input.map_or(&[][..], |part| &part.labels)
        };
        let built = match &mut self.work {
            Work::Select(leaf) => leaf.build(index, options.max_series),
            Work::Range(ring) => {
                ring.filled = false;
                ring.leaf.build(index, options.max_series)
            }
            Work::Over { keeps_name, .. } if *keeps_name => Some(labels(0).to_vec()),
            Work::Over { .. } | Work::Map(_) | Work::Negate => shape::without_names(labels(0)),
            Work::Scalar {
                op, returns_bool, ..
            } => {
                if op.keeps_name(*returns_bool) {
                    Some(labels(0).to_vec())
                } else {
                    shape::without_names(labels(0))
                }
            }
            Work::Pair {
                op,
                returns_bool,
                matching,
                pairs,
            } => {
                let keeps_name = op.keeps_name(*returns_bool);
                let found = shape::pairs(matching, keeps_name, (labels(0), labels(1)));
                found.map(|(found, labels)| {
                    *pairs = found;
                    labels
                })
            }
            Work::Set { op, on, sets } => {
                let (found, labels) = Sets::new(*op, on, (labels(0), labels(1)));
                *sets = found;
                Some(labels)
            }
            Work::Fold { by, of, .. } => {
                let (found, labels) = shape::groups(labels(0), |labels| by.apply(labels));
                *of = found;
                Some(labels)
            }
            Work::Quantile {
                bounds, buckets, ..
            } => histograms(labels(0), bounds, buckets),
        };
        let good = built.is_some();
        self.labels = built.unwrap_or_default();
        self.values.clear();
        self.values.resize(self.labels.len(), ABSENT);
        good
    }

    /// Computes its values at a time. False if the history cannot provide them this way.
    pub(super) fn compute(
        &mut self,
        before: &[Self],
        source: &Recorded,
        (time, options): (i64, &QueryOptions),
        scratch: &mut Scratch,
        held: &mut usize,
    ) -> bool {
        let history = source.history();
        let inputs = &self.inputs;
        let input = |at: usize| inputs.get(at).and_then(|input| before.get(*input));
        let values = |at: usize| input(at).map_or(&[][..], |part| &part.values);
        let results = &mut self.values;
        match &mut self.work {
            Work::Select(leaf) => {
                let from = time.saturating_sub(millis(options.lookback));
                let range = (from.saturating_add(1), time);
                return leaf.newest(history, range, &mut scratch.points, results);
            }
            Work::Range(ring) => {
                let Scratch { points, ticks, .. } = scratch;
                let most = options.max_samples;
                return ring.advance(history, time, (points, ticks), (held, most));
            }
            Work::Over {
                function, scalars, ..
            } => {
                let Some(input) = input(0) else {
                    return false;
                };
                return over(
                    *function,
                    scalars,
                    time,
                    input,
                    &mut scratch.samples,
                    results,
                );
            }
            Work::Map(function) => map(values(0), results, *function),
            Work::Negate => map(values(0), results, |value| -value),
            Work::Scalar {
                op,
                scalar,
                first,
                returns_bool,
            } => {
                let sides = |value| {
                    if *first {
                        (*scalar, value)
                    } else {
                        (value, *scalar)
                    }
                };
                let kind = (*op, *returns_bool);
                map(values(0), results, |value| apply(kind, sides(value), value));
            }
            Work::Pair {
                op,
                returns_bool,
                pairs,
                ..
            } => {
                let (left, right) = (values(0), values(1));
                for ((at, other), result) in pairs.iter().zip(results) {
                    let sides = (left[*at], right[*other]);
                    *result = if is_absent(sides.0) || is_absent(sides.1) {
                        ABSENT
                    } else {
                        apply((*op, *returns_bool), sides, sides.0)
                    };
                }
            }
            Work::Set { op, sets, .. } => set(*op, sets, (values(0), values(1)), results),
            Work::Fold { op, of, groups, .. } => {
                groups.begin(results.len());
                for (value, group) in values(0).iter().zip(of) {
                    if !is_absent(*value) {
                        groups.add(*op, *group, *value);
                    }
                }
                for (at, result) in results.iter_mut().enumerate() {
                    *result = groups.result(*op, at);
                }
            }
            Work::Quantile { q, bounds, buckets } => {
                buckets.iter_mut().for_each(Vec::clear);
                for (value, (bound, group)) in values(0).iter().zip(bounds) {
                    if !is_absent(*value) {
                        buckets[*group].push((*bound, *value));
                    }
                }
                for (buckets, result) in buckets.iter_mut().zip(results) {
                    *result = if buckets.is_empty() {
                        ABSENT
                    } else {
                        classic_quantile(*q, buckets)
                    };
                }
            }
        }
        true
    }
}

/// Applies a function to the samples of each series.
fn over(
    function: WindowFunction,
    scalars: &[f64],
    time: i64,
    part: &Part,
    samples: &mut Vec<Sample>,
    results: &mut [f64],
) -> bool {
    let Work::Range(ring) = &part.work else {
        return false;
    };
    let mut notes = Notes::new("");
    for (at, (labels, result)) in part.labels.iter().zip(results).enumerate() {
        ring.samples(at, samples);
        let window = Window {
            labels,
            samples,
            after: time.saturating_sub(ring.range),
            until: time,
            time,
            scalars,
            at: 0,
            scalar_at: 0,
        };
        let value = (!window.samples.is_empty()).then(|| function(&window, &mut notes));
        let number = value.flatten().and_then(|value| value.as_float());
        *result = number.unwrap_or(ABSENT);
    }
    true
}

fn map(values: &[f64], results: &mut [f64], function: impl Fn(f64) -> f64) {
    for (value, result) in values.iter().zip(results) {
        *result = if is_absent(*value) {
            ABSENT
        } else {
            function(*value)
        };
    }
}

/// Applies an operator to two values; a true comparison returns `kept`.
fn apply((op, returns_bool): (Op, bool), (left, right): (f64, f64), kept: f64) -> f64 {
    if !op.is_comparison() {
        return arithmetic(op, left, right);
    }
    match (compare(op, left, right), returns_bool) {
        (is_true, true) => f64::from(u8::from(is_true)),
        (true, false) => kept,
        (false, false) => ABSENT,
    }
}

fn set(op: Op, sets: &Sets, (left, right): (&[f64], &[f64]), results: &mut [f64]) {
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
fn histograms(
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
