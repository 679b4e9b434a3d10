use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::Selfheal;
use super::health::Health;
use super::liveness::Progress;
use crate::collect;
use crate::config::{Config, ConfigError};
use crate::healing::{
    Alert, AlertId, Closed, ComponentState, EngineHandle, Healing, HealingEngine, LogAlerts, Name,
    Phase, Record, Restart, Severity, Stamp, StartError, Supervise, SuperviseError, TaskContext,
    TaskOutput, What,
};
use crate::health::{Check, Component, Contributor, Fact, Note};
use crate::registry::Registry;
use crate::util::Clock;

/// How long a shutdown waits for what is under way.
const GRACE: Duration = Duration::from_secs(10);

/// The run-time that heals is taken for stuck when a task on it that should run every second
/// has not run for so long.
const STALLED: Duration = Duration::from_secs(10);

/// The healing engine: started with the handle where there is a run-time, else when it is
/// first asked for.
#[derive(Default)]
pub(super) struct Lazy {
    /// Held while it starts, so that it is started once; a report does not wait for that.
    starting: Mutex<()>,
    watched: Arc<Watched>,
}

/// What is known of the components that are looked after.
#[derive(Default)]
struct Watched {
    /// The share of the traffic that needs a component, as far as somebody said.
    shares: Mutex<BTreeMap<Name, f64>>,
    engine: Mutex<Option<Healing>>,
    /// Of its run-time.
    progress: Arc<Progress>,
    shutting_down: AtomicBool,
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

    fn running(&self) -> Option<Healing> {
        self.watched.running()
    }
}

impl Watched {
    /// A copy, so that nobody holds the lock while the engine is asked.
    fn engine(&self) -> Option<Healing> {
        self.engine.lock().clone()
    }

    /// The same, unless its run-time has ended, so that what it says is of the past.
    fn running(&self) -> Option<Healing> {
        self.engine().filter(|healing| !healing.is_orphaned())
    }
}

/// What the healing engine says of the service's health.
struct Healed(Arc<Watched>);

impl Contributor for Healed {
    fn components(&self) -> Vec<Component> {
        let Some(healing) = self.0.running() else {
            return Vec::new();
        };
        let mut open: BTreeMap<Name, ComponentState> = healing
            .components()
            .into_iter()
            .map(|state| (state.component.clone(), state))
            .collect();
        let shares = self.0.shares.lock().clone();
        let part = |name: &Name| {
            let part = Component::new(name.as_str());
            match shares.get(name) {
                Some(share) => part.share(*share),
                None => part,
            }
        };
        let mut parts: Vec<Component> = Vec::new();
        let mut places = BTreeMap::new();
        for watched in healing.watched() {
            let name = watched.component;
            let seen = match (open.remove(&name), watched.blind) {
                (Some(state), _) => part(&name).health(health(state.severity), state.text),
                (None, Some(blind)) => {
                    let (seconds, why) = (blind.lasting.as_secs(), blind.why);
                    let detail = format!("not seen for {seconds} s: {why}");
                    part(&name).unseen(blind.overdue, detail)
                }
                (None, None) if watched.looked => part(&name).health(1.0, well(watched.remark)),
                (None, None) => part(&name),
            };
            // Of what several engines say of one component, the worst counts.
            let place = *places.entry(name).or_insert(parts.len());
            match parts.get_mut(place) {
                Some(known) if seen.status() > known.status() => *known = seen,
                Some(_) => {}
                None => parts.push(seen),
            }
        }
        // Components that nobody named beforehand, but that have an issue.
        parts.extend(
            open.into_values()
                .map(|state| part(&state.component).health(health(state.severity), state.text)),
        );
        parts
    }

    fn facts(&self) -> Vec<Fact> {
        let Some(healing) = self.0.engine() else {
            return Vec::new();
        };
        if healing.is_orphaned() {
            let state = "ended with its run-time; what is supervised or guarded in another \
                         one starts it again";
            return vec![Fact::new("healing is", state)];
        }
        let now = healing.snapshot();
        let open: u64 = Phase::ALL.iter().map(|phase| now.open.get(*phase)).sum();
        let mut facts = vec![
            Fact::new("issues healed", now.closed.get(Closed::Healed).to_string()),
            Fact::new("issues open", open.to_string()),
        ];
        // Why nothing may start at all.
        let held = [
            (now.shutting_down, "shut down"),
            (now.killed, "switched off by the kill switch"),
            (now.paused, "paused"),
            (now.storm, "held back, as too much is bad at once"),
        ];
        let held = held.into_iter().find(|(so, _)| *so);
        facts.extend(held.map(|(_, state)| Fact::new("healing is", state)));
        if !now.journal_healthy {
            facts.push(Fact::new("journal", "cannot be written"));
        }
        facts
    }

    fn alerts(&self) -> Vec<Note> {
        let firing = self.0.running().map(|healing| healing.alerts());
        let firing = firing.unwrap_or_default().into_iter();
        let alert = |alert: Alert| Note {
            at: wall(alert.since),
            component: match &alert.id.key {
                Some(key) => key.component.as_str().to_owned(),
                None => "healing".to_owned(),
            },
            text: alert.summary.as_str().to_owned(),
        };
        firing.map(alert).collect()
    }

