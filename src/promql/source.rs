use std::error::Error;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use regex::Regex;

use super::labels::{LabelSet, METRIC_NAME};
use super::recorded::Recorded;
use super::value::Series;

/// The comparison of a [`Matcher`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, anchored at both ends.
    Regex,
    /// `!~`, anchored at both ends.
    NotRegex,
}

/// A condition on one label. A missing label has the empty value.
#[derive(Clone)]
pub struct Matcher {
    name: Arc<str>,
    op: MatchOp,
    value: Arc<str>,
    regex: Option<Regex>,
}

impl Matcher {
    /// Creates a condition on the label `name`.
    ///
    /// # Errors
    ///
    /// `value` is not a valid regular expression, if `op` requires one.
    pub fn new(
        name: impl Into<Arc<str>>,
        op: MatchOp,
        value: impl Into<Arc<str>>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let value = value.into();
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Regex | MatchOp::NotRegex => Some(anchored(&value)?),
        };
        Ok(Self {
            name: name.into(),
            op,
            value,
            regex,
        })
    }

    /// The name of the label.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The comparison.
    #[must_use]
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The value or pattern to compare with.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a series meets the condition.
    pub(crate) fn is_met(&self, labels: &LabelSet) -> bool {
        self.matches(labels.get(&self.name).unwrap_or_default())
    }

    /// Whether a label value meets the condition.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let regex = || {
            self.regex
                .as_ref()
                .is_some_and(|regex| regex.is_match(value))
        };
        match self.op {
            MatchOp::Equal => *self.value == *value,
            MatchOp::NotEqual => *self.value != *value,
            MatchOp::Regex => regex(),
            MatchOp::NotRegex => !regex(),
        }
    }
}

/// Compiles a regular expression that is anchored at both ends, and whose `.` matches every
/// character.
pub(super) fn anchored(pattern: &str) -> Result<Regex, Box<dyn Error + Send + Sync>> {
    Regex::new(&format!("^(?s:{pattern})$")).map_err(Into::into)
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = match self.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        };
        write!(f, "{}{op}{:?}", self.name, self.value)
    }
}

/// The series and time range that an expression reads.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Selection {
    /// The conditions, all of which must hold.
    pub matchers: Arc<[Matcher]>,
    /// The start in milliseconds since 1970, exclusive.
    pub after: i64,
    /// The end in milliseconds since 1970, inclusive.
    pub until: i64,
    /// Whether only the newest sample of each series is needed.
    pub newest_only: bool,
}

impl Selection {
    /// Selects the newest sample after one time and up to another of each matching series, to list
    /// series.
    #[must_use]
    pub fn newest(matchers: Arc<[Matcher]>, after: i64, until: i64) -> Self {
        Self {
            matchers,
            after,
            until,
            newest_only: true,
        }
    }

    /// Whether the matchers match a series.
    #[must_use]
    pub fn matches(&self, labels: &LabelSet) -> bool {
        self.matchers.iter().all(|matcher| matcher.is_met(labels))
    }

    /// The name that the series must have, if the matchers allow only one.
    #[must_use]
    pub fn metric_name(&self) -> Option<&str> {
        metric_name(&self.matchers)
    }
}

pub(super) fn metric_name(matchers: &[Matcher]) -> Option<&str> {
    let mut equal = matchers
        .iter()
        .filter(|matcher| matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal);
    equal.next().map(Matcher::value)
}

/// A visitor of the series that a [`Queryable`] has found, which can stop the search.
pub type Sink<'a> = &'a mut dyn FnMut(Series) -> ControlFlow<()>;

/// A source of series for queries.
///
/// The samples of a series are sorted by time, without duplicate times; an ended series may have a
/// sample with the bits [`STALE`](crate::util::STALE). Label sets are unique.
pub trait Queryable {
    /// Finds the matching series, and passes each with samples to `sink` until it breaks.
    ///
    /// # Errors
    ///
    /// If the series cannot be read; the query fails with
    /// [`QueryError::Source`](super::QueryError::Source).
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>>;

    /// Returns the source as a history, if it is one, which rules read without copying samples.
    /// Default: `None`.
    fn as_recorded(&self) -> Option<&Recorded> {
        None
    }
}

/// A list of series, for tests. Every selection scans all of it.
impl Queryable for [Series] {
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        for series in self
            .iter()
            .filter(|series| selection.matches(&series.labels))
        {
            let samples = &series.samples;
            let from = samples.partition_point(|sample| sample.time <= selection.after);
            let to = samples.partition_point(|sample| sample.time <= selection.until);
            let from = if selection.newest_only {
                from.max(to.saturating_sub(1))
            } else {
                from
            };
            let found = samples.get(from..to).unwrap_or_default();
            if found.is_empty() {
                continue;
            }
            let found = Series {
                labels: series.labels.clone(),
                samples: found.to_vec(),
            };
            if sink(found).is_break() {
                break;
            }
        }
        Ok(())
    }
}
