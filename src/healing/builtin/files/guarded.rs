//! A guarded file: its state, and its blocking work.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::GuardError;
use super::aside;
use super::content::{Content, Found, Mark, Validator, check};
use super::metrics::{FileEvent, FileMetrics};
use super::restore::{RestoreError, replace, restore};
use super::watch::{Change, Watch};
use super::worker::{Late, Worker};
use crate::healing::core::{Moment, Name, Severity};
use crate::registry::GaugeGuard;
use crate::util::place::{Place, PlaceError, Sharing};

/// The number of good contents kept: the one to restore, and earlier ones.
const GENERATIONS: usize = 3;

/// A writer without changes for this long counts as done: a file truncated by its path is never
/// closed.
const ABANDONED: Duration = Duration::from_secs(300);

/// Called with the content of the file.
pub(super) type Hook = dyn Fn(&[u8]) + Send + Sync;

/// The settings of a guard, fixed at its installation.
pub(super) struct Spec {
    pub(super) component: Name,
    pub(super) path: PathBuf,
    pub(super) sharing: Sharing,
    pub(super) max_bytes: u64,
    pub(super) validate: Arc<Validator>,
    pub(super) on_restored: Vec<Box<Hook>>,
    pub(super) on_changed: Vec<Box<Hook>>,
    pub(super) copy: Option<PathBuf>,
    pub(super) severity: Severity,
    pub(super) settle: Option<Duration>,
    pub(super) every: Duration,
    pub(super) confirm_after: Duration,
    pub(super) deadline: Duration,
}

/// Whether the file has a writer, as far as the system reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Writer {
    #[default]
    None,
    /// The file was created: by a writer, or complete as a hard link.
    Perhaps,
    /// It was written to, and not closed since.
    Open,
}

/// The state derived from file events; all that the watcher's thread can access.
pub(super) struct Signals {
    metrics: Arc<FileMetrics>,
    writer: Mutex<Writer>,
}

/// State shared by the engine and the threads of its jobs.
pub(super) struct Guarded {
    pub(super) spec: Spec,
    pub(super) metrics: Arc<FileMetrics>,
    pub(super) signals: Arc<Signals>,
    worker: Worker,
    state: Mutex<State>,
    watch: Mutex<Option<Watch>>,
    unwatched: Mutex<Option<GaugeGuard>>,
    /// Allows one restore at a time: the engine's, or a requested one.
    restoring: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// The good contents, the one to restore first.
    good: VecDeque<Content>,
    /// The good content found at the start, until a second reading finds it at rest: it may have
    /// been read during a write.
    first: Option<blake3::Hash>,
    /// Good content that is not adopted yet, and since when it exists.
    next: Option<(Content, Moment)>,
    /// The last reported fault: nothing else may be replaced.
    reported: Option<Mark>,
}

impl Signals {
    pub(super) fn writer(&self) -> Writer {
        *self.writer.lock()
    }

    /// Records an event. A file renamed into place, or gone, has no writer any more; after an
    /// unclear event nothing is known.
    pub(super) fn note(&self, change: Change) {
        let (event, writer) = match change {
            Change::Seen(FileEvent::Created) => (Some(FileEvent::Created), Some(Writer::Perhaps)),
            Change::Written => (Some(FileEvent::Modified), Some(Writer::Open)),
            Change::Seen(gone @ (FileEvent::Removed | FileEvent::Renamed)) => {
                (Some(gone), Some(Writer::None))
            }
            Change::Seen(other) => (Some(other), None),
            Change::Closed | Change::Unclear => (None, Some(Writer::None)),
        };
        if let Some(event) = event {
            self.metrics.events.inc(&(event,));
        }
        if let Some(writer) = writer {
            *self.writer.lock() = writer;
        }
    }
}

impl Guarded {
    pub(super) fn new(spec: Spec, metrics: Arc<FileMetrics>) -> Self {
        let signals = Arc::new(Signals {
            metrics: Arc::clone(&metrics),
            writer: Mutex::default(),
        });
        Self {
            worker: Worker::new(spec.deadline),
            spec,
            metrics,
            state: Mutex::default(),
            signals,
            watch: Mutex::new(None),
            unwatched: Mutex::new(None),
            restoring: Mutex::new(()),
        }
    }

    /// Runs work that may hang, and blocks no longer than the deadline.
    pub(super) fn work<T: Send + 'static>(
        self: &Arc<Self>,
        job: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Late> {
        let file = Arc::clone(self);
        self.worker.run(move || job(&file))
    }

