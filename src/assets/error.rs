//! Why the files are not written.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::config::Faults;
use crate::registry::DeclareError;

/// Why the files could not be generated or written. Then nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssetsError {
    /// The configuration asks for what cannot be generated; all faults are listed.
    #[error("the configuration of the assets has {} fault(s):\n{}", .0.len(), .0)]
    Invalid(Faults),
    /// The catalogue cannot be made.
    #[error(transparent)]
    Declare(#[from] DeclareError),
    /// Files were edited since they were generated, or were never generated; each with what would
    /// be lost.
    #[error("{}", Edits(.0))]
    Edited(Vec<EditedFile>),
    /// A file cannot be read or written. What was there is as it was.
    #[error("cannot write `{}`; check its permissions, and that the path is free", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
}

/// A file that a person has edited.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EditedFile {
    /// Its path in the folder.
    pub path: String,
    /// From what is there to what would be written, as `diff -u` shows it.
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
