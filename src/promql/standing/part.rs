//! A part of a query: built once per set of series, and computed at each tick.

use std::sync::Arc;

use super::absent::{ABSENT, is_absent};
use super::beside::Beside;
use super::leaf::Ring;
use super::shape::{self, Sets};
use super::steps::Steps;
use super::work::{self, Scalar, Scratch, Work};
use crate::promql::eval::millis;
use crate::promql::labels::LabelSet;
use crate::promql::options::QueryOptions;
use crate::promql::recorded::{Index, Recorded};
use crate::promql::value::Sample;

/// A part of a query.
pub(super) struct Part {
    pub(super) work: Work,
    /// The parts from which it is computed.
    pub(super) inputs: Vec<usize>,
    /// For a subquery, the parts of its expression: inputs first, the result last. Its selectors are
    /// ranges that include all steps.
    pub(super) inner: Vec<Self>,
    /// The labels of its results.
    pub(super) labels: Vec<LabelSet>,
    /// The value of each result, or [`ABSENT`].
    pub(super) values: Vec<f64>,
    /// The last build, which made `labels`.
    pub(super) built: Option<Built>,
    /// The last computation, which made `values`.
    pub(super) computed: Option<Computed>,
    /// For a leaf: the set of names besides the history, and whether it may match series there.
    pub(super) beside: Option<(u64, bool)>,
}

/// The build of a part.
#[derive(Clone, Copy)]
pub(super) struct Built {
    /// Its number; parts built from it have higher ones.
    pub(super) at: u64,
    pub(super) good: bool,
    /// For a leaf: the sets of series of the history, and besides it if the leaf reads these.
    pub(super) of: (u64, Option<u64>),
}

/// The computation of a part.
#[derive(Clone, Copy)]
pub(super) struct Computed {
    pub(super) at: u64,
    pub(super) good: bool,
    pub(super) time: i64,
    /// For a leaf that reads values besides the history: their state.
    pub(super) of: Option<u64>,
}

impl Part {
    pub(super) fn new(work: Work, inputs: Vec<usize>) -> Self {
        Self {
            work,
            inputs,
            inner: Vec::new(),
            labels: Vec::new(),
            values: Vec::new(),
            built: None,
            computed: None,
            beside: None,
        }
    }

    /// The number of series that it reads itself.
    pub(super) fn series(&self) -> usize {
        match &self.work {
            Work::Select(_) | Work::Range(_) => self.labels.len(),
            _ => self.inner.iter().map(Self::series).sum(),
        }
    }

    /// Whether it may read series besides the history itself.
    pub(super) fn may_read(&self, beside: &dyn Beside) -> bool {
        match &self.work {
            Work::Select(leaf) | Work::Range(Ring { leaf, .. }) => beside.may_match(&leaf.matchers),
            _ => self.inner.iter().any(|part| part.may_read(beside)),
        }
    }

    /// The same, determined again only if there are other names.
    pub(super) fn reads_beside(&mut self, beside: &dyn Beside) -> bool {
        if !self.inputs.is_empty() {
            return false;
        }
        let names = beside.names();
        match self.beside {
            Some((known, reads)) if known == names => reads,
            _ => {
                let reads = self.may_read(beside);
                self.beside = Some((names, reads));
                reads
            }
        }
    }

    /// Whether its build is up to date.
    pub(super) fn is_built(&self, before: &[Self], of: (u64, Option<u64>)) -> bool {
        let Some(built) = self.built else {
            return false;
        };
        if self.inputs.is_empty() {
            return built.of == of;
        }
        let mut inputs = self
            .inputs
            .iter()
            .filter_map(|input| before.get(*input)?.built);
        inputs.all(|input| input.at < built.at)
    }

    /// Whether its values are up to date.
    pub(super) fn is_computed(&self, before: &[Self], time: i64, of: Option<u64>) -> bool {
        let Some(computed) = self.computed.filter(|computed| computed.time == time) else {
            return false;
        };
        let mut inputs = self
            .inputs
            .iter()
            .filter_map(|input| before.get(*input)?.computed);
        computed.of == of && inputs.all(|input| input.at < computed.at)
    }

    /// The part and its samples, if it is a range.
    pub(super) fn ring(&self) -> Option<(&Self, &Ring)> {
        match &self.work {
            Work::Range(ring) => Some((self, ring)),
            _ => None,
        }
    }

    /// The samples of a series after one time and up to another; none unless it is a range or a
    /// subquery.
    pub(super) fn samples(&self, series: usize, times: (i64, i64), into: &mut Vec<Sample>) {
        match &self.work {
            Work::Range(ring) => ring.samples(series, times, into),
            Work::Steps(steps) => steps.samples(series, times, into),
            _ => into.clear(),
        }
    }

