//! What the engine decided and did, written down before it is done.
//!
//! # What this module promises
//! - **Intent before action.** An action starts only when the record of its intent is in the
//!   file, and on the disk as far as [`Fsync`](crate::config::Fsync) asks for it.
//! - **Any prefix is valid.** Each line has a checksum; each file begins with all that the files
//!   before it hold. What is read back is the longest valid prefix of the newest whole file, and
//!   a [`ReplayReport`] of what was wrong after it.
//! - **A broken disk stops nothing.** The journal goes on in memory, the core is notified (it
//!   refuses disruptive actions meanwhile), and a new file is tried again and again.
//! - **It is bounded**: files by size, age and number; the queue to the disk; what is in memory.
//!
//! Writing happens in batches on a thread for blocking work, never on one that runs tasks.

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
pub use replay::{Damage, DamageKind, ReplayReport};
pub use store::{Append, Store};

pub(super) use replay::{Replay, replay};
pub(super) use writer::{Journal, Progress};
