//! Binary operators, and the matching of vectors.

use std::sync::Arc;

use hashbrown::{HashSet, HashTable};

use super::arithmetic::{Outcome, apply, arithmetic, compare};
use super::{Eval, Value};
use crate::promql::error::QueryError;
use crate::promql::grouping::Grouping;
use crate::promql::labels::{LabelSet, METRIC_NAME};
use crate::promql::parse::{Binary, Many};
use crate::promql::value::{InstantSample, PointValue};

const NOT_ONE_TO_ONE: &str = "multiple matches for labels: many-to-one matching must be explicit \
                              (group_left/group_right)";

impl Eval<'_> {
    pub(super) fn binary(
        &mut self,
        at: usize,
        binary: &Binary,
        time: i64,
    ) -> Result<Value, QueryError> {
        let left = self.value(&binary.left, time)?;
        let right = self.value(&binary.right, time)?;
        match (left, right) {
            (Value::Scalar(left), Value::Scalar(right)) => {
                Ok(Value::Scalar(if binary.op.is_comparison() {
                    f64::from(u8::from(compare(binary.op, left, right)))
                } else {
                    arithmetic(binary.op, left, right)
                }))
            }
            (Value::Vector(vector), Value::Scalar(scalar)) => {
                self.with_scalar(at, binary, vector, scalar, false)
            }
            (Value::Scalar(scalar), Value::Vector(vector)) => {
                self.with_scalar(at, binary, vector, scalar, true)
            }
            (Value::Vector(left), Value::Vector(right)) if binary.op.is_set() => {
                Ok(Value::Vector(super::sets::apply(binary, left, right)))
            }
            (Value::Vector(left), Value::Vector(right)) => {
                self.pairs(at, binary, left, right).map(Value::Vector)
            }
            (Value::Text(_), _) | (_, Value::Text(_)) => {
                Err(self.error(at, "operators take numbers and vectors alone"))
            }
        }
    }

    /// Applies an operator to a vector and a scalar, which is the left operand if `first`.
    fn with_scalar(
        &mut self,
        at: usize,
        binary: &Binary,
        mut vector: Vec<InstantSample>,
        scalar: f64,
        first: bool,
    ) -> Result<Value, QueryError> {
        let scalar = PointValue::Float(scalar);
        vector.retain_mut(|sample| {
            let (left, right) = if first {
                (&scalar, &sample.value)
            } else {
                (&sample.value, &scalar)
            };
            match apply(binary.op, left, right, at, &mut self.notes) {
                Outcome::Value(value) => sample.value = value,
                Outcome::Compared(is_true) if binary.returns_bool => {
                    sample.value = f64::from(u8::from(is_true)).into();
                }
                Outcome::Compared(is_true) => return is_true,
                Outcome::Undefined => return false,
            }
            true
        });
        if binary.op.keeps_name(binary.returns_bool) {
            return Ok(Value::Vector(vector));
        }
        self.drop_names(at, vector).map(Value::Vector)
    }

    /// Matches two vectors and applies the operator to each pair.
    fn pairs(
        &mut self,
        at: usize,
        binary: &Binary,
        left: Vec<InstantSample>,
        right: Vec<InstantSample>,
    ) -> Result<Vec<InstantSample>, QueryError> {
        let fills = binary.fill.0.is_some() || binary.fill.1.is_some();
        let is_empty = if fills {
            left.is_empty() && right.is_empty()
        } else {
            left.is_empty() || right.is_empty()
        };
        // As in Prometheus, also if the other side has duplicates.
        if is_empty {
            return Ok(Vec::new());
        }
        let swapped = binary.many == Many::Right;
        // The "many" side comes first.
        let (many, one) = if swapped {
            (right, left)
        } else {
            (left, right)
        };
        let index = self.index(at, binary, &one)?;
        let (fill_many, fill_one) = if swapped {
            (binary.fill.1, binary.fill.0)
        } else {
            binary.fill
        };
        let mut matched = vec![false; one.len()];
        let mut result = Pairs::new(binary, many.len());
        let empty = LabelSet::empty();
        for sample in &many {
            let hash = binary.on.hash(&sample.labels);
            let same = |place: &usize| binary.on.same(&one[*place].labels, &sample.labels);
            let filled;
            let place = index.find(hash, same).copied();
            let (partner, partner_labels) = if let Some(place) = place {
                (&one[place].value, &one[place].labels)
            } else if let Some(fill) = fill_one {
                filled = PointValue::Float(fill);
                (&filled, &empty)
            } else {
                continue;
            };
            let sides = (&sample.labels, partner_labels);
            let is_defined = self.pair(at, binary, &mut result, sides, (&sample.value, partner))?;
            // A pair without a value, as of a histogram and a number, does not count.
            if let Some(matched) = place.and_then(|place| matched.get_mut(place))
                && is_defined
                && std::mem::replace(matched, true)
                && binary.many == Many::None
            {
                return Err(self.error(at, NOT_ONE_TO_ONE));
            }
        }
        if let Some(fill) = fill_many {
            let filled = PointValue::Float(fill);
            for (sample, _) in one.iter().zip(&matched).filter(|(_, matched)| !**matched) {
                let labels = binary.on.apply(&sample.labels);
                let sides = (&labels, &sample.labels);
                self.pair(at, binary, &mut result, sides, (&filled, &sample.value))?;
            }
        }
        Ok(result.found)
    }

    /// Indexes the "one" side by its matching labels.
    fn index(
        &self,
        at: usize,
        binary: &Binary,
        one: &[InstantSample],
    ) -> Result<HashTable<usize>, QueryError> {
        let on = &binary.on;
        let mut index = HashTable::with_capacity(one.len());
        for (place, sample) in one.iter().enumerate() {
            let hash = on.hash(&sample.labels);
            let same = |other: &usize| on.same(&one[*other].labels, &sample.labels);
            if let Some(other) = index.find(hash, same) {
                let side = if binary.many == Many::Right {
                    "left"
                } else {
                    "right"
                };
                let group = braced(&on.apply(&sample.labels));
                let (other, own) = (&one[*other].labels, &sample.labels);
                let (first, second) = (braced(other.min(own)), braced(other.max(own)));
                return Err(self.error(
                    at,
                    format!(
                        "found duplicate series for the match group {group} on the {side} \
                         hand-side of the operation: [{first}, {second}];many-to-many matching \
                         not allowed: matching labels must be unique on one side"
                    ),
                ));
            }
            let rehash = |place: &usize| on.hash(&one[*place].labels);
            index.insert_unique(hash, place, rehash);
        }
        Ok(index)
    }

    /// A pair: the labels and values of the "many" side and of the "one" side. False if the operator
    /// is not defined for them.
    fn pair(
        &mut self,
        at: usize,
        binary: &Binary,
        result: &mut Pairs,
        (many, one): (&LabelSet, &LabelSet),
        (many_value, one_value): (&PointValue, &PointValue),
    ) -> Result<bool, QueryError> {
        let (left, right) = if binary.many == Many::Right {
            (one_value, many_value)
        } else {
            (many_value, one_value)
        };
        let value = match apply(binary.op, left, right, at, &mut self.notes) {
            Outcome::Value(value) => value,
            Outcome::Compared(is_true) if binary.returns_bool => {
                PointValue::Float(f64::from(u8::from(is_true)))
            }
            Outcome::Compared(true) => left.clone(),
            Outcome::Compared(false) => return Ok(true),
            Outcome::Undefined => return Ok(false),
        };
        let matching = (&binary.on, binary.many, &*binary.include);
        let labels = pair_labels(matching, result.keeps_name, (many, one));
        if !result.seen.insert(labels.clone()) {
            return Err(self.error(
                at,
                if binary.many == Many::None {
                    NOT_ONE_TO_ONE
                } else {
                    "multiple matches for labels: grouping labels must ensure unique matches"
                },
            ));
        }
        result.found.push(InstantSample { labels, value });
        Ok(true)
    }
}

