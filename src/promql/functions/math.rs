//! Math functions with parameters.

use crate::promql::error::QueryError;
use crate::promql::eval::{Args, Value};

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

pub(super) fn clamp(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let min = args.scalar(1)?;
    let max = args.scalar(2)?;
    if max < min {
        // The errors of the vector are errors all the same.
        args.vector(0)?;
        return Ok(Value::Vector(Vec::new()));
    }
    args.floats(|value| larger(min, smaller(max, value)))
}

pub(super) fn clamp_max(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let max = args.scalar(1)?;
    args.floats(|value| smaller(max, value))
}

pub(super) fn clamp_min(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let min = args.scalar(1)?;
    args.floats(|value| larger(min, value))
}

/// Rounds half up, to multiples of the second argument.
pub(super) fn round(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let nearest = if args.call.arguments.len() > 1 {
        args.scalar(1)?
    } else {
        1.0
    };
    // The inverse, so that multiples of 0.1 and the like are exact.
    let inverse = 1.0 / nearest;
    args.floats(|value| (value * inverse + 0.5).floor() / inverse)
}

fn of_two(args: &mut Args<'_, '_>, choose: fn(f64, f64) -> f64) -> Result<Value, QueryError> {
    let first = args.scalar(0)?;
    let second = args.scalar(1)?;
    Ok(Value::Scalar(choose(first, second)))
}

pub(super) fn max_of(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    of_two(args, larger)
}

pub(super) fn min_of(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    of_two(args, smaller)
}
