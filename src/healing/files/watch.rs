//! Hints from the operating system that a file may have changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::metrics::FileEvent;
use super::restore::directory_of;

/// What happened to the file, as far as the operating system says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// This did.
    Seen(FileEvent),
    /// Something was written to it; more may follow until it is closed.
    Written,
    /// Somebody who could write to it has closed it. Only Linux says so.
    Closed,
    /// Something may have been missed (the queue of events overflowed), or the parent
    /// directory itself changed (as Kubernetes' `..data` swap does).
    Unclear,
}

/// Watches the parent directory of a file, for editors replace files instead of writing them.
///
/// An event is a hint and no more: what is true is found by looking.
pub(super) struct Watch {
    _watcher: RecommendedWatcher,
    directory: PathBuf,
    /// Whether the directory was removed or renamed, though another may have its name by now.
    gone: Arc<AtomicBool>,
}

impl Watch {
    /// Calls `hint` for every change of `path`, on a thread of the watcher: it must be short.
    pub(super) fn start(
        path: &Path,
        mut hint: impl FnMut(Change) + Send + 'static,
    ) -> notify::Result<Self> {
        let directory = directory_of(path).to_owned();
        let name = path.file_name().map(ToOwned::to_owned);
        let gone = Arc::new(AtomicBool::new(false));
        let (goes, itself) = (Arc::clone(&gone), directory.clone());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let change = match event {
                Ok(event) if takes_away(&event, &itself) => {
                    goes.store(true, Ordering::Relaxed);
                    Some(Change::Unclear)
                }
                Ok(event) => change(&event, name.as_deref()),
                Err(_) => Some(Change::Unclear),
            };
            if let Some(change) = change {
                hint(change);
            }
        })?;
        watcher.watch(&directory, RecursiveMode::NonRecursive)?;
        Ok(Self {
            _watcher: watcher,
            directory,
            gone,
        })
    }

    /// Whether the directory is still there; a watch on one that was removed is deaf, also
    /// when another of the same name takes its place.
    pub(super) fn is_alive(&self) -> bool {
        !self.gone.load(Ordering::Relaxed) && self.directory.is_dir()
    }
}

/// Whether an event says that the watched directory itself is no longer where it was.
fn takes_away(event: &Event, directory: &Path) -> bool {
    let moves = matches!(
        event.kind,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    );
    moves && event.paths.iter().any(|path| path == directory)
}

/// What an event says about the file called `name`, if anything.
fn change(event: &Event, name: Option<&std::ffi::OsStr>) -> Option<Change> {
    if event.need_rescan() {
        return Some(Change::Unclear);
    }
    let about_it = event.paths.iter().any(|path| path.file_name() == name);
    let about_links = event.paths.iter().any(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(".."))
    });
    if !about_it {
        return about_links.then_some(Change::Unclear);
    }
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Change::Closed),
        // Both ends of a rename come as events of their own as well.
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => None,
        EventKind::Create(_) => Some(Change::Seen(FileEvent::Created)),
        EventKind::Remove(_) => Some(Change::Seen(FileEvent::Removed)),
        EventKind::Modify(ModifyKind::Name(_)) => Some(Change::Seen(FileEvent::Renamed)),
        EventKind::Modify(ModifyKind::Metadata(_)) => Some(Change::Seen(FileEvent::Modified)),
        EventKind::Modify(_) => Some(Change::Written),
        EventKind::Any | EventKind::Other => Some(Change::Unclear),
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, Flag, MetadataKind};

    use super::*;

    fn event(kind: EventKind, path: &str) -> Event {
        Event::new(kind).add_path(PathBuf::from(path))
    }

    #[test]
    fn a_watch_knows_that_its_directory_is_gone_though_another_has_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("etc");
        std::fs::create_dir(&directory).unwrap();
        let (hints, hinted) = std::sync::mpsc::channel();
        let hint = move |change| {
            let _ = hints.send(change);
        };
        let watch = Watch::start(&directory.join("shop.toml"), hint).unwrap();
        assert!(watch.is_alive());
        std::fs::remove_dir(&directory).unwrap();
        std::fs::create_dir(&directory).unwrap();
        let told = hinted.recv_timeout(std::time::Duration::from_secs(30));
        assert_eq!(told, Ok(Change::Unclear));
        assert!(!watch.is_alive());
    }

    /// What the guard waits for before it takes bad content for a fault.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_end_of_writing_is_told_last() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.toml");
        let (hints, hinted) = std::sync::mpsc::channel();
        let hint = move |change| {
            let _ = hints.send(change);
        };
        let _watch = Watch::start(&path, hint).unwrap();
        let told = || hinted.recv_timeout(std::time::Duration::from_secs(30));
        let mut file = std::fs::File::create(&path).unwrap();
        assert_eq!(told(), Ok(Change::Seen(FileEvent::Created)));
        file.write_all(b"a").unwrap();
        assert_eq!(told(), Ok(Change::Written));
        assert!(hinted.try_recv().is_err(), "it is still open");
        drop(file);
        assert_eq!(told(), Ok(Change::Closed));
    }

    #[test]
    fn only_what_is_about_the_file_counts() {
        let name = Some(std::ffi::OsStr::new("shop.toml"));
        let modified = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        assert_eq!(
            change(&event(modified, "/d/shop.toml"), name),
            Some(Change::Written)
        );
        let permitted = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Permissions));
        assert_eq!(
            change(&event(permitted, "/d/shop.toml"), name),
            Some(Change::Seen(FileEvent::Modified))
        );
        let closed = |mode| EventKind::Access(AccessKind::Close(mode));
        for (mode, told) in [
            (AccessMode::Write, Some(Change::Closed)),
            (AccessMode::Read, None),
        ] {
            assert_eq!(change(&event(closed(mode), "/d/shop.toml"), name), told);
        }
        assert_eq!(change(&event(modified, "/d/other"), name), None);
        let created = EventKind::Create(CreateKind::Any);
        assert_eq!(
            change(&event(created, "/d/..data"), name),
            Some(Change::Unclear)
        );
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(change(&overflow, name), Some(Change::Unclear));
    }
}
