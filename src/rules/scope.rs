//! Which rules one process can evaluate by itself.

use std::fmt;
use std::sync::Arc;

/// Whether a rule can be evaluated in this process.
///
/// A rule file is written for a server that scrapes many targets. Here are the series of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// All series that it reads are of this process.
    #[default]
    Here,
    /// It aggregates over instances, and here it sees this one alone: evaluated, of its share.
    Fleet,
    /// It reads series that this process does not have: not evaluated, since that others' data are
    /// missing must not raise an alert.
    NoSeries(Arc<[Arc<str>]>),
}

impl Scope {
    /// Whether the rule is evaluated.
    #[must_use]
    pub fn is_evaluated(&self) -> bool {
        !matches!(self, Self::NoSeries(_))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here => f.write_str("evaluated here"),
            Self::Fleet => {
                f.write_str("a fleet rule: evaluated, but this replica sees only itself")
            }
            Self::NoSeries(names) => write!(f, "no such series here: {}", names.join(", ")),
        }
    }
}
