//! Closed sets of phases, results and reasons.

use serde::{Deserialize, Serialize};

use super::issue::Name;
use crate::util::closed_set;

closed_set! {
    /// The phase of an open issue.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Phase {
        /// Seen too rarely so far to be acted on.
        Confirming = "confirming",
        /// Due, and waiting for a guard to let it through.
        Pending = "pending",
        /// Waiting for the backoff drawn after the last attempt.
        Backoff = "backoff",
        /// Waiting for a person to approve.
        Approval = "approval",
        /// An attempt or a rollback is under way.
        Running = "running",
        /// The attempt returned ok; a verification decides.
        Verifying = "verifying",
        /// The fault is gone; it must stay gone for the settling time.
        Settling = "settling",
        /// The attempt did not heal, and its rollback waits for a guard to let it through. Nothing
        /// runs.
        AwaitingRollback = "awaiting_rollback",
        /// Left to a person.
        Parked = "parked",
    }
}

closed_set! {
    /// Why an issue is left to a person.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ParkReason {
        /// The mode is dry-run: the action was only reported.
        DryRun = "dry_run",
        /// A person denied it.
        Denied = "denied",
        /// No one approved in time.
        ApprovalExpired = "approval_expired",
        /// It was healed too often within a window.
        Flapping = "flapping",
        /// It used too many attempts within a window.
        Intensity = "intensity",
        /// All steps of its plan were tried.
        Exhausted = "exhausted",
        /// It waited longer than the policy's patience.
        Waited = "waited",
        /// Its plan is invalid, or there is none.
        BadPlan = "bad_plan",
        /// Its plan only reports.
        ReportOnly = "report_only",
    }
}

impl ParkReason {
    /// Whether healing has given up. This outlives the issue: the key stays blocked until its fault
    /// is gone or a person acknowledges it, though reversible steps are retried.
    #[must_use]
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Flapping | Self::Intensity | Self::Exhausted)
    }
}

closed_set! {
    /// The result of an attempt.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum AttemptResult {
        /// The action returned ok; the verification decides whether it healed.
        Ok = "ok",
        /// The action returned an error, or refused to run.
        Failed = "failed",
        /// It did not end in time.
        Timeout = "timeout",
        /// It panicked.
        Panicked = "panicked",
        /// It was cancelled.
        Cancelled = "cancelled",
        /// A check just before acting showed that the issue has changed. Nothing was done: it uses
        /// no attempt of its step and no intensity.
        Stale = "stale",
        /// The process ended before the attempt did.
        Interrupted = "interrupted",
    }
}

impl AttemptResult {
    /// Whether it shows by itself that the action does not heal this kind of issue.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Timeout | Self::Panicked)
    }
}

closed_set! {
    /// How an issue closed.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Closed {
        /// An attempt returned ok, and the verification stayed good for the settling time.
        Healed = "healed",
        /// It went away without a verified attempt.
        SelfResolved = "self_resolved",
        /// All steps of its plan were tried and none healed it; the fault went away by itself.
        Exhausted = "exhausted",
        /// A more severe one replaced it, or its engine was removed.
        Superseded = "superseded",
        /// The engine shut down; the next start restores it from the journal.
        Shutdown = "shutdown",
    }
}

/// The verdict of a verification after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The fault is gone.
    Good,
    /// The fault is still there.
    Bad,
    /// The verification failed: no verdict.
    Unknown,
}

closed_set! {
    /// Why an observation was dropped.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Dropped {
        /// Too many issues are open, none of them less severe.
        Full = "full",
        /// The engine is shutting down.
        Shutdown = "shutdown",
        /// It names no component or issue type, its samples are invalid, or its engine was removed.
        Invalid = "invalid",
    }
}

/// The origin of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The policy.
    #[default]
    Policy,
    /// A person.
    Person(Name),
    /// An external alert.
    Alert(Name),
}
