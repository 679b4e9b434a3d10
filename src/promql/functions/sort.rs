//! Sorting functions, which have no effect in a range query.

use std::cmp::Ordering;

use crate::promql::error::QueryError;
use crate::promql::eval::{Args, Value};
use crate::promql::value::InstantSample;

/// By value; NaN comes last, and histograms are dropped.
fn by_value(
    args: &mut Args<'_, '_>,
    order: impl Fn(Ordering) -> Ordering,
) -> Result<Value, QueryError> {
    let vector = args.vector(0)?;
    let value = |sample: InstantSample| Some((sample.value.as_float()?, sample));
    let mut floats: Vec<_> = vector.into_iter().filter_map(value).collect();
    floats.sort_by(|(a, _), (b, _)| match (a.is_nan(), b.is_nan()) {
        (false, false) => order(a.partial_cmp(b).unwrap_or(Ordering::Equal)),
        (a, b) => a.cmp(&b),
    });
    Ok(Value::Vector(
        floats.into_iter().map(|(_, sample)| sample).collect(),
    ))
}

pub(super) fn sort(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    by_value(args, |order| order)
}

pub(super) fn sort_desc(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    by_value(args, Ordering::reverse)
}

/// By label values in natural order, then by all labels.
fn by_label(args: &mut Args<'_, '_>) -> Result<Vec<InstantSample>, QueryError> {
    let mut vector = args.vector(0)?;
    let names = args.strings(1)?;
    vector.sort_by(|a, b| {
        let by_name = names.iter().map(|name| {
            natural(
                a.labels.get(name).unwrap_or_default(),
                b.labels.get(name).unwrap_or_default(),
            )
        });
        by_name
            .fold(Ordering::Equal, Ordering::then)
            .then_with(|| a.labels.cmp(&b.labels))
    });
    Ok(vector)
}

pub(super) fn sort_by_label(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    by_label(args).map(Value::Vector)
}

pub(super) fn sort_by_label_desc(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let mut vector = by_label(args)?;
    vector.reverse();
    Ok(Value::Vector(vector))
}

/// Compares texts in natural order: runs of digits as numbers.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (Some(first), Some(second)) = (a.first(), b.first()) else {
            return a.len().cmp(&b.len());
        };
        if first.is_ascii_digit() && second.is_ascii_digit() {
            let (left, right) = (digits(a), digits(b));
            let number = |text: &[u8]| {
                let zeros = text.iter().take_while(|digit| **digit == b'0').count();
                text.len() - zeros
            };
            let (left_size, right_size) = (number(left), number(right));
            let order = left_size
                .cmp(&right_size)
                .then_with(|| {
                    left[left.len() - left_size..].cmp(&right[right.len() - right_size..])
                })
                .then_with(|| left.len().cmp(&right.len()));
            if order.is_ne() {
                return order;
            }
            (a, b) = (&a[left.len()..], &b[right.len()..]);
        } else if first == second {
            (a, b) = (&a[1..], &b[1..]);
        } else {
            return first.cmp(second);
        }
    }
}

fn digits(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    &text[..end.unwrap_or(text.len())]
}
