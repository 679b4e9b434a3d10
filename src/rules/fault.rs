//! Faults of a rule file: a list of all of them, each with its line and column.

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};

use crate::promql::Place;
use crate::util::Printable;

/// The limit of faults listed per file.
const MOST: usize = 100;

/// A fault of a rule file.
///
/// Displayed as `12:9: no rule has a field `exprs`; do you mean `expr`?`
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleFault {
    /// The position in the file.
    pub place: Place,
    /// The problem, as text.
    pub problem: String,
    /// How to fix it, as text.
    pub hint: String,
}

impl RuleFault {
    pub(super) fn new(place: Place, problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            place,
            problem: problem.into(),
            hint: hint.into(),
        }
    }
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (problem, hint) = (Printable(&self.problem), Printable(&self.hint));
        write!(f, "{}: {problem}; {hint}", self.place)
    }
}

/// The error of a rule file that was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleFileError {
    /// The file cannot be read.
    #[error(
        "cannot read the rule file `{}`; check its path and its permissions",
        Printable(.path.display())
    )]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system; [`io::ErrorKind::InvalidData`] for a file that is too large or
        /// not UTF-8.
        source: io::Error,
    },
    /// The file has these faults.
    #[error("the rule file has {} fault(s):{}", .faults.len(), list(.path, .faults))]
    Invalid {
        /// The path of the file, or the name given to the text.
        path: PathBuf,
        /// Sorted by line; at most 100.
        faults: Vec<RuleFault>,
    },
}

impl RuleFileError {
    pub(super) fn invalid(path: &Path, mut faults: Vec<RuleFault>) -> Self {
        faults.sort_by_key(|fault| fault.place);
        faults.truncate(MOST);
        Self::Invalid {
            path: path.to_owned(),
            faults,
        }
    }

    /// The faults of the file; empty if it cannot be read.
    #[must_use]
    pub fn faults(&self) -> &[RuleFault] {
        match self {
            Self::Io { .. } => &[],
            Self::Invalid { faults, .. } => faults,
        }
    }
}

/// Lists the faults one per line, in the format of compilers.
fn list(path: &Path, faults: &[RuleFault]) -> String {
    let path = Printable(path.display());
    faults.iter().fold(String::new(), |mut list, fault| {
        let _ = write!(list, "\n{path}:{fault}");
        list
    })
}
