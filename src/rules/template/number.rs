//! Numbers and times in Go's formats.

use crate::util::civil;

/// Go's `%v` of a float: the shortest text that parses to the same number.
pub(super) fn go_float(value: f64) -> String {
    general(value, None)
}

/// Go's `%g`: the shortest digits, or this many.
pub(super) fn general(value: f64, digits: Option<usize>) -> String {
    if !value.is_finite() {
        return not_finite(value);
    }
    let scientific = match digits {
        None => format!("{value:e}"),
        Some(digits) => format!("{value:.*e}", digits.max(1) - 1),
    };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let figures: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let figures = figures.trim_end_matches('0');
    let figures = if figures.is_empty() { "0" } else { figures };
    // The exponent from which on scientific notation is used.
    let count = i32::try_from(figures.len()).unwrap_or(i32::MAX);
    let most = match digits {
        None => 6,
        Some(digits) => {
            let digits = i32::try_from(digits.max(1)).unwrap_or(i32::MAX);
            if digits > count && count > exponent {
                count
            } else {
                digits
            }
        }
    };
    if exponent < -4 || exponent >= most.max(1) {
        let point = if figures.len() > 1 { "." } else { "" };
        let (first, rest) = figures.split_at(1);
        let mark = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{mark}{:02}", exponent.abs());
    }
    let text = if exponent < 0 {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
        format!("0.{zeros}{figures}")
    } else {
        let whole = usize::try_from(exponent).unwrap_or(0) + 1;
        if figures.len() <= whole {
            format!("{figures:0<whole$}")
        } else {
            format!("{}.{}", &figures[..whole], &figures[whole..])
        }
    };
    format!("{sign}{text}")
}

/// Go's `%e`.
pub(super) fn scientific(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return not_finite(value);
    }
    let text = format!("{value:.places$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mark = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{mark}{:02}", exponent.abs())
}

pub(super) fn not_finite(value: f64) -> String {
    let text = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    };
    text.to_owned()
}

/// A time in seconds since 1970 in Go's format, in UTC with milliseconds.
pub(super) fn go_time(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clamped to the range of i64"
    )]
    let millis = (seconds * 1_000.0) as i64;
    let (days, millis) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = format!(".{millis:03}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction} +0000 UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_go_writes_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (1.5, "1.5"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(go_float(value), text);
        }
        for (value, text) in [
            (1234.5678, "1235"),
            (12_345.678, "1.235e+04"),
            (999.96, "1000"),
            (9_999.6, "1e+04"),
            (0.000_123_456, "0.0001235"),
            (0.000_012, "1.2e-05"),
            (100.0, "100"),
            (0.0, "0"),
        ] {
            assert_eq!(general(value, Some(4)), text);
        }
    }

    #[test]
    fn times_are_written_as_go_writes_them() {
        for (seconds, text) in [
            (0.0, "1970-01-01 00:00:00 +0000 UTC"),
            (1.5, "1970-01-01 00:00:01.5 +0000 UTC"),
            (-1.0, "1969-12-31 23:59:59 +0000 UTC"),
            (951_782_400.0, "2000-02-29 00:00:00 +0000 UTC"),
            (1_435_065_584.128, "2015-06-23 13:19:44.128 +0000 UTC"),
            (4_102_444_800.0, "2100-01-01 00:00:00 +0000 UTC"),
        ] {
            assert_eq!(go_time(seconds), text);
        }
    }
}
