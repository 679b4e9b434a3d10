//! Aggregations that select series and leave them unchanged.

use std::cmp::Ordering;

use super::fold::ignored;
use super::groups::Groups;
use crate::promql::error::QueryError;
use crate::promql::eval::Eval;
use crate::promql::format::go_float;
use crate::promql::parse::Aggregation;
use crate::promql::value::{InstantSample, PointValue};

impl Eval<'_> {
    pub(super) fn choose(
        &mut self,
        (at, parameter_at, inner_at): (usize, usize, usize),
        op: Aggregation,
        parameter: f64,
        groups: &Groups,
        vector: Vec<InstantSample>,
    ) -> Result<Vec<InstantSample>, QueryError> {
        if op == Aggregation::LimitRatio {
            return self.limit_ratio((at, parameter_at), parameter, vector);
        }
        if parameter < 1.0 {
            return Ok(Vec::new());
        }
        if parameter.is_nan() {
            return Err(self.error(at, "Parameter value is NaN"));
        }
        if parameter >= i64::MAX as f64 {
            let value = go_float(parameter);
            return Err(self.error(at, format!("Scalar value {value} overflows int64")));
        }
        // At least 1, and a vector's length fits into an index.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "as above"
        )]
        let count = (parameter as u64).min(vector.len() as u64) as usize;
        let mut members: Vec<Vec<InstantSample>> = vec![Vec::new(); groups.len()];
        for (sample, group) in vector.into_iter().zip(&groups.of) {
            if op != Aggregation::Limitk && sample.value.as_float().is_none() {
                ignored(op, inner_at, &mut self.notes);
                continue;
            }
            members[*group].push(sample);
        }
        for samples in &mut members {
            match op {
                Aggregation::Topk => samples.sort_by(|a, b| nan_last(a, b, Ordering::reverse)),
                Aggregation::Bottomk => samples.sort_by(|a, b| nan_last(a, b, |order| order)),
                _ => {}
            }
            samples.truncate(count);
        }
        Ok(members.into_iter().flatten().collect())
    }

    /// The selection of a series depends only on its labels.
    fn limit_ratio(
        &mut self,
        (at, parameter_at): (usize, usize),
        ratio: f64,
        mut vector: Vec<InstantSample>,
    ) -> Result<Vec<InstantSample>, QueryError> {
        if ratio.is_nan() {
            return Err(self.error(at, "Ratio value is NaN"));
        }
        if ratio.abs() > 1.0 {
            let (ratio, cap) = (go_float(ratio), ratio.signum());
            let message =
                format!("ratio value should be between -1 and 1, got {ratio}, capping to {cap}");
            self.notes.warn(parameter_at, message);
        }
        let ratio = ratio.clamp(-1.0, 1.0);
        vector.retain(|sample| {
            let place = sample.labels.fingerprint() as f64 / u64::MAX as f64;
            if ratio >= 0.0 {
                place < ratio || ratio >= 1.0
            } else {
                place >= 1.0 + ratio
            }
        });
        Ok(vector)
    }
}

/// Orders two numbers by `order`; NaN comes last.
fn nan_last(
    a: &InstantSample,
    b: &InstantSample,
    order: impl Fn(Ordering) -> Ordering,
) -> Ordering {
    let value = |sample: &InstantSample| match sample.value {
        PointValue::Float(value) => value,
        PointValue::Histogram(_) => f64::NAN,
    };
    let (a, b) = (value(a), value(b));
    match (a.is_nan(), b.is_nan()) {
        (false, false) => order(a.partial_cmp(&b).unwrap_or(Ordering::Equal)),
        (a, b) => a.cmp(&b),
    }
}
