//! The engine that guards one file.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::content::{Content, Found, Validator, look};
use super::metrics::{FileEvent, FileMetrics};
use super::reason;
use super::restore::{RestoreError, restore};
use super::watch::{Change, Watch};
use crate::healing::{
    Confirm, Context, HealError, HealingEngine, Issue, Name, Observation, Plan, Precondition, Risk,
    Severity, Verdict,
};
use crate::registry::GaugeGuard;

const CORRUPT: &str = "file_corrupt";
const MISSING: &str = "file_missing";
const UNREADABLE: &str = "file_unreadable";
const RESTORE: &str = "restore";

/// How long somebody who writes is waited for: a writer that hangs must not keep the file bad.
const WRITER: Duration = Duration::from_secs(5);

/// Called with the content of the file.
pub(super) type Hook = dyn Fn(&[u8]) + Send + Sync;

/// What the guard does, decided when it was installed.
pub(super) struct Spec {
    pub(super) component: Name,
    pub(super) path: PathBuf,
    pub(super) max_bytes: u64,
    pub(super) validate: Arc<Validator>,
    pub(super) on_restored: Vec<Box<Hook>>,
    pub(super) on_changed: Vec<Box<Hook>>,
    pub(super) copy: Option<PathBuf>,
    pub(super) severity: Severity,
    pub(super) settle: Option<Duration>,
    pub(super) every: Duration,
    pub(super) confirm_after: Duration,
}

/// Watches a file, adopts every good content as the one to go back to, and restores it when
/// the file is corrupt or gone.
pub(super) struct FileGuard {
    /// Shared with the jobs that read and write on threads that may block.
    file: Arc<Guarded>,
    watch: Mutex<Option<Watch>>,
    /// Makes a new watch when the old one has gone deaf.
    watcher: Box<dyn Fn() -> Option<Watch> + Send + Sync>,
    _counted: GaugeGuard,
}

pub(super) struct Guarded {
    pub(super) spec: Spec,
    pub(super) metrics: Arc<FileMetrics>,
    state: Mutex<State>,
    /// Whether somebody wrote to the file and, as far as was told, has not closed it.
    open: AtomicBool,
}

struct State {
    /// The last content that was good.
    good: Content,
    /// What was reported as bad last, and nothing else may be replaced.
    reported: Option<Mark>,
}

/// By what two looks know that they found the same fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Corrupt(blake3::Hash),
    Missing,
    Unreadable,
}

impl Mark {
    /// `None` for what is good.
    fn of(found: &Found) -> Option<Self> {
        match found {
            Found::Good(_) => None,
            Found::Corrupt(content, _) => Some(Self::Corrupt(content.hash)),
            Found::Missing => Some(Self::Missing),
            Found::Unreadable(_) => Some(Self::Unreadable),
        }
    }
}

impl FileGuard {
    pub(super) fn new(
        file: Arc<Guarded>,
        watcher: Box<dyn Fn() -> Option<Watch> + Send + Sync>,
    ) -> Self {
        Self {
            watch: Mutex::new(watcher()),
            watcher,
            _counted: file.metrics.paths.hold(),
            file,
        }
    }

    /// A watch dies with its directory; the look that we take anyway is when we notice.
    fn keep_watching(&self) {
        let mut watch = self.watch.lock();
        if !watch.as_ref().is_some_and(Watch::is_alive) {
            *watch = None;
            *watch = (self.watcher)();
        }
    }

    async fn look(&self, cx: &Context) -> Found {
        let file = Arc::clone(&self.file);
        cx.blocking(move || file.look()).await
    }

