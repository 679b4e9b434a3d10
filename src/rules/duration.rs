//! Durations in the notation of Prometheus: `5m`, `1h30m`, `500ms`, `0`.

use std::fmt::Write as _;
use std::time::Duration;

/// The units from large to small, in milliseconds; a year is 365 days.
const UNITS: [(&str, u64); 7] = [
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest duration in Prometheus, about 292 years.
const MAX_MILLIS: u64 = i64::MAX as u64 / 1_000_000;

/// Parses a duration: whole numbers with units, from larger to smaller units; `None` for other
/// text.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    if text.is_empty() {
        return None;
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit());
        let (unit, after) = rest.split_at(letters.unwrap_or(rest.len()));
        let (_, size) = units.find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.checked_mul(*size)?)?;
        rest = after;
    }
    (millis <= MAX_MILLIS).then(|| Duration::from_millis(millis))
}

/// Formats a duration as Prometheus does: `1h30m`; truncated to milliseconds.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, size) in UNITS {
        // Years and weeks are used only for whole durations: `400d` is not `1y5w`.
        if matches!(unit, "y" | "w") && millis % size != 0 {
            continue;
        }
        if millis / size > 0 {
            let _ = write!(text, "{}{unit}", millis / size);
            millis %= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_as_prometheus_does() {
        for (text, millis, written) in [
            ("0", 0, "0s"),
            ("0s", 0, "0s"),
            ("324ms", 324, "324ms"),
            ("3s", 3_000, "3s"),
            ("5m", 300_000, "5m"),
            ("1h30m", 5_400_000, "1h30m"),
            ("4d", 345_600_000, "4d"),
            ("4d1h", 349_200_000, "4d1h"),
            ("14d", 1_209_600_000, "2w"),
            ("3w2d1h", 1_990_800_000, "23d1h"),
            ("10y", 315_360_000_000, "10y"),
            ("90s", 90_000, "1m30s"),
        ] {
            let read = parse_duration(text).unwrap();
            assert_eq!(read, Duration::from_millis(millis), "{text}");
            assert_eq!(format_duration(read), written, "{text}");
        }
        for text in [
            "",
            "1",
            "-1w",
            "1.5d",
            "d",
            "5m30",
            "30m1h",
            "1h1h",
            " 5m",
            "5 m",
            "294y",
            "99999999999999999999y",
            "1µs",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
