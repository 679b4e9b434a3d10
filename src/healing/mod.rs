//! Heals what breaks, and can prove it.
//!
//! # What this room promises
//!
//! - **One owner of all decisions.** [`Event`]s go in, [`Effect`]s come out. The core reads no
//!   clock, does no I/O and holds no lock, so that every history can be replayed and tested.
//! - **Healed means verified**: an attempt said ok, and a look at data newer than its end stayed
//!   good for the settling time. That an action returned ok is not enough.
//! - **It cannot make things worse unseen.** Budgets per component and in all, full-jitter
//!   backoff, restart intensity, a storm guard, flap damping, locks that a hung action keeps,
//!   modes by risk, pause and kill switch: all on by default, see
//!   [`HealingPolicy`](crate::config::HealingPolicy).
//! - **It adds up.** Every observation, issue and attempt is counted exactly once.
//! - **It is bounded.** Open issues, keys, components, mutes, alerts, labels and every text have
//!   a limit; what does not fit is refused, counted and named.

mod alert;
mod confidence;
mod effect;
mod engine;
mod event;
mod expose;
#[cfg(feature = "files")]
mod files;
pub mod identities;
mod issue;
mod journal;
mod moment;
mod outcome;
mod page;
mod plan;
mod record;
mod runtime;
mod state;
mod supervise;
mod tally;

pub use alert::{Alert, AlertId, AlertKind};
pub use confidence::{Confidence, Estimate, Outcomes, Samples};
pub use effect::{AttemptId, Effect, Notice, Start, Ticket, Work};
pub use engine::{
    Action, Check, Context, Detector, HealError, HealErrorKind, HealingEngine, Precondition, Rule,
    Verifier, When,
};
pub use event::{Control, Event, Target};
pub use expose::expose;
#[cfg(feature = "files")]
pub use files::{FileMetrics, GuardError, GuardFile};
pub use issue::{Evidence, Generation, Issue, IssueKey, Name, Observation, Severity, Text};
pub use journal::{
    Append, Damage, DamageKind, Folder, FolderError, HistoryFilter, ReplayReport, Store,
};
pub use moment::{Moment, Stamp, Wall};
pub use outcome::{AttemptResult, By, Closed, Dropped, ParkReason, Phase, Verdict};
pub use page::{PageFault, check_page};
pub use plan::{Backoff, Budget, Confirm, Mode, Plan, PlanError, Risk, Step};
pub use record::{Carried, Intent, KeyMemory, Record, What};
pub use runtime::{
    AlertChange, AlertHook, ComponentState, EngineHandle, Events, Healing, HealingBuilder,
    HealingEvent, LogAlerts, OpenIssue, PassResult, Refused, RegisterError, ShutdownReport,
    StartError, WatchedComponent,
};
pub use state::{Explanation, Hold, NextAction, Snapshot, State};
pub use supervise::{Restart, Supervise, SuperviseError, TaskContext, TaskOutput};
pub use tally::{
    ActionCounts, ActionLabels, ActionTimes, CONFIDENCE_BUCKETS, Counts, DURATION_BUCKETS,
    DetectedLabels, Histogram, Label, Observations,
};
