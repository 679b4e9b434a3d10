//! The one owner of the state, and the queue of what it wants done.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::{Mutex, RwLock};
use tokio::runtime::Handle;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::alerts::Tell;
use super::call::guarded;
use super::engines::Engines;
use super::error::Refused;
use super::events::HealingEvent;
use super::shutdown::Stage;
use crate::healing::engine::Timeline;
use crate::healing::journal::Journal;
use crate::healing::{AttemptId, Effect, Event, ExitRequest, Notice, Stamp, State, Text};

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
    pub(super) alerts: mpsc::Sender<Tell>,
    /// How many changes of alerts the hooks have missed.
    pub(super) alerts_missed: AtomicU64,
    pub(super) stage: watch::Sender<Stage>,
    /// Whether the process should end.
    pub(super) exit: watch::Sender<Option<ExitRequest>>,
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

/// So many panics of one step are contained one after another.
const PANICS: usize = 8;

impl Core {
    /// One step. A panic in it is a bug of ours: it is contained, counted and told, and the state
    /// goes on from where it was, without the issue that was at hand.
    ///
    /// # Errors
    /// What the panic said.
    pub(super) fn step(&mut self, stamp: Stamp, event: Event) -> Result<(), Text> {
        let mut first = Ok(());
        let mut next = event;
        for _ in 0..PANICS {
            let step = guarded(|| self.state.step_into(stamp, next, &mut self.outbox));
            let Err(what) = step else { break };
            first = first.and_then(|()| Err(what.clone()));
            next = Event::Panicked { what };
        }
        first
    }
}

impl Shell {
    /// Tells the core that something happened.
    pub(super) fn feed(&self, event: Event) {
        // A panic is counted and told by the core.
        let _ = self.with_core(|core, stamp| core.step(stamp, event));
    }

    /// Tells the core of a decision, and whether it was refused.
    pub(super) fn decide(&self, event: Event) -> Result<(), Refused> {
        self.with_core(|core, stamp| {
            let before = core.outbox.len();
            if let Err(why) = core.step(stamp, event) {
                return Err(Refused { why });
            }
            let mut said = core.outbox.iter().skip(before);
            let refused = said.find_map(|effect| match effect {
                Effect::Notice(Notice::Refused { why }) => Some(Refused { why: why.clone() }),
                _ => None,
            });
            refused.map_or(Ok(()), Err)
        })
    }

    /// Works on the state, with the time now; then has the driver do what it said.
    pub(super) fn with_core<T>(&self, work: impl FnOnce(&mut Core, Stamp) -> T) -> T {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::config::HealingPolicy;
    use crate::healing::{
        Confirm, Context, Healing, Issue, IssueKey, Observation, ParkReason, Phase, Risk, Rule,
    };

    fn broken(component: &'static str) -> Rule {
        let found = move |_: Context| async move { Ok(vec![Observation::new(component, "down")]) };
        Rule::when(component, found)
            .run("mend", |_: Context, _: Issue| async { Ok(()) })
            .verify(|_: Context, _: Issue| async { crate::healing::Verdict::Good })
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
        healing.shell.core.lock().state.set_trap(bad.clone());
        healing.register(broken("bad")).unwrap();
        healing.register(broken("good")).unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        let snapshot = healing.snapshot();
        assert_eq!(snapshot.panics, 1, "what is set aside is not tried again");
        assert!(snapshot.closed.get(crate::healing::Closed::Healed) > 0);
        let open = healing.issue(&bad).unwrap();
        assert_eq!(open.phase, Phase::Parked);
        assert_eq!(open.reason, Some(ParkReason::BadPlan));
        let alerts: Vec<_> = healing.alerts().iter().map(|a| a.id.to_string()).collect();
        assert!(alerts.contains(&"internal".to_owned()), "{alerts:?}");
        crate::healing::identities::check(&snapshot).unwrap();
        assert!(healing.shutdown(Duration::from_secs(5)).await.is_clean());
    }
}
