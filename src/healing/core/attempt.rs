//! Identifiers of attempts and requests, and whether an attempt heals or rolls back.

use serde::{Deserialize, Serialize};

/// The identifier of an attempt or a rollback; unique over all runs of one journal.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct AttemptId(pub u64);

/// The identifier of a request that the runtime answers: the slot of its issue, and a number that
/// no other request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Ticket {
    pub(super) slot: u64,
    pub(super) number: u64,
}

/// Whether an attempt heals or rolls back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Runs the step's action; counted as an attempt.
    Heal,
    /// Undoes an attempt that did not heal.
    Rollback,
}
