//! Addition and subtraction of histograms.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{FloatHistogram, ResetHint};
use crate::promql::eval::Notes;

/// The error of combining exponential buckets with custom bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Incompatible;

/// Annotations of a sum.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Merged {
    /// One has a reset hint, and the other the opposite.
    pub(super) collision: bool,
    /// Only the common bounds are left.
    pub(super) reconciled: bool,
}

/// Converts two histograms to the same buckets.
pub(super) fn align(
    a: &mut FloatHistogram,
    b: &mut FloatHistogram,
) -> Result<Merged, Incompatible> {
    if a.has_custom_bounds() != b.has_custom_bounds() {
        return Err(Incompatible);
    }
    let mut merged = Merged::default();
    if a.has_custom_bounds() {
        if a.bounds != b.bounds {
            let common: Arc<[f64]> = intersection(&a.bounds, &b.bounds);
            a.rebound(&common);
            b.rebound(&common);
            merged.reconciled = true;
        }
    } else {
        // Widening may merge a whole bucket, so that the other one has to follow.
        while a.zero_threshold < b.zero_threshold || b.zero_threshold < a.zero_threshold {
            a.widen_zero(b.zero_threshold);
            b.widen_zero(a.zero_threshold);
        }
        let schema = a.schema.min(b.schema);
        a.reduce_to(schema);
        b.reduce_to(schema);
    }
    Ok(merged)
}

fn intersection(a: &[f64], b: &[f64]) -> Arc<[f64]> {
    let has = |bound: &&f64| b.binary_search_by(|other| other.total_cmp(bound)).is_ok();
    a.iter().filter(has).copied().collect()
}

/// Merges sorted buckets; a bucket missing on one side is zero.
pub(super) fn zip(a: &[(i32, f64)], b: &[(i32, f64)], mut with: impl FnMut(i32, f64, f64)) {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some((left, _)), Some((right, _))) => left.cmp(right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return,
        };
        let left = if order.is_le() { a.next() } else { None };
        let right = if order.is_ge() { b.next() } else { None };
        let index = left.or(right).map_or(0, |(index, _)| *index);
        with(
            index,
            left.map_or(0.0, |(_, count)| *count),
            right.map_or(0.0, |(_, count)| *count),
        );
    }
}

impl ResetHint {
    /// The hint of a sum, and whether the two contradict each other.
    pub(super) fn joined(self, other: Self) -> (Self, bool) {
        match (self, other) {
            (a, b) if a == b => (a, false),
            (Self::Gauge, _) | (_, Self::Gauge) => (Self::Gauge, false),
            (Self::Unknown, _) | (_, Self::Unknown) => (Self::Unknown, false),
            _ => (Self::Unknown, true),
        }
    }
}

impl FloatHistogram {
    /// Merges the counts into fewer bounds, each of which is one of the previous bounds.
    pub(super) fn rebound(&mut self, bounds: &Arc<[f64]>) {
        let mut found: Vec<(i32, f64)> = Vec::with_capacity(self.positive.len());
        for (index, count) in &self.positive {
            let (_, upper) = self.positive_bounds(*index);
            let place = bounds.partition_point(|bound| *bound < upper);
            let place = i32::try_from(place).unwrap_or(i32::MAX);
            match found.last_mut().filter(|(last, _)| *last == place) {
                Some((_, sum)) => *sum += count,
                None => found.push((place, *count)),
            }
        }
        self.positive = found;
        self.bounds = Arc::clone(bounds);
    }

    /// Adds another histogram, multiplied by 1 or −1.
    pub(super) fn add(&mut self, other: &Self, sign: f64) -> Result<Merged, Incompatible> {
        let mut other = other.clone();
        let mut merged = align(self, &mut other)?;
        (self.reset_hint, merged.collision) = self.reset_hint.joined(other.reset_hint);
        self.count += sign * other.count;
        self.sum += sign * other.sum;
        self.zero_count += sign * other.zero_count;
        for (own, others) in [
            (&mut self.positive, &other.positive),
            (&mut self.negative, &other.negative),
        ] {
            let mut sum = Vec::with_capacity(own.len() + others.len());
            zip(own, others, |index, a, b| sum.push((index, a + sign * b)));
            *own = sum;
        }
        Ok(merged)
    }

    /// The sum with another one, multiplied by 1 or −1, if they are compatible.
    pub(crate) fn plus(&self, other: &Self, sign: f64) -> Option<Self> {
        let mut sum = self.clone();
        sum.add(other, sign).ok()?;
        Some(sum)
    }

    /// The result of the operators `+` and `-`, if the two are compatible.
    pub(crate) fn combined(
        &self,
        other: &Self,
        subtract: bool,
        at: usize,
        notes: &mut Notes<'_>,
    ) -> Option<Self> {
        let (sign, word) = if subtract {
            (-1.0, "subtraction")
        } else {
            (1.0, "addition")
        };
        let mut sum = self.clone();
        let Ok(merged) = sum.add(other, sign) else {
            let op = if subtract { '-' } else { '+' };
            notes.warn(
                at,
                format!("incompatible bucket layout encountered for binary operator {op}"),
            );
            return None;
        };
        merged.remark(word, at, notes);
        if subtract {
            sum.reset_hint = ResetHint::Gauge;
        }
        sum.compact();
        Some(sum)
    }
}

impl Merged {
    /// Drops the annotation on differing resets, for functions that handle resets.
    pub(super) fn without_collision(self) -> Self {
        Self {
            collision: false,
            ..self
        }
    }

    pub(super) fn remark(self, word: &str, at: usize, notes: &mut Notes<'_>) {
        if self.collision {
            notes.warn(
                at,
                format!("conflicting counter resets during histogram {word}"),
            );
        }
        if self.reconciled {
            notes.info(
                at,
                format!("mismatched custom buckets were reconciled during {word}"),
            );
        }
    }
}
