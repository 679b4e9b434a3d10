use std::collections::BTreeMap;
use std::fmt;

use super::assert::same;
use super::reading::{BUCKET, Reading};
use super::series::Series;

/// The difference between two readings of a registry; from [`Reading::since`].
///
/// Displayed as one line per changed sample, sorted, with its increase:
///
/// ```text
/// orders_total{payment="card"} +3
/// queue_depth -2
/// sessions{pool="a"} -5 (gone)
/// ```
///
/// A new sample counts from 0. Histogram buckets are omitted, since the count shows the change.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    changes: BTreeMap<Series, Change>,
    after: Reading,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Added(f64),
    Gone(f64),
}

impl Changes {
    pub(super) fn between(before: &Reading, after: &Reading) -> Self {
        let mut changes = BTreeMap::new();
        for (series, now) in &after.samples {
            let change = match before.samples.get(series) {
                Some(then) if same(*then, *now) => continue,
                Some(then) => Change::Added(now - then),
                None => Change::Added(*now),
            };
            changes.insert(series.clone(), change);
        }
        for (series, then) in &before.samples {
            if !after.samples.contains_key(series) {
                changes.insert(series.clone(), Change::Gone(*then));
            }
        }
        changes.retain(|series, _| !series.name.ends_with(BUCKET));
        Self {
            changes,
            after: after.clone(),
        }
    }

    /// The increase of the sample with this name and exactly these labels; 0 if unchanged. The
    /// namespace may be omitted.
    #[must_use]
    pub fn of(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let full = self.after.full(name);
        let mut names = [name, &full].into_iter();
        let change = names.find_map(|name| self.changes.get(&Series::of(name, labels)));
        match change {
            None => 0.0,
            Some(Change::Added(by)) => *by,
            Some(Change::Gone(was)) => -was,
        }
    }

    /// Whether nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Keeps the changes of samples whose name has this prefix, such as those of a metric or group.
    /// The namespace may be omitted.
    #[must_use]
    pub fn only(mut self, prefix: &str) -> Self {
        let full = self.after.full(prefix);
        let is = |name: &str| name.starts_with(prefix) || name.starts_with(&full);
        self.changes.retain(|series, _| is(&series.name));
        self
    }

    /// Asserts that these lines are all the changes, in any order.
    ///
    /// # Panics
    /// If the changes differ. The message shows the missing and the unexpected lines.
    #[track_caller]
    pub fn assert(&self, lines: &[&str]) {
        let found: Vec<String> = self.lines().collect();
        let missing = lines
            .iter()
            .filter(|line| !found.iter().any(|has| has == *line));
        let missing: Vec<String> = missing.map(|line| format!("\n  {line}")).collect();
        let extra = found.iter().filter(|has| !lines.contains(&has.as_str()));
        let extra: Vec<String> = extra.map(|line| format!("\n  {line}")).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "the changes differ from the expected ones\nmissing:{}\nunexpected:{}",
            or_nothing(&missing),
            or_nothing(&extra),
        );
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        self.changes.iter().map(|(series, change)| match change {
            Change::Added(by) => format!("{series} {by:+}"),
            Change::Gone(was) => format!("{series} {:+} (gone)", -was),
        })
    }
}

fn or_nothing(lines: &[String]) -> String {
    if lines.is_empty() {
        return " nothing".to_owned();
    }
    lines.concat()
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().try_for_each(|line| writeln!(f, "{line}"))
    }
}