    /// Finds the content to restore when the guard starts, and cleans up after a killed process.
    pub(super) fn start(&self) -> Result<(), GuardError> {
        let spec = &self.spec;
        let path = spec.path.clone();
        let copy = match &spec.copy {
            Some(copy) => Some(self.find(copy).map_err(|why| refused(copy.clone(), &why))?),
            None => None,
        };
        if let Some(copy) = &copy {
            aside::clean(&copy.directory, &copy.name);
        }
        let found = match self.find(&spec.path) {
            Ok(place) => {
                aside::clean(&place.directory, &place.name);
                check(&place, spec.max_bytes, &*spec.validate)
            }
            Err(error) if error.is_missing() => Found::Missing,
            Err(error) => return Err(refused(path, &error)),
        };
        let kept = match copy.map(|copy| check(&copy, spec.max_bytes, &*spec.validate)) {
            Some(Found::Good(content)) => Some(content),
            _ => None,
        };
        let problem = match found {
            Found::Good(content) => {
                if kept.is_none() {
                    self.save_copy(&content);
                }
                let mut state = self.state.lock();
                state.first = Some(content.hash);
                // The copy was at rest once, so it is the content to restore until the current one
                // is.
                let other = kept.filter(|kept| kept.hash != content.hash);
                state.good.push_front(other.unwrap_or(content));
                return Ok(());
            }
            Found::Missing => GuardError::Missing { path },
            Found::Corrupt(_, why) => GuardError::Corrupt { path, why },
            Found::Unreadable(why) => return Err(GuardError::Unreadable { path, why }),
        };
        self.state.lock().good.push_front(kept.ok_or(problem)?);
        Ok(())
    }

    /// Watches the path to the file from now on.
    pub(super) fn watch(&self, watch: Watch) {
        *self.watch.lock() = Some(watch);
    }

    pub(super) fn stop_watching(&self) {
        *self.watch.lock() = None;
        *self.unwatched.lock() = None;
    }

    /// Whether the end of writing is reported: only Linux does. It does not wait for a job that
    /// sets up a watch.
    pub(super) fn hears_of_writers(&self) -> bool {
        let watch = self.watch.try_lock();
        let hears = watch.is_some_and(|watch| watch.as_ref().is_some_and(Watch::hears));
        cfg!(target_os = "linux") && hears
    }

    fn find(&self, path: &std::path::Path) -> Result<Place, PlaceError> {
        Place::find(path, self.spec.sharing, &mut Vec::new())
    }

    /// Resolves the path again and reads the file. A path that moved is watched before it is read.
    pub(super) fn check(&self) -> Found {
        let mut steps = Vec::new();
        let place = Place::find(&self.spec.path, self.spec.sharing, &mut steps);
        self.follow(steps);
        match place {
            Ok(place) => check(&place, self.spec.max_bytes, &*self.spec.validate),
            Err(error) if error.is_missing() => Found::Missing,
            Err(error) => Found::Unreadable(error.to_string().into()),
        }
    }

    fn follow(&self, steps: Vec<PathBuf>) {
        let watch = self.watch.lock();
        let Some(watch) = watch.as_ref() else {
            return;
        };
        if !watch.is_on(&steps) {
            // From now on, events are about another file.
            *self.signals.writer.lock() = Writer::None;
            watch.follow(steps);
        }
        let mut unwatched = self.unwatched.lock();
        match (watch.hears(), unwatched.is_some()) {
            (true, _) => *unwatched = None,
            (false, false) => *unwatched = Some(self.metrics.unwatched.hold()),
            (false, true) => {}
        }
    }

    /// Whether it differs from the content to restore, or none was adopted yet.
    pub(super) fn is_new(&self, content: &Content) -> bool {
        let state = self.state.lock();
        let good = state.good.front().map(|good| good.hash);
        state.first.is_some() || good != Some(content.hash)
    }

    /// Records good content at rest; returns whether to adopt it: its writer has closed it, or
    /// seems to have abandoned it.
    pub(super) fn may_adopt(&self, content: &Content, now: Moment) -> bool {
        let writer = self.signals.writer();
        let mut state = self.state.lock();
        let since = match &state.next {
            Some((next, since)) if content.rests_since(next) => *since,
            _ => now,
        };
        let adopts = writer != Writer::Open || now - since >= ABANDONED;
        state.next = (!adopts).then(|| (content.clone(), since));
        adopts
    }

