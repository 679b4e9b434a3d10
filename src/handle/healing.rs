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
use crate::healing::runtime::LogAlerts;
use crate::healing::{
    EngineHandle, Healing, HealingEngine, Name, Restart, StartError, Supervise, SuperviseError,
    TaskContext,
};
use crate::registry::Registry;
use crate::util::Clock;

/// How long a shutdown waits for what is under way.
const GRACE: Duration = Duration::from_secs(10);

/// The healing engine: started with the handle where there is a run-time, else when it is
/// first asked for.
#[derive(Default)]
pub(super) struct Lazy {
    /// Held while it starts, so that it is started once; a report does not wait for that.
    starting: Mutex<()>,
    /// The run-time of the listener, for programs that have none.
    listener: Mutex<Weak<Handle>>,
    pub(super) watched: Arc<Watched>,
}

/// What is known of the components that are watched.
#[derive(Default)]
pub(super) struct Watched {
    /// The share of the traffic that needs a component, as far as it is known.
    pub(super) shares: Mutex<BTreeMap<Name, f64>>,
    engine: Mutex<Option<Healing>>,
    /// Of its run-time.
    pub(super) progress: Arc<Progress>,
    pub(super) shutting_down: AtomicBool,
}

impl Lazy {
    /// Not started; what it will say of the service's health goes into its reports.
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

    /// What starts from now on without a run-time of its own has this one.
    #[cfg_attr(
        not(feature = "server"),
        expect(dead_code, reason = "there is no listener")
    )]
    pub(super) fn lend(&self, runtime: Weak<Handle>) {
        *self.listener.lock() = runtime;
    }
}

impl Watched {
    /// A copy, so that the lock is not held while the engine is asked.
    pub(super) fn engine(&self) -> Option<Healing> {
        self.engine.lock().clone()
    }

    /// The same, unless its run-time has ended, so that what it says is of the past.
    pub(super) fn running(&self) -> Option<Healing> {
        self.engine().filter(|healing| !healing.is_orphaned())
    }
}

/// Why a policy could not be put in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The configuration that it stands in cannot be read or has faults.
    #[error("the policy in force stays: {0}")]
    Config(#[from] ConfigError),
    /// There is no healing engine.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Selfheal {
    /// The healing engine: to pause it, approve an action, read issues and history. It is
    /// started with the handle where that is installed inside a tokio run-time, else now. A program
    /// without a run-time has it on the thread of its listener, once it [listens](Self::listen):
    /// there the engines share the thread with the endpoints, so that blocking work belongs in
    /// [`Context::blocking`](crate::healing::Context::blocking).
    ///
    /// It ends with that run-time, and so does everything that was registered, supervised and
    /// guarded. Asked for in another run-time afterwards, it is started again, from what the
    /// journal has of it and empty otherwise; the health report says so as long as it is not.
    ///
    /// # Errors
    /// There is no tokio run-time here and no listener, or its journal cannot be used.
    pub fn healing(&self) -> Result<Healing, StartError> {
        let inner = &self.inner;
        let healing = inner
            .healing
            .get(&inner.config, &inner.registry, &inner.clock)?;
        inner.taken.add(Part::Healing);
        Ok(healing)
    }

    /// Puts the policy of a configuration in force that was loaded again, as by
    /// `Config::from_file`, for decisions from now on. The other sections are ignored.
    ///
    /// # Errors
    /// It could not be loaded, or has faults: the policy in force stays. Or healing cannot start
    /// here.
    pub fn reload_policy(&self, loaded: Result<Config, ConfigError>) -> Result<(), ReloadError> {
        let policy = loaded?.healing;
        let reloaded = self.healing()?.reload(policy);
        Ok(reloaded.map_err(ConfigError::Invalid)?)
    }

    /// Registers an engine of the application's own; its first detection run begins at
    /// once. What it returns may be dropped.
    ///
    /// # Errors
    /// Healing cannot start here; or the engine's name is empty or taken.
    pub fn register(&self, engine: impl HealingEngine) -> Result<EngineHandle, SuperviseError> {
        Ok(self.healing()?.register(engine)?)
    }

    /// Starts to set up a supervised task, reported as `component`; see [`Supervise`].
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

    /// Says which share of the traffic, 0 to 1, needs a component: it goes into the health
    /// [score](crate::health::score()). What is outside is moved inside, and NaN is not known.
    /// Default: not known, which counts as all of it.
    pub fn carries(&self, component: impl Into<Name>, share: f64) {
        let mut shares = self.inner.healing.watched.shares.lock();
        shares.insert(component.into(), share);
    }

    /// Ends the healing engine in order: nothing starts any more, what runs is called off,
    /// supervised tasks are stopped, the journal is written. Takes 10 s at most, and 2 s more to
    /// write the last records, and says whether nothing was left behind. Metrics and endpoints
    /// go on, and say that the service is not ready.
    ///
    /// Dropping the future before it is ready does not stop the shutdown; asked again, it waits
    /// for the same one.
    pub async fn shutdown(&self) -> bool {
        let watched = &self.inner.healing.watched;
        watched.shutting_down.store(true, Ordering::Relaxed);
        match self.inner.healing.running() {
            Some(healing) => healing.shutdown(GRACE).await.is_clean(),
            None => true,
        }
    }

    /// Starts healing where that is possible, so that its numbers are on the page from the
    /// beginning.
    pub(super) fn heal_if_possible(&self) -> Result<(), StartError> {
        match Handle::try_current() {
            Ok(_) => self.healing().map(drop),
            Err(_) => Ok(()),
        }
    }
}
