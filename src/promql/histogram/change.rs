//! Changes of native histograms over a range.

use std::sync::Arc;

use super::merge::zip;
use super::{FloatHistogram, ResetHint};
use crate::promql::eval::{Notes, Window};
use crate::promql::value::{PointValue, Sample};

impl FloatHistogram {
    /// Whether a reset happened since the previous one.
    pub(crate) fn is_reset_of(&self, before: &Self) -> bool {
        match self.reset_hint {
            ResetHint::Reset => true,
            ResetHint::NotReset => false,
            ResetHint::Unknown | ResetHint::Gauge => self.has_less_than(before),
        }
    }

    /// Whether any counter is below that of the previous one, or cannot be compared because its
    /// buckets are finer.
    fn has_less_than(&self, before: &Self) -> bool {
        if self.count < before.count {
            return true;
        }
        if self.has_custom_bounds() != before.has_custom_bounds() {
            return true;
        }
        let (mut after, mut before) = (self.clone(), before.clone());
        if self.has_custom_bounds() {
            if super::merge::align(&mut after, &mut before).is_err() {
                return true;
            }
        } else {
            if after.schema > before.schema || after.zero_threshold < before.zero_threshold {
                return true;
            }
            let (_, threshold) = before.wider_zero(after.zero_threshold);
            if threshold > after.zero_threshold {
                return true;
            }
            before.widen_zero(after.zero_threshold);
            before.reduce_to(after.schema);
        }
        let mut less = after.zero_count < before.zero_count;
        for (after, before) in [
            (&after.positive, &before.positive),
            (&after.negative, &before.negative),
        ] {
            zip(after, before, |_, after, before| less |= after < before);
        }
        less
    }
}

/// Detects resets for histograms without a reset hint.
pub(crate) fn find_resets(samples: &mut [Sample]) {
    let mut before: Option<Arc<FloatHistogram>> = None;
    for sample in samples {
        let PointValue::Histogram(histogram) = &mut sample.value else {
            continue;
        };
        if let Some(before) = &before
            && histogram.reset_hint == ResetHint::Unknown
        {
            let is_reset = histogram.has_less_than(before);
            let hint = if is_reset {
                ResetHint::Reset
            } else {
                ResetHint::NotReset
            };
            Arc::make_mut(histogram).reset_hint = hint;
        }
        before = Some(Arc::clone(histogram));
    }
}

fn not_a_counter(window: &Window<'_>, notes: &mut Notes<'_>) {
    let name = window.labels.name().unwrap_or_default();
    notes.warn(
        window.at,
        format!("this native histogram metric is not a counter: {name:?}"),
    );
}

fn not_a_gauge(window: &Window<'_>, notes: &mut Notes<'_>) {
    let name = window.labels.name().unwrap_or_default();
    notes.warn(
        window.at,
        format!("this native histogram metric is not a gauge: {name:?}"),
    );
}

fn mixed_schemas(window: &Window<'_>, notes: &mut Notes<'_>) {
    let name = window.labels.name().unwrap_or_default();
    notes.warn(
        window.at,
        format!(
            "vector contains a mix of histograms with exponential and custom buckets schemas for \
             metric name {name:?}"
        ),
    );
}

fn is_gauge(histogram: &FloatHistogram) -> bool {
    histogram.reset_hint == ResetHint::Gauge
}

/// The last histogram of a range minus the first, corrected for counter resets.
pub(crate) fn change(
    points: &[&FloatHistogram],
    is_counter: bool,
    window: &Window<'_>,
    notes: &mut Notes<'_>,
) -> Option<FloatHistogram> {
    let [first, others @ .., last] = points else {
        return None;
    };
    if is_counter && points.iter().any(|point| is_gauge(point)) {
        not_a_counter(window, notes);
    }
    // If the second one is a reset, the first one has no effect, including its bucket layout.
    let second = others.first().unwrap_or(last);
    let empty;
    let mut before: &FloatHistogram = first;
    if is_counter && second.is_reset_of(first) {
        empty = FloatHistogram {
            schema: second.schema,
            bounds: second.bounds.clone(),
            zero_threshold: second.zero_threshold,
            ..FloatHistogram::default()
        };
        before = &empty;
    }
    let custom = before.has_custom_bounds();
    let mut all = others.iter().chain([last]);
    if all.any(|point| point.has_custom_bounds() != custom) {
        mixed_schemas(window, notes);
        return None;
    }
    let mut change = (*last).clone();
    if is_counter {
        let schemas = others.iter().map(|point| point.schema);
        change.reduce_to(schemas.fold(before.schema.min(last.schema), i32::min));
    }
    let subtracted = change.add(before, -1.0).ok()?;
    if subtracted.reconciled {
        subtracted
            .without_collision()
            .remark("subtraction", window.at, notes);
    }
    if is_counter {
        for point in others.iter().chain([last]) {
            if point.is_reset_of(before) {
                let added = change.add(before, 1.0).ok()?;
                added
                    .without_collision()
                    .remark("addition", window.at, notes);
            }
            before = point;
        }
    } else if !is_gauge(first) || !is_gauge(last) {
        not_a_gauge(window, notes);
    }
    change.reset_hint = ResetHint::Gauge;
    change.compact();
    Some(change)
}

/// The change between the last two of a range.
pub(crate) fn instant_change(
    before: &FloatHistogram,
    last: &FloatHistogram,
    is_rate: bool,
    window: &Window<'_>,
    notes: &mut Notes<'_>,
) -> Option<FloatHistogram> {
    if is_rate && (is_gauge(before) || is_gauge(last)) {
        not_a_counter(window, notes);
    }
    let are_gauges = is_gauge(before) && is_gauge(last);
    if !is_rate && !are_gauges {
        not_a_gauge(window, notes);
    }
    let mut change = last.clone();
    if !is_rate || !last.is_reset_of(before) {
        let Ok(merged) = change.add(before, -1.0) else {
            mixed_schemas(window, notes);
            return None;
        };
        merged
            .without_collision()
            .remark("subtraction", window.at, notes);
    }
    change.reset_hint = ResetHint::Gauge;
    change.compact();
    Some(change)
}
