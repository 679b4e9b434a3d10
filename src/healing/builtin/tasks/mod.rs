//! Supervises a background task: restarts it when it panics, fails or stops its heartbeats, like an
//! OTP supervisor with one child.
//!
//! The module promises:
//! - One instance at a time: the next starts only when the one before has ended, also if it had to
//!   be aborted. A task that blocks its thread and cannot be aborted keeps its place; the attempt
//!   to restart it becomes a zombie, and is visible as one.
//! - Restarts back off and have an intensity: after that many in a window an alert is raised, and
//!   from then on the task is restarted slowly, every `retry_every` of the healing policy, until
//!   it runs again.
//! - A restart counts as healed once the new task has run, with heartbeats, for the settling time.
//!
//! ```no_run
//! # async fn example(healing: selfheal::healing::Healing) -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use selfheal::healing::{Restart, Supervise};
//!
//! Supervise::new(healing, "mailer", Restart::Transient, |cx| async move {
//!     while !cx.is_cancelled() {
//!         cx.heartbeat();
//!         // … send mail; an `Err` or a panic is a fault …
//!         tokio::time::sleep(Duration::from_millis(100)).await;
//!     }
//!     Ok::<(), std::io::Error>(())
//! })
//! .heartbeat(Duration::from_secs(5))
//! .install()?;
//! # Ok(())
//! # }
//! ```

mod child;
mod engine;
mod output;
mod restart;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

pub use child::TaskContext;
pub use output::TaskOutput;
pub use restart::Restart;

use self::child::{Child, Start};
use self::engine::{Spec, Supervisor};
use crate::healing::core::{Budget, Name, Severity};
use crate::healing::runtime::{Healing, RegisterError, StartError};

/// Why a task cannot be supervised; it was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuperviseError {
    /// The healing engine could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The engine cannot be registered.
    #[error("the task cannot be supervised: {0}")]
    Register(#[from] RegisterError),
}

/// How long a task may take to stop by itself before it is aborted.
const GRACE: Duration = Duration::from_secs(1);

/// Builds the supervision of a task; ended by [`install`](Supervise::install).
#[must_use = "a task runs once `install` is called"]
pub struct Supervise {
    /// The engine, or the error that [`install`](Supervise::install) returns.
    healing: Result<Healing, StartError>,
    start: Box<Start>,
    spec: Spec,
}

impl Supervise {
    /// Starts to build the supervision of the task that `start` creates, reported as `component`.
    /// `start` is called for each start; its future returns `()` or a `Result`, or never ends.
    pub fn new<F, Fut>(
        healing: Healing,
        component: impl Into<Name>,
        restart: Restart,
        start: F,
    ) -> Self
    where
        F: Fn(TaskContext) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: TaskOutput,
    {
        Self::of(Ok(healing), component, restart, start)
    }

    /// Like [`new`](Self::new), for an engine that may have failed to start.
    pub(crate) fn of<F, Fut>(
        healing: Result<Healing, StartError>,
        component: impl Into<Name>,
        restart: Restart,
        start: F,
    ) -> Self
    where
        F: Fn(TaskContext) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: TaskOutput,
    {
        Self {
            start: child::boxed(start),
            healing,
            spec: Spec {
                component: component.into(),
                restart,
                heartbeat: None,
                grace: GRACE,
                severity: Severity::Error,
                intensity: None,
                settle: None,
            },
        }
    }

    /// Sets how long the task may go without calling [`TaskContext::heartbeat`] before it counts as
    /// hung, at least half a second; time while the process is stopped or its runtime blocked does
    /// not count. Default: none, a running task is good, and if it sends heartbeats nevertheless,
    /// the log and the health report say so. There is no default time, since a task that waits for
    /// messages may be silent for hours.
    pub fn heartbeat(mut self, timeout: Duration) -> Self {
        self.spec.heartbeat = Some(timeout);
        self
    }

    /// Sets how long the task may take to stop by itself before it is aborted. Default: 1 s.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.spec.grace = grace;
        self
    }

    /// Allows at most `max` restarts in any `window`, slow ones included. Default: the policy's
    /// [`attempts`](crate::config::HealingPolicy::attempts) that do not heal in a row (3), and its
    /// [`intensity`](crate::config::HealingPolicy::intensity) in all (5 in 10 min).
    pub fn intensity(mut self, max: u32, window: Duration) -> Self {
        self.spec.intensity = Some(Budget::new(max, window));
        self
    }

    /// Sets the severity of a task that does not run. Default: [`Severity::Error`].
    pub fn severity(mut self, severity: Severity) -> Self {
        self.spec.severity = severity;
        self
    }

    /// Sets how long a restarted task must run to count as healed. Default: the policy's.
    pub fn settle(mut self, settle: Duration) -> Self {
        self.spec.settle = Some(settle);
        self
    }

    /// Starts the task and supervises it: on the current runtime, else on that of the healing
    /// engine, which also runs its restarts. Supervision ends with the runtime of the healing
    /// engine: in another one, call this again.
    ///
    /// # Errors
    /// Healing cannot start here; an engine of this name is already registered, or healing has shut
    /// down.
    pub fn install(self) -> Result<(), SuperviseError> {
        let Self {
            healing,
            start,
            spec,
        } = self;
        let healing = healing?;
        let (hints, name) = (healing.clone(), spec.component.clone());
        let on_end = move || hints.hint(name.as_str());
        let child = Child::new(start, healing.timeline().clone(), on_end);
        let runtime = Handle::try_current().unwrap_or_else(|_| healing.runtime().clone());
        let unheard = spec.heartbeat.is_none();
        let registered = healing.register(Supervisor::new(Arc::clone(&child), spec))?;
        if unheard {
            child.is_unheard(registered.remark());
        }
        child.start(&runtime);
        Ok(())
    }

    /// Same as [`install`](Self::install), with tokio's name for starting a task.
    ///
    /// # Errors
    /// As for [`install`](Self::install).
    pub fn spawn(self) -> Result<(), SuperviseError> {
        self.install()
    }
}

impl fmt::Debug for Supervise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervise")
            .field("component", &self.spec.component)
            .field("restart", &self.spec.restart)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
