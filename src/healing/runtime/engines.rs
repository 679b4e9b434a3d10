//! The engines that are registered, and what each of them is doing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::call::guarded;
use super::detect;
use super::error::RegisterError;
use super::remark::Remark;
use super::shell::Shell;
use super::shutdown::{Stage, close_engine};
use super::sight::Sight;
use crate::healing::core::{Event, Issue, Name, Observation, Plan, Text};
use crate::healing::engine::{DynEngine, HealingEngine};

/// So many verifications of one engine run at once.
const LOOKS: usize = 16;

/// One engine.
pub(super) struct Slot {
    pub(super) name: Name,
    pub(super) engine: Arc<dyn DynEngine>,
    pub(super) components: Vec<Name>,
    pub(super) every: Option<Duration>,
    /// There is a reason to look now.
    pub(super) hint: Notify,
    /// The time of the next look is to be computed anew.
    pub(super) retimed: Notify,
    /// It was removed, or everything ends.
    pub(super) gone: CancellationToken,
    /// Calls of its code under way.
    pub(super) calls: TaskTracker,
    pub(super) looks: Semaphore,
    pub(super) passes: Passes,
    pub(super) sight: Sight,
    pub(super) remark: Arc<Remark>,
}

/// How often an engine looked, by what came of it.
#[derive(Debug, Default)]
pub(super) struct Passes([AtomicU64; PassResult::ALL.len()]);

/// What came of a pass of a detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PassResult {
    /// It looked.
    Ok,
    /// It said that it could not look.
    Failed,
    /// It panicked.
    Panicked,
    /// It did not end in time.
    Timeout,
}

impl PassResult {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Failed, Self::Panicked, Self::Timeout];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::Timeout => "timeout",
        }
    }
}

impl Passes {
    pub(super) fn count(&self, result: PassResult) {
        self.0[result as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self, result: PassResult) -> u64 {
        self.0[result as usize].load(Ordering::Relaxed)
    }
}

/// All engines by name.
#[derive(Default)]
pub(super) struct Engines {
    by_name: BTreeMap<Name, Arc<Slot>>,
}

impl Engines {
    pub(super) fn get(&self, name: &Name) -> Option<Arc<Slot>> {
        self.by_name.get(name).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Slot>> {
        self.by_name.values().cloned().collect()
    }

    pub(super) fn remove(&mut self, name: &Name) {
        self.by_name.remove(name);
    }

    /// Has every engine compute its next look anew.
    pub(super) fn retime(&self) {
        for slot in self.by_name.values() {
            slot.retimed.notify_one();
        }
    }
}

impl Slot {
    /// Has the engine plan for those observations that need it. Its code runs with no lock held,
    /// and its panics are contained.
    pub(super) fn with_plans(
        &self,
        shell: &Shell,
        found: Vec<Observation>,
    ) -> Vec<(Observation, Option<Result<Plan, Text>>)> {
        let now = shell.timeline.stamp();
        let issues: Vec<_> = shell.owner.read(|state| {
            let issues = found.iter().map(|one| state.to_plan(now, &self.name, one));
            issues.collect()
        });
        let plans = issues.into_iter().map(|issue| self.plan(issue));
        found.into_iter().zip(plans).collect()
    }

