//! Numbers as text: the shortest that reads back as the same number.

use crate::registry::Number;

/// Appends a sample value.
#[inline]
pub(super) fn value(buf: &mut Vec<u8>, number: Number) {
    match number {
        Number::U64(n) => whole(buf, n),
        Number::I64(n) => whole(buf, n),
        Number::F64(n) => float(buf, n),
    }
}

/// Appends a whole number.
#[inline]
pub(super) fn whole(buf: &mut Vec<u8>, number: impl itoa::Integer) {
    buf.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a float; one that is whole has no `.0`.
pub(super) fn float(buf: &mut Vec<u8>, number: f64) {
    /// Up to here every whole float is an `i64`, and the text is no longer than that of ryu.
    const WHOLE: f64 = 1e15;
    if number.is_nan() {
        buf.extend_from_slice(b"NaN");
    } else if number.is_infinite() {
        buf.extend_from_slice(if number > 0.0 { b"+Inf" } else { b"-Inf" });
    } else if number.abs() < WHOLE && number.trunc().to_bits() == number.to_bits() {
        if number == 0.0 && number.is_sign_negative() {
            buf.push(b'-');
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole, and below 1e15")]
        whole(buf, number as i64);
    } else {
        buf.extend_from_slice(ryu::Buffer::new().format_finite(number).as_bytes());
    }
}

/// A float as it stands in the labels `le` and `quantile`, where the text is the identity of
/// the series: as Go's `%g` writes it, which OpenMetrics 1.0 recommends ("Canonical Numbers")
/// and the Prometheus libraries for Go do. OpenMetrics wants a `.0` on whole ones.
pub(super) fn canonical(number: f64, openmetrics: bool) -> String {
    if !number.is_finite() {
        let mut text = Vec::new();
        float(&mut text, number);
        return String::from_utf8_lossy(&text).into_owned();
    }
    // The shortest digits and their exponent, `-1.25e-7`.
    let shortest = format!("{number:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    // The borders of `strconv.FormatFloat(number, 'g', -1, 64)`.
    if (-4..6).contains(&power) {
        let mut text = format!("{number}");
        if openmetrics && !text.contains('.') {
            text.push_str(".0");
        }
        return text;
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", power.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: f64) -> String {
        let mut buf = Vec::new();
        float(&mut buf, number);
        String::from_utf8(buf).unwrap()
    }

    #[test]
    fn floats_read_back_as_the_same_number() {
        for (number, want) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e16"),
            (f64::MAX, "1.7976931348623157e308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (5e-324, "5e-324"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(text(number), want);
            let back: f64 = want.parse().unwrap();
            assert!(back.to_bits() == number.to_bits() || number.is_nan());
        }
    }

    #[test]
    fn whole_numbers_keep_every_digit() {
        let mut buf = Vec::new();
        value(&mut buf, Number::U64(u64::MAX));
        buf.push(b' ');
        value(&mut buf, Number::I64(i64::MIN));
        assert_eq!(buf, b"18446744073709551615 -9223372036854775808");
    }

    /// The examples of OpenMetrics 1.0, section "Canonical Numbers", and a few of Go's.
    #[test]
    fn bounds_are_written_as_go_does() {
        for want in [
            "0.0",
            "0.001",
            "0.002",
            "0.01",
            "0.1",
            "0.9",
            "0.95",
            "0.99",
            "0.999",
            "1.0",
            "1.7",
            "10.0",
            "1e-10",
            "1e-09",
            "1e-05",
            "0.0001",
            "100000.0",
            "1e+06",
            "1e+10",
            "+Inf",
            "-Inf",
            "NaN",
            "-1.0",
            "2.5e+06",
            "1.23456789e+08",
            "1e+300",
        ] {
            assert_eq!(canonical(want.parse().unwrap(), true), want);
            let plain = want.strip_suffix(".0").unwrap_or(want);
            assert_eq!(canonical(want.parse().unwrap(), false), plain);
        }
    }
}
