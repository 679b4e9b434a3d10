//! The closed sets of words for what became of things.

use serde::{Deserialize, Serialize};

use super::issue::Name;

/// Where an open issue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Not seen often enough to be acted on.
    Confirming,
    /// Due, and waiting for a guard to let it through.
    Pending,
    /// Waiting for the time that was drawn after the last attempt.
    Backoff,
    /// Waiting for a person to approve.
    Approval,
    /// An attempt or a rollback is under way.
    Running,
    /// The attempt said ok; a verification decides.
    Verifying,
    /// It is good; it must stay so for the settling time.
    Settling,
    /// The attempt did not heal, and its rollback waits for a guard to let it through. Nothing
    /// runs.
    AwaitingRollback,
    /// Left to a person, and visible.
    Parked,
}

impl Phase {
    /// All of them.
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
    /// The mode is dry-run: what would be done was reported.
    DryRun,
    /// A person said no.
    Denied,
    /// No one approved in time.
    ApprovalExpired,
    /// It was healed too often in too short a time.
    Flapping,
    /// It took too many attempts in too short a time.
    Intensity,
    /// All steps of its plan were tried.
    Exhausted,
    /// It waited longer than the policy's patience.
    Waited,
    /// Its plan cannot be followed, or there is none.
    BadPlan,
    /// Its plan only reports.
    ReportOnly,
}

impl ParkReason {
    /// The word for it.
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

    /// Whether healing has given up. That outlives the issue: the key stays blocked until its fault
    /// is gone or a person acknowledges it, though what is reversible is tried again meanwhile.
    #[must_use]
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Flapping | Self::Intensity | Self::Exhausted)
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptResult {
    /// The action says that it worked; whether it did is for the verification to say.
    Ok,
    /// The action says that it did not work, or that it must not run.
    Failed,
    /// It did not end in time.
    Timeout,
    /// It panicked.
    Panicked,
    /// It was called off.
    Cancelled,
    /// A check just before acting showed that the issue is no longer what it was. Nothing was
    /// done: it uses up no attempt of its step and none of the intensity.
    Stale,
    /// The process ended before it did.
    Interrupted,
}

impl AttemptResult {
    /// All of them.
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

    /// Whether it says by itself that the action does not heal this kind of issue.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Timeout | Self::Panicked)
    }
}

/// How an issue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// An attempt said ok, and the verification stayed good for the settling time.
    Healed,
    /// It went away without a verified attempt.
    SelfResolved,
    /// All steps of its plan were tried and none healed it; the fault went away without one.
    Exhausted,
    /// It gave way to a more severe one, or its engine is gone.
    Superseded,
    /// The engine shut down; the next start takes it up again from the journal.
    Shutdown,
}

impl Closed {
    /// All of them.
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
    /// The verification failed; it says nothing.
    Unknown,
}

/// Why an observation was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dropped {
    /// There are too many open issues, none of them less severe.
    Full,
    /// The engine is shutting down.
    Shutdown,
    /// It names no component or issue type, its samples make no sense, or its engine was removed.
    Invalid,
}

impl Dropped {
    /// All of them.
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

/// Who decided.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The policy.
    #[default]
    Policy,
    /// A person.
    Person(Name),
    /// An alert from outside.
    Alert(Name),
}
