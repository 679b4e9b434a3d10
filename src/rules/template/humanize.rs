//! Numbers in the humanized formats of templates.

use super::number::general;

/// With a decimal prefix, as `humanize` writes it.
pub(super) fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        short(value)
    } else if value.abs() >= 1.0 {
        scaled(
            value,
            1_000.0,
            &["", "k", "M", "G", "T", "P", "E", "Z", "Y"],
        )
    } else {
        small(value)
    }
}

/// With a binary prefix, as `humanize1024` writes it.
pub(super) fn humanize_1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        short(value)
    } else {
        scaled(
            value,
            1_024.0,
            &["", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"],
        )
    }
}

/// Four digits, as in Prometheus' humanized output.
pub(super) fn short(value: f64) -> String {
    general(value, Some(4))
}

fn scaled(mut value: f64, by: f64, units: &[&str]) -> String {
    let mut unit = "";
    for (i, name) in units.iter().enumerate() {
        unit = name;
        if value.abs() < by || i + 1 == units.len() {
            break;
        }
        value /= by;
    }
    format!("{}{unit}", short(value))
}

fn small(mut value: f64) -> String {
    let mut unit = "";
    for name in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        unit = name;
        value *= 1_000.0;
    }
    format!("{}{unit}", short(value))
}

/// `1d 2h 3m 4s`, as `humanizeDuration` writes it.
pub(super) fn humanize_duration(value: f64) -> String {
    if !value.is_finite() {
        return short(value);
    }
    if value == 0.0 {
        return "0s".to_owned();
    }
    if value.abs() < 1.0 {
        return small(value) + "s";
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let value = value.abs();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clamped to the range of i64"
    )]
    let whole = value as i64;
    let (days, hours) = (whole / 86_400, whole / 3_600 % 24);
    let (minutes, seconds) = (whole / 60 % 60, whole % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", short(value)),
        (0, 0, _) => format!("{sign}{minutes}m {seconds}s"),
        (0, _, _) => format!("{sign}{hours}h {minutes}m {seconds}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {seconds}s"),
    }
}

/// Checks that Go can represent the time.
pub(super) fn in_range(seconds: f64) -> Result<f64, String> {
    if seconds.abs() < 9.2e15 {
        return Ok(seconds);
    }
    Err(format!("{seconds} seconds are outside the range of a time"))
}

/// A duration in Go's format: `1h2m3.5s`.
pub(super) fn go_duration(seconds: f64) -> String {
    if seconds == 0.0 {
        return "0s".to_owned();
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs();
    if seconds < 1.0 {
        let (scale, unit) = match seconds {
            s if s < 1e-6 => (1e9, "ns"),
            s if s < 1e-3 => (1e6, "µs"),
            _ => (1e3, "ms"),
        };
        return format!("{sign}{}{unit}", general(seconds * scale, None));
    }
    let hours = (seconds / 3_600.0).floor();
    let minutes = ((seconds - hours * 3_600.0) / 60.0).floor();
    let rest = general(seconds - hours * 3_600.0 - minutes * 60.0, None);
    if hours > 0.0 {
        format!("{sign}{hours}h{minutes}m{rest}s")
    } else if minutes > 0.0 {
        format!("{sign}{minutes}m{rest}s")
    } else {
        format!("{sign}{rest}s")
    }
}
