use std::error::Error;
use std::fmt;

/// A position in the text of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in bytes, counted from 1.
    pub column: usize,
}

impl Place {
    /// The position of a byte offset.
    pub(super) fn of(text: &str, at: usize) -> Self {
        let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
        let start = before.iter().rposition(|byte| *byte == b'\n');
        Self {
            line: before.split(|byte| *byte == b'\n').count(),
            column: before.len() - start.map_or(0, |start| start + 1) + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The limit of [`QueryOptions`](super::QueryOptions) that stopped a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// `max_series`.
    Series,
    /// `max_samples`.
    Samples,
    /// `max_steps`.
    Steps,
    /// `timeout`.
    Time,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Series => "max_series: select fewer series, or raise the limit",
            Self::Samples => {
                "max_samples: shorten the range, select fewer series, or raise the limit"
            }
            Self::Steps => "max_steps: choose a longer step or a shorter range",
            Self::Time => "timeout: ask for less, or raise the limit",
        })
    }
}

/// The error of a query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The text is not a valid expression.
    #[error("{place}: parse error: {message}")]
    Syntax {
        /// The position, as far as it is known.
        place: Place,
        /// The problem.
        message: String,
    },
    /// The expression cannot be evaluated on these series.
    #[error("{message} ({place})")]
    Evaluation {
        /// The part of the expression.
        place: Place,
        /// The problem.
        message: String,
    },
    /// The query exceeds a limit.
    #[error("the query exceeds its limit {limit} ({place})")]
    Limit {
        /// The part of the expression that exceeded it.
        place: Place,
        /// The limit.
        limit: Limit,
    },
    /// The source of the series failed.
    #[error("reading series failed")]
    Source(#[source] Box<dyn Error + Send + Sync>),
}

impl QueryError {
    /// The position in the expression, if the fault has one.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Syntax { place, .. }
            | Self::Evaluation { place, .. }
            | Self::Limit { place, .. } => Some(*place),
            Self::Source(_) => None,
        }
    }
}
