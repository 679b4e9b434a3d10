use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use super::store::{Append, Store};

/// Journal files in a folder: `journal-00000001.jsonl`, `journal-00000002.jsonl`, …
///
/// The folder belongs to one process at a time, which a lock on its file `journal.lock` sees to.
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Why a folder cannot be used for a journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// Another process, or another engine of this one, uses it.
    #[error("the journal in {path:?} is in use; give each process a folder of its own")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// It cannot be made or opened.
    #[error("cannot open the journal in {path:?}; make the folder writable or choose another")]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Folder {
    /// Makes the folder if it is not there, and takes hold of it. A relative path is taken from
    /// where the process is now, wherever it goes later.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FolderError> {
        let path = path.into();
        let path = match std::path::absolute(&path) {
            Ok(path) => path,
            Err(source) => return Err(FolderError::Io { path, source }),
        };
        match Self::lock(&path) {
            Ok(lock) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse { path }),
            Err(TryLockError::Error(source)) => Err(FolderError::Io { path, source }),
        }
    }

    fn lock(path: &Path) -> Result<File, TryLockError> {
        let open = || {
            fs::create_dir_all(path)?;
            let mut options = OpenOptions::new();
            options.create(true).truncate(false).write(true);
            options.open(path.join("journal.lock"))
        };
        let lock = open().map_err(TryLockError::Error)?;
        lock.try_lock()?;
        Ok(lock)
    }

    fn file(&self, number: u64) -> PathBuf {
        self.path.join(format!("journal-{number:08}.jsonl"))
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Folder").field(&self.path).finish()
    }
}

impl Store for Folder {
    fn list(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let number: Option<u64> = name
                .to_str()
                .and_then(|name| name.strip_prefix("journal-")?.strip_suffix(".jsonl"))
                .and_then(|digits| digits.parse().ok());
            numbers.extend(number);
        }
        Ok(numbers)
    }

    fn read(&self, number: u64) -> io::Result<Box<dyn BufRead + Send>> {
        Ok(Box::new(BufReader::new(File::open(self.file(number))?)))
    }

    fn create(&self, number: u64) -> io::Result<Box<dyn Append>> {
        let mut options = OpenOptions::new();
        let file = options
            .create_new(true)
            .append(true)
            .open(self.file(number))?;
        // A file is there after a power cut only if its entry in the folder is.
        if cfg!(unix) {
            File::open(&self.path)?.sync_all()?;
        }
        Ok(Box::new(Appended(file)))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.file(number))
    }
}

struct Appended(File);

impl Append for Appended {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn belongs_to_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Folder::open(folder.path().join("a/b")).unwrap();
        let second = Folder::open(folder.path().join("a/b"));
        assert!(matches!(second, Err(FolderError::InUse { .. })));
        drop(first);
        assert!(Folder::open(folder.path().join("a/b")).is_ok());
    }

    #[test]
    fn lists_its_own_files_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Folder::open(folder.path()).unwrap();
        fs::write(folder.path().join("journal-x.jsonl"), "").unwrap();
        fs::write(folder.path().join("notes.txt"), "").unwrap();
        store.create(3).unwrap().append(b"line\n").unwrap();
        assert!(store.create(3).is_err(), "nothing is overwritten");
        assert_eq!(store.list().unwrap(), [3]);
        let mut line = String::new();
        store.read(3).unwrap().read_line(&mut line).unwrap();
        assert_eq!(line, "line\n");
        store.remove(3).unwrap();
        assert_eq!(store.list().unwrap(), [0_u64; 0]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Folder::open(&file).unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}
