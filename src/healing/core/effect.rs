//! What the core wants done, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::attempt::{AttemptId, Ticket, Work};
use super::escalate::ExitRequest;
use super::issue::{Issue, IssueKey, Name, ShortText};
use super::moment::Moment;
use super::outcome::Dropped;
use super::record::Record;

/// Something to be done, to be answered by [`Event::Ended`](super::Event::Ended).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Start {
    /// Its number.
    pub attempt: AttemptId,
    /// Done or undone.
    pub work: Work,
    /// Who does it.
    pub engine: Name,
    /// What it is about, at the time of the decision.
    pub issue: Issue,
    /// What to do.
    pub action: Name,
    /// The step of the plan, from 0.
    pub step: usize,
    /// Which attempt of the step, from 1.
    pub nth: u32,
    /// How long it may take; the core says [`Effect::Cancel`] when it is over.
    pub timeout: Duration,
    /// What it holds meanwhile.
    pub lock: Name,
}

/// What the shell is to do, in this order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Write it to the journal before anything that follows, and notify the subscribers.
    Record(Box<Record>),
    /// Notify the subscribers; it is not worth a record.
    Notice(Notice),
    /// Begin, in a task of its own.
    Start(Box<Start>),
    /// Call it off. It is over only when [`Event::Ended`](super::Event::Ended) says so.
    Cancel {
        /// Which.
        attempt: AttemptId,
    },
    /// Have the engine verify on data newer than `data_after`, and answer with
    /// [`Event::Judged`](super::Event::Judged).
    Verify {
        /// The request.
        ticket: Ticket,
        /// Whom to ask.
        engine: Name,
        /// What about.
        issue: Box<Issue>,
        /// The attempt that is verified.
        attempt: AttemptId,
        /// The time before which data are too old.
        data_after: Moment,
        /// How long it may take; after it the core counts it as without a verdict.
        timeout: Duration,
    },
    /// Have the engine detect now, and answer with
    /// [`Event::Detected`](super::Event::Detected) or
    /// [`Event::DetectFailed`](super::Event::DetectFailed).
    Detect {
        /// Whom to ask.
        engine: Name,
    },
    /// An alert begins to fire, or its severity changed.
    Raise(Box<Alert>),
    /// An alert no longer fires.
    Resolve(Box<Alert>),
    /// The process should end: once the record before it is in the journal, notify the host.
    Exit(Box<ExitRequest>),
    /// Send [`Event::Tick`](super::Event::Tick) at this time, if nothing else happens before.
    /// It replaces the time that was asked for before; [`Moment::NEVER`] takes it back.
    WakeAt(Moment),
    /// Nothing runs any more and everything is closed: the shell can end.
    Stopped,
}

/// What happened without a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// Observations were dropped; reported once a second for each reason, with the last key.
    Dropped {
        /// Why.
        reason: Dropped,
        /// The last of them.
        key: IssueKey,
        /// How many since the last notice.
        count: u64,
    },
    /// An answer came to a question that is no longer open.
    Late {
        /// What answered.
        what: Name,
    },
    /// A decision from outside could not be followed.
    Refused {
        /// Why, and what to do.
        why: ShortText,
    },
}
