//! The process's one system watcher, and the folders it watches: the number of watchers of a user
//! is limited, and many files may be guarded.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lazy_static::lazy_static;
use notify::event::{EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use parking_lot::{Mutex, RwLock};

/// Called with every event in a folder, on the thread of the watcher.
pub(super) type Listener = dyn Fn(&notify::Result<Event>) + Send + Sync;

lazy_static! {
    static ref SHARED: Shared = Shared::default();
}

#[derive(Default)]
struct Shared {
    /// Held during system calls, and never by the watcher's thread, which answers them.
    control: Mutex<Control>,
    /// Held only briefly.
    folders: RwLock<HashMap<PathBuf, Vec<Arc<Entry>>>>,
}

#[derive(Default)]
struct Control {
    watcher: Option<RecommendedWatcher>,
    /// The watched directory at each path.
    watched: HashMap<PathBuf, Watched>,
}

struct Watched {
    id: Id,
    gone: Gone,
}

/// Whether the directory was removed or renamed, though another may have its name by now.
type Gone = Arc<AtomicBool>;

struct Entry {
    listener: Arc<Listener>,
    gone: Gone,
}

thread_local! {
    /// Whether this is the thread of the watcher, which cannot wait for itself.
    static HEARS: Cell<bool> = const { Cell::new(false) };
}

/// Identifies a directory.
type Id = (u64, u64);

/// A share of the watch of a folder; the watch ends with the last share.
pub(super) struct Folder {
    path: PathBuf,
    id: Id,
    entry: Arc<Entry>,
}

impl Folder {
    pub(super) fn watch(path: &Path, listener: Arc<Listener>) -> notify::Result<Self> {
        let shared = &*SHARED;
        let id = id(path).map_err(notify::Error::io)?;
        let mut control = shared.control.lock();
        let gone = control.current(path, id);
        let entry = Arc::new(Entry { listener, gone });
        // Registered before the watch starts, so that no event is lost.
        let mut folders = shared.folders.write();
        let known = folders.entry(path.to_owned()).or_default();
        known.push(Arc::clone(&entry));
        drop(folders);
        let folder = Self {
            path: path.to_owned(),
            id,
            entry,
        };
        let watched = control.watch(path, id, &folder.entry.gone);
        drop(control);
        // On failure, `folder` is dropped, which releases the entry.
        watched.map(|()| folder)
    }

    /// Whether the directory is still there; a watch on a removed or replaced one reports nothing.
    pub(super) fn is_watched(&self) -> bool {
        !self.entry.gone.load(Ordering::Relaxed) && id(&self.path).is_ok_and(|id| id == self.id)
    }
}

impl Control {
    /// The flag that this directory is gone. Listeners to a replaced one notice it when they read
    /// the flag.
    fn current(&mut self, path: &Path, id: Id) -> Gone {
        if let Some(watched) = self.watched.get(path) {
            if watched.id == id && !watched.gone.load(Ordering::Relaxed) {
                return Arc::clone(&watched.gone);
            }
            watched.gone.store(true, Ordering::Relaxed);
            self.watched.remove(path);
        }
        Gone::default()
    }

    fn watch(&mut self, path: &Path, id: Id, gone: &Gone) -> notify::Result<()> {
        if self.watched.contains_key(path) {
            return Ok(());
        }
        let watcher = match &mut self.watcher {
            Some(watcher) => watcher,
            none => none.insert(notify::recommended_watcher(|event| hear(&event))?),
        };
        // The watch may belong to another directory which had this name before.
        let _ = watcher.unwatch(path);
        watcher.watch(path, RecursiveMode::NonRecursive)?;
        let gone = Arc::clone(gone);
        self.watched.insert(path.to_owned(), Watched { id, gone });
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let shared = &*SHARED;
        if let Some(entries) = shared.folders.write().get_mut(&self.path) {
            entries.retain(|entry| !Arc::ptr_eq(entry, &self.entry));
        }
        let path = std::mem::take(&mut self.path);
        if HEARS.get() {
            // If no thread can be started, the folder stays watched.
            let _ = std::thread::Builder::new().spawn(move || shared.release(&path));
        } else {
            shared.release(&path);
        }
    }
}

impl Shared {
    /// Ends the watch of a folder without listeners, and the watcher with the last.
    fn release(&self, path: &Path) {
        let mut control = self.control.lock();
        let mut folders = self.folders.write();
        if folders.get(path).is_none_or(|entries| !entries.is_empty()) {
            return;
        }
        folders.remove(path);
        let last = folders.is_empty();
        drop(folders);
        control.watched.remove(path);
        if let Some(watcher) = &mut control.watcher {
            let _ = watcher.unwatch(path);
        }
        if last {
            control.watcher = None;
        }
    }
}

/// Passes an event to the listeners of its folder, or to all if it may concern any.
fn hear(event: &notify::Result<Event>) {
    HEARS.set(true);
    let listening: Vec<Arc<Entry>> = {
        let folders = SHARED.folders.read();
        match event {
            Ok(event) if !event.need_rescan() => {
                let about = |path: &Path| folders.get(path).into_iter().flatten().cloned();
                let mut listening = Vec::new();
                for path in &event.paths {
                    if takes_away(event) {
                        for entry in about(path) {
                            entry.gone.store(true, Ordering::Relaxed);
                            // The path to the file has changed, whatever the name of this entry.
                            listening.push(entry);
                        }
                    }
                    if let Some(folder) = path.parent() {
                        listening.extend(about(folder));
                    }
                }
                listening
            }
            _ => folders.values().flatten().cloned().collect(),
        }
    };
    for entry in listening {
        if entry.gone.load(Ordering::Relaxed) {
            (entry.listener)(&Err(notify::Error::path_not_found()));
        } else {
            (entry.listener)(event);
        }
    }
}

/// Whether an event removes or moves its path.
fn takes_away(event: &Event) -> bool {
    matches!(
        event.kind,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    )
}

#[cfg(unix)]
fn id(path: &Path) -> std::io::Result<Id> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(path)?;
    Ok((meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn id(path: &Path) -> std::io::Result<Id> {
    fs::metadata(path).map(|_| (0, 0))
}
