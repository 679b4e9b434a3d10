use std::fmt::Write as _;

use super::reading::Reading;
use super::series::Series;
use crate::registry::Registry;

/// How many of the nearest series a message shows.
const SHOWN: usize = 5;

/// Numbers are taken for equal that differ by less than this share of the greater: what sums of
/// fractions lose, and nothing that was counted.
const TOLERANCE: f64 = 1e-9;

/// The value that the sample of that name with exactly these labels has now; `None` if it is not
/// there. See [`Reading::value`], which is cheaper where several are asked for.
#[must_use]
pub fn value(registry: &impl AsRef<Registry>, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    Reading::of(registry).value(name, labels)
}

/// Asserts that a sample has this value: exactly, except that fractions may differ by a
/// billionth part. NaN is NaN.
///
/// # Panics
/// Where it has another value or is not there. The message shows the nearest series, by how
/// many characters differ, with their values.
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

/// Asserts that there is no such sample.
///
/// # Panics
/// Where there is one; the message shows its value and the nearest others.
#[track_caller]
pub fn assert_absent(registry: &impl AsRef<Registry>, name: &str, labels: &[(&str, &str)]) {
    let reading = Reading::of(registry);
    let found = reading.value(name, labels);
    assert!(
        found.is_none(),
        "{} is {}, expected not to be there{}",
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

/// The series of a reading that are most like the one asked for, which itself is left out.
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
