//! Conversions between scalars and vectors, and time functions.

use crate::promql::error::QueryError;
use crate::promql::eval::{Args, Value};
use crate::promql::parse::Kind;
use crate::promql::value::InstantSample;

fn seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}

pub(super) fn time(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    Ok(Value::Scalar(seconds(args.time)))
}

pub(super) fn start(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    Ok(Value::Scalar(seconds(args.eval.query().0)))
}

pub(super) fn end(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    Ok(Value::Scalar(seconds(args.eval.query().1)))
}

/// The time from the first step to the last; 0 in an instant query.
pub(super) fn range(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let (start, end) = args.eval.query();
    Ok(Value::Scalar(seconds(end.saturating_sub(start))))
}

/// The time between two steps; 0 in an instant query.
pub(super) fn step(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    Ok(Value::Scalar(seconds(args.eval.step)))
}

pub(super) fn pi(_: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    Ok(Value::Scalar(std::f64::consts::PI))
}

/// The number of the only sample.
pub(super) fn scalar(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let vector = args.vector(0)?;
    let mut floats = vector.iter().filter_map(|sample| sample.value.as_float());
    Ok(Value::Scalar(match (floats.next(), floats.next()) {
        (Some(value), None) => value,
        _ => f64::NAN,
    }))
}

pub(super) fn vector(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let value = args.scalar(0)?;
    Ok(Value::Vector(vec![InstantSample::unlabelled(value)]))
}

/// The times of a selector's samples; the evaluation time for any other expression.
pub(super) fn timestamp(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let samples = if let Kind::Selector(place) = args.node(0).kind {
        args.eval.select_samples(place, args.time)
    } else {
        let vector = args.vector(0)?.into_iter();
        vector.map(|sample| (sample, args.time)).collect()
    };
    let samples = samples.into_iter().map(|(sample, taken)| InstantSample {
        labels: sample.labels,
        value: seconds(taken).into(),
    });
    let samples = args.eval.drop_names(args.node.at, samples.collect())?;
    Ok(Value::Vector(samples))
}
