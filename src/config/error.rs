//! Why there is no configuration.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::faults::Faults;
use crate::util::Printable;

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "cannot read the configuration file `{}`; check its path and its permissions",
        Printable(.path.display())
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said. A file that is too large or not UTF-8 is
        /// [`io::ErrorKind::InvalidData`].
        source: io::Error,
    },
    /// The text is not TOML. Every error that the parser finds is listed.
    #[error("{}", syntax(.path.as_ref(), .errors))]
    Syntax {
        /// The file, if the text came from one.
        path: Option<PathBuf>,
        /// What the parser said, in the order of the lines.
        errors: Vec<SyntaxError>,
    },
    /// The text was understood, and this is all that is wrong with it.
    #[error("the configuration has {} fault(s):\n{}", .0.len(), .0)]
    Invalid(Faults),
}

/// A place where the text is not TOML.
///
/// The text itself is not part of it, since the line may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {}", Printable(.message))]
#[non_exhaustive]
pub struct SyntaxError {
    /// The line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// The message of the parser.
    pub message: String,
}

fn syntax(path: Option<&PathBuf>, errors: &[SyntaxError]) -> String {
    struct Lines<'a>(&'a [SyntaxError]);
    impl fmt::Display for Lines<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.iter().try_for_each(|error| write!(f, "\n{error}"))
        }
    }
    let lines = Lines(errors);
    match path {
        Some(path) => {
            let path = Printable(path.display());
            format!("`{path}` is not TOML; mend:{lines}")
        }
        None => format!("the configuration is not TOML; mend:{lines}"),
    }
}
