//! The numbers of attempts and of requests, and what an attempt is for.

use serde::{Deserialize, Serialize};

/// The number of an attempt or a rollback; unique over all runs of one journal.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct AttemptId(pub u64);

/// The number of a request that the shell answers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Ticket(pub u64);

/// Whether something is to be done or undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// The step's action: it is an attempt, and counted as one.
    Heal,
    /// The undoing of an attempt that did not heal.
    Rollback,
}
