//! Hints from the operating system that a file may have changed.

mod shared;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind};
use parking_lot::Mutex;

use self::shared::Folder;
use super::metrics::FileEvent;

/// An event of the file, as far as the operating system reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// This event.
    Seen(FileEvent),
    /// It was written to; more writes may follow until it is closed.
    Written,
    /// A writer has closed it. Only Linux reports this.
    Closed,
    /// Events may have been missed (the queue overflowed), or the path to the file changed: a
    /// folder of it, or a link (such as Kubernetes' `..data`).
    Unclear,
}

/// Called for every change, on the watcher's thread: must be short.
pub(super) type Hint = dyn Fn(Change) + Send + Sync;

/// Watches the folders on the path to a file, since editors replace files instead of writing them,
/// and links move. All watches of a process share one system watcher.
///
/// An event is only a hint: reading the file decides.
pub(super) struct Watch {
    hint: Arc<Hint>,
    way: Mutex<Way>,
    hears: AtomicBool,
}

#[derive(Default)]
struct Way {
    steps: Vec<PathBuf>,
    /// Each ends its watch when dropped.
    folders: Vec<Folder>,
}

impl Watch {
    /// A watch without folders yet.
    pub(super) fn new(hint: impl Fn(Change) + Send + Sync + 'static) -> Self {
        Self {
            hint: Arc::new(hint),
            way: Mutex::default(),
            hears: AtomicBool::new(false),
        }
    }

    /// Whether it watches the folders at these paths, each as it is now.
    pub(super) fn is_on(&self, steps: &[PathBuf]) -> bool {
        let way = self.way.lock();
        self.hears() && way.steps == steps && way.folders.iter().all(Folder::is_watched)
    }

    /// Watches exactly the folders at these paths, the last of which is that of the file. Failed
    /// watches are retried at the next call.
    pub(super) fn follow(&self, steps: Vec<PathBuf>) {
        let mut way = self.way.lock();
        let mut folders = Vec::new();
        let mut hears = !steps.is_empty();
        for (at, step) in steps.iter().enumerate() {
            let file = at + 1 == steps.len();
            let hint = Arc::clone(&self.hint);
            match folder_of(step) {
                Some((folder, name)) => {
                    let name = name.to_owned();
                    let listener = move |event: &notify::Result<Event>| {
                        let change = match event {
                            Ok(event) => change(event, &name, file),
                            Err(_) => Some(Change::Unclear),
                        };
                        if let Some(change) = change {
                            hint(change);
                        }
                    };
                    match Folder::watch(folder, Arc::new(listener)) {
                        Ok(folder) => folders.push(folder),
                        // Without a watch the periodic check still finds every change, only later.
                        Err(_) => hears = false,
                    }
                }
                None => hears = false,
            }
        }
        // The old folders are dropped after the new ones exist, so that shared ones stay watched.
        *way = Way { steps, folders };
        self.hears.store(hears, Ordering::Relaxed);
    }

    /// Whether every folder on the path is watched.
    pub(super) fn hears(&self) -> bool {
        self.hears.load(Ordering::Relaxed)
    }
}

fn folder_of(step: &Path) -> Option<(&Path, &std::ffi::OsStr)> {
    Some((step.parent()?, step.file_name()?))
}

/// The change that an event in a folder means for the file, or the link, called `name`, if any.
fn change(event: &Event, name: &std::ffi::OsStr, file: bool) -> Option<Change> {
    if event.need_rescan() {
        return Some(Change::Unclear);
    }
    if !event
        .paths
        .iter()
        .any(|path| path.file_name() == Some(name))
    {
        return None;
    }
    let change = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Change::Closed,
        // A rename also sends an event for each of its ends.
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => {
            return None;
        }
        EventKind::Create(_) => Change::Seen(FileEvent::Created),
        EventKind::Remove(_) => Change::Seen(FileEvent::Removed),
        EventKind::Modify(ModifyKind::Name(_)) => Change::Seen(FileEvent::Renamed),
        EventKind::Modify(ModifyKind::Metadata(_)) => Change::Seen(FileEvent::Modified),
        EventKind::Modify(_) => Change::Written,
        EventKind::Any | EventKind::Other => Change::Unclear,
    };
    Some(if file { change } else { Change::Unclear })
}

#[cfg(test)]
mod tests;
