//! Math functions with parameters.

use crate::promql::error::QueryError;
use crate::promql::eval::{Eval, Value};
use crate::promql::parse::{Call, Node};
use crate::promql::value::PointValue;

pub(super) fn sgn(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

/// The larger one; NaN if either is.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

fn smaller(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.min(b)
    }
}

/// Maps the numbers of the first argument; histograms are dropped.
fn map(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
    function: impl Fn(f64) -> f64,
) -> Result<Value, QueryError> {
    let mut vector = eval.vector(call.argument(0, node), time)?;
    vector.retain_mut(|sample| match &mut sample.value {
        PointValue::Float(value) => {
            *value = function(*value);
            true
        }
        PointValue::Histogram(_) => false,
    });
    eval.drop_names(node.at, vector).map(Value::Vector)
}

pub(super) fn clamp(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    let min = eval.scalar(call.argument(1, node), time)?;
    let max = eval.scalar(call.argument(2, node), time)?;
    if max < min {
        return Ok(Value::Vector(Vec::new()));
    }
    map(eval, node, call, time, |value| {
        larger(min, smaller(max, value))
    })
}

pub(super) fn clamp_max(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    let max = eval.scalar(call.argument(1, node), time)?;
    map(eval, node, call, time, |value| smaller(max, value))
}

pub(super) fn clamp_min(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    let min = eval.scalar(call.argument(1, node), time)?;
    map(eval, node, call, time, |value| larger(min, value))
}

/// Rounds half up, to multiples of the second argument.
pub(super) fn round(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    let nearest = match call.arguments.get(1) {
        Some(argument) => eval.scalar(argument, time)?,
        None => 1.0,
    };
    // The inverse, so that multiples of 0.1 and the like are exact.
    let inverse = 1.0 / nearest;
    map(eval, node, call, time, |value| {
        (value * inverse + 0.5).floor() / inverse
    })
}

fn of_two(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
    choose: fn(f64, f64) -> f64,
) -> Result<Value, QueryError> {
    let first = eval.scalar(call.argument(0, node), time)?;
    let second = eval.scalar(call.argument(1, node), time)?;
    Ok(Value::Scalar(choose(first, second)))
}

pub(super) fn max_of(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    of_two(eval, node, call, time, larger)
}

pub(super) fn min_of(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    of_two(eval, node, call, time, smaller)
}
