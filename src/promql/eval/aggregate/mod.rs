//! Evaluates aggregations.

mod choose;
mod fold;
mod sums;

use hashbrown::HashTable;

pub(crate) use self::fold::Fold;

use super::Eval;
use crate::promql::error::QueryError;
use crate::promql::format::{go_float, is_label_name, plain_float};
use crate::promql::grouping::Grouping;
use crate::promql::labels::LabelSet;
use crate::promql::parse::{Aggregate, Aggregation, Node};
use crate::promql::value::{InstantSample, PointValue};

/// The groups of a vector, in the order of their first samples.
struct Groups {
    labels: Vec<LabelSet>,
    /// The index of each sample's group.
    of: Vec<usize>,
}

impl Groups {
    fn new(by: &Grouping, vector: &[InstantSample]) -> Self {
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

    fn len(&self) -> usize {
        self.labels.len()
    }

    /// A sample for each group that has a value.
    fn with(self, values: impl IntoIterator<Item = Option<PointValue>>) -> Vec<InstantSample> {
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

impl Aggregation {
    fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::Group => "group",
            Self::Stddev => "stddev",
            Self::Stdvar => "stdvar",
            Self::Topk => "topk",
            Self::Bottomk => "bottomk",
            Self::Limitk => "limitk",
            Self::LimitRatio => "limit_ratio",
            Self::Quantile => "quantile",
            Self::CountValues => "count_values",
        }
    }
}

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
        let groups = Groups::new(&aggregate.by, &vector);
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
                &groups,
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
