//! Engines that come with the crate.

#[cfg(feature = "files")]
mod files;
mod tasks;

#[cfg(feature = "files")]
pub use files::{FileMetrics, GoBackError, GuardError, GuardFile, GuardedFile, KeptContent};
pub use tasks::{Restart, Supervise, SuperviseError, TaskContext, TaskOutput};
