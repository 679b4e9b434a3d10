//! The journal: a record of decisions and actions, written before they take effect.
//!
//! # What this module promises
//! - **Intent before action.** An action starts only once the record of its intent is in the file,
//!   and on disk as far as [`Fsync`](crate::config::Fsync) requires.
//! - **Any prefix is valid.** Each line has a checksum; each file begins with the state from the
//!   files before it. Reading returns the longest valid prefix of the newest whole file, and a
//!   [`ReplayReport`] of the damage after it.
//! - **A broken disk stops nothing.** The journal continues in memory, the core is notified (it
//!   refuses disruptive actions meanwhile), and a new file is retried with backoff.
//! - **It is bounded**: files by size, age and number; the queue to the disk; records in memory.
//!
//! Writes are batched on a thread for blocking work, never on one that runs tasks.

mod file;
mod folder;
mod history;
mod line;
mod lock;
mod replay;
mod store;
mod writer;

#[cfg(test)]
mod tests;

pub use folder::{Folder, FolderError};
pub use history::HistoryFilter;
pub use line::DamageKind;
pub use replay::{Damage, ReplayReport};
pub use store::{Append, Store};

pub(super) use replay::{Replay, replay};
pub(super) use writer::{Journal, Progress};
