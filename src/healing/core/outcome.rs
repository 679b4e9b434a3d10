//! Closed sets of phases, results and reasons.

use serde::{Deserialize, Serialize};

use super::issue::Name;

/// The phase of an open issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Seen too rarely so far to be acted on.
    Confirming,
    /// Due, and waiting for a guard to let it through.
    Pending,
    /// Waiting for the backoff drawn after the last attempt.
    Backoff,
    /// Waiting for a person to approve.
    Approval,
    /// An attempt or a rollback is under way.
    Running,
    /// The attempt returned ok; a verification decides.
    Verifying,
    /// The fault is gone; it must stay gone for the settling time.
    Settling,
    /// The attempt did not heal, and its rollback waits for a guard to let it through. Nothing
    /// runs.
    AwaitingRollback,
    /// Left to a person.
    Parked,
}

impl Phase {
    /// All phases.
    pub const ALL: [Self; 9] = [
        Self::Confirming,
        Self::Pending,
        Self::Backoff,
        Self::Approval,
        Self::Running,
        Self::Verifying,
        Self::Settling,
        Self::AwaitingRollback,
        Self::Parked,
    ];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirming => "confirming",
            Self::Pending => "pending",
            Self::Backoff => "backoff",
            Self::Approval => "approval",
            Self::Running => "running",
            Self::Verifying => "verifying",
            Self::Settling => "settling",
            Self::AwaitingRollback => "awaiting_rollback",
            Self::Parked => "parked",
        }
    }
}

/// Why an issue is left to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkReason {
    /// The mode is dry-run: the action was only reported.
    DryRun,
    /// A person denied it.
    Denied,
    /// No one approved in time.
    ApprovalExpired,
    /// It was healed too often within a window.
    Flapping,
    /// It used too many attempts within a window.
    Intensity,
    /// All steps of its plan were tried.
    Exhausted,
    /// It waited longer than the policy's patience.
    Waited,
    /// Its plan is invalid, or there is none.
    BadPlan,
    /// Its plan only reports.
    ReportOnly,
}

impl ParkReason {
    /// The reason's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DryRun => "dry_run",
            Self::Denied => "denied",
            Self::ApprovalExpired => "approval_expired",
            Self::Flapping => "flapping",
            Self::Intensity => "intensity",
            Self::Exhausted => "exhausted",
            Self::Waited => "waited",
            Self::BadPlan => "bad_plan",
            Self::ReportOnly => "report_only",
        }
    }

    /// Whether healing has given up. This outlives the issue: the key stays blocked until its fault
    /// is gone or a person acknowledges it, though reversible steps are retried.
    #[must_use]
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Flapping | Self::Intensity | Self::Exhausted)
    }
}

/// The result of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptResult {
    /// The action returned ok; the verification decides whether it healed.
    Ok,
    /// The action returned an error, or refused to run.
    Failed,
    /// It did not end in time.
    Timeout,
    /// It panicked.
    Panicked,
    /// It was cancelled.
    Cancelled,
    /// A check just before acting showed that the issue has changed. Nothing was done: it uses no
    /// attempt of its step and no intensity.
    Stale,
    /// The process ended before the attempt did.
    Interrupted,
}

impl AttemptResult {
    /// All results.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Failed,
        Self::Timeout,
        Self::Panicked,
        Self::Cancelled,
        Self::Stale,
        Self::Interrupted,
    ];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
            Self::Stale => "stale",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether it shows by itself that the action does not heal this kind of issue.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Timeout | Self::Panicked)
    }
}

/// How an issue closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// An attempt returned ok, and the verification stayed good for the settling time.
    Healed,
    /// It went away without a verified attempt.
    SelfResolved,
    /// All steps of its plan were tried and none healed it; the fault went away by itself.
    Exhausted,
    /// A more severe one replaced it, or its engine was removed.
    Superseded,
    /// The engine shut down; the next start restores it from the journal.
    Shutdown,
}

impl Closed {
    /// All outcomes.
    pub const ALL: [Self; 5] = [
        Self::Healed,
        Self::SelfResolved,
        Self::Exhausted,
        Self::Superseded,
        Self::Shutdown,
    ];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healed => "healed",
            Self::SelfResolved => "self_resolved",
            Self::Exhausted => "exhausted",
            Self::Superseded => "superseded",
            Self::Shutdown => "shutdown",
        }
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

/// Why an observation was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dropped {
    /// Too many issues are open, none of them less severe.
    Full,
    /// The engine is shutting down.
    Shutdown,
    /// It names no component or issue type, its samples are invalid, or its engine was removed.
    Invalid,
}

impl Dropped {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::Full, Self::Shutdown, Self::Invalid];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Shutdown => "shutdown",
            Self::Invalid => "invalid",
        }
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
