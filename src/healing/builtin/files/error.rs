//! Why a file is not guarded, or not put back.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use crate::healing::runtime::{RegisterError, StartError};
use crate::registry::DeclareError;
use crate::util::{BoundedStr, Printable};

/// Why a file cannot be guarded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// There is no file, and no copy of a good one.
    #[error(
        "{}: there is no such file, and no copy to restore it from; create it first, or name a copy",
        Printable(.path.display())
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The content is bad from the start, and there is no copy of a good one.
    #[error(
        "{}: its content is refused ({why}), and there is no copy to restore it from; mend it first, or name a copy",
        Printable(.path.display())
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the validator said; see [`GuardFile::verbatim`](super::GuardFile::verbatim).
        why: BoundedStr,
    },
    /// The file cannot be read.
    #[error("{}: it cannot be guarded: {why}", Printable(.path.display()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What stands against it.
        why: BoundedStr,
    },
    /// Others than root and the user of this process may change the way to the file.
    #[error("{}: it is not guarded: {why}", Printable(.path.display()))]
    Untrusted {
        /// The file, or its copy.
        path: PathBuf,
        /// Who may do what where.
        why: String,
    },
    /// The file system or the validator hangs.
    #[error(
        "{}: it cannot be guarded: its file system or its validator did not answer within {deadline:?}; mend that, or allow more with `deadline`",
        Printable(.path.display())
    )]
    Late {
        /// The file.
        path: PathBuf,
        /// How long was waited.
        deadline: Duration,
    },
    /// The metrics of guarded files clash with others.
    #[error("the metrics of guarded files cannot be declared: {0}")]
    Metrics(#[from] DeclareError),
    /// There is no healing engine to guard it.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The engine cannot be registered.
    #[error("the guard cannot be registered: {0}")]
    Register(#[from] RegisterError),
}

/// Why a file was not put back to older content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GoBackError {
    /// There is no such content any more.
    #[error("there is no content {blake3} to go back to; choose one that is kept")]
    NotKept {
        /// The hash that was asked for.
        blake3: String,
    },
    /// It cannot be written.
    #[error("{}: cannot go back: {source}", Printable(.path.display()))]
    Failed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}