    /// Looks until a fault was found twice, the same both times, and while nobody was writing.
    /// One that never comes to rest is reported as it is when the patience is over.
    async fn look_twice(&self, cx: &Context) -> Found {
        let spec = &self.file.spec;
        let (wait, patience) = if self.hears_of_writers() {
            (spec.confirm_after, WRITER)
        } else {
            (spec.every, spec.every)
        };
        let patience = patience.max(wait).min(cx.remaining() / 2);
        let patient = Instant::now() + patience;
        let mut found = self.look(cx).await;
        while let Some(mark) = Mark::of(&found) {
            sleep(wait.min(patience)).await;
            let impatient = Instant::now() >= patient;
            if !impatient && self.file.open.load(Ordering::Relaxed) {
                continue;
            }
            found = self.look(cx).await;
            if impatient || Mark::of(&found) == Some(mark) {
                break;
            }
        }
        found
    }

    /// Whether the end of writing is told: other systems than Linux do not say it.
    fn hears_of_writers(&self) -> bool {
        cfg!(target_os = "linux") && self.watch.lock().is_some()
    }
}

impl Guarded {
    pub(super) fn new(spec: Spec, metrics: Arc<FileMetrics>, good: Content) -> Self {
        Self {
            spec,
            metrics,
            state: Mutex::new(State {
                good,
                reported: None,
            }),
            open: AtomicBool::new(false),
        }
    }

    /// Takes note of an event. A file that is renamed into place, or gone, is nobody's to write
    /// to any more.
    pub(super) fn note(&self, change: Change) {
        let (event, open) = match change {
            Change::Seen(FileEvent::Created) => (Some(FileEvent::Created), Some(true)),
            Change::Written => (Some(FileEvent::Modified), Some(true)),
            Change::Seen(gone @ (FileEvent::Removed | FileEvent::Renamed)) => {
                (Some(gone), Some(false))
            }
            Change::Seen(other) => (Some(other), None),
            Change::Closed => (None, Some(false)),
            Change::Unclear => (None, None),
        };
        if let Some(event) = event {
            self.metrics.events.inc(&(event,));
        }
        if let Some(open) = open {
            self.open.store(open, Ordering::Relaxed);
        }
    }

    /// Looks at the file and remembers what was found: good content that is new was put there
    /// on purpose, and is what we go back to from now on.
    fn look(&self) -> Found {
        let found = look(&self.spec.path, self.spec.max_bytes, &*self.spec.validate);
        let Found::Good(content) = &found else {
            return found;
        };
        let new = {
            let mut state = self.state.lock();
            state.reported = None;
            let old = std::mem::replace(&mut state.good, content.clone());
            old.hash != content.hash
        };
        if new {
            self.save_copy(content);
            for hook in &self.spec.on_changed {
                call(hook, content);
            }
        }
        found
    }

    /// Takes note of what is reported; each bad content is counted once.
    fn report(&self, found: &Found) {
        let mark = Mark::of(found);
        let old = std::mem::replace(&mut self.state.lock().reported, mark);
        if matches!(mark, Some(Mark::Corrupt(_))) && mark != old {
            self.metrics.events.inc(&(FileEvent::Corrupted,));
        }
    }

    /// Writes the copy that outlives the process. Where that fails the guard goes on with what
    /// it has in memory; the copy is tried again with the next change.
    pub(super) fn save_copy(&self, content: &Content) {
        if let Some(copy) = &self.spec.copy {
            let there = look(copy, self.spec.max_bytes, &|_| Ok(()));
            let old = match there {
                Found::Good(old) | Found::Corrupt(old, _) => Some(old.hash),
                Found::Missing | Found::Unreadable(_) => None,
            };
            if old != Some(content.hash) {
                let _ = super::restore::replace(copy, content);
            }
        }
    }

    /// Puts the last good content back in the place of what was reported as bad.
    fn restore(&self) -> Result<Content, RestoreError> {
        let (good, reported) = {
            let state = self.state.lock();
            (state.good.clone(), state.reported)
        };
        let bad = match reported {
            Some(Mark::Corrupt(hash)) => Some(hash),
            Some(Mark::Missing) => None,
            Some(Mark::Unreadable) | None => return Err(RestoreError::Changed),
        };
        restore(&self.spec.path, &good, bad, self.spec.max_bytes)?;
        self.metrics.events.inc(&(FileEvent::Restored,));
        Ok(good)
    }
}

