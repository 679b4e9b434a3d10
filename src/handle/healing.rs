use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::Selfheal;
use super::healed::Healed;
use super::health::Health;
use super::liveness::Progress;
use super::unused::Part;
use crate::collect;
use crate::config::{Config, ConfigError};
use crate::healing::builtin::TaskOutput;
use crate::healing::engine::BoxedEngine;
use crate::healing::runtime::LogAlerts;
use crate::healing::{
    EngineHandle, Healing, Name, Restart, StartError, Supervise, SuperviseError, TaskContext,
};
use crate::registry::Registry;
use crate::util::Clock;

/// The time limit of a shutdown for work in progress.
const GRACE: Duration = Duration::from_secs(10);

/// The healing engine: started with the handle inside a runtime, otherwise on first use.
#[derive(Default)]
pub(super) struct Lazy {
    /// Held during the start, so that it happens once; reports do not wait for it.
    starting: Mutex<()>,
    /// The runtime of the listener, for programs without one.
    listener: Mutex<Weak<Handle>>,
    pub(super) watched: Arc<Watched>,
}

/// The observed state of the watched components.
#[derive(Default)]
pub(super) struct Watched {
    /// The share of the traffic that needs each component, if known.
    pub(super) shares: Mutex<BTreeMap<Name, f64>>,
    engine: Mutex<Option<Healing>>,
    /// The progress of the engine's runtime.
    pub(super) progress: Arc<Progress>,
    pub(super) shutting_down: AtomicBool,
}

impl Lazy {
    /// Creates it without starting the engine, and adds its state to the reports of `health`.
    pub(super) fn new(health: &Health) -> Self {
        let lazy = Self::default();
        health.add(Arc::new(Healed(Arc::clone(&lazy.watched))));
        lazy
    }

    fn get(
        &self,
        config: &Config,
        registry: &Registry,
        clock: &Clock,
    ) -> Result<Healing, StartError> {
        let _once = self.starting.lock();
        let before = self.watched.engine();
        if let Some(healing) = before.as_ref().filter(|healing| !healing.has_ended()) {
            return Ok(healing.clone());
        }
        let mut builder = Healing::builder()
            .policy(config.healing.clone())
            .journal(config.journal.clone())
            .clock(clock.clone())
            .registry(registry)
            .on_alert(LogAlerts);
        if Handle::try_current().is_err()
            && let Some(runtime) = self.listener.lock().upgrade()
        {
            builder = builder.runtime(Handle::clone(&runtime));
        }
        let again = before.is_some();
        if let Some(before) = before {
            builder = builder.after(before);
        }
        let healing = builder.start()?;
        let progress = &self.watched.progress;
        if again {
            self.watched.shutting_down.store(false, Ordering::Relaxed);
            collect::runtime(registry, healing.runtime()).map_err(StartError::Metrics)?;
        } else {
            progress.watch();
        }
        progress.beat();
        *self.watched.engine.lock() = Some(healing.clone());
        let progress = Arc::downgrade(progress);
        healing.runtime().spawn(async move {
            while let Some(progress) = progress.upgrade() {
                progress.beat();
                drop(progress);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        Ok(healing)
    }

    pub(super) fn running(&self) -> Option<Healing> {
        self.watched.running()
    }

    /// Sets the runtime for engines that start later outside a runtime.
    #[cfg_attr(
        not(feature = "server"),
        expect(dead_code, reason = "there is no listener")
    )]
    pub(super) fn lend(&self, runtime: Weak<Handle>) {
        *self.listener.lock() = runtime;
    }
}

impl Watched {
    /// Returns a clone, so that the lock is not held during calls.
    pub(super) fn engine(&self) -> Option<Healing> {
        self.engine.lock().clone()
    }

    /// The engine, unless its runtime has ended, which makes its state stale.
    pub(super) fn running(&self) -> Option<Healing> {
        self.engine().filter(|healing| !healing.is_orphaned())
    }
}

/// The error of reloading a policy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The configuration cannot be read or has faults.
    #[error("the policy in force stays: {0}")]
    Config(#[from] ConfigError),
    /// The healing engine cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Selfheal {
    /// Returns the healing engine: to pause it, approve an action, read issues and history. It is
    /// started with the handle if that is installed inside a tokio runtime, otherwise by this call.
    /// In a program without a runtime it runs on the thread of the listener, once it
    /// [listens](Self::listen): there the engines share the thread with the endpoints, so blocking
    /// work belongs in [`Context::blocking`](crate::healing::Context::blocking).
    ///
    /// The engine ends with its runtime, together with everything registered, supervised and
    /// guarded; the health report shows that. Called in another runtime afterwards, this starts it
    /// again, restored from the journal if there is one.
    ///
    /// # Errors
    /// No tokio runtime and no listener is running, or the journal cannot be used.
    pub fn healing(&self) -> Result<Healing, StartError> {
        let inner = &self.inner;
        let healing = inner
            .healing
            .get(&inner.config, &inner.registry, &inner.clock)?;
        inner.taken.add(Part::Healing);
        Ok(healing)
    }

    /// Applies the healing policy of a configuration that was loaded again, as by
    /// `Config::from_file`, to later decisions. The other sections are ignored.
    ///
    /// # Errors
    /// The configuration cannot be loaded or has faults (the current policy stays in force), or
    /// healing cannot start here.
    pub fn reload_policy(&self, loaded: Result<Config, ConfigError>) -> Result<(), ReloadError> {
        let policy = loaded?.healing;
        let reloaded = self.healing()?.reload(policy);
        Ok(reloaded.map_err(ConfigError::Invalid)?)
    }

    /// Registers an engine of the application; its first detection run starts at once. The returned
    /// handle may be dropped.
    ///
    /// # Errors
    /// Healing cannot start here, or the engine's name is empty or taken.
    pub fn register(&self, engine: impl Into<BoxedEngine>) -> Result<EngineHandle, SuperviseError> {
        Ok(self.healing()?.register(engine)?)
    }

    /// Starts building a supervised task, reported as `component`; see [`Supervise`].
    pub fn supervise<F, Fut>(
        &self,
        component: impl Into<Name>,
        restart: Restart,
        start: F,
    ) -> Supervise
    where
        F: Fn(TaskContext) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: TaskOutput,
    {
        Supervise::of(self.healing(), component, restart, start)
    }

    /// Sets the share of the traffic that needs a component, for the health
    /// [score](crate::health::score()). Values are clamped to 0 to 1; NaN means unknown. Default:
    /// unknown, which counts as all of it.
    pub fn carries(&self, component: impl Into<Name>, share: f64) {
        let mut shares = self.inner.healing.watched.shares.lock();
        shares.insert(component.into(), share);
    }

    /// Shuts the healing engine down: no action starts any more, running ones are cancelled,
    /// supervised tasks are stopped, the journal is written. Takes at most 10 s, and 2 s more for
    /// the last records; returns whether everything ended in time. Metrics and endpoints continue
    /// and report not ready.
    ///
    /// Cancel-safe: dropping the future does not stop the shutdown, and another call waits for the
    /// same one.
    pub async fn shutdown(&self) -> bool {
        let watched = &self.inner.healing.watched;
        watched.shutting_down.store(true, Ordering::Relaxed);
        match self.inner.healing.running() {
            Some(healing) => healing.shutdown(GRACE).await.is_clean(),
            None => true,
        }
    }

    /// Starts healing if possible, so that its metrics are exposed from the beginning.
    pub(super) fn heal_if_possible(&self) -> Result<(), StartError> {
        match Handle::try_current() {
            Ok(_) => self.healing().map(drop),
            Err(_) => Ok(()),
        }
    }
}
