//! The metrics that each system expects on its page.

use selfheal::Selfheal;
use selfheal::encode::{Format, append};
use selfheal::testing::{Reading, check_catalogue};

/// A sample by its name, the type of its metric, labels among those that it has, and the sum of
/// all that have them; NaN for whatever it may be.
pub(crate) type Row = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    f64,
);

/// Asserts that all rows are there, and nothing that is not declared.
pub(crate) fn assert_all(heal: &Selfheal, rows: &[Row]) {
    let mut page = Vec::new();
    append(&heal.registry().scrape(), Format::TEXT, &mut page);
    let page = String::from_utf8(page).unwrap();
    let reading = Reading::of(heal);
    for (name, kind, labels, value) in rows {
        let parts = ["_count", "_sum", "_bucket"].into_iter();
        let family = parts
            .filter(|_| *kind == "histogram")
            .find_map(|part| name.strip_suffix(part))
            .unwrap_or(name);
        let line = format!("# TYPE {family} {kind}\n");
        assert!(page.contains(&line), "{line} is not in\n{page}");
        let has = |line: &&str| {
            let rest = line
                .strip_prefix(name)
                .filter(|rest| rest.starts_with(['{', ' ']));
            let has = |rest: &str| {
                let mut labels = labels.iter();
                labels.all(|(name, value)| rest.contains(&format!("{name}=\"{value}\"")))
            };
            rest.is_some_and(has)
        };
        assert!(
            page.lines().any(|line| has(&line)),
            "{name} {labels:?} is not in\n{page}"
        );
        let sum = reading.sum(name, labels);
        let same = value.is_nan() || (sum - value).abs() < 1e-9;
        assert!(same, "{name} {labels:?} is {sum}, not {value}");
    }
    check_catalogue(heal);
}
