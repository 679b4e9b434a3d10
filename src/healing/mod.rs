//! Detects faults, plans and runs repairs, and verifies that they worked.
//!
//! # What this module promises
//!
//! - **One owner of all decisions.** [`Event`](core::Event)s go in, [`Effect`](core::Effect)s come
//!   out. The core reads no clock, does no I/O and holds no lock, so that every history can be
//!   replayed and tested.
//! - **Healed means verified**: an attempt returned ok, and a verification on data newer than its
//!   end stayed good for the settling time. A successful return alone is not enough.
//! - **It does no unnoticed harm.** Budgets per component and global, full-jitter backoff, restart
//!   intensity, a storm guard, flap damping, locks held until a hung action ends, modes by risk,
//!   pause and kill switch: all on by default, see
//!   [`HealingPolicy`](crate::config::HealingPolicy).
//! - **Its counts are consistent.** Every observation, issue and attempt is counted exactly once.
//! - **It is bounded.** Open issues, keys, components, mutes, alerts, labels and every text have a
//!   limit; what exceeds it is refused, counted and reported.
//! - **The host is isolated.** Every engine call runs in its own task; panics, hangs and false
//!   successes are counted results.
//!
//! # Writing an engine
//! An engine detects faults, plans the repair and performs it; [`Healing`] does the rest.
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
//! A [`Rule`] is an engine made of closures. Which faults are healed by which engine, what can go
//! wrong, and which guard prevents it: [`guide`].
//!
//! # Modules
//! This module exports the names that an application needs. The submodules hold the rest; each
//! imports only from those above it:
//!
//! | module | contents |
//! |---|---|
//! | [`core`] | the vocabulary of issues, plans and records, and the state machine that decides |
//! | [`engine`] | the trait of an engine, engines made of closures, their context and errors |
//! | [`journal`] | decisions and actions, written to disk before they take effect |
//! | [`runtime`] | the tokio tasks that call the engines, and views of their state |
//! | [`builtin`] | engines that come with the crate: supervised tasks and guarded files |

pub mod builtin;
pub mod core;
pub mod engine;
pub mod guide;
pub mod journal;
pub mod runtime;
pub mod threat_model;

#[cfg(feature = "files")]
pub use self::builtin::{GuardError, GuardFile, GuardedFile};
pub use self::builtin::{Restart, Supervise, SuperviseError, TaskContext};
pub use self::core::{
    Alert, AlertKind, AttemptResult, By, Closed, Confirm, Issue, IssueKey, Mode, Name, Observation,
    ParkReason, Phase, Plan, Record, Risk, Severity, Step, Verdict, What,
};
pub use self::engine::{Context, HealError, HealingEngine, Precondition, Rule};
pub use self::journal::HistoryFilter;
pub(crate) use self::runtime::catalogue;
pub use self::runtime::{
    AlertChange, AlertHook, EngineHandle, Events, Healing, HealingBuilder, HealingEvent, OpenIssue,
    Refused, RegisterError, ShutdownReport, StartError,
};
