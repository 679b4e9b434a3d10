//! Evaluates aggregations.

mod choose;
mod fold;
mod groups;
mod sums;

pub(crate) use self::fold::Fold;
use self::groups::Groups;
pub(super) use self::groups::LastGroups;

use std::rc::Rc;

use super::Eval;
use crate::promql::error::QueryError;
use crate::promql::format::{go_float, is_label_name, plain_float};
use crate::promql::grouping::Grouping;
use crate::promql::parse::{Aggregate, Aggregation, Node};
use crate::promql::value::{InstantSample, PointValue};

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
        let vector = self.vector(&aggregate.inner, time)?;
        let groups = if self.repeats {
            self.groups
                .entry(at)
                .or_default()
                .of(&aggregate.by, &vector)
        } else {
            Rc::new(Groups::new(&aggregate.by, &vector))
        };
        let groups = &*groups;
        match (aggregate.op, parameter) {
            (Aggregation::Sum | Aggregation::Avg, _) => {
                let averages = aggregate.op == Aggregation::Avg;
                Ok(sums::sums(
                    groups,
                    &vector,
                    averages,
                    inner_at,
                    &mut self.notes,
                ))
            }
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
            ) => self.choose(
                (at, parameter_at, inner_at),
                aggregate.op,
                parameter,
                groups,
                vector,
            ),
            (op, _) => Ok(fold::fold(groups, &vector, op, inner_at, &mut self.notes)),
        }
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
        let all = Grouping::all();
        let groups = Groups::new(&all, &vector);
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
