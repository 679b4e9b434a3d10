use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Healing;
use super::alert_hook::{self, AlertHook};
use super::alerts;
use super::call::guarded;
use super::driver::Driver;
use super::error::StartError;
use super::events;
use super::metrics::Page;
use super::owner::Owner;
use super::shell::{Ended, Shell, Stage};
use super::slots::Slots;
use crate::config::{HealingPolicy, Journal as JournalSettings};
use crate::healing::core::State;
use crate::healing::engine::Timeline;
use crate::healing::journal::{Folder, Journal, Replay, Store, replay};
use crate::registry::Registry;
use crate::util::Clock;

/// Builds a healing engine; made by [`Healing::builder`].
#[must_use = "nothing happens before `start`"]
pub struct HealingBuilder {
    policy: HealingPolicy,
    journal: JournalSettings,
    store: Option<Arc<dyn Store>>,
    clock: Clock,
    seed: Option<u64>,
    hooks: Vec<Box<dyn AlertHook>>,
    registry: Option<Registry>,
    after: Option<Healing>,
    runtime: Option<Handle>,
}

impl HealingBuilder {
    pub(super) fn new() -> Self {
        Self {
            policy: HealingPolicy::default(),
            journal: JournalSettings::default(),
            store: None,
            clock: Clock::system(),
            seed: None,
            hooks: Vec::new(),
            registry: None,
            after: None,
            runtime: None,
        }
    }

    /// Sets the policy. Default: [`HealingPolicy::default`].
    pub fn policy(mut self, policy: HealingPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the journal. Default: in memory only.
    pub fn journal(mut self, settings: JournalSettings) -> Self {
        self.journal = settings;
        self
    }

    /// Sets a store for the journal files instead of a folder; the path in the settings is then
    /// unused. Default: none.
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets the clock that stamps records. Decisions use tokio's clock.
    /// Default: the machine's clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the seed of the random waits. Default: random.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Adds an alert receiver. Default: none.
    pub fn on_alert(mut self, hook: impl AlertHook) -> Self {
        self.hooks.push(Box::new(hook));
        self
    }

    /// Sets the registry that exposes its metrics. Default: none, no metrics.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = Some(registry.clone());
        self
    }

    /// Replaces an engine whose runtime has ended on the page of its registry.
    pub(crate) fn after(mut self, before: Healing) -> Self {
        self.after = Some(before);
        self
    }

    /// Sets the runtime for its tasks, which needs its timer enabled. Default: the one in which
    /// [`start`](Self::start) is called.
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Reads the journal, which may take a moment, and starts the engine.
    pub fn start(self) -> Result<Healing, StartError> {
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => Handle::try_current().map_err(StartError::NoRuntime)?,
        };
        {
            let _inside = runtime.enter();
            guarded(|| drop(tokio::time::sleep(Duration::ZERO))).map_err(|_| StartError::NoTime)?;
        }
        self.policy.validate().map_err(StartError::Invalid)?;
        self.journal.validate().map_err(StartError::Invalid)?;
        let store: Option<Arc<dyn Store>> = match (self.store, &self.journal.path) {
            (Some(store), _) => Some(store),
            (None, Some(path)) if self.journal.allow_shared_directory => {
                Some(Arc::new(Folder::open_shared(path)?))
            }
            (None, Some(path)) => Some(Arc::new(Folder::open(path)?)),
            (None, None) => None,
        };
        let left = match &store {
            Some(store) => replay(&**store).map_err(StartError::Journal)?,
            None => Replay::default(),
        };
        let seed = self.seed.unwrap_or_else(|| RandomState::new().hash_one(0));
        let timeline = Timeline::start(self.clock, runtime.clone());
        let next = left.next_number();
        let report = left.report;
        let policy = Arc::new(self.policy);
        let now = timeline.first_stamp();
        let (state, outbox) = State::restore(policy, seed, now, &left.records);
        let settings = Arc::new(self.journal);
        let journal = match store {
            Some(store) => {
                let journal = Journal::in_files(store, &settings, next, &timeline);
                journal.begin_with_copy(left.records);
                journal
            }
            None => Journal::in_memory(&settings),
        };
        let (alert_sender, changes) = mpsc::channel(alert_hook::WAITING);
        let shell = Arc::new(Shell {
            timeline,
            owner: Owner::new(state, outbox),
            engines: RwLock::new(Slots::default()),
            running: Mutex::default(),
            journal,
            events: broadcast::Sender::new(events::KEPT),
            alerts: alert_sender,
            alerts_missed: AtomicU64::new(0),
            stage: watch::Sender::new(Stage::Running),
            exit: watch::Sender::new(None),
            closing: CancellationToken::new(),
            ended: CancellationToken::new(),
            tasks: TaskTracker::new(),
            driver: Mutex::default(),
            runtime,
        });
        let known = self.after.and_then(|before| before.page.upgrade());
        let page = match (known, &self.registry) {
            (Some(page), _) => {
                page.turn_to(&shell);
                Some(page)
            }
            (None, Some(registry)) => {
                Some(Page::new(&shell, registry).map_err(StartError::Metrics)?)
            }
            (None, None) => None,
        };
        let delivering = alerts::deliver(Arc::downgrade(&shell), changes, self.hooks);
        shell.runtime.spawn(delivering);
        let ends = Ended(Arc::downgrade(&shell));
        shell
            .runtime
            .spawn(Shell::tick(ends, shell.timeline.clone()));
        let driver = shell.runtime.spawn(Driver::new(Arc::clone(&shell)).run());
        *shell.driver.lock() = Some(driver);
        Ok(Healing {
            shell,
            report: Arc::new(report),
            page: page.as_ref().map(Arc::downgrade).unwrap_or_default(),
        })
    }
}

impl fmt::Debug for HealingBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealingBuilder")
            .field("policy", &self.policy)
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}
