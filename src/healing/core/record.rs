//! What the journal keeps: enough to go on after a crash, and to answer who did what and why.

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
    /// Counts up by one over all runs.
    pub seq: u64,
    /// When, on both clocks; the monotonic one counts from the start of the run.
    pub stamp: Stamp,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// A run of the engine began.
    Started,
    /// An issue opened.
    Opened {
        /// As first seen.
        issue: Box<Issue>,
        /// Whose it is.
        engine: Name,
    },
    /// An open issue got worse.
    Worsened {
        /// Which.
        key: IssueKey,
        /// Its new generation.
        generation: Generation,
        /// Its new severity.
        severity: Severity,
    },
    /// An open issue changed its phase.
    Moved {
        /// Which.
        key: IssueKey,
        /// Its generation.
        generation: Generation,
        /// Where it stands now.
        to: Phase,
        /// Why it is left to a person, if it is.
        reason: Option<ParkReason>,
        /// Until when it stays there at the longest, or at the least in [`Phase::Backoff`].
        until: Option<Moment>,
    },
    /// What would have been done if the mode were not dry-run.
    WouldRun {
        /// For which issue.
        key: IssueKey,
        /// Its generation.
        generation: Generation,
        /// What.
        action: Name,
        /// How sure.
        confidence: Confidence,
    },
    /// The intent to act, written before acting.
    AttemptStarted(Box<Intent>),
    /// An attempt or a rollback ended, or was given up as a zombie.
    AttemptFinished {
        /// Which.
        attempt: AttemptId,
        /// Done or undone.
        work: Work,
        /// For which issue.
        key: IssueKey,
        /// What.
        action: Name,
        /// How.
        result: AttemptResult,
        /// How long it took.
        #[serde(with = "duration")]
        took: Duration,
        /// What it said.
        message: ShortText,
        /// Whether another try of the same step would fail as well.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        hopeless: bool,
    },
    /// A zombie really ended, and its lock is free.
    ZombieEnded {
        /// Which.
        attempt: AttemptId,
    },
    /// A verification decided about an attempt.
    Verified {
        /// Which.
        attempt: AttemptId,
        /// For which issue.
        key: IssueKey,
        /// What was done.
        action: Name,
        /// Whether the fault is gone.
        good: bool,
        /// When its data were gathered.
        data_from: Moment,
    },
    /// An issue closed.
    Closed {
        /// Which.
        key: IssueKey,
        /// Its generation.
        generation: Generation,
        /// How.
        outcome: Closed,
        /// The action that healed it, if one did.
        action: Option<Name>,
        /// How many attempts it took.
        attempts: u32,
        /// How long it was open.
        #[serde(with = "duration")]
        open_for: Duration,
        /// The time before which the next issue of the key is not acted on, as it was drawn.
        not_before: Option<Moment>,
    },
    /// An alert began to fire.
    Raised(Box<Alert>),
    /// An alert no longer fires.
    Resolved(Box<Alert>),
    /// Healing has given up on a fault, and it was taken further than an alert.
    Escalated {
        /// What healing has given up on.
        id: AlertId,
        /// How far. Journals of older versions have it as `rung`.
        #[serde(alias = "rung")]
        level: ServiceEscalation,
        /// How bad it is.
        severity: Severity,
        /// In words.
        why: ShortText,
    },
    /// The service is ready again, as far as this is concerned.
    Deescalated {
        /// What healing had given up on.
        id: AlertId,
    },
    /// A decision from outside was followed.
    Controlled {
        /// What.
        control: Control,
        /// Who.
        by: By,
    },
    /// A new policy is in force.
    Reloaded,
    /// What a module of this process wants to know after a restart. The newest of each name counts.
    Remembered {
        /// What it is called.
        name: Name,
        /// What is to be known.
        value: serde_json::Value,
    },
    /// The shutdown began.
    ShuttingDown,
    /// What an earlier file of the journal holds, for the first lines of the next one.
    Carried(Box<Carried>),
}

/// What is about to be done, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Intent {
    /// Its number.
    pub attempt: AttemptId,
    /// Done or undone.
    pub work: Work,
    /// For which issue.
    pub key: IssueKey,
    /// Its generation.
    pub generation: Generation,
    /// How bad it is.
    #[serde(default)]
    pub severity: Severity,
    /// Whether its component had spent nothing, so that it could draw on what is kept for such.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unspent: bool,
    /// Who does it.
    pub engine: Name,
    /// What.
    pub action: Name,
    /// The step of the plan, from 0.
    pub step: usize,
    /// Which attempt of the step, from 1.
    pub nth: u32,
    /// What can go wrong.
    pub risk: Risk,
    /// What it holds meanwhile.
    pub lock: Name,
    /// How long it may take.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// How sure the detector and the action are.
    pub confidence: Confidence,
    /// What was seen, captured before acting destroys it.
    pub evidence: Evidence,
    /// Who let it run.
    pub by: By,
}

/// One thing that the engine remembers, for a journal that begins anew.
///
/// Its times are on the clock of the record's own stamp.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Carried {
    /// An issue that is open.
    Issue {
        /// As it stands.
        issue: Issue,
        /// Whose it is.
        engine: Name,
        /// The step of its plan, from 0.
        step: usize,
        /// How many attempts that step has had.
        used: u32,
        /// How many attempts it has had in all.
        attempts: u32,
    },
    /// An attempt or a rollback that runs: its end has still to come. Its attempt is among
    /// those spent.
    Attempt {
        /// What is done.
        intent: Intent,
        /// Since when.
        started: Moment,
    },
    /// What is known of a key beyond its open issue.
    Key(KeyMemory),
    /// Attempts that still count against a budget.
    Spent {
        /// The component whose budget it is; none for the global one.
        component: Option<Name>,
        /// How bad their faults were.
        #[serde(default)]
        severity: Severity,
        /// Whether their components had spent nothing before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unspent: bool,
        /// When they started.
        at: Vec<Moment>,
    },
    /// When a process was asked to end.
    Exits {
        /// When.
        at: Vec<Moment>,
    },
    /// The verified outcomes of an action for an issue type.
    Outcomes {
        /// The issue type.
        issue_type: Name,
        /// The action.
        action: Name,
        /// How often it healed, and did not.
        outcomes: Outcomes,
    },
    /// A mute.
    Mute {
        /// What.
        target: super::event::Target,
        /// Until when.
        until: Moment,
        /// The worst severity that stays muted.
        tolerate: Severity,
    },
    /// What there is only one of.
    Engine {
        /// Whether it is paused.
        paused: bool,
        /// Whether the kill switch is on.
        killed: bool,
        /// The last number of an attempt, so that none is used twice.
        attempts: AttemptId,
        /// The last generation.
        generations: Generation,
    },
}

/// What is known of a key beyond its open issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyMemory {
    /// Which.
    pub key: IssueKey,
    /// Whose issue its last one was.
    pub engine: Option<Name>,
    /// The attempts since it was last healthy for long enough.
    pub streak: u32,
    /// The time before which nothing starts for it.
    pub not_before: Moment,
    /// When its last issue closed.
    pub closed_at: Option<Moment>,
    /// The attempts that count against its intensity.
    pub attempts: Vec<Moment>,
    /// When it was healed.
    pub heals: Vec<Moment>,
    /// Why it is left to a person, if it is.
    pub block: Option<ParkReason>,
}
