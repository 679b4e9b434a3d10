//! State shared by the tasks of one engine.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, RwLock};
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::alert_hook::Delivery;
use super::call::guarded;
use super::error::Refused;
use super::events::HealingEvent;
use super::owner::Owner;
use super::slots::{Slot, Slots};
use super::trace;
use crate::config::HealingPolicy;
use crate::healing::core::{AttemptId, Event, ExitRequest, Name, ShortText, Snapshot};
use crate::healing::engine::Timeline;
use crate::healing::journal::Journal;

/// State shared by the tasks of one engine.
pub(super) struct Shell {
    pub(super) runtime: Handle,
    pub(super) timeline: Timeline,
    pub(super) owner: Owner,
    pub(super) engines: RwLock<Slots>,
    /// Cancellation tokens of running attempts.
    pub(super) running: Mutex<BTreeMap<AttemptId, CancellationToken>>,
    pub(super) journal: Journal,
    pub(super) events: broadcast::Sender<HealingEvent>,
    pub(super) alerts: mpsc::Sender<Delivery>,
    /// Alert changes that the hooks have missed.
    pub(super) alerts_missed: AtomicU64,
    pub(super) stage: watch::Sender<Stage>,
    /// The request that the process should end.
    pub(super) exit: watch::Sender<Option<ExitRequest>>,
    /// Cancels everything that is not an attempt.
    pub(super) closing: CancellationToken,
    /// Running detection runs, attempts and verifications.
    pub(super) tasks: TaskTracker,
    /// Cancelled when its runtime has ended.
    pub(super) ended: CancellationToken,
    /// The task that carries out the effects; the shutdown waits for it last.
    pub(super) driver: Mutex<Option<JoinHandle<()>>>,
}

/// The stage of the engine's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Running,
    /// Nothing starts any more.
    Stopping,
    /// The core has closed everything.
    Stopped,
    /// The shutdown is complete.
    Closed,
}

impl Shell {
    /// Passes an event to the core.
    pub(super) fn feed(&self, event: Event) {
        self.owner.feed(self.timeline.stamp(), event);
        self.forget_if_ended();
    }

    /// Passes a decision to the core; returns whether it was refused.
    pub(super) fn decide(&self, event: Event) -> Result<(), Refused> {
        if self.is_orphaned() {
            let why = ShortText::from("the runtime of healing has ended: decisions have no effect");
            return Err(Refused { why });
        }
        let decided = self.owner.decide(self.timeline.stamp(), event);
        decided.map_err(|why| Refused { why })
    }

    /// The current counts.
    pub(super) fn snapshot(&self) -> Snapshot {
        let snapshot = self.owner.snapshot(self.timeline.stamp());
        self.forget_if_ended();
        snapshot
    }

    /// Discards effects if the driver is gone.
    fn forget_if_ended(&self) {
        if self.ended.is_cancelled() {
            self.owner.take(&mut Vec::new());
        }
    }

    /// Whether its runtime ended before a shutdown: it neither acts nor ends any more.
    pub(super) fn is_orphaned(&self) -> bool {
        self.ended.is_cancelled() && *self.stage.borrow() == Stage::Running
    }

    /// Reads from the current policy.
    pub(super) fn policy<T>(&self, read: impl FnOnce(&HealingPolicy) -> T) -> T {
        self.owner.read(|state| read(state.policy()))
    }

    /// Shows that the runtime is awake, until it ends.
    pub(super) async fn tick(guard: Ended, timeline: Timeline) {
        let _guard = guard;
        timeline.tick().await;
    }

    /// The engine of this name, if it is registered.
    pub(super) fn slot(&self, name: &Name) -> Option<Arc<Slot>> {
        self.engines.read().get(name).cloned()
    }

    /// All engines, by name.
    pub(super) fn slots(&self) -> Vec<Arc<Slot>> {
        self.engines.read().values().cloned().collect()
    }

    /// Starts a task that the shutdown waits for.
    pub(super) fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_on(task, &self.runtime);
    }
}

/// Detects the end of a runtime, which drops its tasks.
pub(super) struct Ended(pub(super) Weak<Shell>);

impl Drop for Ended {
    fn drop(&mut self) {
        let Some(shell) = self.0.upgrade() else {
            return;
        };
        shell.ended.cancel();
        // Engines hold files, watches, and maybe this shell itself.
        let engines = std::mem::take(&mut *shell.engines.write());
        if shell.is_orphaned() {
            trace::orphaned(engines.len());
        }
        let _ = guarded(|| drop(engines));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::config::HealingPolicy;
    use crate::healing::core::{Confirm, Issue, IssueKey, Observation, ParkReason, Phase, Risk};
    use crate::healing::engine::{Context, Rule};
    use crate::healing::runtime::Healing;

    fn broken(component: &'static str) -> Rule {
        let found = move |_: Context| async move { Ok(vec![Observation::new(component, "down")]) };
        Rule::when(component, found)
            .run("repair", |_: Context, _: Issue| async { Ok(()) })
            .verify(|_: Context, _: Issue| async { crate::healing::core::Verdict::Good })
            .plan(|plan| plan.risk(Risk::Reversible).confirm(Confirm::at_once()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_of_the_core_stops_nothing_else() {
        let policy = HealingPolicy {
            settle: Duration::ZERO,
            ..HealingPolicy::default()
        };
        let healing = Healing::builder().policy(policy).start().unwrap();
        let bad = IssueKey::new("bad", "down");
        healing
            .shell
            .owner
            .change(|state| state.set_trap(bad.clone()));
        healing.register(broken("bad")).unwrap();
        healing.register(broken("good")).unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        let snapshot = healing.snapshot();
        assert_eq!(snapshot.panics, 1, "what is set aside is not tried again");
        assert!(snapshot.closed.get(crate::healing::core::Closed::Healed) > 0);
        let open = healing.issue(&bad).unwrap();
        assert_eq!(open.phase, Phase::Parked);
        assert_eq!(open.reason, Some(ParkReason::BadPlan));
        let alerts: Vec<_> = healing.alerts().iter().map(|a| a.id.to_string()).collect();
        assert!(alerts.contains(&"internal".to_owned()), "{alerts:?}");
        crate::healing::core::identities::check(&snapshot).unwrap();
        assert!(healing.shutdown(Duration::from_secs(5)).await.is_clean());
    }
}