    fn recent(&self) -> Vec<Note> {
        /// As many as a person looks through.
        const MOST: usize = 50;
        let Some(healing) = self.0.running() else {
            return Vec::new();
        };
        let records = healing.recent(MOST);
        records
            .iter()
            .rev()
            .filter_map(|record| note(record))
            .collect()
    }

    fn ready(&self) -> Check {
        if self.0.shutting_down.load(Ordering::Relaxed) {
            return Check::failed("shutting down");
        }
        let not_ready = self.0.running().map(|healing| healing.not_ready());
        match not_ready.as_deref() {
            None | Some([]) => Check::passed(),
            Some([first, others @ ..]) => {
                let more = match others.len() {
                    0 => String::new(),
                    more => format!(", and on {more} more"),
                };
                Check::failed(format!("healing has given up on {first}{more}"))
            }
        }
    }

    fn live(&self) -> Check {
        let Some(healing) = self.0.engine().filter(|healing| !healing.has_ended()) else {
            return Check::passed();
        };
        // Whoever asks from inside of the run-time has its answer: it had to wait as well.
        let here = Handle::try_current().is_ok_and(|here| here.id() == healing.runtime().id());
        let silent = self.0.progress.silent();
        match Some(silent).filter(|silent| !here && *silent > STALLED) {
            None => Check::passed(),
            Some(silent) => Check::failed(format!(
                "the run-time has made no progress for {silent:.0?}"
            )),
        }
    }
}

fn well(remark: Option<&str>) -> String {
    match remark {
        Some(remark) => format!("well; {remark}"),
        None => "well".to_owned(),
    }
}

/// How much of what it is asked for a component does while it has an issue of this severity,
/// as long as nobody measures it.
fn health(severity: Severity) -> f64 {
    match severity {
        Severity::Info => 1.0,
        Severity::Warning => 0.9,
        Severity::Error => 0.5,
        Severity::Critical => 0.0,
    }
}

/// A record in a few words, if it is one that a person wants to see.
fn note(record: &Record) -> Option<Note> {
    let (key, text) = match &record.what {
        What::Opened { issue, .. } => {
            let severity = issue.severity.as_str();
            let text = format!("{} detected ({severity})", issue.key.issue_type);
            (&issue.key, text)
        }
        What::Moved {
            key,
            to: Phase::Parked,
            reason,
            ..
        } => {
            let why = reason.map_or("waiting for a person", |reason| reason.as_str());
            (key, format!("{} left to a person: {why}", key.issue_type))
        }
        What::WouldRun { key, action, .. } => {
            (key, format!("{}: would run {action}", key.issue_type))
        }
        What::AttemptFinished {
            key,
            action,
            result,
            took,
            message,
            ..
        } => {
            let mut text = format!("{action} ended {} after {took:.1?}", result.as_str());
            if !message.as_str().is_empty() {
                text.push_str(": ");
                text.push_str(message.as_str());
            }
            (key, text)
        }
        What::Escalated {
            id: AlertId { key: Some(key), .. },
            why,
            ..
        } => (key, why.as_str().to_owned()),
        What::Closed {
            key,
            outcome,
            open_for,
            ..
        } => {
            let text = format!("{} {} after {open_for:.1?}", key.issue_type, end(*outcome));
            (key, text)
        }
        _ => return None,
    };
    Some(Note {
        at: wall(record.stamp),
        component: key.component.as_str().to_owned(),
        text,
    })
}

fn wall(stamp: Stamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(stamp.wall.as_millis())
}

/// How an issue ended, in the words of people.
fn end(outcome: Closed) -> &'static str {
    match outcome {
        Closed::Healed => "healed",
        Closed::SelfResolved => "gone by itself",
        Closed::Exhausted => "given up, all steps were tried,",
        Closed::Superseded => "no longer looked after",
        Closed::Shutdown => "left for the next start",
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
    /// The healing engine: to pause it, approve an action, look at issues and history. It is
    /// started with the handle where that is installed inside a tokio run-time, else now.
    ///
    /// It ends with that run-time, and so does everything that was registered, supervised and
    /// guarded. Asked for in another run-time afterwards, it is started again, from what the
    /// journal has of it and empty otherwise; the health report says so as long as it is not.
    ///
    /// # Errors
    /// There is no tokio run-time here, or its journal cannot be used.
    pub fn healing(&self) -> Result<Healing, StartError> {
        let inner = &self.inner;
        inner
            .healing
            .get(&inner.config, &inner.registry, &inner.clock)
    }

    /// Puts the policy of a configuration in force that was loaded again, as by
    /// `Config::from_file`, for decisions from now on. The other sections are not looked at.
    ///
    /// # Errors
    /// It could not be loaded, or has faults: the policy in force stays. Or healing cannot start
    /// here.
    pub fn reload_policy(&self, loaded: Result<Config, ConfigError>) -> Result<(), ReloadError> {
        let policy = loaded?.healing;
        let reloaded = self.healing()?.reload(policy);
        Ok(reloaded.map_err(ConfigError::Invalid)?)
    }

    /// Hands an engine of the application's own to the healing engine; it looks for faults at
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
        match tokio::runtime::Handle::try_current() {
            Ok(_) => self.healing().map(drop),
            Err(_) => Ok(()),
        }
    }
}
