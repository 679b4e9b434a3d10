//! Heals what breaks, and can prove it.
//!
//! # What this module promises
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
//! - **Nothing reaches the host.** Every call of an engine is a task of its own; panics, hangs and
//!   lies are results that are counted.
//!
//! # An engine of one's own
//! It says what is broken, what to do, and how to do it; [`Healing`] does the rest.
//! ```
//! use selfheal::healing::{Confirm, Context, HealError, Healing, HealingEngine, Issue, Observation};
//! use selfheal::healing::{Plan, Risk};
//!
//! struct Scratch(std::path::PathBuf);
//!
//! impl HealingEngine for Scratch {
//!     fn name(&self) -> &str {
//!         "scratch"
//!     }
//!     async fn detect(&self, _: &Context) -> Result<Vec<Observation>, HealError> {
//!         let gone = !self.0.is_dir();
//!         Ok(gone.then(|| Observation::new("scratch", "gone")).into_iter().collect())
//!     }
//!     fn plan(&self, _: &Issue) -> Plan {
//!         Plan::first("create").risk(Risk::Reversible).confirm(Confirm::at_once())
//!     }
//!     async fn heal(&self, cx: &Context, _: &Issue, _: &str) -> Result<(), HealError> {
//!         let path = self.0.clone();
//!         cx.blocking(move || Ok(std::fs::create_dir_all(path)?)).await
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?.path().join("scratch");
//! let healing = Healing::builder().start()?;
//! healing.register(Scratch(folder.clone()))?;
//! # while healing.snapshot().closed.sum() == 0 { tokio::time::sleep(std::time::Duration::from_secs(1)).await; }
//! # assert!(folder.is_dir());
//! # assert!(healing.shutdown(std::time::Duration::from_secs(5)).await.is_clean());
//! # std::fs::remove_dir_all(folder.parent().unwrap())?;
//! # Ok(())
//! # }
//! ```
//! An engine made of closures is a [`Rule`]. What heals what, what can go wrong, and which guard
//! stands against it: [`guide`].

mod alert;
mod confidence;
mod effect;
mod engine;
mod escalate;
mod event;
mod expose;
#[cfg(feature = "files")]
mod files;
pub mod guide;
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
pub mod threat_model;

pub use alert::{Alert, AlertId, AlertKind};
pub use confidence::{Confidence, Estimate, Outcomes, Samples};
pub use effect::{AttemptId, Effect, Notice, Start, Ticket, Work};
pub use engine::{
    Action, Check, Context, Detector, HealError, HealErrorKind, HealingEngine, Precondition, Rule,
    Verifier, When,
};
pub use escalate::{Climb, ExitRequest, Rung};
pub use event::{Control, Event, Target};
pub(crate) use expose::catalogue;
pub use expose::expose;
#[cfg(feature = "files")]
pub use files::{FileMetrics, GoBackError, GuardError, GuardFile, GuardedFile, KeptContent};
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
    AlertChange, AlertHook, Blind, ComponentState, EngineHandle, Events, Healing, HealingBuilder,
    HealingEvent, LogAlerts, OpenIssue, PassResult, Refused, RegisterError, ShutdownReport,
    StartError, WatchedComponent,
};
pub use state::{Explanation, Hold, NextAction, Snapshot, State};
pub use supervise::{Restart, Supervise, SuperviseError, TaskContext, TaskOutput};
pub use tally::{
    ActionCounts, ActionLabels, ActionTimes, CONFIDENCE_BUCKETS, Counts, DURATION_BUCKETS,
    DetectedLabels, Histogram, Label, Observations,
};