    /// Prepares the work for a set of series. False if its values depend on which series have
    /// values.
    pub(super) fn build(
        &mut self,
        before: &[Self],
        (index, beside): (&Arc<Index>, Option<&dyn Beside>),
        options: &QueryOptions,
    ) -> bool {
        let inputs = &self.inputs;
        let labels = |at: usize| {
            let input = inputs.get(at).and_then(|input| before.get(*input));
            input.map_or(&[][..], |part| &part.labels)
        };
        let built = match &mut self.work {
            Work::Select(leaf) => leaf.build(index, beside, options.max_series),
            Work::Range(ring) => {
                ring.filled = false;
                let found = ring.leaf.build(index, beside, options.max_series);
                found.filter(|_| ring.leaf.is_measured())
            }
            Work::Steps(_) => {
                let inner = &mut self.inner;
                let is_built = beside.is_none() && build_all(inner, index, options);
                let result = self.inner.last().filter(|_| is_built);
                result.map(|part| part.labels.clone())
            }
            Work::Earlier { .. } => Some(labels(0).to_vec()),
            Work::Absent { labels, .. } => Some(vec![labels.clone()]),
            Work::Choose(choice) => Some(choice.build(labels(0))),
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
            } => work::histograms(labels(0), bounds, buckets),
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
        (source, beside): (&Recorded, &dyn Beside),
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
                let sources = (history, beside);
                return leaf.newest(sources, range, &mut scratch.points, results);
            }
            Work::Range(ring) => {
                let Scratch { points, ticks, .. } = scratch;
                let most = options.max_samples;
                return ring.advance(history, time, (points, ticks), (held, most));
            }
            Work::Over {
                function,
                scalars,
                range,
                offset,
                ..
            } => {
                let Some(input) = input(0) else {
                    return false;
                };
                let until = time.saturating_sub(*offset);
                let times = (time, until.saturating_sub(*range), until);
                let samples = &mut scratch.samples;
                let read = |at, times, into: &mut _| input.samples(at, times, into);
                let input = (&input.labels[..], read);
                work::over((*function, scalars), times, input, samples, results);
            }
            Work::Steps(steps) => {
                let sources = (source, beside);
                return steps.begin(time, results.len(), options)
                    && at_steps(
                        &mut self.inner,
                        steps,
                        sources,
                        (time, options),
                        (scratch, held),
                    );
            }
            Work::Earlier { offset, back } => {
                let Some((_, ring)) = input(0).and_then(Part::ring) else {
                    return false;
                };
                let until = time.saturating_sub(*offset);
                let times = (until.saturating_sub(*back), until);
                for (at, result) in results.iter_mut().enumerate() {
                    *result = ring.newest_at(at, times);
                }
            }
            Work::Absent { times, .. } => {
                let is_there = match (*times, input(0).and_then(Part::ring)) {
                    (None, _) => values(0).iter().any(|value| !is_absent(*value)),
                    (Some((range, offset)), Some((_, ring))) => {
                        let until = time.saturating_sub(offset);
                        let times = (until.saturating_sub(range), until);
                        (0..values(0).len()).any(|at| ring.has(at, times))
                    }
                    (Some(_), None) => return false,
                };
                results.fill(if is_there { ABSENT } else { 1.0 });
            }
            _ => self.combine(before, time),
        }
        true
    }

    /// Computes its values at a time from those of its inputs alone.
    fn combine(&mut self, before: &[Self], time: i64) {
        let inputs = &self.inputs;
        let values = |at: usize| {
            let input = inputs.get(at).and_then(|input| before.get(*input));
            input.map_or(&[][..], |part| &part.values)
        };
        let results = &mut self.values;
        match &mut self.work {
            Work::Choose(choice) => choice.compute(values(0), results),
            Work::Map(function) => work::map(values(0), results, *function),
            Work::Negate => work::map(values(0), results, |value| -value),
            Work::Scalar {
                op,
                scalar,
                first,
                returns_bool,
            } => {
                let scalar = match scalar {
                    Scalar::Number(number) => *number,
                    Scalar::Time => time as f64 / 1_000.0,
                };
                let sides = |value| {
                    if *first {
                        (scalar, value)
                    } else {
                        (value, scalar)
                    }
                };
                let kind = (*op, *returns_bool);
                work::map(values(0), results, |value| {
                    work::apply(kind, sides(value), value)
                });
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
                        work::apply((*op, *returns_bool), sides, sides.0)
                    };
                }
            }
            Work::Set { op, sets, .. } => work::set(*op, sets, (values(0), values(1)), results),
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
                work::quantiles(*q, (values(0), bounds), buckets, results);
            }
            // These read samples.
            Work::Select(_)
            | Work::Range(_)
            | Work::Steps(_)
            | Work::Over { .. }
            | Work::Earlier { .. }
            | Work::Absent { .. } => {}
        }
    }
}

/// Builds the parts of a subquery. False if one is none for it.
fn build_all(parts: &mut [Part], index: &Arc<Index>, options: &QueryOptions) -> bool {
    (0..parts.len()).all(|at| {
        let (before, rest) = parts.split_at_mut(at);
        let part = rest.first_mut();
        part.is_some_and(|part| part.build(before, (index, None), options))
    })
}

/// Computes the parts of a subquery at each step. False if the history cannot provide the samples this
/// way.
fn at_steps(
    parts: &mut [Part],
    steps: &mut Steps,
    sources: (&Recorded, &dyn Beside),
    (time, options): (i64, &QueryOptions),
    (scratch, held): (&mut Scratch, &mut usize),
) -> bool {
    let is_range = |part: &Part| matches!(part.work, Work::Range(_));
    let mut ranges = parts.iter_mut().filter(|part| is_range(part));
    if !ranges.all(|part| part.compute(&[], sources, (time, options), scratch, held)) {
        return false;
    }
    for nth in 0..steps.count() {
        let time = steps.time(nth);
        for at in 0..parts.len() {
            let (before, rest) = parts.split_at_mut(at);
            if let Some(part) = rest.first_mut().filter(|part| !is_range(part))
                && !part.compute(before, sources, (time, options), scratch, held)
            {
                return false;
            }
        }
        steps.push(parts.last().map_or(&[][..], |result| &result.values));
    }
    true
}
