use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;

use parking_lot::Mutex;

use super::lock::{self, Lock};
use super::store::{Append, Store};
use crate::util::place::{Directory, PlaceError, Sharing};

/// The maximum number of files read; [`Journal::keep_files`](crate::config::Journal) are kept.
const FILES: usize = 10_000;

/// Journal files in a folder: `journal-00000001.jsonl`, `journal-00000002.jsonl`, …
///
/// The folder belongs to one process at a time, ensured by a lock on its file `journal.lock`. That
/// file is removed at the end; one left behind by a crash is no lock.
///
/// A journal describes the faults of a service, so only its user may read it: the folder is created
/// with mode 0700 and the files with 0600. An existing folder of this user with no other content is
/// narrowed to 0700. It is held open from the start, so a path that later points elsewhere has no
/// effect. No link in it is followed, and only regular files of this user, or of the folder's
/// owner, are read or removed.
pub struct Folder {
    directory: Directory,
    lock: Mutex<Lock>,
}

/// Why a folder cannot be used for a journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It is used by another process, or by another engine of this one.
    #[error("the journal in {path:?} is in use; give each process its own folder")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// This process runs as root, and another user may write there.
    #[error(
        "no journal is kept in {path:?}, since this process runs as root and {folder:?} {why}; \
         choose a folder that only root can write to, run as another user, or set \
         `journal.allow_shared_directory`"
    )]
    Shared {
        /// The folder of the journal.
        path: PathBuf,
        /// The folder, or a parent of it, that another user may write to.
        folder: PathBuf,
        /// How that was found.
        why: String,
    },
    /// It cannot be created or opened.
    #[error("cannot open the journal in {path:?}; make the folder writable or choose another")]
    Io {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Folder {
    /// Creates the folder if it does not exist, and locks it. A relative path is resolved once,
    /// against the current directory.
    ///
    /// # Errors
    /// [`FolderError::InUse`] if it is locked, [`FolderError::Shared`] for root if another user may
    /// write, and [`FolderError::Io`] if it cannot be created, opened or locked.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FolderError> {
        Self::opened(path.into(), Sharing::REFUSED)
    }

    /// Like [`open`](Self::open), but as root also accepts a folder in which, or above which,
    /// another user may write. That user may remove or replace the journal, and so forge its record
    /// of past attempts and pauses.
    ///
    /// # Errors
    /// As for [`open`](Self::open), except [`FolderError::Shared`].
    pub fn open_shared(path: impl Into<PathBuf>) -> Result<Self, FolderError> {
        Self::opened(path.into(), Sharing::ALLOWED)
    }

    fn opened(path: PathBuf, sharing: Sharing) -> Result<Self, FolderError> {
        let own = |name: &OsStr| number(name).is_some() || name == lock::NAME;
        let directory = match Directory::make_private(&path, sharing, own) {
            Ok(directory) => directory,
            Err(PlaceError::Shared { folder, why }) => {
                return Err(FolderError::Shared { path, folder, why });
            }
            Err(PlaceError::Io { source, .. }) => return Err(FolderError::Io { path, source }),
            Err(other) => {
                let source = io::Error::other(other);
                return Err(FolderError::Io { path, source });
            }
        };
        let lock = match Lock::take(&directory) {
            Ok(Some(lock)) => Mutex::new(lock),
            Ok(None) => return Err(FolderError::InUse { path }),
            Err(source) => return Err(FolderError::Io { path, source }),
        };
        let folder = Self { directory, lock };
        folder.narrow();
        Ok(folder)
    }

    /// Removes the access of others from existing files: earlier versions granted some.
    fn narrow(&self) {
        for number in self.list().unwrap_or_default() {
            if let Ok(opened) = self.directory.open(&name(number)) {
                opened.narrow();
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.lock.get_mut().release(&self.directory);
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Folder")
            .field(&self.directory.path())
            .finish()
    }
}

impl Store for Folder {
    fn list(&self) -> io::Result<Vec<u64>> {
        let names = self.directory.names(FILES, |name| number(name).is_some())?;
        let mut numbers = Vec::with_capacity(names.len());
        for name in names {
            if self.directory.has_own(&name)? {
                numbers.extend(number(&name));
            }
        }
        Ok(numbers)
    }

    fn read(&self, number: u64) -> io::Result<Box<dyn BufRead + Send>> {
        let opened = self.directory.open(&name(number))?;
        if !self.directory.owns(&opened.facts)? {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(Box::new(BufReader::new(opened.file)))
    }

    fn create(&self, number: u64) -> io::Result<Box<dyn Append>> {
        self.lock.lock().hold(&self.directory)?;
        let name = name(number);
        let file = self.directory.create_new(&name)?;
        // After a power failure the file exists only if its directory entry was synced.
        self.directory.sync().inspect_err(|_| {
            let _ = self.directory.remove(&name);
        })?;
        Ok(Box::new(Appended(file)))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        let name = name(number);
        if !self.directory.has_own(&name)? {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.directory.remove(&name)
    }
}

fn name(number: u64) -> OsString {
    format!("journal-{number:08}.jsonl").into()
}

/// The number in an exact [`name`] of a file.
fn number(of: &OsStr) -> Option<u64> {
    let digits = of.to_str()?.strip_prefix("journal-")?;
    let number = digits.strip_suffix(".jsonl")?.parse().ok()?;
    (name(number) == of).then_some(number)
}

struct Appended(std::fs::File);

impl Append for Appended {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

#[cfg(test)]
mod tests;
