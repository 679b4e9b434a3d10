use std::io;

use crate::config::Faults;
use crate::healing::core::{Name, ShortText};
use crate::healing::journal::FolderError;
use crate::registry::DeclareError;

/// Why the healing engine could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no tokio runtime.
    #[error(
        "healing needs a tokio runtime: start it in async code, pass one to `runtime`, or call \
         `Selfheal::listen` first, whose thread has one"
    )]
    NoRuntime(#[source] tokio::runtime::TryCurrentError),
    /// The runtime has no timer.
    #[error("healing needs tokio's timers: call `enable_time` or `enable_all` on the runtime")]
    NoTime,
    /// The policy or the journal settings are invalid.
    #[error("the healing settings are not valid:\n{0}")]
    Invalid(Faults),
    /// The journal folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The journal cannot be read.
    #[error("the journal cannot be read; check its files, or choose another folder")]
    Journal(#[source] io::Error),
    /// The metrics of the healing group clash with others of the registry.
    #[error("the healing metrics cannot be registered; is another engine registered there?")]
    Metrics(#[source] DeclareError),
}

/// Why an engine could not be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// Its name is empty.
    #[error("the engine has no name; give it one that no other engine has")]
    Nameless,
    /// Another engine has this name.
    #[error("there is an engine `{name}` already; remove it first, or choose another name")]
    Taken {
        /// The name.
        name: Name,
    },
    /// The limit of engines is reached.
    #[error("engine `{name}` exceeds the limit of {limit}; raise healing.limits.engines")]
    TooMany {
        /// The engine's name.
        name: Name,
        /// The limit.
        limit: u32,
    },
    /// It panicked when asked for its name, its components or its interval.
    #[error("the engine {what} when it was asked for its name; correct it")]
    Panicked {
        /// The panic message.
        what: ShortText,
    },
    /// The tokio runtime of the healing engine has ended.
    #[error(
        "engine `{name}` comes too late: healing has ended with its tokio runtime; start it again \
         in the current one, as a `Selfheal` does when it is asked for its engine there"
    )]
    RuntimeEnded {
        /// The engine's name.
        name: Name,
    },
    /// The healing engine is shutting down, or has shut down.
    #[error("engine `{name}` comes too late: healing shuts down")]
    ShutDown {
        /// The engine's name.
        name: Name,
    },
}

/// A refused decision from outside; nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused: {why}")]
pub struct Refused {
    /// The reason, and what to do.
    pub why: ShortText,
}
