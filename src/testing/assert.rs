use std::fmt::Write as _;

use super::reading::Reading;
use super::series::Series;
use crate::registry::Registry;

/// The number of nearest series in a message.
const SHOWN: usize = 5;

/// The relative difference up to which numbers are equal: it covers rounding in sums of fractions,
/// but no counted event.
const TOLERANCE: f64 = 1e-9;

/// The current value of the sample with this name and exactly these labels; `None` if it does not
/// exist. For several values, [`Reading::value`] is cheaper.
#[must_use]
pub fn value(registry: &impl AsRef<Registry>, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    Reading::of(registry).value(name, labels)
}

/// Asserts that a sample has this value: exactly, except that fractions may differ by a billionth.
/// NaN equals NaN.
///
/// # Panics
/// If it has another value or does not exist. The message shows the series with the smallest edit
/// distance, with their values.
#[track_caller]
pub fn assert_value(
    registry: &impl AsRef<Registry>,
    name: &str,
    labels: &[(&str, &str)],
    expected: f64,
) {
    let reading = Reading::of(registry);
    let found = reading.value(name, labels);
    assert!(
        found.is_some_and(|found| same(found, expected)),
        "{} {}, expected {expected}{}",
        Series::of(name, labels),
        found.map_or("is not there".to_owned(), |found| format!("is {found}")),
        nearest(&reading, name, labels)
    );
}

/// Asserts that a sample does not exist.
///
/// # Panics
/// If it exists; the message shows its value and the nearest others.
#[track_caller]
pub fn assert_absent(registry: &impl AsRef<Registry>, name: &str, labels: &[(&str, &str)]) {
    let reading = Reading::of(registry);
    let found = reading.value(name, labels);
    assert!(
        found.is_none(),
        "{} is {}, but was expected to be absent{}",
        Series::of(name, labels),
        found.unwrap_or_default(),
        nearest(&reading, name, labels)
    );
}

pub(super) fn same(a: f64, b: f64) -> bool {
    let finite = a.is_finite() && b.is_finite();
    let close = finite && (a - b).abs() <= TOLERANCE * a.abs().max(b.abs());
    close || a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

/// The series of a reading most similar to the given one, which is excluded.
fn nearest(reading: &Reading, name: &str, labels: &[(&str, &str)]) -> String {
    let short = Series::of(name, labels);
    let full = Series::of(&reading.full(name), labels);
    let mut found: Vec<_> = reading
        .samples
        .iter()
        .filter(|(series, _)| **series != short && **series != full)
        .map(|(series, value)| {
            let distance = series.distance(&short).min(series.distance(&full));
            (distance, series, value)
        })
        .collect();
    if found.is_empty() {
        return "; there is nothing else".to_owned();
    }
    found.sort_by_key(|(distance, series, _)| (*distance, *series));
    let mut text = "; nearest:".to_owned();
    for (_, series, value) in found.iter().take(SHOWN) {
        // Writing to a `String` does not fail.
        let _ = write!(text, "\n  {series} {value}");
    }
    if let Some(more) = found.len().checked_sub(SHOWN + 1) {
        let _ = write!(text, "\n  and {} more", more + 1);
    }
    text
}
