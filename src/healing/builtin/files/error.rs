//! Errors of guarding and restoring a file.

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
    /// The file does not exist, and there is no copy of a good one.
    #[error(
        "{}: there is no such file, and no copy to restore it from; create it first, or name a \
         copy",
        Printable(.path.display())
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The content is bad from the start, and there is no copy of a good one.
    #[error(
        "{}: its content is refused ({why}), and there is no copy to restore it from; fix it \
         first, or name a copy",
        Printable(.path.display())
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The validator's message; see [`GuardFile::verbatim`](super::GuardFile::verbatim).
        why: BoundedStr,
    },
    /// The file cannot be read.
    #[error("{}: it cannot be guarded: {why}", Printable(.path.display()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: BoundedStr,
    },
    /// Users other than root and that of this process may change the path to the file.
    #[error("{}: it is not guarded: {why}", Printable(.path.display()))]
    Untrusted {
        /// The file, or its copy.
        path: PathBuf,
        /// The user, the permission and the directory.
        why: String,
    },
    /// The file system or the validator hangs.
    #[error(
        "{}: it cannot be guarded: its file system or its validator did not answer within \
         {deadline:?}; fix that, or allow more with `deadline`",
        Printable(.path.display())
    )]
    Late {
        /// The file.
        path: PathBuf,
        /// The deadline that passed.
        deadline: Duration,
    },
    /// The metrics of guarded files clash with others of the registry.
    #[error("the metrics of guarded files cannot be declared: {0}")]
    Metrics(#[from] DeclareError),
    /// The healing engine could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The engine cannot be registered.
    #[error("the guard cannot be registered: {0}")]
    Register(#[from] RegisterError),
}

/// Why older content of a file was not restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GoBackError {
    /// The content is no longer kept.
    #[error("no content {blake3} is kept; choose one of those kept")]
    NotKept {
        /// The requested hash.
        blake3: String,
    },
    /// The file cannot be written.
    #[error("{}: cannot go back: {source}", Printable(.path.display()))]
    Failed {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
}