    fn plan(&self, issue: Option<Issue>) -> Option<Result<Plan, Text>> {
        issue.map(|issue| guarded(|| self.engine.plan(&issue)))
    }
}

impl Shell {
    /// Takes an engine in and has it look for the first time.
    pub(super) fn register(
        self: &Arc<Self>,
        engine: impl HealingEngine,
    ) -> Result<EngineHandle, RegisterError> {
        let engine: Arc<dyn DynEngine> = Arc::new(engine);
        let asked = guarded(|| (engine.name(), engine.components(), engine.every()));
        let (name, components, every) = asked.map_err(|what| RegisterError::Panicked { what })?;
        if name.as_str().is_empty() {
            return Err(RegisterError::Nameless);
        }
        let limit = self.policy(|policy| policy.limits.engines);
        let slot = {
            let mut engines = self.engines.write();
            if self.is_orphaned() {
                return Err(RegisterError::RuntimeEnded { name });
            }
            // Under the lock: the shutdown takes it after it has said that it began.
            if *self.stage.borrow() != Stage::Running {
                return Err(RegisterError::ShutDown { name });
            }
            if engines.by_name.contains_key(&name) {
                return Err(RegisterError::Taken { name });
            }
            if engines.by_name.len() >= limit as usize {
                return Err(RegisterError::TooMany { name, limit });
            }
            let slot = Arc::new(Slot {
                name: name.clone(),
                engine,
                components: components.clone(),
                every,
                hint: Notify::new(),
                retimed: Notify::new(),
                gone: self.closing.child_token(),
                calls: TaskTracker::new(),
                looks: Semaphore::new(LOOKS),
                passes: Passes::default(),
                sight: Sight::default(),
                remark: Arc::new(Remark::new(name.clone())),
            });
            engines.by_name.insert(name.clone(), Arc::clone(&slot));
            slot
        };
        let added = Event::EngineAdded {
            engine: name.clone(),
            components,
        };
        if self.decide(added).is_err() {
            // Engines of an earlier run, with issues that are still open, take the room.
            self.engines.write().remove(&name);
            return Err(RegisterError::TooMany { name, limit });
        }
        self.spawn(detect::run(Arc::clone(self), Arc::clone(&slot)));
        Ok(EngineHandle {
            shell: Arc::clone(self),
            slot,
        })
    }
}

/// An engine that is registered. Cloning is cheap; dropping it changes nothing.
#[derive(Clone)]
pub struct EngineHandle {
    shell: Arc<Shell>,
    slot: Arc<Slot>,
}

impl EngineHandle {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.slot.name
    }

    /// There may be a fault: have the engine look soon. Hints that come while it looks, or
    /// within a tenth of a second of its last look, become one further look.
    pub fn hint(&self) {
        self.slot.hint.notify_one();
    }

    /// Where to make something known of it that is no fault.
    pub(in crate::healing) fn remark(&self) -> Arc<Remark> {
        Arc::clone(&self.slot.remark)
    }

    /// A fault was noticed outside of [`detect`](HealingEngine::detect): it opens an issue, or
    /// adds to one, and has the engine look. It confirms nothing by being repeated. Where it needs
    /// a plan, [`plan`](HealingEngine::plan) is called on this thread.
    pub fn observe(&self, observation: Observation) {
        let (shell, slot) = (&self.shell, &self.slot);
        let now = shell.timeline.stamp();
        let issue = shell
            .owner
            .read(|state| state.to_plan(now, &slot.name, &observation));
        shell.feed(Event::Observed {
            engine: slot.name.clone(),
            observation,
            plan: slot.plan(issue),
        });
    }

    /// Takes the engine out: its issues close as superseded, what runs is called off, and
    /// [`close`](HealingEngine::close) is called last. Returns when that is done, or when the
    /// policy's grace is over.
    ///
    /// Once begun it goes on though the future is dropped.
    pub async fn remove(&self) {
        let (shell, slot) = (Arc::clone(&self.shell), Arc::clone(&self.slot));
        if slot.gone.is_cancelled() {
            return;
        }
        shell.feed(Event::EngineRemoved {
            engine: slot.name.clone(),
        });
        slot.gone.cancel();
        let grace = shell.policy(|policy| policy.grace);
        let removal = self.shell.runtime.spawn(async move {
            close_engine(&shell, &slot, grace).await;
            shell.engines.write().remove(&slot.name);
        });
        let _ = removal.await;
    }
}

impl fmt::Debug for EngineHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EngineHandle").field(self.name()).finish()
    }
}
