//! Faults of a configuration: a list of all of them, each with the path of its field.

use std::fmt::{self, Write as _};

use crate::util::{BoundedStr, Printable};

/// The source of a faulty value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The line of the TOML text, counted from 1.
    Line(usize),
    /// The name of the environment variable.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Variable(name) => write!(f, "{}", Printable(name)),
        }
    }
}

/// A fault of a configuration.
///
/// It is displayed as `http.sample_rate (line 3): 1.5 is outside 0..=1; give the share of requests
/// to record`; without the parenthesis if the value was set in code.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The path of the field in TOML: `metrics.family.http_requests_total.buckets[2]`.
    pub path: String,
    /// The problem, as text.
    pub problem: String,
    /// How to fix it, as text.
    pub hint: String,
    /// The source of the value, if it is a file or the environment.
    pub origin: Option<Origin>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Printable(&self.path))?;
        if let Some(origin) = &self.origin {
            write!(f, " ({origin})")?;
        }
        let (problem, hint) = (Printable(&self.problem), Printable(&self.hint));
        write!(f, ": {problem}; {hint}")
    }
}

/// The faults found so far, with the path of the section being checked.
///
/// ```
/// use selfheal::config::Faults;
///
/// let mut faults = Faults::new();
/// faults.within("http", |faults| {
///     faults.add("sample_rate", "1.5 is outside 0..=1", "give the share of requests to record");
/// });
/// assert_eq!(
///     faults.iter().next().map(ToString::to_string).as_deref(),
///     Some("http.sample_rate: 1.5 is outside 0..=1; give the share of requests to record"),
/// );
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Faults {
    list: Vec<Fault>,
    omitted: usize,
    at: String,
}

impl Faults {
    /// The number of faults kept; further ones are only counted. No file written by a person has
    /// more, and the bound protects memory from generated ones.
    pub const MAX: usize = 1_000;

    /// Creates an empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault of `field` in the current section (see [`within`](Self::within)); an empty
    /// `field` means the section itself.
    pub fn add(&mut self, field: &str, problem: impl Into<String>, hint: impl Into<String>) {
        let mut path = self.at.clone();
        if !field.is_empty() {
            push_key(&mut path, field);
        }
        self.push(Fault {
            path,
            problem: problem.into(),
            hint: hint.into(),
            origin: None,
        });
    }

    /// Adds a fault of the field with this TOML path.
    pub(crate) fn add_at(&mut self, path: String, problem: &str, hint: &str) {
        self.push_with(|| Fault {
            path,
            problem: problem.to_owned(),
            hint: hint.to_owned(),
            origin: None,
        });
    }

    /// Adds a fault of a field several levels down, whose keys need no quotes: `a.b`.
    pub(super) fn add_below(&mut self, path: &str, problem: String, hint: &str) {
        let outer = self.at.len();
        for key in path.split('.') {
            push_key(&mut self.at, key);
        }
        self.add("", problem, hint);
        self.at.truncate(outer);
    }

    /// Runs `check` for a field, a section or a map entry: the path of each fault it adds is
    /// prefixed with `key`.
    pub fn within(&mut self, key: &str, check: impl FnOnce(&mut Self)) {
        let outer = self.at.len();
        push_key(&mut self.at, key);
        check(self);
        self.at.truncate(outer);
    }

    /// Runs `check` for each element of a list, with its index, which is counted from 0.
    pub fn within_each<T>(
        &mut self,
        key: &str,
        list: impl IntoIterator<Item = T>,
        mut check: impl FnMut(&mut Self, usize, T),
    ) {
        self.within(key, |faults| {
            let outer = faults.at.len();
            for (index, element) in list.into_iter().enumerate() {
                push_index(&mut faults.at, index);
                check(faults, index, element);
                faults.at.truncate(outer);
            }
        });
    }

    pub(super) fn push(&mut self, fault: Fault) {
        self.push_with(|| fault);
    }

