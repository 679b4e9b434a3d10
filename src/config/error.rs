//! Errors of loading a configuration.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::faults::Faults;
use crate::util::Printable;

/// The error of a configuration that was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "cannot read the configuration file `{}`; check its path and its permissions",
        Printable(.path.display())
    )]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system; [`io::ErrorKind::InvalidData`] for a file that is too large or
        /// not UTF-8.
        source: io::Error,
    },
    /// The text is not valid TOML. All errors of the parser are listed.
    #[error("{}", syntax(.path.as_ref(), .errors))]
    Syntax {
        /// The path of the file, if the text came from one.
        path: Option<PathBuf>,
        /// The errors of the parser, ordered by line.
        errors: Vec<SyntaxError>,
    },
    /// The text is valid TOML but has these faults.
    #[error("the configuration has {} fault(s):\n{}", .0.len(), .0)]
    Invalid(Faults),
}

/// A TOML syntax error.
///
/// It does not contain the text itself, since the line may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {}", Printable(.message))]
#[non_exhaustive]
pub struct SyntaxError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
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
            format!("`{path}` is not valid TOML; fix:{lines}")
        }
        None => format!("the configuration is not valid TOML; fix:{lines}"),
    }
}
