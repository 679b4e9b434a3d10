//! Effects: the requests of the core to its runtime, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::attempt::{AttemptId, Ticket};
use super::escalate::ExitRequest;
use super::issue::{Issue, IssueKey, Name, ShortText};
use super::moment::Moment;
use super::outcome::Dropped;
use super::record::{Intent, Record};

/// An attempt to start, answered by [`Event::Ended`](super::Event::Ended).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Start {
    /// What the journal has of it before it starts.
    pub intent: Intent,
    /// The issue at the time of the decision.
    pub issue: Issue,
}

/// A request to the runtime; effects are carried out in order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Write the record to the journal before any later effect, and notify the subscribers.
    Record(Box<Record>),
    /// Notify the subscribers of an occurrence that is not journaled.
    Notice(Notice),
    /// Start the attempt in its own task.
    Start(Box<Start>),
    /// Cancel the attempt. It ends only with [`Event::Ended`](super::Event::Ended).
    Cancel {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Have the engine verify on data newer than `data_after`, and answer with
    /// [`Event::Judged`](super::Event::Judged).
    Verify {
        /// The request.
        ticket: Ticket,
        /// The engine to ask.
        engine: Name,
        /// The issue to verify.
        issue: Box<Issue>,
        /// The attempt that is verified.
        attempt: AttemptId,
        /// Data gathered before this time are too old.
        data_after: Moment,
        /// Time limit; when it is over the core counts no verdict.
        timeout: Duration,
    },
    /// Have the engine detect now, and answer with
    /// [`Event::Detected`](super::Event::Detected) or
    /// [`Event::DetectFailed`](super::Event::DetectFailed).
    Detect {
        /// The engine to ask.
        engine: Name,
    },
    /// An alert began to fire, or its severity changed.
    Raise(Box<Alert>),
    /// An alert no longer fires.
    Resolve(Box<Alert>),
    /// The process should end: notify the host once the preceding records are in the journal.
    Exit(Box<ExitRequest>),
    /// Send [`Event::Tick`](super::Event::Tick) at this time unless another event comes first. It
    /// replaces the previous request; [`Moment::NEVER`] cancels it.
    WakeAt(Moment),
    /// Nothing runs and every issue is closed: the runtime can end.
    Stopped,
}

/// An occurrence without a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// Observations were dropped; reported once a second for each reason.
    Dropped {
        /// The reason.
        reason: Dropped,
        /// Key of the last dropped observation.
        key: IssueKey,
        /// How many since the last notice.
        count: u64,
    },
    /// An answer arrived for a request that is no longer open.
    Late {
        /// The kind of answer.
        what: Name,
    },
    /// A decision from outside was refused.
    Refused {
        /// The reason, and what to do.
        why: ShortText,
    },
}
