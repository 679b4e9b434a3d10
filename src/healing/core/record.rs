//! Journal records: enough to resume after a crash, and to audit who did what and why.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alert::{Alert, AlertId};
use super::attempt::{AttemptId, Work};
use super::confidence::{Confidence, Outcomes};
use super::escalate::ServiceEscalation;
use super::event::Control;
use super::issue::{Evidence, Generation, Issue, IssueKey, Name, Severity, ShortText};
use super::moment::{Moment, Stamp};
use super::outcome::{AttemptResult, By, Closed, ParkReason, Phase};
use super::plan::Risk;
use crate::config::duration;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Sequence number, increasing by one over all runs.
    pub seq: u64,
    /// Time on both clocks; the monotonic one counts from the start of the run.
    pub stamp: Stamp,
    /// The recorded event.
    pub what: What,
}

/// The event of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// A run of the engine began.
    Started,
    /// An issue opened.
    Opened {
        /// The issue as first seen.
        issue: Box<Issue>,
        /// Its engine.
        engine: Name,
    },
    /// An open issue got worse.
    Worsened {
        /// The key.
        key: IssueKey,
        /// Its new generation.
        generation: Generation,
        /// Its new severity.
        severity: Severity,
    },
    /// An open issue changed its phase.
    Moved {
        /// The key.
        key: IssueKey,
        /// Its generation.
        generation: Generation,
        /// Its new phase.
        to: Phase,
        /// Why it is left to a person, if it is.
        reason: Option<ParkReason>,
        /// When the phase ends at the latest; in [`Phase::Backoff`] at the earliest.
        until: Option<Moment>,
    },
    /// An action that was not run because its mode is dry-run.
    WouldRun {
        /// Key of the issue.
        key: IssueKey,
        /// Its generation.
        generation: Generation,
        /// The action.
        action: Name,
        /// Confidence of the detector and the action.
        confidence: Confidence,
    },
    /// The intent to act, written before acting.
    AttemptStarted(Box<Intent>),
    /// An attempt or a rollback ended, or was abandoned as a zombie.
    AttemptFinished {
        /// The attempt.
        attempt: AttemptId,
        /// Whether it healed or rolled back.
        work: Work,
        /// Key of the issue.
        key: IssueKey,
        /// The action.
        action: Name,
        /// Its result.
        result: AttemptResult,
        /// Its duration.
        #[serde(with = "duration")]
        took: Duration,
        /// Its message.
        message: ShortText,
        /// Whether another try of the same step would fail as well.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        hopeless: bool,
    },
    /// A zombie ended, and its lock is free.
    ZombieEnded {
        /// The attempt.
        attempt: AttemptId,
    },
    /// The verification of an attempt ended.
    Verified {
        /// The attempt.
        attempt: AttemptId,
        /// Key of the issue.
        key: IssueKey,
        /// The action.
        action: Name,
        /// Whether the fault is gone.
        good: bool,
        /// When its data were gathered.
        data_from: Moment,
    },
    /// An issue closed.
    Closed {
        /// The key.
        key: IssueKey,
        /// Its generation.
        generation: Generation,
        /// The outcome.
        outcome: Closed,
        /// The action that healed it, if one did.
        action: Option<Name>,
        /// Number of attempts.
        attempts: u32,
        /// Time from opening to closing.
        #[serde(with = "duration")]
        open_for: Duration,
        /// The time before which the key's next issue is not acted on, from the drawn backoff.
        not_before: Option<Moment>,
    },
    /// An alert began to fire.
    Raised(Box<Alert>),
    /// An alert no longer fires.
    Resolved(Box<Alert>),
    /// Healing has given up on a fault, and it was escalated beyond an alert.
    Escalated {
        /// The alert of the fault.
        id: AlertId,
        /// The level reached. Older journals name it `rung`.
        #[serde(alias = "rung")]
        level: ServiceEscalation,
        /// Severity of the fault.
        severity: Severity,
        /// The reason in plain text.
        why: ShortText,
    },
    /// The fault no longer keeps the service from being ready.
    Deescalated {
        /// The alert of the fault.
        id: AlertId,
    },
    /// A decision from outside was carried out.
    Controlled {
        /// The decision.
        control: Control,
        /// Who decided.
        by: By,
    },
    /// A new policy is in force.
    Reloaded,
    /// A value that a module of this process stores across restarts. The latest of each name
    /// counts.
    Remembered {
        /// Name of the value.
        name: Name,
        /// The value.
        value: serde_json::Value,
    },
    /// The shutdown began.
    ShuttingDown,
    /// State carried over from an earlier journal file, at the start of the next one.
    Carried(Box<Carried>),
}

