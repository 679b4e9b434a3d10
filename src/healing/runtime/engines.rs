//! Registration, planning and removal of engines.

use std::fmt;
use std::sync::Arc;

use super::call::guarded;
use super::detect;
use super::error::RegisterError;
use super::remark::Remark;
use super::shell::{Shell, Stage};
use super::shutdown::close_engine;
use super::slots::Slot;
use crate::healing::core::{Event, Name, Observation};
use crate::healing::engine::BoxedEngine;

impl Shell {
    /// Registers an engine and starts its first detection run.
    pub(super) fn register(
        self: &Arc<Self>,
        BoxedEngine(engine): BoxedEngine,
    ) -> Result<EngineHandle, RegisterError> {
        let asked = guarded(|| {
            (
                Name::from(engine.name()),
                engine.components(),
                engine.every(),
            )
        });
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
            // Under the lock, which the shutdown takes after it has set the stage.
            if *self.stage.borrow() != Stage::Running {
                return Err(RegisterError::ShutDown { name });
            }
            if engines.contains_key(&name) {
                return Err(RegisterError::Taken { name });
            }
            if engines.len() >= limit as usize {
                return Err(RegisterError::TooMany { name, limit });
            }
            let gone = self.closing.child_token();
            let slot = Arc::new(Slot::new(
                name.clone(),
                engine,
                components.clone(),
                every,
                gone,
            ));
            engines.insert(name.clone(), Arc::clone(&slot));
            slot
        };
        let added = Event::EngineAdded {
            engine: name.clone(),
            components,
        };
        if self.decide(added).is_err() {
            // Engines of an earlier process with open issues take up the limit.
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

/// A registered engine. Cloning is cheap; dropping it has no effect.
#[derive(Clone)]
pub struct EngineHandle {
    shell: Arc<Shell>,
    slot: Arc<Slot>,
}

impl EngineHandle {
    /// The engine's name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.slot.name
    }

    /// Requests a detection run soon, as there may be a fault. Hints during a run, or within 100 ms
    /// of the last one, are merged into one further run.
    pub fn hint(&self) {
        self.slot.hint.notify_one();
    }

    /// The remark of the engine, for conditions that are no fault.
    pub(in crate::healing) fn remark(&self) -> Arc<Remark> {
        Arc::clone(&self.slot.remark)
    }

    /// Reports a fault noticed outside of [`detect`](crate::healing::HealingEngine::detect): it opens an issue or
    /// adds to one, and requests a detection run. Repeated reports do not confirm it. If it needs a
    /// plan, [`plan`](crate::healing::HealingEngine::plan) is called on this thread.
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

    /// Removes the engine: its issues close as superseded, running attempts are cancelled, and
    /// [`close`](crate::healing::HealingEngine::close) is called last. Returns when that is done, or when the
    /// policy's grace is over.
    ///
    /// Once begun, it continues even if the future is dropped.
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
