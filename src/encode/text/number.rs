//! Formatting of numbers: the shortest text that parses to the same number.

use crate::registry::Number;

/// Appends a sample value.
#[inline]
pub(super) fn value(buf: &mut Vec<u8>, number: Number) {
    match number {
        Number::U64(n) => whole(buf, n),
        Number::I64(n) => signed(buf, n),
        Number::F64(n) => float(buf, n),
    }
}

/// Appends a whole number.
///
/// Its digits are computed in a register and stored at once. Libraries that write them to a buffer,
/// a few bytes at a time, and then copy it, stall the processor on each store: a seventh of the
/// time of a page of counters.
#[inline]
pub(super) fn whole(buf: &mut Vec<u8>, number: u64) {
    match u32::try_from(number) {
        Ok(number) if number < EIGHT => {
            let digits = eight(number);
            // The last digit is kept, even if it is zero.
            let zeros = (digits.trailing_zeros() / 8).min(7);
            let text = (digits | ASCII) >> (8 * zeros);
            buf.extend_from_slice(&text.to_le_bytes());
            buf.truncate(buf.len() - zeros as usize);
        }
        _ => long(buf, number),
    }
}

/// One more than the largest number of eight digits.
const EIGHT: u32 = 100_000_000;

/// Added to eight digits to make them characters.
const ASCII: u64 = 0x3030_3030_3030_3030;

#[inline(never)]
fn long(buf: &mut Vec<u8>, number: u64) {
    whole(buf, number / u64::from(EIGHT));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the remainder is less than the divisor"
    )]
    let last = (number % u64::from(EIGHT)) as u32;
    buf.extend_from_slice(&(eight(last) | ASCII).to_le_bytes());
}

/// The eight digits of a number below [`EIGHT`], the first in the lowest byte. All halves are
/// divided at once, then all quarters: a multiplication by 10,486 / 2²⁰ divides numbers below
/// 10,000 by 100, and one by 103 / 2¹⁰ those below 100 by 10.
#[inline]
fn eight(number: u32) -> u64 {
    let halves = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let pairs = hundreds | (halves - 100 * hundreds) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000F_000F_000F_000F;
    tens | (pairs - 10 * tens) << 8
}

#[inline]
fn signed(buf: &mut Vec<u8>, number: i64) {
    if number < 0 {
        buf.push(b'-');
    }
    whole(buf, number.unsigned_abs());
}

/// Appends a float; a whole one has no `.0`.
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
        signed(buf, number as i64);
    } else {
        buf.extend_from_slice(ryu::Buffer::new().format_finite(number).as_bytes());
    }
}

/// Appends a float in the labels `le` and `quantile`, where the text identifies the series: formatted
/// like Go's `%g`, as OpenMetrics 1.0 recommends ("Canonical Numbers") and the Prometheus libraries
/// for Go do. OpenMetrics requires a `.0` on whole ones.
pub(super) fn canonical(buf: &mut Vec<u8>, number: f64, openmetrics: bool) {
    if !number.is_finite() {
        return float(buf, number);
    }
    // The limits of `strconv.FormatFloat(number, 'g', -1, 64)`.
    if number == 0.0 || (1e-4..1e6).contains(&number.abs()) {
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(number);
        let whole = text.strip_suffix(".0").filter(|_| !openmetrics);
        return buf.extend_from_slice(whole.unwrap_or(text).as_bytes());
    }
    // The shortest digits and their exponent, `-1.25e-7`.
    let shortest = format!("{number:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    let sign = if power < 0 { '-' } else { '+' };
    let text = format!("{digits}e{sign}{:02}", power.unsigned_abs());
    buf.extend_from_slice(text.as_bytes());
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
    fn whole_numbers_as_the_standard_library_writes_them() {
        fn check(number: u64) {
            let mut buf = b"x".to_vec();
            whole(&mut buf, number);
            assert_eq!(buf, format!("x{number}").into_bytes());
            let number = number.cast_signed();
            buf.clear();
            signed(&mut buf, number);
            assert_eq!(buf, number.to_string().into_bytes());
        }
        // Every quotient and remainder of the divisions that are done by multiplication.
        for number in 0..10_000 {
            check(number);
            check(number * 10_000 + 9_999 - number);
        }
        for power in 0..20 {
            let ten = 10_u64.pow(power);
            for number in [ten - 1, ten, ten + 1, 9 * (ten / 10), ten | 1 << 63] {
                check(number);
            }
        }
        let mut random = 1_u64;
        for _ in 0..10_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            check(random >> (random % 64));
        }
        check(u64::MAX);
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

    fn canonical(number: f64, openmetrics: bool) -> String {
        let mut buf = Vec::new();
        super::canonical(&mut buf, number, openmetrics);
        String::from_utf8(buf).unwrap()
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

    #[test]
    fn bounds_without_an_exponent_have_all_their_digits() {
        let mut random = 1_u64;
        let check = |number: f64| {
            let text = canonical(number, false);
            let power = format!("{number:e}");
            let power: i32 = power.split_once('e').unwrap().1.parse().unwrap();
            assert_eq!(!text.contains('e'), (-4..6).contains(&power), "{text}");
            if !text.contains('e') {
                assert_eq!(text, number.to_string());
            }
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits());
        };
        for border in [1e-4_f64, 1e6] {
            for number in [border.next_down(), border, border.next_up()] {
                check(number);
                check(-number);
            }
        }
        for number in [0.0, -0.0, 123_456.0, 999_999.0, 0.1 + 0.2] {
            check(number);
        }
        for _ in 0..10_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            // From 2⁻³² to 2³².
            let exponent = 991 + (random >> 58);
            check(f64::from_bits(random & ((1 << 52) - 1) | exponent << 52));
        }
    }
}
