//! The one owner of the state, and the queue of what it wants done.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tokio::runtime::Handle;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::alerts::AlertChange;
use super::engines::Engines;
use super::error::Refused;
use super::events::HealingEvent;
use super::shutdown::Stage;
use crate::healing::engine::Timeline;
use crate::healing::journal::Journal;
use crate::healing::{AttemptId, Effect, Event, Notice, State};

/// Everything that the tasks of one engine share.
pub(super) struct Shell {
    pub(super) runtime: Handle,
    pub(super) timeline: Timeline,
    pub(super) core: Mutex<Core>,
    /// Wakes the driver when there is something to do.
    pub(super) kick: Notify,
    pub(super) engines: RwLock<Engines>,
    /// How to call off what runs.
    pub(super) running: Mutex<BTreeMap<AttemptId, CancellationToken>>,
    pub(super) journal: Journal,
    pub(super) events: broadcast::Sender<HealingEvent>,
    pub(super) alerts: mpsc::Sender<AlertChange>,
    pub(super) stage: watch::Sender<Stage>,
    /// The end of everything that is not an attempt.
    pub(super) closing: CancellationToken,
    /// Detectors, attempts and looks under way.
    pub(super) tasks: TaskTracker,
    /// The task that does what the core says; the shutdown waits for it last.
    pub(super) driver: Mutex<Option<JoinHandle<()>>>,
}

/// The state and what it has said since the driver last looked, under one lock, so that effects
/// keep their order. The lock is held for one step, never while anything is waited for.
pub(super) struct Core {
    pub(super) state: State,
    pub(super) outbox: Vec<Effect>,
}

impl Shell {
    /// Tells the core that something happened.
    pub(super) fn feed(&self, event: Event) {
        self.with_core(|core, stamp| core.state.step_into(stamp, event, &mut core.outbox));
    }

    /// Tells the core of a decision, and whether it was refused.
    pub(super) fn decide(&self, event: Event) -> Result<(), Refused> {
        self.with_core(|core, stamp| {
            let before = core.outbox.len();
            core.state.step_into(stamp, event, &mut core.outbox);
            let mut said = core.outbox.iter().skip(before);
            let refused = said.find_map(|effect| match effect {
                Effect::Notice(Notice::Refused { why }) => Some(Refused { why: why.clone() }),
                _ => None,
            });
            refused.map_or(Ok(()), Err)
        })
    }

    /// Works on the state, with the time now; then has the driver do what it said.
    pub(super) fn with_core<T>(
        &self,
        work: impl FnOnce(&mut Core, crate::healing::Stamp) -> T,
    ) -> T {
        let stamp = self.timeline.stamp();
        let mut core = self.core.lock();
        let done = work(&mut core, stamp);
        let something = !core.outbox.is_empty();
        drop(core);
        if something {
            self.kick.notify_one();
        }
        done
    }

    /// Reads something of the policy in force.
    pub(super) fn policy<T>(&self, read: impl FnOnce(&crate::config::HealingPolicy) -> T) -> T {
        read(self.core.lock().state.policy())
    }

    /// Starts a task that the shutdown waits for.
    pub(super) fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(task, &self.runtime);
    }
}