impl HealingEngine for FileGuard {
    fn name(&self) -> &str {
        self.file.spec.component.as_str()
    }

    fn components(&self) -> Vec<Name> {
        vec![self.file.spec.component.clone()]
    }

    fn every(&self) -> Option<Duration> {
        Some(self.file.spec.every)
    }

    async fn detect(&self, cx: &Context) -> Result<Vec<Observation>, HealError> {
        self.keep_watching();
        let observed = |issue_type: &str, severity: Severity| {
            let path = self.file.spec.path.display().to_string();
            Observation::new(self.file.spec.component.clone(), issue_type)
                .severity(severity)
                .evidence("path", path)
        };
        let severity = self.file.spec.severity;
        let found = self.look_twice(cx).await;
        self.file.report(&found);
        Ok(match found {
            Found::Good(_) => Vec::new(),
            Found::Corrupt(content, why) => {
                let mut seen = observed(CORRUPT, severity)
                    .evidence("validator", why.as_str())
                    .evidence("blake3", content.hash.to_string())
                    .evidence("bytes", content.bytes.len().to_string());
                if let Some(place) = reason::place(why.as_str()) {
                    seen = seen.evidence("place", place);
                }
                vec![seen]
            }
            Found::Missing => vec![observed(MISSING, severity)],
            Found::Unreadable(why) => {
                vec![observed(UNREADABLE, Severity::Warning).evidence("error", why.as_str())]
            }
        })
    }

    fn plan(&self, issue: &Issue) -> Plan {
        let mut plan = Plan::first(RESTORE)
            .risk(Risk::Reversible)
            // It was looked at twice before it was reported.
            .confirm(Confirm::at_once());
        if issue.key.issue_type.as_str() == UNREADABLE {
            // Of what cannot be read nobody knows whether it is bad: a person has to look.
            plan = plan.mode(crate::healing::Mode::DryRun);
        }
        match self.file.spec.settle {
            Some(settle) => plan.settle(settle),
            None => plan,
        }
    }

    async fn precondition(&self, cx: &Context, _: &Issue) -> Precondition {
        let found = self.look(cx).await;
        let same = Mark::of(&found) == self.file.state.lock().reported;
        match found {
            Found::Unreadable(why) => Precondition::refuse(why.as_str()),
            Found::Corrupt(..) | Found::Missing if same => Precondition::Proceed,
            // Also for what is bad in another way than it was: somebody may be writing.
            _ => Precondition::Stale,
        }
    }

    async fn heal(&self, cx: &Context, _: &Issue, _action: &str) -> Result<(), HealError> {
        let file = Arc::clone(&self.file);
        cx.blocking(move || {
            let content = file.restore()?;
            for hook in &file.spec.on_restored {
                hook(&content.bytes);
            }
            Ok::<_, RestoreError>(())
        })
        .await
        .map_err(|error| match error {
            link @ RestoreError::Link => HealError::from(link).give_up(),
            other => other.into(),
        })
    }

    async fn close(&self, _: &Context) {
        *self.watch.lock() = None;
    }

    async fn verify(&self, cx: &Context, _: &Issue) -> Verdict {
        match self.look(cx).await {
            Found::Good(_) => Verdict::Good,
            Found::Corrupt(..) | Found::Missing => Verdict::Bad,
            Found::Unreadable(_) => Verdict::Unknown,
        }
    }
}

/// Calls a hook for a change that somebody made; its panic must not look like a bad file.
fn call(hook: &Hook, content: &Content) {
    // The panic hook has printed it; there is nobody to hand it to.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hook(&content.bytes)));
}

impl fmt::Debug for FileGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileGuard")
            .field("path", &self.file.spec.path)
            .finish_non_exhaustive()
    }
}
