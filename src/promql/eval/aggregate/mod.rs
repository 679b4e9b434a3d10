//! Evaluates aggregations.

mod choose;
mod fold;
mod groups;
mod sums;

pub(crate) use self::fold::Fold;
pub(super) use self::groups::{Groups, LastGroups};

use std::rc::Rc;

use super::{Eval, Run};
use crate::promql::error::QueryError;
use crate::promql::format::{go_float, is_label_name, plain_float};
use crate::promql::grouping::Grouping;
use crate::promql::labels::LabelSet;
use crate::promql::parse::{Aggregate, Aggregation, Kind, Node};
use crate::promql::value::{InstantSample, PointValue};

/// Groups, and values with the index of their group.
type Grouped = (Rc<Groups>, Vec<(usize, PointValue)>);

impl Eval<'_> {
    pub(super) fn aggregate(
        &mut self,
        at: usize,
        aggregate: &Aggregate,
        time: i64,
    ) -> Result<Vec<InstantSample>, QueryError> {
        let inner_at = aggregate.inner.at;
        if aggregate.op == Aggregation::CountValues {
            let label = self.string(self.parameter(at, aggregate)?, time)?;
            let vector = self.vector(&aggregate.inner, time)?;
            return self.count_values(at, aggregate, &label, vector);
        }
        let parameter = match &aggregate.parameter {
            Some(node) => Some((self.scalar(node, time)?, node.at)),
            None => None,
        };
        let op = aggregate.op;
        if self.repeats
            && is_of_values(op)
            && let Some((groups, values)) = self.grouped_ranges(at, aggregate, time)?
        {
            let values = values.iter().map(|(group, value)| (*group, value));
            return Ok(self.folded(op, inner_at, &groups, values));
        }
        let vector = self.vector(&aggregate.inner, time)?;
        let groups = if self.repeats {
            self.groups
                .entry(at)
                .or_default()
                .of(&aggregate.by, &vector)
        } else {
            let labels = vector.iter().map(|sample| &sample.labels);
            Rc::new(Groups::new(&aggregate.by, labels))
        };
        let groups = &*groups;
        match (op, parameter) {
            (Aggregation::Quantile, Some((q, q_at))) => {
                if q.is_nan() || !(0.0..=1.0).contains(&q) {
                    let q = go_float(q);
                    let message = format!("quantile value should be between 0 and 1, got {q}");
                    self.notes.warn(q_at, message);
                }
                Ok(fold::quantiles(
                    groups,
                    &vector,
                    q,
                    inner_at,
                    &mut self.notes,
                ))
            }
            (
                Aggregation::Topk
                | Aggregation::Bottomk
                | Aggregation::Limitk
                | Aggregation::LimitRatio,
                Some((parameter, parameter_at)),
            ) => self.choose((at, parameter_at, inner_at), op, parameter, groups, vector),
            _ => {
                let values = vector.iter().map(|sample| &sample.value);
                let values = groups.of.iter().copied().zip(values);
                Ok(self.folded(op, inner_at, groups, values))
            }
        }
    }

    /// The result of each group with a value.
    fn folded<'v>(
        &mut self,
        op: Aggregation,
        at: usize,
        groups: &Groups,
        values: impl Iterator<Item = (usize, &'v PointValue)>,
    ) -> Vec<InstantSample> {
        let notes = &mut self.notes;
        groups.with(match op {
            Aggregation::Sum => sums::sums(groups.len(), values, false, at, notes),
            Aggregation::Avg => sums::sums(groups.len(), values, true, at, notes),
            _ => fold::fold(groups.len(), values, op, at, notes),
        })
    }

    /// The values of a function over ranges, with their groups, which are those of all steps: so a
    /// step moves no labels. `None` for another expression, and if the function drops names by
    /// which series differ.
    fn grouped_ranges(
        &mut self,
        at: usize,
        aggregate: &Aggregate,
        time: i64,
    ) -> Result<Option<Grouped>, QueryError> {
        let node = &aggregate.inner;
        let Kind::Call(call) = &node.kind else {
            return Ok(None);
        };
        if matches!(self.range_groups.get(&at), Some(None)) {
            return Ok(None);
        }
        let function = self.functions.get(call.place).map(|function| function.run);
        let Some(Run::Window {
            function,
            keeps_name,
        }) = function
        else {
            return Ok(None);
        };
        let ranges = self.ranges(node, call, function, time)?;
        let groups = self.range_groups.entry(at).or_insert_with(|| {
            let labels = || ranges.series().iter().map(|series| &series.labels);
            let are_distinct =
                keeps_name || (!aggregate.by.takes_name() && all_of_one_name(labels()));
            are_distinct.then(|| Rc::new(Groups::new(&aggregate.by, labels())))
        });
        let Some(groups) = groups.clone() else {
            return Ok(None);
        };
        let mut values = Vec::with_capacity(groups.of.len());
        for (series, group) in ranges.series().iter().zip(&groups.of) {
            if let Some(value) = ranges.value(series, &mut self.notes) {
                values.push((*group, value));
            }
        }
        self.guard.check(node.at)?;
        Ok(Some((groups, values)))
    }

    fn parameter<'a>(&self, at: usize, aggregate: &'a Aggregate) -> Result<&'a Node, QueryError> {
        let parameter = aggregate.parameter.as_ref();
        parameter.ok_or_else(|| self.error(at, "the parameter is missing"))
    }

    /// Counts the samples of each value, which becomes a label.
    fn count_values(
        &self,
        at: usize,
        aggregate: &Aggregate,
        label: &str,
        mut vector: Vec<InstantSample>,
    ) -> Result<Vec<InstantSample>, QueryError> {
        if !is_label_name(label) {
            return Err(self.error(at, format!("invalid label name {label:?}")));
        }
        for sample in &mut vector {
            let value = match &sample.value {
                PointValue::Float(value) => plain_float(*value),
                PointValue::Histogram(histogram) => histogram.to_string(),
            };
            sample.labels = aggregate.by.apply(&sample.labels).with(label, value);
        }
        // The remaining labels are those of the groups.
        let labels = vector.iter().map(|sample| &sample.labels);
        let groups = Groups::new(&Grouping::all(), labels);
        let mut counts = vec![0.0; groups.len()];
        for group in &groups.of {
            counts[*group] += 1.0;
        }
        Ok(groups.with(
            counts
                .into_iter()
                .map(|count| Some(PointValue::Float(count))),
        ))
    }
}

/// Whether the result of a group depends on nothing but its values.
fn is_of_values(op: Aggregation) -> bool {
    use Aggregation::{Avg, Count, Group, Max, Min, Stddev, Stdvar, Sum};
    matches!(op, Sum | Avg | Min | Max | Count | Group | Stddev | Stdvar)
}

fn all_of_one_name<'l>(mut series: impl Iterator<Item = &'l LabelSet>) -> bool {
    let first = series.next();
    first.is_none_or(|first| series.all(|labels| labels.has_name_of(first)))
}
