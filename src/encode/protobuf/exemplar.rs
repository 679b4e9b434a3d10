//! Exemplars and times as messages.

use super::{labels, wire};
use crate::registry::Exemplar;
use crate::util::escape;

/// Writes an exemplar as a field. One with a non-finite value is left out.
#[cold]
pub(super) fn exemplar(buf: &mut Vec<u8>, field: u8, exemplar: &Exemplar) {
    if !exemplar.value.is_finite() {
        return;
    }
    wire::message(buf, field, |buf| {
        labels::fields(buf, escape::labels(exemplar.labels()));
        wire::double(buf, 2, exemplar.value);
        timestamp(buf, 3, exemplar.at);
    });
}

/// Writes a `google.protobuf.Timestamp` as a field: whole seconds and nanoseconds. An invalid time
/// is left out.
pub(super) fn timestamp(buf: &mut Vec<u8>, field: u8, at: f64) {
    // The years 1 to 9999, as the type allows. An f64 of today resolves fractions of a microsecond.
    if !(-62_135_596_800.0..253_402_300_799.0).contains(&at) {
        return;
    }
    let micros = (at.fract() * 1e6).round();
    #[expect(clippy::cast_possible_truncation, reason = "within the range above")]
    let micros = at.trunc() as i64 * 1_000_000 + micros as i64;
    wire::message(buf, field, |buf| {
        let seconds = micros.div_euclid(1_000_000);
        wire::uint(buf, 1, seconds.cast_unsigned());
        let nanos = micros.rem_euclid(1_000_000) * 1_000;
        wire::uint(buf, 2, nanos.cast_unsigned());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_go_down_and_nanoseconds_up() {
        let written = |at| {
            let mut buf = Vec::new();
            timestamp(&mut buf, 3, at);
            buf
        };
        let want = |seconds: i64, nanos: u64| {
            let mut buf = Vec::new();
            wire::message(&mut buf, 3, |buf| {
                wire::uint(buf, 1, seconds.cast_unsigned());
                wire::uint(buf, 2, nanos);
            });
            buf
        };
        for (at, seconds, nanos) in [
            (0.0, 0, 0),
            (1_520_879_607.789, 1_520_879_607, 789_000_000),
            (1_520_879_607.999_999_9, 1_520_879_608, 0),
            (-0.25, -1, 750_000_000),
            (-1.0, -1, 0),
        ] {
            assert_eq!(written(at), want(seconds, nanos), "{at}");
        }
        for none in [f64::NAN, f64::INFINITY, 1e300, -1e300] {
            assert_eq!(written(none), [] as [u8; 0]);
        }
    }
}
