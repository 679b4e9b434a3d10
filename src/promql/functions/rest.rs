//! Conversions between scalars and vectors, and time functions.

use crate::promql::error::QueryError;
use crate::promql::eval::{Eval, Value};
use crate::promql::labels::LabelSet;
use crate::promql::parse::{Call, Kind, Node};
use crate::promql::value::InstantSample;

fn seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}

pub(super) fn time(_: &mut Eval<'_>, _: &Node, _: &Call, time: i64) -> Result<Value, QueryError> {
    Ok(Value::Scalar(seconds(time)))
}

pub(super) fn start(eval: &mut Eval<'_>, _: &Node, _: &Call, _: i64) -> Result<Value, QueryError> {
    Ok(Value::Scalar(seconds(eval.query().0)))
}

pub(super) fn end(eval: &mut Eval<'_>, _: &Node, _: &Call, _: i64) -> Result<Value, QueryError> {
    Ok(Value::Scalar(seconds(eval.query().1)))
}

/// The time from the first step to the last; 0 in an instant query.
pub(super) fn range(eval: &mut Eval<'_>, _: &Node, _: &Call, _: i64) -> Result<Value, QueryError> {
    let (start, end) = eval.query();
    Ok(Value::Scalar(seconds(end.saturating_sub(start))))
}

/// The time between two steps; 0 in an instant query.
pub(super) fn step(eval: &mut Eval<'_>, _: &Node, _: &Call, _: i64) -> Result<Value, QueryError> {
    Ok(Value::Scalar(seconds(eval.step)))
}

pub(super) fn pi(_: &mut Eval<'_>, _: &Node, _: &Call, _: i64) -> Result<Value, QueryError> {
    Ok(Value::Scalar(std::f64::consts::PI))
}

/// The number of the only sample.
pub(super) fn scalar(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    let vector = eval.vector(call.argument(0, node), time)?;
    let mut floats = vector.iter().filter_map(|sample| sample.value.as_float());
    Ok(Value::Scalar(match (floats.next(), floats.next()) {
        (Some(value), None) => value,
        _ => f64::NAN,
    }))
}

pub(super) fn vector(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    let value = eval.scalar(call.argument(0, node), time)?;
    Ok(Value::Vector(vec![InstantSample {
        labels: LabelSet::empty(),
        value: value.into(),
    }]))
}

/// The times of a selector's samples; the evaluation time for any other expression.
pub(super) fn timestamp(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    let argument = call.argument(0, node);
    let samples = if let Kind::Selector(place) = argument.kind {
        eval.select_samples(place, time)
    } else {
        let vector = eval.vector(argument, time)?;
        vector.into_iter().map(|sample| (sample, time)).collect()
    };
    let samples = samples.into_iter().map(|(sample, taken)| InstantSample {
        labels: sample.labels,
        value: seconds(taken).into(),
    });
    eval.drop_names(node.at, samples.collect())
        .map(Value::Vector)
}