    /// Calls `fault` only if its result is kept.
    pub(super) fn push_with(&mut self, fault: impl FnOnce() -> Fault) {
        if self.list.len() < Self::MAX {
            self.list.push(fault());
        } else {
            self.omitted += 1;
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        for fault in other.list {
            self.push(fault);
        }
        self.omitted += other.omitted;
    }

    /// Sets the origin of the faults that have none.
    pub(super) fn with_origins(mut self, find: impl Fn(&str) -> Option<Origin>) -> Self {
        for fault in &mut self.list {
            if fault.origin.is_none() {
                fault.origin = find(&fault.path);
            }
        }
        self
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns the faults as an error if there are any.
    pub(crate) fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The number of faults, including those beyond [`MAX`](Self::MAX).
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len() + self.omitted
    }

    /// Iterates over the kept faults, in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.list.iter()
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

/// Prints the `Display` text on a line of its own, as `main` prints a returned error by `Debug`.
impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.list.iter().enumerate() {
            let line_end = if n == 0 { "" } else { "\n" };
            write!(f, "{line_end}{fault}")?;
        }
        if self.omitted > 0 {
            write!(f, "\nand {} more", self.omitted)?;
        }
        Ok(())
    }
}

/// Appends `.key`, quoted if TOML requires it.
pub(super) fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    // Keys in a file can have any length. Writing to a `String` cannot fail.
    let short = BoundedStr::<256>::new(key);
    let _ = if !key.is_empty() && key.chars().all(bare) {
        write!(path, "{short}")
    } else {
        write!(path, "{short:?}")
    };
}

/// Appends `[index]`.
pub(super) fn push_index(path: &mut String, index: usize) {
    let _ = write!(path, "[{index}]");
}

/// Formats a value for a message: in backquotes, truncated if long.
pub(crate) fn quote(value: &str) -> String {
    format!("`{}`", BoundedStr::<64>::new(value).as_str().escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_nest_and_come_back() {
        let mut faults = Faults::new();
        faults.within("metrics", |faults| {
            faults.within("family", |faults| {
                faults.within("a.b", |faults| {
                    faults.within_each("buckets", [1.0, f64::NAN], |faults, _, bound| {
                        if bound.is_nan() {
                            faults.add("", "is NaN", "give a number");
                        }
                    });
                });
                faults.add("x", "y", "z");
            });
        });
        faults.add("namespace", "p", "h");
        assert_eq!(
            faults.to_string(),
            "metrics.family.\"a.b\".buckets[1]: is NaN; give a number\n\
             metrics.family.x: y; z\n\
             namespace: p; h"
        );
    }

    #[test]
    fn the_origin_is_shown() {
        let mut fault = Fault {
            path: "http.sample_rate".into(),
            problem: "is red".into(),
            hint: "paint it".into(),
            origin: Some(Origin::Line(3)),
        };
        assert_eq!(
            fault.to_string(),
            "http.sample_rate (line 3): is red; paint it"
        );
        fault.origin = Some(Origin::Variable("SELFHEAL_HTTP__SAMPLE_RATE".into()));
        assert_eq!(
            fault.to_string(),
            "http.sample_rate (SELFHEAL_HTTP__SAMPLE_RATE): is red; paint it"
        );
    }

    #[test]
    fn memory_is_bounded_and_the_count_is_not() {
        let mut faults = Faults::new();
        for _ in 0..Faults::MAX + 5 {
            faults.add("x", "y", "z");
        }
        assert_eq!(
            (faults.iter().count(), faults.len()),
            (Faults::MAX, Faults::MAX + 5)
        );
        assert!(faults.to_string().ends_with("\nand 5 more"));
    }

    #[test]
    fn quoted_values_are_short_and_on_one_line() {
        assert_eq!(quote("a\nb"), "`a\\nb`");
        assert!(quote(&"x".repeat(10_000)).len() < 80);
    }
}