    /// Adopts good content, which from now on is the one to restore.
    pub(super) fn adopt(&self, content: &Content) {
        let changed = {
            let mut state = self.state.lock();
            let first = state.first.take();
            if state.good.front().map(|good| good.hash) == Some(content.hash) {
                state.good.pop_front();
            }
            state.good.push_front(content.clone());
            state.good.truncate(GENERATIONS);
            first != Some(content.hash)
        };
        self.save_copy(content);
        if changed {
            for hook in &self.spec.on_changed {
                call(hook, content);
            }
        }
    }

    /// Updates the owner and the mode of unchanged content: these are restored as well.
    pub(super) fn refresh(&self, content: &Content) {
        let mut state = self.state.lock();
        if let Some(good) = state.good.front_mut()
            && good.hash == content.hash
        {
            good.facts = content.facts;
        }
    }

    /// Records the reported fault; each bad content is counted once.
    pub(super) fn report(&self, found: &Found) {
        let mark = Mark::of(found);
        let old = std::mem::replace(&mut self.state.lock().reported, mark);
        if matches!(mark, Some(Mark::Corrupt(_))) && mark != old {
            self.metrics.events.inc(&(FileEvent::Corrupted,));
        }
    }

    pub(super) fn reported(&self) -> Option<Mark> {
        self.state.lock().reported
    }

    /// Writes the copy that outlives the process. On failure the guard continues with its memory;
    /// the copy is retried with the next change.
    fn save_copy(&self, content: &Content) {
        let Some(copy) = &self.spec.copy else {
            return;
        };
        let Ok(place) = self.find(copy) else {
            return;
        };
        let there = match check(&place, self.spec.max_bytes, &|_| Ok(())) {
            Found::Good(there) => Some((there.hash, there.facts.owner)),
            _ => None,
        };
        // Others who may write to the file must not be able to write to its copy.
        let mut owner = content.facts.owner;
        owner.mode &= 0o755;
        if there != Some((content.hash, owner)) {
            let _ = replace(&place, content, owner);
        }
    }

    /// Restores the last good content in place of the reported fault.
    pub(super) fn restore(&self) -> Result<(), RestoreError> {
        let (good, reported) = {
            let state = self.state.lock();
            (state.good.front().cloned(), state.reported)
        };
        let known = reported.filter(|mark| *mark != Mark::Unreadable);
        let (Some(good), Some(fault)) = (good, known) else {
            return Err(RestoreError::Changed);
        };
        self.put(&good, Some(fault))?;
        if self.state.lock().first.take().is_some() {
            self.save_copy(&good);
        }
        self.restored(&good);
        Ok(())
    }

    fn put(&self, good: &Content, fault: Option<Mark>) -> Result<(), RestoreError> {
        let _one = self.restoring.lock();
        let place = self.find(&self.spec.path)?;
        aside::clean(&place.directory, &place.name);
        restore(&place, good, fault, self.spec.max_bytes)?;
        self.metrics.events.inc(&(FileEvent::Restored,));
        Ok(())
    }

    fn restored(&self, good: &Content) {
        for hook in &self.spec.on_restored {
            hook(&good.bytes);
        }
    }

    /// The good contents, the one to restore first.
    pub(super) fn kept(&self) -> Vec<Content> {
        self.state.lock().good.iter().cloned().collect()
    }

    /// Restores older good content regardless of what is there, and forgets later contents.
    pub(super) fn go_back(&self, to: blake3::Hash) -> Result<(), RestoreError> {
        let kept = self.kept();
        let good = kept.iter().find(|content| content.hash == to);
        let good = good.ok_or(RestoreError::Changed)?;
        self.put(good, None)?;
        {
            let mut state = self.state.lock();
            if let Some(newer) = state.good.iter().position(|kept| kept.hash == to) {
                state.good.drain(..newer);
            }
            state.first = None;
        }
        self.save_copy(good);
        self.restored(good);
        Ok(())
    }
}

fn refused(path: PathBuf, error: &PlaceError) -> GuardError {
    let why = error.to_string();
    match error {
        PlaceError::Shared { .. } | PlaceError::Link { .. } => GuardError::Untrusted { path, why },
        _ => GuardError::Unreadable {
            path,
            why: why.into(),
        },
    }
}

/// Calls a hook after an external change; its panic must not count as a bad file.
fn call(hook: &Hook, content: &Content) {
    // The panic hook has printed it, and there is no caller to return it to.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hook(&content.bytes)));
}
