use std::error::Error;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use regex::Regex;

use super::labels::{LabelSet, METRIC_NAME};
use super::recorded::Recorded;
use super::value::Series;

/// How a [`Matcher`] compares.
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

/// A condition on one label. A label that is not there has the empty value.
#[derive(Clone)]
pub struct Matcher {
    name: Arc<str>,
    op: MatchOp,
    value: Arc<str>,
    regex: Option<Regex>,
}

impl Matcher {
    /// A condition on the label `name`.
    ///
    /// # Errors
    ///
    /// If `value` is to be a regular expression and is none.
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

    /// How it compares.
    #[must_use]
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The text that the label is compared with.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a value of the label meets the condition.
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

/// Compiles a regular expression that has to match a whole text, of which `.` matches every
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

/// Which series an expression reads, and from when.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Selection {
    /// All of them have to match.
    pub matchers: Arc<[Matcher]>,
    /// Samples after this time, in milliseconds since 1970.
    pub after: i64,
    /// Samples up to this time and at it, in milliseconds since 1970.
    pub until: i64,
    /// Whether of each series the newest sample in that time is enough.
    pub newest_only: bool,
}

impl Selection {
    /// The newest sample after one time and up to another of each series that matches: which series
    /// there are.
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
        self.matchers
            .iter()
            .all(|matcher| matcher.matches(labels.get(matcher.name()).unwrap_or_default()))
    }

    /// The name that the series have to have, if one alone will do.
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

/// A visitor, which takes the series that a [`Queryable`] has found, one by one, until it has enough.
pub type Sink<'a> = &'a mut dyn FnMut(Series) -> ControlFlow<()>;

/// Where the series of a query come from.
///
/// A series of several samples has them sorted by time, no time twice; where a series ends there
/// may be a sample with the bits [`STALE`](crate::util::STALE). No label set comes twice.
pub trait Queryable {
    /// Finds the series that match, and gives each that has samples to `sink` until that breaks.
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

    /// These series as those of a history, if that is what they are: rules evaluate them without
    /// copies of their samples. Default: `None`.
    fn as_recorded(&self) -> Option<&Recorded> {
        None
    }
}

/// A list of series, as tests have it. Every selection reads all of it.
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
