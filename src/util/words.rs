//! Identifiers and durations as people read them.

use std::time::Duration;

/// An identifier as words: `file_corrupt` as `file corrupt`.
pub(crate) fn plain(name: &str) -> String {
    name.replace(['_', '-'], " ")
}

/// Formats a duration with one unit and two or three digits.
pub(crate) fn lasting(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        ..0.001 => "under 1 ms".to_owned(),
        ..1.0 => format!("{:.0} ms", seconds * 1e3),
        ..10.0 => format!("{seconds:.1} s"),
        ..120.0 => format!("{seconds:.0} s"),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        _ => format!("{:.0} d", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_unit() {
        for (seconds, text) in [
            (0.0, "under 1 ms"),
            (0.0041, "4 ms"),
            (1.04, "1.0 s"),
            (38.2, "38 s"),
            (600.0, "10 min"),
            (3.0e5, "3 d"),
        ] {
            assert_eq!(lasting(Duration::from_secs_f64(seconds)), text);
        }
    }
}