/// An attempt that is about to start, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Intent {
    /// Identifier of the attempt.
    pub attempt: AttemptId,
    /// Whether it heals or rolls back.
    pub work: Work,
    /// Key of the issue.
    pub key: IssueKey,
    /// Its generation.
    pub generation: Generation,
    /// Severity of the issue.
    #[serde(default)]
    pub severity: Severity,
    /// Whether its component had spent nothing, so that it could draw on the share reserved for
    /// such.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unspent: bool,
    /// The engine that runs it.
    pub engine: Name,
    /// The action.
    pub action: Name,
    /// Step of the plan, from 0.
    pub step: usize,
    /// Attempt number within the step, from 1.
    pub nth: u32,
    /// Risk of the action.
    pub risk: Risk,
    /// The lock it holds while it runs.
    pub lock: Name,
    /// Time limit of the attempt.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// Confidence of the detector and the action.
    pub confidence: Confidence,
    /// Evidence of the fault, captured before the action destroys it.
    pub evidence: Evidence,
    /// Who allowed it.
    pub by: By,
}

/// A piece of the engine's state, written to a new journal file.
///
/// Its times are on the clock of the record's own stamp.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Carried {
    /// An issue that is open.
    Issue(OpenState),
    /// A running attempt or rollback. Its attempt is also counted among the spent ones.
    Attempt {
        /// The intent of the attempt.
        intent: Intent,
        /// When it started.
        started: Moment,
    },
    /// State of a key beyond its open issue.
    Key(KeyMemory),
    /// Attempts that still count against a budget.
    Spent {
        /// The component of the budget; none for the global one.
        component: Option<Name>,
        /// Severity of their faults.
        #[serde(default)]
        severity: Severity,
        /// Whether their components had spent nothing before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unspent: bool,
        /// When they started.
        at: Vec<Moment>,
    },
    /// Times at which the process was asked to exit.
    Exits {
        /// The times.
        at: Vec<Moment>,
    },
    /// The verified outcomes of an action for an issue type.
    Outcomes {
        /// The issue type.
        issue_type: Name,
        /// The action.
        action: Name,
        /// How often it healed, and how often not.
        outcomes: Outcomes,
    },
    /// A mute.
    Mute {
        /// The key or component.
        target: super::event::Target,
        /// When it ends.
        until: Moment,
        /// The worst severity that stays muted.
        tolerate: Severity,
    },
    /// Engine-wide state.
    Engine {
        /// Whether it is paused.
        paused: bool,
        /// Whether the kill switch is on.
        killed: bool,
        /// The last attempt identifier, so that none is reused.
        attempts: AttemptId,
        /// The last generation.
        generations: Generation,
    },
}

/// An open issue, and how far its plan has gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenState {
    /// The issue in its current state.
    pub issue: Issue,
    /// Its engine.
    pub engine: Name,
    /// The step of its plan, from 0.
    pub step: usize,
    /// Attempts of that step so far. One that returned ok counts at once, as long as its
    /// verification has not healed the issue.
    pub used: u32,
    /// Attempts of the issue so far.
    pub attempts: u32,
}

/// State of a key beyond its open issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyMemory {
    /// The key.
    pub key: IssueKey,
    /// The engine of its last issue.
    pub engine: Option<Name>,
    /// Attempts since it was last healthy for long enough.
    pub streak: u32,
    /// Nothing starts for it before this time.
    pub not_before: Moment,
    /// When its last issue closed.
    pub closed_at: Option<Moment>,
    /// The attempts that count against its intensity.
    pub attempts: Vec<Moment>,
    /// Times at which it was healed.
    pub heals: Vec<Moment>,
    /// Why it is left to a person, if it is.
    pub block: Option<ParkReason>,
}

impl KeyMemory {
    /// A key of which nothing is known yet.
    pub(super) fn new(key: &IssueKey) -> Self {
        Self {
            key: key.clone(),
            engine: None,
            streak: 0,
            not_before: Moment::START,
            closed_at: None,
            attempts: Vec::new(),
            heals: Vec::new(),
            block: None,
        }
    }
}
