//! The tokio runtime around the pure core: it calls the engines, keeps the time, writes the
//! journal, and notifies subscribers and alert receivers.
//!
//! # What this module promises
//! - The [`State`](crate::healing::core::State) has one owner. Its lock is held for one step, never
//!   while code of an engine runs and never across an await.
//! - Every call of an engine is a separate task: a panic, also one in `Drop`, is contained and is
//!   the result of that call alone.
//! - A cancelled call gets the token first; after half of the policy's grace its future is dropped;
//!   whatever runs after the whole grace is a zombie, and keeps its lock until it ends.
//! - One detection run of an engine at a time, on a tick or a hint. A failing detector runs less and
//!   less often, and delays no other.
//! - Nothing here grows without bound, and nothing panics in the host.

mod alert_hook;
mod alerts;
mod attempt;
mod builder;
mod call;
mod control;
mod detect;
mod driver;
mod engines;
mod error;
mod events;
mod exit;
mod expose;
mod metrics;
#[cfg(test)]
mod model;
mod owner;
mod remark;
mod shell;
mod shutdown;
mod sight;
mod slots;
mod sync;
#[cfg_attr(not(feature = "tracing"), path = "no_trace.rs")]
mod trace;
mod verify;
mod views;

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

pub use alert_hook::{AlertChange, AlertHook};
pub use alerts::LogAlerts;
pub use builder::HealingBuilder;
pub use engines::EngineHandle;
pub use error::{Refused, RegisterError, StartError};
pub use events::{Events, HealingEvent};
pub use expose::expose;
pub(crate) use metrics::catalogue;
pub(super) use remark::Remark;
pub use shutdown::ShutdownReport;
pub use sight::Blind;
pub use slots::DetectionResult;
pub use views::{ComponentState, OpenIssue, WatchedComponent};

use tokio::runtime::Handle;

use super::engine::{BoxedEngine, Timeline};
use super::journal::ReplayReport;
use crate::healing::core::{Event, Name};
use metrics::Page;
use shell::Shell;

/// A running healing engine. Cloning is cheap and gives the same engine.
///
/// It runs until [`shutdown`](Self::shutdown), or until its tokio runtime ends; dropping the
/// handle does not end it. After the runtime has ended it refuses engines and decisions with the
/// reason. Its clock stands still while the process is stopped or its runtime blocked, so that no
/// limit expires in that time; in a test with a paused clock, let time pass with
/// `tokio::time::sleep`, as `tokio::time::advance` counts as such a stop.
///
/// ```
/// use std::sync::{Arc, Weak};
/// use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
/// use std::time::Duration;
/// use selfheal::config::HealingPolicy;
/// use selfheal::healing::{Confirm, Healing, HealingEvent, Observation, Risk, Rule, What};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let healing = Healing::builder().start()?;
/// let mut events = healing.subscribe();
///
/// let broken = Arc::new(AtomicBool::new(true));
/// let (seen, repaired) = (broken.clone(), broken.clone());
/// let rule = Rule::when("cache", move |_| {
///     let bad = seen.load(SeqCst);
///     async move { Ok(bad.then(|| Observation::new("cache", "corrupt")).into_iter().collect()) }
/// })
/// .run("rebuild", move |_, _| {
///     repaired.store(false, SeqCst);
///     async { Ok(()) }
/// })
/// .plan(|plan| plan.risk(Risk::Reversible).confirm(Confirm::at_once()));
/// healing.register(rule)?;
///
/// while let Some(event) = events.next().await {
///     let HealingEvent::Record(record) = event else { continue };
///     if let What::Closed { outcome, .. } = &record.what {
///         assert_eq!(outcome.as_str(), "healed");
///         break;
///     }
/// }
/// assert!(!broken.load(SeqCst));
/// assert!(healing.shutdown(Duration::from_secs(5)).await.is_clean());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Healing {
    shell: Arc<Shell>,
    report: Arc<ReplayReport>,
    /// The page that exposes its metrics; owned by the registry.
    page: Weak<Page>,
}

impl Healing {
    /// A builder with the default settings.
    pub fn builder() -> HealingBuilder {
        HealingBuilder::new()
    }

    /// The clock of its decisions.
    pub(super) fn timeline(&self) -> &Timeline {
        &self.shell.timeline
    }

    /// The runtime of its tasks.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.shell.runtime
    }

    /// Whether its runtime has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.shell.ended.is_cancelled()
    }

    /// Whether its runtime ended before a shutdown.
    pub(crate) fn is_orphaned(&self) -> bool {
        self.shell.is_orphaned()
    }

    /// Registers an engine; its first detection run begins immediately. Works until the shutdown,
    /// on any thread.
    ///
    /// # Errors
    /// Its name is empty or taken, there are too many engines, or healing has ended.
    pub fn register(&self, engine: impl Into<BoxedEngine>) -> Result<EngineHandle, RegisterError> {
        self.shell.register(engine.into())
    }

    /// Requests a detection run of an engine soon; no effect if there is no engine of that name.
    pub fn hint(&self, engine: &str) {
        if let Some(slot) = self.shell.slot(&Name::from(engine)) {
            slot.hint.notify_one();
        }
    }

    /// Declares that a component depends on another, which is healed first. A cycle is refused,
    /// with a [`Notice`](crate::healing::core::Notice).
    pub fn depends_on(&self, component: impl Into<Name>, parent: impl Into<Name>) {
        self.shell.feed(Event::DependsOn {
            component: component.into(),
            parent: parent.into(),
        });
    }

    /// Subscribes to all events from now on, each as it happens. `/api/events` of the endpoints is not
    /// this stream: it has the state, as the parts of `/api/status` that changed, at most once a second,
    /// however many events there are.
    #[must_use]
    pub fn subscribe(&self) -> Events {
        Events(self.shell.events.subscribe())
    }

    /// The damage found in the journal when it was read at the start.
    #[must_use]
    pub fn replay_report(&self) -> &ReplayReport {
        &self.report
    }

    /// Shuts down in order: nothing starts any more, running attempts are cancelled, open issues
    /// are closed as shut down (the next start restores them from the journal), engines are closed,
    /// the journal is synced to disk. Returns when that is done, shortly after `grace` at the
    /// latest; further calls wait for the same end.
    ///
    /// Once begun, it continues even if the future is dropped.
    pub async fn shutdown(&self, grace: Duration) -> ShutdownReport {
        self.shell.shut_down(grace).await
    }
}

impl fmt::Debug for Healing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engines = self.shell.slots();
        f.debug_struct("Healing")
            .field(
                "engines",
                &engines.iter().map(|slot| &slot.name).collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}
