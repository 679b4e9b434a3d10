//! What is wrong with a rule file: all of it, each fault with its line and column.

use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};

use crate::promql::Place;
use crate::util::Printable;

/// The most faults that are listed of one file.
const MOST: usize = 100;

/// One fault of a rule file.
///
/// It prints as `12:9: no rule has a field `exprs`; do you mean `expr`?`
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleFault {
    /// Where in the file.
    pub place: Place,
    /// The problem, in words.
    pub problem: String,
    /// The way to mend it, in words.
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

/// Why a rule file was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleFileError {
    /// The file cannot be read.
    #[error(
        "cannot read the rule file `{}`; check its path and its permissions",
        Printable(.path.display())
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system reported. A file that is too large or not UTF-8 is
        /// [`io::ErrorKind::InvalidData`].
        source: io::Error,
    },
    /// The file was read, and this is all that is wrong with it.
    #[error("the rule file has {} fault(s):{}", .faults.len(), list(.path, .faults))]
    Invalid {
        /// The file, or what the text was called.
        path: PathBuf,
        /// In the order of the lines; at most 100.
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

    /// The faults of the text of the file; empty where it could not be read.
    #[must_use]
    pub fn faults(&self) -> &[RuleFault] {
        match self {
            Self::Io { .. } => &[],
            Self::Invalid { faults, .. } => faults,
        }
    }
}

/// Each fault on a line of its own, as compilers write them.
fn list(path: &Path, faults: &[RuleFault]) -> String {
    let path = Printable(path.display());
    faults.iter().fold(String::new(), |mut list, fault| {
        let _ = write!(list, "\n{path}:{fault}");
        list
    })
}
