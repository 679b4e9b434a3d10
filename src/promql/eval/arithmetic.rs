//! Arithmetic and comparison of two values.

use super::Notes;
use crate::promql::histogram::Kept;
use crate::promql::parse::Op;
use crate::promql::value::PointValue;

/// The result of an operator on two values.
pub(super) enum Outcome {
    Value(PointValue),
    /// The result of a comparison.
    Compared(bool),
    /// The operator does not apply to values of these kinds.
    Undefined,
}

pub(crate) fn arithmetic(op: Op, left: f64, right: f64) -> f64 {
    match op {
        Op::Add => left + right,
        Op::Sub => left - right,
        Op::Mul => left * right,
        Op::Div => left / right,
        Op::Mod => left % right,
        Op::Pow => left.powf(right),
        Op::Atan2 => left.atan2(right),
        _ => f64::NAN,
    }
}

#[expect(clippy::float_cmp, reason = "the meaning of the operator")]
pub(crate) fn compare(op: Op, left: f64, right: f64) -> bool {
    match op {
        Op::Equal => left == right,
        Op::NotEqual => left != right,
        Op::Less => left < right,
        Op::LessEqual => left <= right,
        Op::Greater => left > right,
        Op::GreaterEqual => left >= right,
        _ => false,
    }
}

/// Applies an operator other than a set operator.
pub(super) fn apply(
    op: Op,
    left: &PointValue,
    right: &PointValue,
    at: usize,
    notes: &mut Notes<'_>,
) -> Outcome {
    use PointValue::{Float, Histogram};
    match (left, right) {
        (Float(left), Float(right)) if op.is_comparison() => {
            Outcome::Compared(compare(op, *left, *right))
        }
        (Float(_), Float(_)) if op.keeps_name(false) => undefined("float", op, "float", at, notes),
        (Float(left), Float(right)) => {
            Outcome::Value(PointValue::Float(arithmetic(op, *left, *right)))
        }
        (Histogram(left), Histogram(right)) => match op {
            Op::Add | Op::Sub => match left.combined(right, op == Op::Sub, at, notes) {
                Some(sum) => Outcome::Value(sum.into()),
                None => Outcome::Undefined,
            },
            Op::Equal => Outcome::Compared(left.equals(right)),
            Op::NotEqual => Outcome::Compared(!left.equals(right)),
            _ => undefined("histogram", op, "histogram", at, notes),
        },
        (Histogram(histogram), Float(factor)) => match op {
            Op::Mul => Outcome::Value(histogram.scaled(*factor).into()),
            Op::TrimUpper => Outcome::Value(histogram.trimmed(*factor, Kept::Below).into()),
            Op::TrimLower => Outcome::Value(histogram.trimmed(*factor, Kept::Above).into()),
            Op::Div => Outcome::Value(histogram.divided(*factor).into()),
            _ => undefined("histogram", op, "float", at, notes),
        },
        (Float(factor), Histogram(histogram)) => match op {
            Op::Mul => Outcome::Value(histogram.scaled(*factor).into()),
            _ => undefined("float", op, "histogram", at, notes),
        },
    }
}

fn undefined(left: &str, op: Op, right: &str, at: usize, notes: &mut Notes<'_>) -> Outcome {
    let op = op.symbol();
    notes.info(
        at,
        format!(
            "incompatible sample types encountered for binary operator \"{op}\": {left} {op} \
             {right}"
        ),
    );
    Outcome::Undefined
}