/// The results so far.
struct Pairs {
    found: Vec<InstantSample>,
    seen: HashSet<LabelSet, foldhash::fast::RandomState>,
    keeps_name: bool,
}

impl Pairs {
    fn new(binary: &Binary, capacity: usize) -> Self {
        Self {
            found: Vec::with_capacity(capacity),
            seen: HashSet::with_capacity_and_hasher(
                capacity,
                foldhash::fast::RandomState::default(),
            ),
            keeps_name: binary.op.keeps_name(binary.returns_bool),
        }
    }
}

/// The labels of a pair's result: those of the "many" side, and the included ones of the "one"
/// side.
pub(crate) fn pair_labels(
    (on, many_side, include): (&Grouping, Many, &[Arc<str>]),
    keeps_name: bool,
    (many, one): (&LabelSet, &LabelSet),
) -> LabelSet {
    let mut labels = if keeps_name {
        many.clone()
    } else {
        many.without_name()
    };
    if many_side == Many::None {
        labels = in_common(on, &labels);
    }
    for name in include {
        let value = one.value(name).cloned();
        labels = labels.with(name, value.unwrap_or_else(|| "".into()));
    }
    labels
}

/// The matching labels of a pair. `ignoring` keeps the metric's name.
fn in_common(on: &Grouping, labels: &LabelSet) -> LabelSet {
    let common = on.apply(labels);
    match labels.value(METRIC_NAME) {
        Some(name) if !on.takes => common.with(METRIC_NAME, name.clone()),
        _ => common,
    }
}

/// All labels in braces, for messages.
fn braced(labels: &LabelSet) -> String {
    let labels = labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"));
    format!("{{{}}}", labels.collect::<Vec<_>>().join(", "))
}
