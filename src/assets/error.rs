//! Errors of generating and writing the files.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::config::Faults;
use crate::registry::DeclareError;

/// The error of generating or writing the files. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssetsError {
    /// Settings from which nothing can be generated; all faults are listed.
    #[error("the configuration of the assets has {} fault(s):\n{}", .0.len(), .0)]
    Invalid(Faults),
    /// The catalogue cannot be built.
    #[error(transparent)]
    Declare(#[from] DeclareError),
    /// Files were edited since they were generated, or were never generated; each with the
    /// difference.
    #[error("{}", Edits(.0))]
    Edited(Vec<EditedFile>),
    /// A file cannot be read or written. The existing files are unchanged.
    #[error("cannot write `{}`; check its permissions, and that nothing else has this path", .path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// A file that was edited by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EditedFile {
    /// Its path in the folder.
    pub path: String,
    /// The difference from the existing file to the generated one, as by `diff -u`.
    pub diff: String,
}

struct Edits<'a>(&'a [EditedFile]);

impl fmt::Display for Edits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} file(s) were edited and would be overwritten; keep the edits elsewhere, or overwrite \
             them (`--force`):",
            self.0.len()
        )?;
        self.0
            .iter()
            .try_for_each(|file| write!(f, "\n{}", file.diff))
    }
}
