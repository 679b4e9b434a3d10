//! Native buckets as spans and deltas
//! (<https://prometheus.io/docs/specs/native_histograms/>).

use super::wire;
use crate::registry::{COARSEST_SCHEMA, FINEST_SCHEMA, NativeBuckets};

/// The largest gap encoded as empty buckets, a byte each; a new span costs several.
const GAP: i64 = 2;

/// The field numbers of one side.
struct Side {
    span: u8,
    delta: u8,
}

const NEGATIVE: Side = Side { span: 9, delta: 10 };
const POSITIVE: Side = Side {
    span: 12,
    delta: 13,
};

/// Whether Prometheus accepts them: for invalid ones it rejects the whole page.
pub(super) fn is_valid(native: &NativeBuckets) -> bool {
    let threshold = native.zero_threshold;
    let side = |buckets: &[(i32, u64)]| {
        let rising = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0);
        // Indexes of floats are below 2^19 even with the finest schema, so that a gap fits an
        // `i32`; the difference of two such counts fits an `i64`.
        let fits =
            |(index, count): &(i32, u64)| index.unsigned_abs() <= 1 << 20 && *count < 1 << 62;
        rising && buckets.iter().all(fits)
    };
    (COARSEST_SCHEMA..=FINEST_SCHEMA).contains(&native.schema)
        && threshold.is_finite()
        && threshold >= 0.0
        && side(&native.positive)
        && side(&native.negative)
}

/// Writes the native buckets as fields of a histogram.
pub(super) fn write(buf: &mut Vec<u8>, native: &NativeBuckets) {
    wire::sint(buf, 5, i64::from(native.schema));
    wire::double(buf, 6, native.zero_threshold);
    wire::uint(buf, 7, native.zero_count);
    side(buf, &NEGATIVE, &native.negative);
    side(buf, &POSITIVE, &native.positive);
    let empty = native.positive.is_empty() && native.negative.is_empty();
    if empty && native.zero_count == 0 && native.zero_threshold == 0.0 {
        // A histogram without spans, and without a zero bucket, would be read as a classic one.
        span(buf, POSITIVE.span, 0, 0);
    }
}

/// Writes one side: spans of buckets, and the change of the count from one bucket to the next.
fn side(buf: &mut Vec<u8>, fields: &Side, buckets: &[(i32, u64)]) {
    // The start of the span, relative to the end of the previous one, and its length.
    let (mut offset, mut length) = (0, 0);
    let mut next = 0_i64;
    for (index, _) in buckets {
        let index = i64::from(*index);
        let gap = index - next;
        if length > 0 && gap <= GAP {
            length += gap + 1;
        } else {
            if length > 0 {
                span(buf, fields.span, offset, length);
            }
            (offset, length) = (gap, 1);
        }
        next = index + 1;
    }
    if length > 0 {
        span(buf, fields.span, offset, length);
        wire::message(buf, fields.delta, |buf| deltas(buf, buckets));
    }
}

fn deltas(buf: &mut Vec<u8>, buckets: &[(i32, u64)]) {
    let mut before = 0_i64;
    let mut next = None;
    for (index, count) in buckets {
        let index = i64::from(*index);
        let gap = next.map_or(0, |next| index - next);
        if (1..=GAP).contains(&gap) {
            // A short gap is written as empty buckets of the same span.
            for _ in 0..gap {
                wire::zigzag(buf, -before);
                before = 0;
            }
        }
        let count = count.cast_signed();
        wire::zigzag(buf, count - before);
        before = count;
        next = Some(index + 1);
    }
}

fn span(buf: &mut Vec<u8>, field: u8, offset: i64, length: i64) {
    wire::message(buf, field, |buf| {
        wire::sint(buf, 1, offset);
        wire::uint(buf, 2, length.cast_unsigned());
    });
}
