//! The text format of durations in a configuration.
//!
//! Text is a number and a unit: `"250ms"`, `"30s"`, `"1.5m"`, `"1h"`. The units are `ns`, `us` (or
//! `µs`), `ms`, `s`, `m`, `h` and `d`; a number without a unit, as text or as a TOML number, is
//! seconds. Written and read back, a duration is the same to the nanosecond.
//!
//! Use it for a field with `#[serde(with = "selfheal::config::duration")]`.
//!
//! ```
//! use std::time::Duration;
//! use selfheal::config::duration;
//!
//! assert_eq!(duration::parse("1.5m")?, Duration::from_secs(90));
//! assert_eq!(duration::format(Duration::from_secs(90)), "90s");
//! # Ok::<(), duration::DurationError>(())
//! ```

use std::fmt;
use std::time::Duration;

use serde::de::{self, Visitor};
use serde::{Deserializer, Serializer};

use super::faults::quote;

const SECOND: u128 = 1_000_000_000;

/// From large to small: a duration is written in the first unit that divides it exactly.
const UNITS: [(&str, u128); 8] = [
    ("d", 86_400 * SECOND),
    ("h", 3_600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// The error for a text or a number that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// Not a number followed by a known unit.
    #[error(
        "{} is not a duration; write a number and a unit, such as \"250ms\", \"30s\", \"5m\" or \"1h\"",
        quote(.0)
    )]
    Malformed(String),
    /// Below zero, not finite, or more than about 584 billion years.
    #[error("{} is outside what a duration can hold; give zero or more seconds", quote(.0))]
    OutOfRange(String),
}

/// Parses `"250ms"`, `"30s"`, `"5m"`, `"1h"`; a number without a unit is seconds.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let malformed = || DurationError::Malformed(text.to_owned());
    let trimmed = text.trim();
    let digits = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let nanos_per_unit = match unit.trim() {
        "" => SECOND,
        unit => {
            UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .ok_or_else(malformed)?
                .1
        }
    };
    let (number, negative) = match number.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (number, false),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return Err(malformed());
    }
    if negative {
        return Err(DurationError::OutOfRange(text.to_owned()));
    }
    exact(whole, fraction, nanos_per_unit).ok_or_else(|| DurationError::OutOfRange(text.to_owned()))
}

/// Exact decimal arithmetic: `1.1h` as a float would be off by some nanoseconds.
fn exact(whole: &str, fraction: &str, nanos_per_unit: u128) -> Option<Duration> {
    // Twelve decimal places resolve a nanosecond even in days; further digits have no effect.
    const PLACES: usize = 12;
    const SCALE: u128 = 1_000_000_000_000;
    let fraction = format!("{:0<PLACES$}", &fraction[..fraction.len().min(PLACES)]);
    let whole = whole.parse::<u128>().ok()?.checked_mul(nanos_per_unit)?;
    let part = fraction.parse::<u128>().ok()?.checked_mul(nanos_per_unit)? / SCALE;
    let nanos = whole.checked_add(part)?;
    let seconds = u64::try_from(nanos / SECOND).ok()?;
    let rest = u32::try_from(nanos % SECOND).ok()?;
    Some(Duration::new(seconds, rest))
}

/// Formats a duration in the largest unit that holds it exactly: `"90s"`, `"1h"`, `"1500us"`.
#[must_use]
pub fn format(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let (unit, size) = UNITS
        .iter()
        .find(|(_, size)| nanos.is_multiple_of(*size))
        .unwrap_or(&("ns", 1));
    format!("{}{unit}", nanos / size)
}

/// For `#[serde(with = …)]`: serializes the text of [`format()`].
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&format(*duration))
}

/// For `#[serde(with = …)]`: deserializes text as [`parse`] does, or a number of seconds.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    from.deserialize_any(DurationVisitor)
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"250ms\", \"30s\", \"5m\" or a number of seconds")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        parse(text).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Duration, E> {
        Ok(Duration::from_secs(seconds))
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Duration, E> {
        u64::try_from(seconds)
            .map(Duration::from_secs)
            .map_err(|_| E::custom(DurationError::OutOfRange(seconds.to_string())))
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Duration, E> {
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| E::custom(DurationError::OutOfRange(seconds.to_string())))
    }
}

/// The same for fields of type `Option<Duration>`; add `#[serde(default)]`.
pub mod optional {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Text(#[serde(with = "super")] Duration);

    /// Serializes `None` as nothing.
    #[allow(clippy::ref_option, reason = "serde passes a reference")]
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        duration.map(Text).serialize(to)
    }

    /// Deserializes as [`super::deserialize`] does.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        let text = Option::<Text>::deserialize(from)?;
        Ok(text.map(|Text(duration)| duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_unit() {
        for (text, nanos) in [
            ("7ns", 7),
            ("7us", 7_000),
            ("7µs", 7_000),
            ("250ms", 250_000_000),
            ("30s", 30 * SECOND),
            ("5m", 300 * SECOND),
            ("1h", 3_600 * SECOND),
            ("2d", 172_800 * SECOND),
            ("1.1h", 3_960 * SECOND),
            (" 0.25 s ", 250_000_000),
            ("12", 12 * SECOND),
            ("0.5", 500_000_000),
        ] {
            assert_eq!(parse(text).unwrap().as_nanos(), nanos, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_duration_and_says_what_would_be() {
        for text in [
            "",
            "s",
            "soon",
            "5 minutes",
            "1h30m",
            "1..5s",
            ".s",
            "5.",
            "1-2s",
            "1e3s",
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error, DurationError::Malformed(text.to_owned()));
            assert!(
                error.to_string().contains("; write a number and a unit"),
                "{error}"
            );
        }
        for text in [
            "-1s",
            "99999999999999999999s",
            "340282366920938463463374607431768211456d",
        ] {
            assert_eq!(parse(text), Err(DurationError::OutOfRange(text.to_owned())));
        }
    }

    #[test]
    fn writes_the_largest_exact_unit() {
        for text in ["0s", "1d", "90s", "25h", "1500us", "1ns", "61m"] {
            assert_eq!(format(parse(text).unwrap()), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds: u64, nanos in 0..1_000_000_000_u32) {
            let duration = Duration::new(seconds, nanos);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}|[0-9.]{1,60}(ns|d)") {
            let _ = parse(&text);
        }
    }
}
