//! The vocabulary of healing and the state machine that decides, without clock, I/O or lock.
//!
//! [`State::step`] takes an [`Event`] and returns [`Effect`]s; all other types here are carried by
//! these two.

mod alert;
mod attempt;
mod confidence;
mod effect;
mod escalate;
mod event;
mod explanation;
mod hold;
pub mod identities;
mod issue;
mod moment;
mod outcome;
mod plan;
mod record;
mod state;
mod tally;
mod unknown;

pub use alert::{Alert, AlertId, AlertKind};
pub use attempt::{AttemptId, Ticket, Work};
pub use confidence::{Confidence, Estimate, Outcomes, Samples};
pub use effect::{Effect, Notice, Start};
pub use escalate::{EscalationState, ExitRequest, ServiceEscalation};
pub use event::{Control, Event, Target};
pub use explanation::{Explanation, NextAction};
pub use hold::Hold;
pub use issue::{Evidence, Generation, Issue, IssueKey, Name, Observation, Severity, ShortText};
pub use moment::{Moment, Stamp, Wall};
pub use outcome::{AttemptResult, By, Closed, Dropped, ParkReason, Phase, Verdict};
pub use plan::{Backoff, Budget, Confirm, Mode, Plan, PlanError, Risk, Step};
pub use record::{Carried, Intent, KeyMemory, OpenState, Record, What};
pub use state::{Snapshot, State};
pub use tally::{
    ActionCounts, ActionLabels, ActionTimes, CONFIDENCE_BUCKETS, Counts, DURATION_BUCKETS,
    DetectedLabels, Distribution, Observations,
};
pub use unknown::{NotKnown, Unknown};
